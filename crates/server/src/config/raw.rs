//! Every key of `jeton.toml`, once: type, default, limits and the text operators read.
//!
//! The doc comment of a field is copied word for word into `docs/config.md`: say what the setting
//! does, its unit, and what happens when it is changed. What two keys must be to each other is
//! checked in `resolved.rs`.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jeton_protocol::tenant::TokenFormat;
use jeton_protocol::trusted_preset::Preset;
use jeton_token::algorithm::SignatureAlgorithm;

use super::choices::{LogFormat, LogLevel};
use super::key::{Table, table};
use super::kinds::{DatabaseUrl, HostPort, IssuerUrl, ResourceUri, UrlPath};

/// The tables in the order of the reference.
pub const TABLES: &[Table] = &[
    Top::TABLE,
    Listen::TABLE,
    ListenTls::TABLE,
    Database::TABLE,
    Keys::TABLE,
    Rotation::TABLE,
    Lifetimes::TABLE,
    Refresh::TABLE,
    Tokens::TABLE,
    Pushed::TABLE,
    Scope::TABLE,
    TrustedIssuer::TABLE,
    IssuerRule::TABLE,
    Paths::TABLE,
    Passwords::TABLE,
    Limits::TABLE,
    Audit::TABLE,
    Outbound::TABLE,
    Log::TABLE,
];

table! {
    /// Who this server is.
    Top at "" {
        /// The public address of this server: the value of `iss` in every token, and the start of
        /// every link and of every endpoint in the metadata. Clients compare it byte for byte, so
        /// changing it invalidates every client's configuration. It must be `https`, except on a
        /// loopback host, or when `listen.trusted_proxies` names the proxy that ends TLS.
        issuer: IssuerUrl = "http://localhost:9000";
        /// The audience of access tokens when neither the request (`resource`) nor the client
        /// names one. Not set means the issuer.
        audience: Option<ResourceUri>;
    }
}

table! {
    /// Where requests come in.
    Listen at "listen." {
        /// The address and port that answer clients and browsers. An address other machines can
        /// reach needs `listen.tls`, or a proxy named in `listen.trusted_proxies`.
        address: SocketAddr = "127.0.0.1:9000";
        /// A second address, without TLS, for `/metrics`, which answers nowhere else, and for the
        /// health endpoints. Not set means no second listener and no `/metrics`.
        management: Option<SocketAddr>;
        /// The proxies whose `X-Forwarded-For` header is believed. From anybody else it is
        /// ignored. Never name a network your users are in: they could then choose the address
        /// that limits and audit rows record.
        trusted_proxies: Vec<IpNet> = "";
        /// The most connections one client address may hold open. Further ones are closed at once.
        /// Connections from loopback and from `listen.trusted_proxies` are not counted.
        per_ip_connections: u32 = "256", "1"..="65536";
    }
}

table! {
    /// TLS without a proxy. Set both or neither.
    ListenTls at "listen.tls." {
        /// The certificate chain, PEM, the server's own certificate first.
        certificate: Option<PathBuf>;
        /// The private key of the certificate, PEM.
        key: Option<PathBuf>;
    }
}

table! {
    /// Where the rows live.
    Database at "database." {
        /// The database: an embedded SQLite file, or PostgreSQL when several machines serve one
        /// issuer. The file is made on first start. The password is never shown or logged; set it
        /// by `JETON_DATABASE__URL_FILE` or a systemd credential to keep it out of this file.
        url: DatabaseUrl = "sqlite:jeton.db";
        /// How many connections are held: readers beside the one writer for SQLite, all
        /// connections for PostgreSQL. More than the database has cores rarely helps.
        connections: u32 = "8", "1"..="512";
    }
}

table! {
    /// The keys that sign, seal and encrypt.
    Keys at "keys." {
        /// The file of the key that encrypts all other keys in the database (32 random bytes,
        /// base64url). Not set means a file beside the SQLite database, named like it with the
        /// ending `.key`; that one is made on first start, readable by its owner only. With
        /// PostgreSQL it must be set, because every node needs the same one. Losing it loses
        /// every signing key and with it every token: back it up, but not with the database.
        encryption_key_file: Option<PathBuf>;
        /// A second such file, while the key is being replaced: what it encrypted can be read, and
        /// nothing is encrypted with it any more. `jeton key rewrap` encrypts everything with the
        /// first one; then take this setting away.
        encryption_key_previous_file: Option<PathBuf>;
    }
}

table! {
    /// How keys change, by themselves and when `jeton key rotate` asks for it: those that sign, those of
    /// handles (codes, refresh tokens, cookies), and those of opaque access tokens.
    Rotation at "keys.rotation." {
        /// How long a key is used before the next one takes over. The next one is made by the server, published
        /// `keys.rotation.lead` before that.
        period: Duration = "90d", "2d"..="730d";
        /// How long the next key is known and published before it is used, so that every resource server has
        /// it in time. Those that cache the key set longer than this will refuse good tokens.
        lead: Duration = "24h", "24h"..="90d";
    }
}

