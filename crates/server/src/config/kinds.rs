//! The types of single settings that are more than text: each is parsed here and nowhere else.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jeton_protocol::tenant::Issuer;
use url::Url;

use super::value::{Setting, Shape, Value, quoted};

/// The issuer identifier, byte for byte as every `iss` carries it. (RFC 8414 §2, OIDC Discovery §3)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl {
    pub(super) issuer: Issuer,
    /// Whether the host can only ever be the machine itself.
    pub(super) host_is_loopback: bool,
}

impl IssuerUrl {
    fn from_text(text: &str) -> Result<Self, String> {
        let example = "such as \"https://auth.example.org\"";
        let url = Url::parse(text)
            .map_err(|_| format!("is {text:?}; write an absolute URL, {example}"))?;
        let is_web = matches!(url.scheme(), "https" | "http");
        let Some(host) = url.host().filter(|_| is_web) else {
            return Err(format!("is {text:?}; write an https URL, {example}"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name; an issuer has none".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!(
                "is {text:?}; an issuer has no query and no fragment"
            ));
        }
        let canonical = url.as_str().trim_end_matches('/');
        if canonical != text {
            return Err(format!(
                "is {text:?}; write it as every client will see it: {canonical:?}"
            ));
        }
        let host_is_loopback = match host {
            url::Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        };
        let told = || format!("is {text:?}; write a plain host and path, {example}");
        let issuer = Issuer::parse(text).ok_or_else(told)?;
        Ok(Self {
            issuer,
            host_is_loopback,
        })
    }
}

/// A type whose text form is checked by one function and shown unchanged.
macro_rules! checked_text {
    ($Type:ident, $words:literal, $parse:expr, $text:expr) => {
        impl Setting for $Type {
            fn shape() -> Shape {
                Shape::text($words)
            }

            fn parse(value: &Value) -> Result<Self, String> {
                let parse: fn(&str) -> Result<Self, String> = $parse;
                parse(value.text("a text in quotes")?)
            }

            fn shown(&self) -> String {
                let text: fn(&Self) -> String = $text;
                quoted(&text(self))
            }
        }
    };
}

checked_text!(
    IssuerUrl,
    "URL without query, fragment or trailing slash",
    Self::from_text,
    |it| it.issuer.to_string()
);

/// Where the rows live.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An embedded database in one file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL; may hold a password.
    Postgres(String),
}

impl DatabaseUrl {
    /// The database file, when it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    /// The URL with its password hidden, for people and logs.
    pub fn redacted(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(text) => {
                let Ok(mut url) = Url::parse(text) else {
                    return "postgres://…".to_owned();
                };
                if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
                    return "postgres://…".to_owned();
                }
                let has_password = url.query_pairs().any(|(name, _)| name == "password");
                if has_password {
                    url.set_query(None);
                }
                url.to_string()
            }
        }
    }

    /// As the configuration and `jeton dev` write it.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" | ":memory:" => Err("names no file; write \"sqlite:PATH\"".to_owned()),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        let scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
        if scheme && Url::parse(text).is_ok_and(|url| url.has_host()) {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let forms = "\"sqlite:PATH\" or \"postgres://USER:PASSWORD@HOST/DATABASE\"";
        Err(format!("is not a database address; write {forms}"))
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.redacted())
    }
}

checked_text!(
    DatabaseUrl,
    "\"sqlite:PATH\" or \"postgres://USER:PASSWORD@HOST/DATABASE\"",
    Self::from_text,
    Self::redacted
);

/// A host and a port as a URL names them, the port always written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort(String);

impl HostPort {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let url = Url::parse(&format!("https://{text}/")).ok();
        let canonical = url.and_then(|url| {
            let host = url.host_str()?.to_owned();
            Some(format!("{host}:{}", url.port_or_known_default()?))
        });
        // A star would be a name of its own to the parser, and match nothing.
        if canonical.as_deref() == Some(text) && !text.contains('*') {
            Ok(Self(text.to_owned()))
        } else {
            let example = "such as \"keys.example.org:8443\" or \"127.0.0.1:9444\"";
            Err(format!("has {text:?}; write a host and a port, {example}"))
        }
    }
}

checked_text!(
    HostPort,
    "host and port, such as \"keys.example.org:8443\"",
    Self::from_text,
    |it| it.0.clone()
);

/// A path at which an endpoint also answers, below the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    /// The path, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let segments = text.strip_prefix('/').unwrap_or_default();
        let good = text.bytes().all(plain)
            && segments
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."));
        let told = || format!("has {text:?}; write a plain path, such as \"/oauth2/token\"");
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(told())
        }
    }
}

checked_text!(
    UrlPath,
    "path, such as \"/oauth2/token\"",
    Self::from_text,
    |it| it.0.clone()
);

/// A resource indicator: an absolute URI without a fragment. (RFC 8707 §2)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUri(String);

impl ResourceUri {
    /// The URI as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_text(text: &str) -> Result<Self, String> {
        let good = Url::parse(text).is_ok_and(|url| url.fragment().is_none());
        let told = || format!("is {text:?}; write an absolute URI without a fragment");
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(told())
        }
    }
}

checked_text!(
    ResourceUri,
    "absolute URI without a fragment",
    Self::from_text,
    |it| it.0.clone()
);

/// Whether an address can only be reached from the machine itself.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
