-- A record is linked after it was committed: sequence is its place in the chain of its tenant, hash covers it and the one
-- before it. salt keeps the hash of an erased body from being guessed; erased is what is left of such a body.
ALTER TABLE audit ADD COLUMN sequence BIGINT;
ALTER TABLE audit ADD COLUMN salt BYTEA;
ALTER TABLE audit ADD COLUMN erased BYTEA;
ALTER TABLE audit ADD COLUMN hash BYTEA;
CREATE INDEX audit_unlinked ON audit (tenant_id, id) WHERE sequence IS NULL;
CREATE UNIQUE INDEX audit_chain ON audit (tenant_id, sequence) WHERE sequence IS NOT NULL;

-- Where the chain of a tenant ends, where what is kept of it begins, and what the newest checkpoint says of both.
CREATE TABLE audit_heads (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    first_kept BIGINT NOT NULL,
    before_first BYTEA NOT NULL,
    signed_sequence BIGINT NOT NULL,
    signed_first BIGINT NOT NULL
);

CREATE TABLE audit_checkpoints (
    tenant_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    jws TEXT NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);

-- Deleted users whose name is still to be taken out of the trail; done_to is how far that has come.
CREATE TABLE audit_erasures (
    tenant_id TEXT NOT NULL,
    user_id BYTEA NOT NULL,
    account TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    done_to BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