table! {
    /// How long things live. Longer is more comfortable and gives a thief more time.
    Lifetimes at "lifetimes." {
        /// An authorization code, from approval to redemption (RFC 6749 §4.1.2).
        code: Duration = "1m", "1s"..="10m";
        /// An access token. Revocation reaches opaque tokens at once; a resource server that
        /// checks JWTs itself believes one until it expires.
        access_token: Duration = "10m", "10s"..="24h";
        /// An ID token.
        id_token: Duration = "5m", "10s"..="24h";
        /// A sign-in page, from the authorization request to the answer. After that the user
        /// starts again at the client.
        interaction: Duration = "30m", "1m"..="24h";
        /// A device's request: how long it may poll, and how long its code can be typed (RFC 8628 §3.2).
        device_code: Duration = "10m", "1m"..="30m";
        /// How long ago the user who approves a device may have signed in, at most; else they are asked
        /// for their password again. `0s` asks always.
        device_sign_in: Duration = "10m", "0s"..="24h";
        /// A refresh token nobody uses.
        refresh_idle: Duration = "14d", "1m"..="730d";
        /// A grant, however often it is refreshed. After that the user signs in again.
        refresh_absolute: Duration = "90d", "1m"..="3650d";
        /// A browser session nobody uses.
        session_idle: Duration = "8h", "1m"..="365d";
        /// A browser session, however often it is used.
        session_absolute: Duration = "24h", "1m"..="365d";
    }
}

table! {
    /// How refresh tokens rotate.
    Refresh at "refresh." {
        /// How long the previous refresh token still answers, with the same successor, so that
        /// parallel or repeated refreshes of an honest client log nobody out. After that, using
        /// it again is taken for theft and revokes the grant.
        grace: Duration = "10s", "0s"..="1m";
    }
}

table! {
    /// What tokens are.
    Tokens at "tokens." {
        /// The form of access tokens, unless a client asks for the other one. Opaque tokens can be
        /// revoked at once; JWTs can be checked without asking this server (RFC 9068).
        format: TokenFormat = "opaque";
        /// The algorithm JWT access tokens are signed with. A key of it is made when there is none,
        /// and signs two seconds later, when every node publishes it. Choose RS256 or PS256 only
        /// when resource servers know nothing else.
        signing_algorithm: SignatureAlgorithm = "ES256";
        /// Whether DPoP proofs must carry a nonce of this server, so that none can be made ahead of time. Clients pay for it
        /// with a second try every two minutes, and their clocks need not be right. A client's `dpop_nonce` overrides it
        /// (RFC 9449 §8).
        dpop_nonce: bool = "false";
    }
}

table! {
    /// Pushed authorization requests: the client sends the request itself and the browser only a reference to it (RFC 9126).
    Pushed at "pushed." {
        /// Whether every client has to push its requests. A single client is made to by
        /// `require_pushed_authorization_requests` in its record.
        required: bool = "false";
        /// How long a pushed request may wait for its browser. Signing in may take longer.
        lifetime: Duration = "1m", "5s"..="599s";
        /// Whether a client that has authenticated, so not a public one, may push a redirection URI
        /// that is not registered (RFC 9126 §2.4). It must be one that could be.
        unregistered_redirect_uris: bool = "false";
    }
}

table! {
    /// The scopes clients may be given, one table each. `openid`, `profile`, `email`, `address`,
    /// `phone` and `offline_access` exist without being written here. Environment variables
    /// cannot set this table.
    Scope at "scopes.NAME." {
        /// What the consent page tells the user, as the end of the sentence "… would like to".
        /// Not set shows the name of the scope.
        description: Option<String>;
        /// Whether the scope is left out of the metadata. It can be asked for all the same.
        hidden: bool = "false";
    }
}

table! {
    /// The issuers whose tokens this server takes as assertions (RFC 7523), one table each: those of a build
    /// system, of a cluster, of another company. They are trusted by the default tenant alone. Environment
    /// variables cannot set this table.
    TrustedIssuer at "trusted_issuers.NAME." {
        /// The issuer, exactly as the claim `iss` has it; a token without one is refused. Every table needs one.
        issuer: Option<String>;
        /// What kind of issuer it is. Rules for a known kind must name a claim that is never given to somebody
        /// else: `repository_id` or `repository_owner_id` (`github`), `project_id` or `namespace_id`
        /// (`gitlab`), `/kubernetes.io/serviceaccount/uid` (`kubernetes`), `sub` with a SPIFFE id (`spiffe`).
        preset: Option<Preset>;
        /// A file with the issuer's public keys (a JWK Set), read when the server starts. Every table needs one.
        jwks_file: Option<PathBuf>;
        /// Not supported yet: save the issuer's keys to a file and set `jwks_file`.
        jwks_uri: Option<String>;
        /// The algorithms its tokens may be signed with.
        algorithms: Vec<SignatureAlgorithm> = "RS256, ES256, EdDSA";
        /// What the claim `aud`, which must be one value, may be. Empty means the issuer of this server and its
        /// token endpoint.
        audiences: Vec<String> = "";
        /// How far ahead the claim `exp` may be.
        longest_life: Duration = "1h", "1m"..="24h";
        /// Whether a token may be presented again until it expires, and needs no `jti`. Not set means true for
        /// `kubernetes` and `spiffe`, whose tokens are files that are read many times, and false for others.
        reusable: Option<bool>;
    }
}

