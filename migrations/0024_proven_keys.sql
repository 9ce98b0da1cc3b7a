-- written by: the same functions as before
-- A public key is public, so anyone can add it to their account. An account that proves with a signature that it has the private key
-- takes the key from one that has not.

-- +goose Up
ALTER TABLE accounts.ssh_keys ADD COLUMN proven boolean NOT NULL DEFAULT false;

-- release_unproven_key deletes a key, by its fingerprint, from an account that has not proven to have it. The caller has verified a
-- signature with it.
CREATE FUNCTION accounts.release_unproven_key(asked text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM accounts.ssh_keys k WHERE k.fingerprint = asked AND NOT k.proven
$$;
COMMENT ON FUNCTION accounts.release_unproven_key IS 'secret of accounts.ssh_keys';
REVOKE EXECUTE ON FUNCTION accounts.release_unproven_key FROM PUBLIC;
