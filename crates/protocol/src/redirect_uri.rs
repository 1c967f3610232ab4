//! Redirection URIs. Registered ones are parsed to be refused; requested ones are only ever compared as bytes (SEC-R03).

use crate::client::ApplicationType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A redirection URI that was fit to be registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriError {
    Empty,
    TooLong,
    /// Not `%x21-7E`, or one of `\ " < > ^ { | }` and backtick, which parsers read differently (SEC-101).
    IllegalCharacter,
    NoScheme,
    Fragment,
    UserInformation,
    NoHost,
    /// `.` or `..`, plain or percent-encoded, as a path segment (SEC-002).
    DotSegment,
    /// `http` to a host that is not loopback.
    PlainHttp,
    /// A private-use scheme without a dot, or one for a web client (RFC 8252 §7.1, SEC-104).
    PrivateScheme,
    /// A scheme that a browser executes or reads locally (SEC-004).
    ForbiddenScheme,
    UpperCase,
    /// `*` anywhere: it would only ever match itself, and whoever writes it means more (SEC-462).
    Wildcard,
    /// Neither `https` nor `http`, where people are shown a link.
    NoPage,
}

impl fmt::Display for RedirectUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a redirection URI must not be empty",
            Self::TooLong => "a redirection URI has at most 2048 characters",
            Self::IllegalCharacter => {
                "a redirection URI has only the characters of RFC 3986, without backslash"
            }
            Self::NoScheme => {
                "a redirection URI is absolute: it begins with a scheme such as https"
            }
            Self::Fragment => "a redirection URI has no fragment (RFC 6749 §3.1.2)",
            Self::UserInformation => "a redirection URI has no user information before the host",
            Self::NoHost => "a redirection URI of http or https names a host",
            Self::DotSegment => "a redirection URI has no . or .. segment, plain or encoded",
            Self::PlainHttp => "http is for loopback addresses only (RFC 8252 §7.3); use https",
            Self::PrivateScheme => {
                "a private-use scheme contains a dot and belongs to a native client (RFC 8252 §7.1)"
            }
            Self::ForbiddenScheme => "this scheme runs or reads something in the browser",
            Self::UpperCase => {
                "scheme and host are written in lower case, because URIs are compared as bytes"
            }
            Self::Wildcard => {
                "wildcards are never accepted, because whoever gets hold of any address they match receives codes; \
                 register each redirection URI exactly (RFC 9700 §4.1.3)"
            }
            Self::NoPage => "this is a page for people: write an https address",
        })
    }
}

const FORBIDDEN_SCHEMES: [&str; 10] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "about",
    "blob",
    "filesystem",
    "view-source",
    "ws",
    "wss",
];