table! {
    /// What a token of a trusted issuer is good for, one table a rule. Of the rules for the client that presents
    /// the token, the first in the order of their names whose conditions all hold decides. `jeton issuer test`
    /// shows which one that is.
    IssuerRule at "trusted_issuers.NAME.rules.NAME." {
        /// The conditions, each `"claim=value"`; all must hold, byte for byte. A name that begins with a slash
        /// leads into an object: `/kubernetes.io/namespace=shop`. Every rule needs one.
        when: Vec<String> = "";
        /// The id of the client that may present the token. Every rule needs one. The client needs the grant
        /// type `urn:ietf:params:oauth:grant-type:jwt-bearer`.
        client: Option<String>;
        /// The name of the user the access token is for. Not set means it is for the client itself.
        user: Option<String>;
        /// The most the access token may be good for, separated by spaces; the client's own scope bounds it too.
        scope: String = "";
    }
}

table! {
    /// Further paths at which an endpoint answers, so that a client written for another server
    /// moves by changing the host only. The metadata names the built-in paths.
    Paths at "paths." {
        /// The authorization endpoint.
        authorize: Vec<UrlPath> = "";
        /// The pushed authorization request endpoint, such as `["/oauth/par"]`.
        par: Vec<UrlPath> = "";
        /// The token endpoint, such as `["/oauth2/token", "/oauth/token"]`.
        token: Vec<UrlPath> = "";
        /// The revocation endpoint.
        revoke: Vec<UrlPath> = "";
        /// The introspection endpoint.
        introspect: Vec<UrlPath> = "";
        /// The userinfo endpoint.
        userinfo: Vec<UrlPath> = "";
    }
}

table! {
    /// How passwords are hashed (Argon2id). A change applies to new passwords at once and to an
    /// old one the next time its owner signs in.
    Passwords at "passwords." {
        /// The memory of one hash, in MiB. It is the main cost for an attacker, and each of
        /// `passwords.threads` holds this much.
        memory_mib: u32 = "46", "46"..="4096";
        /// How often the memory is passed over.
        iterations: u32 = "1", "1"..="64";
        /// How many lanes a hash has.
        lanes: u32 = "1", "1"..="64";
        /// How many hashes are computed at the same time; others wait. Not set means one for each
        /// core.
        threads: Option<u32>, "1"..="1024";
    }
}

table! {
    /// What is refused before anybody looks at it, and how often somebody may try. Who tries more often gets 429 and
    /// `Retry-After`.
    Limits at "limits." {
        /// The longest request body, in bytes. A longer one gets 413.
        body_bytes: u32 = "65536", "4096"..="16777216";
        /// Sign-ins that may fail for one account in a quarter of an hour. Counted in the database, so a restart
        /// forgets nothing; a successful sign-in forgets all. As many wrong codes of devices may be typed.
        sign_in_failures_per_account: u32 = "5", "1"..="1000";
        /// Sign-ins that may fail from one address (IPv6: one /64) in a quarter of an hour. As many wrong codes of devices
        /// may be typed from it.
        sign_ins_per_address: u32 = "50", "1"..="100000";
        /// Authentications of one client from one address that may fail in a minute.
        client_failures: u32 = "10", "1"..="100000";
        /// Token requests of one client (of a public one: from one address) in a second; 0 means as many as it likes.
        token_requests_per_client: u32 = "50", "0"..="1000000";
        /// Introspection requests of one client in a second; 0 means as many as it likes.
        introspections_per_client: u32 = "500", "0"..="1000000";
        /// Pushed authorization requests of one client (of a public one: from one address) in a second; 0 means as many as it likes.
        pushed_requests_per_client: u32 = "20", "0"..="1000000";
    }
}

table! {
    /// The trail of who changed what, in the database.
    Audit at "audit." {
        /// How long a record is kept. Older ones are deleted, once a signed checkpoint has said that they go, so that
        /// `jeton audit verify` can tell it from tampering.
        keep: Duration = "400d", "1d"..="36500d";
    }
}

table! {
    /// What this server may fetch from others: the keys of a client at its `jwks_uri`, and its logo. Only https, only host
    /// names, and only addresses of the public internet.
    Outbound at "outbound." {
        /// Hosts with their port that may be fetched from whatever their address is, exactly as URLs name them, such as
        /// `["keys.internal.example:8443"]`. Everything else inside your network stays out of reach, whoever registers its
        /// URL. TLS is checked all the same.
        allow: Vec<HostPort> = "";
        /// PEM files of certificate authorities that are trusted beside those of the machine. There is no way to trust
        /// everybody.
        ca: Vec<PathBuf> = "";
        /// Ports that may be used beside 443.
        ports: Vec<NonZeroU16> = "";
    }
}

table! {
    /// What is written to standard error.
    Log at "log." {
        /// The form of log lines.
        format: LogFormat = "text";
        /// The least important lines that are written. No level writes a token, a secret or a
        /// password.
        level: LogLevel = "info";
    }
}
