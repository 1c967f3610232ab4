//! The one-use link of `jeton admin link`: whoever can run a command on the host lets an administrator in (SEC-245).
//!
//! Opening the link shows a form and changes nothing, so that a mail scanner cannot use it up.

use super::sign_in::{new_session, set_cookie};
use super::view;
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::cookies::Cookie;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::pages::{AdminLink, Page};
use http::{Method, StatusCode};
use jeton_protocol::refusal::{Noted, Refusal, Trail};
use jeton_protocol::rules;
use jeton_protocol::user::User;
use jeton_store::credentials::Welcome;
use jeton_store::links::LinkUse;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use std::time::Duration;

rules! {
    LINK_KNOWN = InvalidRequest, "admin_link_unknown", "SEC-245", {
        promise: "The link is one this server made, unused and not expired",
        told: "This link has been used or has expired",
        fix: "Make a new one on the server with `jeton admin link`; it lives for 15 minutes and works once"
    };
}

pub const PATH: &str = "/admin/link";
pub const PURPOSE: &str = "admin";
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The member of the link's facts that names the user.
pub const USER: &str = "user";
pub const SHORTEST_PASSWORD: usize = 12;

pub async fn admin_link(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let posts = exchange.method == Method::POST;
    let params = exchange.params()?;
    let text = params.one("token").unwrap_or_default();
    let (link, user) = find(app, exchange, text, ambient, trail).await?;
    if !posts {
        return show(app, exchange, (text, &user), false);
    }
    let password = params.one("password").unwrap_or_default();
    if password.chars().count() < SHORTEST_PASSWORD {
        return show(app, exchange, (text, &user), true);
    }
    let hash = app
        .passwords
        .hash(password, ambient.entropy.bytes())
        .await?;
    let tenant = exchange.tenant.id();
    let actor = user.id.to_string();
    let occasion = exchange.occasion(&actor, ambient);
    // What the change of password ends reaches to the end of its millisecond; the new session begins behind it.
    ambient.now = ambient.now.plus(Duration::from_millis(1));
    let session = new_session(exchange, &user, ambient);
    let id = session.id;
    let welcome = Welcome {
        link,
        purpose: PURPOSE,
        phc: hash,
        occasion,
        session,
        opened: exchange.occasion(&actor, ambient),
    };
    match app.store.set_password_by_link(tenant, welcome).await? {
        LinkUse::Used(_) => {}
        LinkUse::Gone => return Err(unknown("one that was used meanwhile").into()),
    }
    let ring = exchange.tenant.ring();
    let cookie = ring
        .handles
        .seal(tenant.as_str(), HandleKind::Session, id, 0);
    let mut reply = reply::see_other(&format!("{}/", exchange.tenant.tenant.issuer.path()));
    set_cookie(
        &mut reply,
        Cookie::Session.set(&exchange.tenant.tenant, &cookie),
    );
    Ok(reply)
}

async fn find(
    app: &App,
    exchange: &Exchange,
    text: &str,
    ambient: &Ambient,
    trail: &mut Trail,
) -> Result<(RowId, User), crate::http::denied::Denied> {
    let tenant = exchange.tenant.id();
    let opened = exchange
        .tenant
        .open_handle(app, HandleKind::AdminLink, text)
        .await;
    let handle = opened.map_err(|_| unknown("a handle this issuer did not make"))?;
    let link = app.store.link(tenant, handle.row, ambient.now).await?;
    let link = link
        .filter(|link| link.purpose == PURPOSE)
        .ok_or_else(|| unknown("a used or expired one"))?;
    let id = link
        .facts
        .get(USER)
        .and_then(|id| id.as_str())
        .and_then(|id| id.parse().ok());
    let user = match id {
        Some(id) => app.store.user(tenant, id).await?,
        None => None,
    };
    let user = user.filter(|user| user.admin && user.disabled_at.is_none());
    let user = trail.demand(&LINK_KNOWN, user, || {
        Noted::new("an enabled administrator", "none")
    })?;
    Ok((handle.row, user))
}

fn show(app: &App, exchange: &Exchange, (token, user): (&str, &User), too_short: bool) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let path = format!("{}{PATH}", tenant.issuer.path());
    let page = AdminLink {
        look: view::look(tenant),
        action: &path,
        token,
        username: &user.username,
        shortest: SHORTEST_PASSWORD,
        too_short,
    };
    let html = app
        .pages
        .render(&Page::AdminLink(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

fn unknown(found: &'static str) -> Refusal {
    Refusal::new(&LINK_KNOWN, "an unused link", found)
}
