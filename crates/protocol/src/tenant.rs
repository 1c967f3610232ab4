//! A tenant is an issuer: its name, its address and its policy.

use crate::scope::ScopeDefinition;
use crate::trusted_issuer::TrustedIssuer;
use jeton_token::algorithm::SignatureAlgorithm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Part of every key, cache key, index and handle (SEC-R06).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    pub const DEFAULT: &'static str = "default";

    /// 1 to 32 characters of `a-z 0-9 -`, beginning with a letter.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    pub fn default_tenant() -> Self {
        Self(Self::DEFAULT.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The issuer identifier, compared as bytes everywhere (RFC 8414 §2, SEC-193).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// `https://host[:port][/path]`, or `http` for whoever decides to allow it; no query, fragment, user information or
    /// trailing slash, lower-case scheme and host.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = crate::redirect_uri::host_of_authority(authority)?;
        let host_ok = !host.bytes().any(|b| b.is_ascii_uppercase() || b == b'_');
        let path_ok = !path.ends_with('/')
            && !path.contains("//")
            && path
                .split('/')
                .all(|segment| segment != "." && segment != "..")
            && path.bytes().all(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'_' | b'~')
            });
        (host_ok && path_ok).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Scheme and authority.
    pub fn origin(&self) -> &str {
        let end = self.0.len() - self.path().len();
        self.0.get(..end).unwrap_or(&self.0)
    }

    /// `host[:port]`, as a `Host` header names it.
    pub fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split_once('/')
            .map_or(rest, |(authority, _)| authority)
    }

    /// Empty, or a path that begins with a slash and does not end in one.
    pub fn path(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("")
    }

    /// The address of an endpoint below this issuer.
    pub fn join(&self, endpoint: &str) -> String {
        format!("{}{endpoint}", self.0)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// `jta_`: sealed; only this server can read it.
    Opaque,
    /// `at+jwt` (RFC 9068).
    Jwt,
}

/// How long things live. Clients may shorten them; ceilings are checked where they are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifetimes {
    pub code: Duration,
    pub access_token: Duration,
    pub id_token: Duration,
    pub refresh_idle: Duration,
    pub refresh_absolute: Duration,
    /// How long the token before the newest still yields that same newest one.
    pub refresh_grace: Duration,
    pub session_idle: Duration,
    pub session_absolute: Duration,
    pub interaction: Duration,
    /// A device's request, with both its codes.
    pub device_code: Duration,
    /// How old the sign-in of a user may be who approves a device.
    pub device_sign_in: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        Self {
            code: Duration::from_secs(60),
            access_token: Duration::from_secs(10 * MINUTE),
            id_token: Duration::from_secs(5 * MINUTE),
            refresh_idle: Duration::from_secs(14 * DAY),
            refresh_absolute: Duration::from_secs(90 * DAY),
            refresh_grace: Duration::from_secs(10),
            session_idle: Duration::from_secs(8 * HOUR),
            session_absolute: Duration::from_secs(24 * HOUR),
            interaction: Duration::from_secs(30 * MINUTE),
            device_code: Duration::from_secs(10 * MINUTE),
            device_sign_in: Duration::from_secs(10 * MINUTE),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub lifetimes: Lifetimes,
    pub token_format: TokenFormat,
    pub signing_algorithm: SignatureAlgorithm,
    /// Whether DPoP proofs must carry a nonce of this server, unless a client is registered otherwise (RFC 9449 §8).
    #[serde(default)]
    pub dpop_nonce: bool,
    /// The `aud` of access tokens of clients that name none themselves; empty means the issuer.
    pub default_audience: Vec<String>,
    /// Scopes this tenant knows beside those of OpenID Connect.
    pub scopes: BTreeMap<String, ScopeDefinition>,
    /// Whose assertions this tenant takes (RFC 7523). Tenants share none.
    #[serde(default)]
    pub trusted_issuers: Vec<TrustedIssuer>,
    #[serde(default)]
    pub pushed: PushedPolicy,
}

/// What holds for pushed authorization requests (RFC 9126).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedPolicy {
    /// Whether every client has to push its requests.
    pub required: bool,
    pub lifetime: Duration,
    /// Whether a client that has proven itself may push a redirection URI it has not registered (RFC 9126 §2.4, S14).
    pub unregistered_redirect_uris: bool,
}

impl Default for PushedPolicy {
    fn default() -> Self {
        Self {
            required: false,
            lifetime: Duration::from_secs(60),
            unregistered_redirect_uris: false,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lifetimes: Lifetimes::default(),
            token_format: TokenFormat::Opaque,
            signing_algorithm: SignatureAlgorithm::Es256,
            dpop_nonce: false,
            default_audience: Vec::new(),
            scopes: BTreeMap::new(),
            trusted_issuers: Vec::new(),
            pushed: PushedPolicy::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub issuer: Issuer,
    /// Shown on pages; the issuer's host when absent.
    pub name: Option<String>,
    pub policy: Policy,
}
