-- no mail has waited, or had an unknown outcome, for over 15 minutes: staff sends it again
SELECT mail_id FROM mail.mails WHERE status IN ('waiting', 'unknown') AND taken_at < now() - interval '15 min'
