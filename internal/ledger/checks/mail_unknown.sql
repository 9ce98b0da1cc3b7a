-- no mail is in an unknown state
SELECT mail_id FROM mail.mails WHERE status = 'unknown' OR status = 'sending' AND taken_at < now() - interval '5 min'
