//! RP-initiated logout in its plain form (OpenID Connect RP-Initiated Logout 1.0).
//!
//! A request that proves with its hint which session it means ends it; any other is asked about first (SEC-200, SEC-205).

use super::{Answer, authorize::id_token};
use crate::ambient::Ambient;
use crate::app::App;
use crate::http::cookies::Cookie;
use crate::http::exchange::Exchange;
use crate::http::reply::{self, Reply};
use crate::login::browser::{self, FORM_OF_OURS};
use crate::login::{sign_in::set_cookie, view};
use crate::pages::{Page, SignOutQuestion, SignedOut, WebUrl};
use http::{HeaderValue, Method, StatusCode};
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::logout::{self as rules, LogoutHint};
use jeton_protocol::metadata::path;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{Noted, Refusal, Trail};
use jeton_protocol::session::Session;
use jeton_token::base64url;
use std::sync::Arc;

struct Wish {
    client: Option<Arc<Client>>,
    hint: Option<LogoutHint>,
    back: Option<String>,
}

pub async fn end_session(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let posts = exchange.method == Method::POST;
    let params = exchange.params()?;
    let session = browser::session(app, exchange, ambient.now)
        .await?
        .map(|(session, _)| session);
    if params.one("csrf").is_some() {
        return answered(app, exchange, (&params, session), (ambient, trail)).await;
    }
    let wish = read(app, exchange, &params, trail).await?;
    let Some(session) = session else {
        if posts && browser::is_from_elsewhere(exchange) {
            return Ok(again_with_cookies(exchange, &params));
        }
        return after(app, exchange, &wish, true);
    };
    let proven = wish.hint.as_ref().is_some_and(|hint| {
        hint.session == Some(session.id)
            || (hint.session.is_none() && hint.subject == session.user.to_string())
    });
    if proven {
        return end(app, exchange, (&wish, &session), ambient).await;
    }
    ask(app, exchange, &wish, &session, &params).await
}

/// A form that another site posts comes without our cookies (`SameSite=Lax`); the redirect that answers it brings them.
fn again_with_cookies(exchange: &Exchange, params: &Params<'_>) -> Reply {
    let endpoint = exchange.tenant.tenant.issuer.join(path::END_SESSION);
    reply::see_other(&format!("{endpoint}?{}", keep(params)))
}

async fn read(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    trail: &mut Trail,
) -> Result<Wish, crate::http::denied::Denied> {
    let hint = match params.one("id_token_hint") {
        None => None,
        Some(text) => Some(trail.demand(
            &rules::LOGOUT_HINT_VERIFIES,
            id_token(exchange, text),
            || Noted::new("an ID token of this issuer", "something else"),
        )?),
    };
    let named = params.one("client_id");
    let agrees = match (&hint, named) {
        (Some(hint), Some(named)) => hint.client == named,
        (None, _) | (_, None) => true,
    };
    trail.require(&rules::LOGOUT_CLIENT_AGREES, agrees, || {
        Noted::new("the client of the hint", "another client")
    })?;
    let id = hint
        .as_ref()
        .map(|hint| hint.client.as_str())
        .or(named)
        .and_then(ClientId::parse);
    let client = match id {
        Some(id) => exchange.tenant.client(app, &id).await?,
        None => None,
    };
    let wanted = params.one("post_logout_redirect_uri");
    let back = rules::return_to(wanted, client.as_deref(), params.one("state"), trail)?;
    Ok(Wish { client, hint, back })
}

