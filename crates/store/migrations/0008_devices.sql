-- Devices that wait for a person (RFC 8628). user_code is a keyed hash; session_id and user_id are those of whoever entered the
-- code. An approved device becomes the grant of the same id, so the row only has to last as long as its codes.

CREATE TABLE devices (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    user_code BYTEA NOT NULL,
    session_id BYTEA,
    user_id BYTEA,
    poll_interval BIGINT NOT NULL,
    approved_at BIGINT,
    denied_at BIGINT,
    expires_at BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, user_code)
);
CREATE INDEX devices_by_expiry ON devices (expires_at);
