//! Asking whether a device may have what it asks for, with what a person needs to notice that it is not theirs
//! (RFC 8628 §5.4, RFC 10027).

use super::browser::Visit;
use super::consent::scope_lines;
use super::device::{in_turn, not_waiting};
use super::finish::remembered;
use super::sign_in::back_to_dispatcher;
use super::view;
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::pages::{DeviceConfirm, DeviceDone, DeviceOutcome, Page};
use crate::throttle::network;
use http::{Method, StatusCode};
use jeton_protocol::authorize::request::unknown_client;
use jeton_protocol::client::Client;
use jeton_protocol::device::{DEVICE_WAITS, Device, DeviceId, DeviceStep};
use jeton_protocol::grant::{CodeBinding, Grant};
use jeton_protocol::issue;
use jeton_protocol::refusal::Trail;
use jeton_protocol::session::{Session, SessionId};
use jeton_store::devices::{Denial, Denied as Answered};
use jeton_store::grants::{Approval, Approved};
use jeton_token::timestamp::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks, and for what.
pub(super) struct Asked {
    pub device: Device,
    pub client: Arc<Client>,
}

/// The device this session has entered the code of, while it waits; and its client, while it is enabled.
pub(super) async fn asked(
    app: &App,
    exchange: &Exchange,
    claim: (DeviceId, SessionId),
    now: Timestamp,
) -> Result<Asked, Denied> {
    let tenant = exchange.tenant.id();
    let found = app.store.claimed_device(tenant, claim, now).await?;
    let device = found.ok_or_else(|| not_waiting("an answered or expired one, or another's"))?;
    let client = exchange.tenant.client(app, &device.client).await?;
    let client = client.ok_or_else(|| unknown_client("a client that was disabled meanwhile"))?;
    Ok(Asked { device, client })
}

/// `GET /device/confirm` asks, `POST /device/confirm` takes the answer.
pub async fn confirm(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let posts = exchange.method == Method::POST;
    let params = exchange.params()?;
    let now = ambient.now;
    let visit = Visit::load(app, exchange, params.one("interaction"), now, trail).await?;
    let turn = in_turn(app, exchange, &visit, (now, trail)).await?;
    let Some((_, DeviceStep::Confirm(id), session)) = turn else {
        return Ok(back_to_dispatcher(exchange, &visit.handle));
    };
    let asked = asked(app, exchange, (id, session.id), now).await?;
    if !posts {
        return ask(app, exchange, &visit, (&asked, &session, now)).await;
    }
    visit.check_form(exchange, (params.one("csrf"), Some(session.id)), trail)?;
    if params.one("approve").is_some() {
        approve(app, exchange, (&visit, &session), asked, (ambient, trail)).await
    } else {
        deny(app, exchange, (&visit, &session), &asked, (ambient, trail)).await
    }
}

/// One transaction: device answered, interaction closed, grant stored, consent and audit record written.
async fn approve(
    app: &App,
    exchange: &Exchange,
    (visit, session): (&Visit, &Session),
    asked: Asked,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    let tenant = exchange.tenant.id();
    let code_expires_at = asked.device.expires_at;
    let grant = new_grant(exchange, &asked, session, ambient.now);
    let approval = Approval {
        interaction: Some(visit.interaction.id),
        pushed: None,
        version: visit.interaction.progress.version,
        consent: Some(remembered(app, exchange, &grant, grant.scope.clone()).await?),
        grant,
        code_expires_at,
        occasion: exchange.occasion(&session.user.to_string(), ambient),
    };
    match app.store.approve_device(tenant, approval).await? {
        Approved::Approved => {
            trail.pass(&DEVICE_WAITS);
            let client = asked.client.display_name();
            done(app, exchange, (DeviceOutcome::Approved, Some(client)))
        }
        Approved::AlreadyClosed | Approved::PushedRequestUsed => {
            Err(not_waiting("one that was answered meanwhile").into())
        }
    }
}

/// The device's id becomes the grant's: its code is then the code of the grant.
fn new_grant(exchange: &Exchange, asked: &Asked, session: &Session, now: Timestamp) -> Grant {
    let tenant = &exchange.tenant.tenant;
    // What the client may no longer have is not shown, and so not granted.
    let scope = asked.device.scope.intersection(&asked.client.scope);
    Grant {
        id: asked.device.id,
        client: asked.client.id.clone(),
        user: session.user,
        session: session.id,
        subject: session.user.to_string(),
        audience: issue::audience(&asked.client, tenant, scope.contains("openid")),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        amr: session.amr.clone(),
        offline: scope.contains("offline_access"),
        scope,
        binding: None,
        claims: None,
        code: CodeBinding::default(),
        created_at: now,
        expires_at: now.plus(tenant.policy.lifetimes.refresh_absolute),
    }
}

async fn deny(
    app: &App,
    exchange: &Exchange,
    (visit, session): (&Visit, &Session),
    asked: &Asked,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    let denial = Denial {
        session: session.id,
        interaction: visit.interaction.id,
        version: visit.interaction.progress.version,
        occasion: exchange.occasion(&session.user.to_string(), ambient),
    };
    let tenant = exchange.tenant.id();
    match app
        .store
        .deny_device(tenant, asked.device.id, denial)
        .await?
    {
        Answered::Denied => {
            trail.pass(&DEVICE_WAITS);
            let client = asked.client.display_name();
            done(app, exchange, (DeviceOutcome::Denied, Some(client)))
        }
        Answered::AlreadyAnswered => Err(not_waiting("one that was answered meanwhile").into()),
    }
}

/// Somebody went away from the sign-in. The device goes on waiting: whoever that was had not shown a code yet.
pub(super) async fn left(app: &App, exchange: &Exchange, visit: &Visit, now: Timestamp) -> Answer {
    app.store
        .close_interaction(exchange.tenant.id(), Some(visit.interaction.id), None, now)
        .await?;
    done(app, exchange, (DeviceOutcome::Left, None))
}

fn done(
    app: &App,
    exchange: &Exchange,
    (outcome, client): (DeviceOutcome, Option<&str>),
) -> Answer {
    let page = DeviceDone {
        look: view::look(&exchange.tenant.tenant),
        outcome,
        client,
    };
    let html = app
        .pages
        .render(&Page::DeviceDone(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

async fn ask(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
    (asked, session, now): (&Asked, &Session, Timestamp),
) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let user = app.store.user(&tenant.id, session.user).await?;
    let username = user.map(|user| user.username).unwrap_or_default();
    let path = format!("{}/device/confirm", tenant.issuer.path());
    let csrf = visit.csrf(exchange, Some(session.id));
    let device = &asked.device;
    let scope = device.scope.intersection(&asked.client.scope);
    let time = clock_time(device.created_at);
    let page = DeviceConfirm {
        look: view::look(tenant),
        client: asked.client.display_name(),
        action: &path,
        interaction: &visit.handle,
        csrf: &csrf,
        username: &username,
        scopes: scope_lines(tenant, &scope),
        resources: asked.client.audience.iter().map(String::as_str).collect(),
        address: &device.address,
        same_network: device.address.parse::<IpAddr>().map(network)
            == Ok(network(exchange.address)),
        time: &time,
        minutes: now.since(device.created_at).as_secs() / 60,
    };
    let html = app
        .pages
        .render(&Page::DeviceConfirm(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

/// `14:05 UTC`.
fn clock_time(at: Timestamp) -> String {
    let minutes = at.seconds().div_euclid(60).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}