/// The answer to our own question. What was asked for travels in the form, and is read and checked again.
async fn answered(
    app: &App,
    exchange: &Exchange,
    (params, session): (&Params<'_>, Option<Session>),
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    browser::check_origin(exchange, trail)?;
    let kept = params.one("interaction").unwrap_or_default();
    let wish_params = Params::from_query(Some(kept))?;
    let wish = read(app, exchange, &wish_params, trail).await?;
    let Some(session) = session else {
        return after(app, exchange, &wish, true);
    };
    let presented = params
        .one("csrf")
        .and_then(|csrf| base64url::decode(csrf).ok())
        .unwrap_or_default();
    let ring = exchange.tenant.ring();
    let parts = csrf_parts(exchange, &session, kept);
    let ours = ring
        .handles
        .mac_matches("sign-out", &[&parts[0], &parts[1], &parts[2]], &presented);
    if !ours {
        return Err(Refusal::new(&FORM_OF_OURS, "the form's own token", "another one").into());
    }
    if params.one("yes").is_some() {
        return end(app, exchange, (&wish, &session), ambient).await;
    }
    after(app, exchange, &wish, false)
}

async fn end(
    app: &App,
    exchange: &Exchange,
    (wish, session): (&Wish, &Session),
    ambient: &mut Ambient,
) -> Answer {
    let occasion = exchange.occasion(&session.user.to_string(), ambient);
    app.store
        .end_session(exchange.tenant.id(), session.id, occasion)
        .await?;
    let mut reply = after(app, exchange, wish, true)?;
    clear(exchange, &mut reply);
    Ok(reply)
}

fn clear(exchange: &Exchange, reply: &mut Reply) {
    set_cookie(reply, Cookie::Session.clear(&exchange.tenant.tenant));
    reply.headers_mut().insert(
        "clear-site-data",
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
}

/// Back to the client if it asked for that, else the page that says what happened.
fn after(app: &App, exchange: &Exchange, wish: &Wish, ended: bool) -> Answer {
    if let (Some(back), true) = (&wish.back, ended) {
        return Ok(reply::see_other(back));
    }
    let page = SignedOut {
        look: view::look(&exchange.tenant.tenant),
        ended,
        client: wish.client.as_ref().map(|client| client.display_name()),
        back: wish
            .client
            .as_ref()
            .and_then(|client| WebUrl::parse(client.client_uri.as_deref()?)),
    };
    let html = app
        .pages
        .render(&Page::SignedOut(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

async fn ask(
    app: &App,
    exchange: &Exchange,
    wish: &Wish,
    session: &Session,
    params: &Params<'_>,
) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let user = app.store.user(&tenant.id, session.user).await?;
    let username = user.map(|user| user.username).unwrap_or_default();
    let kept = keep(params);
    let parts = csrf_parts(exchange, session, &kept);
    let csrf = base64url::encode(
        &exchange
            .tenant
            .ring()
            .handles
            .mac("sign-out", &[&parts[0], &parts[1], &parts[2]]),
    );
    let path = format!("{}/end-session", tenant.issuer.path());
    let page = SignOutQuestion {
        look: view::look(tenant),
        action: &path,
        csrf: &csrf,
        interaction: &kept,
        username: &username,
        client: wish.client.as_ref().map(|client| client.display_name()),
    };
    let locale = view::locale(exchange, params.one("ui_locales"));
    let html = app.pages.render(&Page::SignOutQuestion(page), locale)?;
    let origin = wish.back.as_deref().map(view::origin_of);
    Ok(reply::page(StatusCode::OK, html, origin.as_deref()))
}

/// The request as a query of its own, so that the answer can be checked like the request was.
fn keep(params: &Params<'_>) -> String {
    let mut kept = String::new();
    for name in [
        "id_token_hint",
        "client_id",
        "post_logout_redirect_uri",
        "state",
    ] {
        if let Some(value) = params.one(name) {
            if !kept.is_empty() {
                kept.push('&');
            }
            kept.push_str(name);
            kept.push('=');
            kept.extend(percent_encoding::utf8_percent_encode(
                value,
                percent_encoding::NON_ALPHANUMERIC,
            ));
        }
    }
    kept
}

fn csrf_parts(exchange: &Exchange, session: &Session, kept: &str) -> [Vec<u8>; 3] {
    [
        exchange.tenant.id().as_str().as_bytes().to_vec(),
        session.id.bytes().to_vec(),
        kept.as_bytes().to_vec(),
    ]
}
