//! The home page: what this server is and where its endpoints are (S07).

use super::Answer;
use crate::app::{App, Development};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::login::view;
use crate::pages::{Demo, DemoUser, Home, HomeClient, HomeEndpoint, Page, WebUrl};
use http::StatusCode;
use jeton_protocol::metadata::path;

pub fn home(app: &App, exchange: &Exchange) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let join = |path: &str| tenant.issuer.join(path);
    let endpoints = [
        ("authorization_endpoint", join(path::AUTHORIZE)),
        (
            "pushed_authorization_request_endpoint",
            join(path::PUSHED_REQUEST),
        ),
        ("token_endpoint", join(path::TOKEN)),
        ("introspection_endpoint", join(path::INTROSPECT)),
        ("revocation_endpoint", join(path::REVOKE)),
        ("userinfo_endpoint", join(path::USERINFO)),
        ("jwks_uri", join(path::JWKS)),
        ("end_session_endpoint", join(path::END_SESSION)),
        (
            "device_authorization_endpoint",
            join(path::DEVICE_AUTHORIZATION),
        ),
    ];
    let discovery = [join(path::OPENID_CONFIGURATION), join(path::OAUTH_SERVER)];
    let Some(issuer) = WebUrl::parse(tenant.issuer.as_str()) else {
        return Ok(reply::empty(StatusCode::NOT_FOUND));
    };
    let home = Home {
        look: view::look(tenant),
        issuer,
        version: env!("CARGO_PKG_VERSION"),
        endpoints: endpoints
            .iter()
            .filter_map(|(member, url)| {
                Some(HomeEndpoint {
                    member,
                    url: WebUrl::parse(url)?,
                })
            })
            .collect(),
        discovery: discovery
            .iter()
            .filter_map(|url| WebUrl::parse(url))
            .collect(),
        demo: app.settings.development.as_ref().map(demo),
    };
    let html = app
        .pages
        .render(&Page::Home(home), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

fn demo(shown: &Development) -> Demo<'_> {
    Demo {
        clients: shown
            .clients
            .iter()
            .map(|client| HomeClient {
                client_id: &client.id,
                about: &client.about,
                command: &client.command,
                start: client.start.as_deref().and_then(WebUrl::parse),
            })
            .collect(),
        users: shown
            .users
            .iter()
            .map(|user| DemoUser {
                username: &user.username,
                password: &user.password,
            })
            .collect(),
        trace: "/dev/trace",
    }
}
