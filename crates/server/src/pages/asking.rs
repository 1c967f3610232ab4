//! The client that asks, as a person should see it.

use serde::Serialize;

use super::WebUrl;

/// Who is asking and where the answer goes. (RFC 7591 §2, OIDC Registration §2)
#[derive(Debug, Clone, Serialize)]
pub struct Asking<'a> {
    /// `client_name`, or the client id when it has none.
    pub name: &'a str,
    /// Path on this server of the client's image; never its own address.
    pub logo: Option<&'a str>,
    pub client_uri: Option<WebUrl<'a>>,
    pub policy_uri: Option<WebUrl<'a>>,
    pub tos_uri: Option<WebUrl<'a>>,
    pub trust: Trust,
    pub destination: Destination<'a>,
}

/// Whether somebody responsible for this server has vouched for the client. (SEC-156)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    Known,
    Unverified,
}

/// Where the browser goes with the answer.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Destination<'a> {
    /// Host of the redirection URI, or its scheme for [`DestinationKind::App`].
    pub host: &'a str,
    pub kind: DestinationKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DestinationKind {
    Web,
    /// A program on this computer listens. (RFC 8252 §7.3)
    Loopback,
    /// An installed app owns the scheme. (RFC 8252 §7.1)
    App,
}
