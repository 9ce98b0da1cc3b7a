-- no mail has been on its way to the mail server for over 5 minutes
SELECT mail_id FROM mail.mails WHERE status = 'sending' AND taken_at < now() - interval '5 min'
