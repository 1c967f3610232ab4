-- keep_until is when no sign-in that the request began can still be answered.
CREATE TABLE pushed_requests (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    keep_until BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX pushed_requests_by_end ON pushed_requests (keep_until);
