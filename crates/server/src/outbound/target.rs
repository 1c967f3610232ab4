//! Which URLs are fetched: https, a name, a port that is open to us, and nothing that two readers could read differently.

use super::{OutboundError, Settings};
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use url::{Host, Position, Url};

/// A URL that may be asked, taken apart once: what is checked is what is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub(super) is_https: bool,
    /// The host as resolved, and as the certificate must name it.
    pub(super) host: String,
    /// The address itself, for an allowed URL that has one in place of a name.
    pub(super) literal: Option<IpAddr>,
    pub(super) port: u16,
    /// Host and port, the port always written; what `outbound.allow` is compared with.
    pub(super) authority: String,
    /// The `Host` header.
    pub(super) host_header: String,
    /// Path and query.
    pub(super) path: String,
    /// The operator named host and port: any address will do.
    pub(super) is_allowed: bool,
}

const LONGEST_URL: usize = 2048;

impl Target {
    /// Judges the URL without asking anybody (SEC-224).
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, OutboundError> {
        let url = read(text).map_err(OutboundError::Url)?;
        let refused = |why| Err(OutboundError::Url(why));
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refused("it has no host");
        };
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        let authority = format!("{host}:{port}");
        let is_allowed = settings.allow.contains(&authority);
        let is_https = url.scheme() == "https";
        let may_be_plain = settings.plain_loopback && is_allowed;
        if !is_https && !may_be_plain {
            return refused("it is not https");
        }
        if literal.is_some() && !is_allowed {
            return refused("its host is an address, not a name");
        }
        if port != 443 && !is_allowed && !settings.ports.contains(&port) {
            return refused("its port is neither 443 nor in outbound.ports");
        }
        let host = literal.map_or_else(|| host.to_string(), |address| address.to_string());
        Ok(Self {
            is_https,
            host,
            literal,
            port,
            authority,
            host_header: url[Position::BeforeHost..Position::AfterPort].to_owned(),
            path: url[Position::BeforePath..Position::AfterQuery].to_owned(),
            is_allowed,
        })
    }

    pub(super) fn server_name(&self) -> Result<ServerName<'static>, OutboundError> {
        ServerName::try_from(self.host.clone())
            .map_err(|_| OutboundError::Url("its host is no name of a server"))
    }
}

/// Whether a text could ever be fetched: what a registration asks before any configuration is known.
pub fn fetchable(text: &str) -> Result<(), &'static str> {
    let url = read(text)?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "https" || is_loopback {
        Ok(())
    } else {
        Err("it is not https")
    }
}

fn read(text: &str) -> Result<Url, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("it is longer than 2048 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return Err("it has characters a URL cannot have");
    }
    let after_scheme = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let authority = after_scheme.and_then(|rest| rest.split(['/', '?', '#']).next());
    let (Some(authority), Ok(url)) = (authority, Url::parse(text)) else {
        return Err("it is no absolute https URL");
    };
    // Judged as written: the parser forgives an empty one, and forgets an empty user.
    if authority.is_empty() {
        return Err("it has no host");
    }
    if authority.contains('@') {
        return Err("it has user information");
    }
    if url.fragment().is_some() {
        return Err("it has a fragment");
    }
    Ok(url)
}

/// A URL as the log shows it: without its query, which may hold what is nobody's business.
pub(super) fn shown(text: &str) -> &str {
    let end = text.find(['?', '#']).unwrap_or(text.len()).min(200);
    text.get(..end).unwrap_or("a URL that is no ASCII")
}