impl RedirectUri {
    pub fn parse(text: &str, application: ApplicationType) -> Result<Self, RedirectUriError> {
        check_characters(text)?;
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        if text.contains('*') {
            return Err(RedirectUriError::Wildcard);
        }
        let (scheme, rest) = text.split_once(':').ok_or(RedirectUriError::NoScheme)?;
        check_scheme(scheme)?;
        if matches!(scheme, "http" | "https") {
            check_web(scheme, rest)?;
        } else {
            check_private(scheme, rest, application)?;
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `requested` is this URI: byte for byte, but for the port of a native client's loopback address
    /// (RFC 9700 §4.1.3, RFC 8252 §7.3, SEC-103).
    pub fn admits(&self, requested: &str, application: ApplicationType) -> bool {
        if self.0 == requested {
            return true;
        }
        application == ApplicationType::Native
            && match (split_loopback(&self.0), split_loopback(requested)) {
                (Some(registered), Some(asked)) => registered == asked,
                (None, _) | (_, None) => false,
            }
    }

    /// The host a person should see; empty for private-use schemes.
    pub fn host(&self) -> &str {
        host_of(&self.0)
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a client may have `text` as the address of a page or picture that people are shown (SEC-004).
pub fn check_page(text: &str) -> Result<(), RedirectUriError> {
    check_characters(text)?;
    let (scheme, rest) = text.split_once(':').ok_or(RedirectUriError::NoScheme)?;
    check_scheme(scheme)?;
    if !matches!(scheme, "http" | "https") {
        return Err(RedirectUriError::NoPage);
    }
    check_web(scheme, rest.split('#').next().unwrap_or_default())
}

/// Whether `text` has a scheme that a browser executes or reads locally, however it is spelled (SEC-004).
pub fn is_executable(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_ascii_control() && *c != ' ')
        .collect();
    plain.split_once(':').is_some_and(|(scheme, _)| {
        FORBIDDEN_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
    })
}

/// The authority of an `http` or `https` URI, without its port; any other URI has no host a person should believe.
pub fn host_of(uri: &str) -> &str {
    let rest = uri
        .strip_prefix("https://")
        .or_else(|| uri.strip_prefix("http://"))
        .unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => authority.get(..at).unwrap_or(authority),
        Some(_) | None => authority,
    }
}

fn check_characters(text: &str) -> Result<(), RedirectUriError> {
    if text.is_empty() {
        return Err(RedirectUriError::Empty);
    }
    if text.len() > 2048 {
        return Err(RedirectUriError::TooLong);
    }
    let legal = |b: u8| {
        (0x21..=0x7e).contains(&b)
            && !matches!(
                b,
                b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
            )
    };
    if !text.bytes().all(legal) {
        return Err(RedirectUriError::IllegalCharacter);
    }
    Ok(())
}

fn check_scheme(scheme: &str) -> Result<(), RedirectUriError> {
    let lower = scheme.to_ascii_lowercase();
    if FORBIDDEN_SCHEMES.contains(&lower.as_str()) {
        return Err(RedirectUriError::ForbiddenScheme);
    }
    if lower != scheme {
        return Err(RedirectUriError::UpperCase);
    }
    let mut bytes = scheme.bytes();
    let begins = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    if begins && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')) {
        Ok(())
    } else {
        Err(RedirectUriError::NoScheme)
    }
}

fn check_web(scheme: &str, rest: &str) -> Result<(), RedirectUriError> {
    let rest = rest.strip_prefix("//").ok_or(RedirectUriError::NoHost)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') {
        return Err(RedirectUriError::UserInformation);
    }
    let host = host_of_authority(authority).ok_or(RedirectUriError::NoHost)?;
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(RedirectUriError::UpperCase);
    }
    let path = tail.split('?').next().unwrap_or("");
    if path.split('/').any(is_dot_segment) {
        return Err(RedirectUriError::DotSegment);
    }
    if scheme == "http" && !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Err(RedirectUriError::PlainHttp);
    }
    Ok(())
}

fn check_private(
    scheme: &str,
    rest: &str,
    application: ApplicationType,
) -> Result<(), RedirectUriError> {
    if application == ApplicationType::Web || !scheme.contains('.') {
        return Err(RedirectUriError::PrivateScheme);
    }
    let before_query = rest.split('?').next().unwrap_or_default();
    if before_query.contains('@') {
        return Err(RedirectUriError::UserInformation);
    }
    if before_query.split('/').any(is_dot_segment) {
        return Err(RedirectUriError::DotSegment);
    }
    Ok(())
}

/// The host of `host[:port]`, when both are well formed.
pub(crate) fn host_of_authority(authority: &str) -> Option<&str> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')?;
        let (host, rest) = authority.split_at(end + 1);
        (
            host,
            rest.strip_prefix(':')
                .or_else(|| rest.is_empty().then_some("0"))?,
        )
    } else {
        authority.split_once(':').unwrap_or((authority, "0"))
    };
    let host_ok = if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        inner.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !host.is_empty()
            && !host.ends_with('.')
            && !host.starts_with('.')
            && !host.contains("..")
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let port_ok =
        !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (host_ok && port_ok).then_some(host)
}

/// Whether a segment is `.` or `..` to anybody who decodes once more, or splits at other characters, than we do (SEC-002).
fn is_dot_segment(segment: &str) -> bool {
    let mut plain = segment.to_ascii_lowercase();
    for _ in 0..3 {
        plain = plain.replace("%25", "%");
    }
    let plain = plain
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "/")
        .replace("%3b", "/");
    plain
        .split(['/', ';'])
        .any(|part| matches!(part, "." | ".."))
}

/// `(literal, what follows the port)` of `http://127.0.0.1[:port]…` or `http://[::1][:port]…`; nothing else has a free port.
fn split_loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let literal = ["127.0.0.1", "[::1]"]
        .into_iter()
        .find(|literal| rest.starts_with(literal))?;
    let rest = rest.strip_prefix(literal)?;
    let rest = match rest.strip_prefix(':') {
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (port, tail) = after.split_at(digits);
            port.parse::<u16>()
                .ok()
                .filter(|port| *port > 0 && !port_has_slack(after, digits))?;
            tail
        }
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((literal, rest))
}

/// A port with a leading zero is another spelling of a number, and spellings are not ours to equate.
fn port_has_slack(after: &str, digits: usize) -> bool {
    digits > 5 || after.starts_with('0')
}
