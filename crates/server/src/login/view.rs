//! What the pages of an interaction show of its client and tenant.

use crate::http::exchange::Exchange;
use crate::pages::{Asking, Destination, DestinationKind, Locale, Look, Trust, WebUrl};
use http::header;
use jeton_protocol::client::Client;
use jeton_protocol::redirect_uri::host_of;
use jeton_protocol::tenant::Tenant;

pub fn look(tenant: &Tenant) -> Look<'_> {
    let host = host_of(tenant.issuer.as_str());
    Look {
        name: tenant.name.as_deref().unwrap_or("Jeton"),
        host,
        logo: None,
        stylesheet: None,
    }
}

pub fn locale(exchange: &Exchange, ui_locales: Option<&str>) -> Locale {
    Locale::choose(ui_locales, exchange.header(&header::ACCEPT_LANGUAGE))
}

/// `logo` is the path of the client's image, if it has one.
pub fn asking<'a>(client: &'a Client, redirect_uri: &'a str, logo: Option<&'a str>) -> Asking<'a> {
    let link = |uri: &'a Option<String>| uri.as_deref().and_then(WebUrl::parse);
    Asking {
        name: client.display_name(),
        logo,
        client_uri: link(&client.client_uri),
        policy_uri: link(&client.policy_uri),
        tos_uri: link(&client.tos_uri),
        trust: Trust::Known,
        destination: destination(redirect_uri),
    }
}

fn destination(redirect_uri: &str) -> Destination<'_> {
    let host = host_of(redirect_uri);
    if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        return Destination {
            host,
            kind: DestinationKind::Loopback,
        };
    }
    if redirect_uri.starts_with("https://") {
        return Destination {
            host,
            kind: DestinationKind::Web,
        };
    }
    let scheme = redirect_uri.split(':').next().unwrap_or_default();
    Destination {
        host: scheme,
        kind: DestinationKind::App,
    }
}

/// The origin a form's answer may be redirected to, for the page's CSP (SEC-401).
pub fn origin_of(redirect_uri: &str) -> String {
    match redirect_uri.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            // CSP has no way to write an IPv6 address.
            if authority.starts_with('[') {
                format!("{scheme}:")
            } else {
                format!("{scheme}://{authority}")
            }
        }
        Some(_) | None => format!("{}:", redirect_uri.split(':').next().unwrap_or_default()),
    }
}
