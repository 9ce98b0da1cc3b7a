-- what is used of an authorisation is what its payments set aside and kept
SELECT a.authorisation_id FROM payments.authorisations a LEFT JOIN payments.payments p USING (authorisation_id)
GROUP BY a.authorisation_id
HAVING a.used_minor <> coalesce(sum(payments.used(p)), 0) OR bool_or(p.currency <> a.currency)
