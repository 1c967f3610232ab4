//! The end of an interaction: a grant with its code, or a refusal, sent to the client (RFC 6749 §4.1.2).

use super::browser::{INTERACTION_KNOWN, Visit};
use super::form_post;
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply;
use jeton_protocol::authorize::pushed;
use jeton_protocol::authorize::request::AuthorizationRequest;
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried, ResponseTarget};
use jeton_protocol::client::Client;
use jeton_protocol::consent::Consent;
use jeton_protocol::grant::{CodeBinding, Grant};
use jeton_protocol::issue;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::scope::Scope;
use jeton_protocol::session::Session;
use jeton_store::grants::{Approval, Approved};
use jeton_store::interactions::Closed;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

/// One transaction: interaction closed, grant and code stored, consent and audit record written.
pub async fn grant(
    app: &App,
    exchange: &Exchange,
    visit: Visit,
    (client, consented): (&Client, Scope),
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    let Some(session) = &visit.session else {
        return Err(ended("no session").into());
    };
    let tenant = &exchange.tenant.tenant;
    let request = visit.authorization()?;
    let grant = new_grant(exchange, request, session, (client, &consented), ambient);
    let approved = visit.interaction.progress.approved.is_some();
    let consent = if approved {
        Some(remembered(app, exchange, &grant, consented).await?)
    } else {
        None
    };
    let code =
        exchange
            .tenant
            .ring()
            .handles
            .seal(tenant.id.as_str(), HandleKind::Code, grant.id, 0);
    let approval = Approval {
        interaction: visit.stored.then_some(visit.interaction.id),
        pushed: visit.interaction.pushed,
        version: visit.interaction.progress.version,
        code_expires_at: ambient.now.plus(tenant.policy.lifetimes.code),
        consent,
        occasion: exchange.occasion(&session.user.to_string(), ambient),
        grant,
    };
    match app.store.approve(&tenant.id, approval).await? {
        Approved::Approved => {
            trail.pass(&INTERACTION_KNOWN);
            let target = &visit.authorization()?.target;
            let response = AuthorizationResponse::Code(&code);
            respond(app, exchange, target, (&response, ambient.now))
        }
        Approved::PushedRequestUsed => Err(pushed::used_meanwhile().into()),
        Approved::AlreadyClosed => Err(ended("one that was answered meanwhile").into()),
    }
}

/// Closes the interaction and tells the client why; only one answer ever leaves.
pub async fn refuse(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
    refusal: Refusal,
    now: Timestamp,
) -> Answer {
    let stored = visit.stored.then_some(visit.interaction.id);
    let pushed = visit.interaction.pushed;
    if stored.is_some() || pushed.is_some() {
        let tenant = exchange.tenant.id();
        match app
            .store
            .close_interaction(tenant, stored, pushed, now)
            .await?
        {
            Closed::Closed => {}
            Closed::AlreadyClosed => return Err(ended("one that was answered meanwhile").into()),
            Closed::PushedRequestUsed => return Err(pushed::used_meanwhile().into()),
        }
    }
    let target = &visit.authorization()?.target;
    send_refusal(app, exchange, target, (&refusal, now))
}

/// The error response at the proven redirection URI.
pub fn send_refusal(
    app: &App,
    exchange: &Exchange,
    target: &ResponseTarget,
    (refusal, now): (&Refusal, Timestamp),
) -> Answer {
    app.observe.note_sent_refusal(exchange, refusal);
    let response = AuthorizationResponse::Refused(refusal);
    respond(app, exchange, target, (&response, now))
}

/// The response in the mode of the request: the browser is redirected with it, or shown a form to post it.
fn respond(
    app: &App,
    exchange: &Exchange,
    target: &ResponseTarget,
    (response, now): (&AuthorizationResponse<'_>, Timestamp),
) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let ring = exchange.tenant.ring();
    match target.encode(response, &tenant.issuer, (&ring, now))? {
        Carried::Redirect(uri) => Ok(reply::see_other(&uri)),
        Carried::Form { action, fields } => form_post::show(app, exchange, &action, &fields),
    }
}

fn new_grant(
    exchange: &Exchange,
    request: &AuthorizationRequest,
    session: &Session,
    (client, consented): (&Client, &Scope),
    ambient: &mut Ambient,
) -> Grant {
    let scope = request.scope.intersection(consented);
    let claims = request.claims.clone();
    let tenant = &exchange.tenant.tenant;
    Grant {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        client: client.id.clone(),
        user: session.user,
        session: session.id,
        subject: session.user.to_string(),
        audience: issue::audience(client, tenant, scope.contains("openid")),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        amr: session.amr.clone(),
        offline: scope.contains("offline_access"),
        scope,
        binding: None,
        claims: claims.map(|claims| claims.within(consented)),
        code: CodeBinding {
            redirect_uri: request.target.redirect_uri().to_owned(),
            redirect_uri_sent: true,
            code_challenge: Some(request.code_challenge.clone()),
            nonce: request.nonce.clone(),
            key: request.key,
        },
        created_at: ambient.now,
        expires_at: ambient.now.plus(tenant.policy.lifetimes.refresh_absolute),
    }
}

/// What is remembered: this approval and those before it.
pub(super) async fn remembered(
    app: &App,
    exchange: &Exchange,
    grant: &Grant,
    consented: Scope,
) -> Result<Consent, Denied> {
    let before = app
        .store
        .consent(exchange.tenant.id(), grant.user, &grant.client)
        .await?;
    Ok(Consent {
        scope: before
            .map_or_else(Scope::default, |before| before.scope)
            .union(&consented),
        given_at: grant.created_at,
    })
}

pub(super) fn ended(found: &'static str) -> Refusal {
    Refusal::new(&INTERACTION_KNOWN, "an open interaction", found)
}
