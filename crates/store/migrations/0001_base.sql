-- Columns are what the database compares, joins or indexes; the rest of a row is its record. Ids are bytes, times are
-- milliseconds, "at" columns replace booleans. The tenant comes first in every key.

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    disabled_at BIGINT
);

-- Grants (and sessions) made before cut_at are dead; a client that is made anew under an old name inherits none.
CREATE TABLE clients (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    record TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    disabled_at BIGINT,
    cut_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE users (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id BYTEA NOT NULL,
    username TEXT NOT NULL,
    record TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    disabled_at BIGINT,
    cut_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, username)
);

CREATE TABLE credentials (
    tenant_id TEXT NOT NULL,
    user_id BYTEA NOT NULL,
    kind TEXT NOT NULL,
    record TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, kind),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE sessions (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    user_id BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE interactions (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    browser BYTEA NOT NULL,
    session_id BYTEA,
    version BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    closed_at BIGINT,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX interactions_by_expiry ON interactions (expires_at);

-- generation is that of the one live refresh token; keep_until is when nothing of the grant can be misused any more.
CREATE TABLE grants (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    user_id BYTEA,
    session_id BYTEA,
    offline BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    code_expires_at BIGINT,
    redeemed_at BIGINT,
    generation BIGINT NOT NULL,
    rotated_at BIGINT,
    refresh_expires_at BIGINT,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    keep_until BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX grants_of_session ON grants (tenant_id, session_id);

CREATE TABLE consents (
    tenant_id TEXT NOT NULL,
    user_id BYTEA NOT NULL,
    client_id TEXT NOT NULL,
    record TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, client_id)
);

-- recorded is the version of the cuts that brought the row, so that others can ask for what they have not seen.
CREATE TABLE cuts (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target BYTEA NOT NULL,
    cut_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    recorded BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, target)
);
CREATE INDEX cuts_by_recording ON cuts (recorded);
CREATE INDEX cuts_by_expiry ON cuts (expires_at);

CREATE TABLE replay (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    client_id TEXT NOT NULL,
    value BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, client_id, value)
);
CREATE INDEX replay_by_expiry ON replay (expires_at);

-- number is the short id inside handles and sealed tokens; it is never given out twice for a purpose.
CREATE TABLE keys (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    number BIGINT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    public_key TEXT,
    created_at BIGINT NOT NULL,
    published_at BIGINT,
    active_at BIGINT,
    retired_at BIGINT,
    expires_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, purpose, number)
);

CREATE TABLE links (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    purpose TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX links_by_expiry ON links (expires_at);

-- full_at: when the bucket will be as if it had never been used.
CREATE TABLE throttle (
    tenant_id TEXT NOT NULL,
    bucket TEXT NOT NULL,
    full_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, bucket)
);

CREATE TABLE audit (
    tenant_id TEXT NOT NULL,
    id BYTEA NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    object TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE versions (
    name TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO versions (name, version) VALUES
    ('clients', 0), ('users', 0), ('keys', 0), ('tenants', 0), ('cuts', 0);
