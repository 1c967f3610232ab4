//! Asking the user (Core §3.1.2.4, RFC 6749 §3.3).

use super::browser::Visit;
use super::sign_in::{back_to_dispatcher, deny, step};
use super::{client_of, view};
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::logo;
use crate::pages::{Consent, Page, ScopeLine};
use http::{Method, StatusCode};
use jeton_protocol::authorize::request::Prompt;
use jeton_protocol::interaction::{Approval, InteractionRequest};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::Tenant;
use jeton_token::timestamp::Timestamp;

/// `GET /consent` asks, `POST /consent` takes the answer.
pub async fn consent(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    if exchange.method != Method::POST {
        let params = exchange.query_params()?;
        let visit =
            Visit::load(app, exchange, params.one("interaction"), ambient.now, trail).await?;
        return ask(app, exchange, &visit, ambient.now).await;
    }
    let params = exchange.form()?;
    let visit = Visit::load(app, exchange, params.one("interaction"), ambient.now, trail).await?;
    let asked = visit.session.as_ref().map(|session| session.id);
    visit.check_form(exchange, (params.one("csrf"), asked), trail)?;
    if params.one("approve").is_some() {
        return approve(app, exchange, visit, &params, ambient).await;
    }
    if params.one("switch-user").is_some() {
        return switch_user(app, exchange, visit, ambient).await;
    }
    deny(app, exchange, visit, ambient.now).await
}

/// What the user left standing of what was asked; the form cannot add anything (SEC-141).
async fn approve(
    app: &App,
    exchange: &Exchange,
    visit: Visit,
    params: &Params<'_>,
    ambient: &Ambient,
) -> Answer {
    let Some(session) = visit.session.as_ref().map(|session| session.id) else {
        return Ok(back_to_dispatcher(exchange, &visit.handle));
    };
    let request = visit.authorization()?;
    let approved = request
        .to_consent()
        .filtered(|value| value == "openid" || params.one(&format!("scope.{value}")).is_some());
    let mut interaction = visit.interaction.clone();
    if approved.intersection(&request.scope).is_empty() {
        interaction.progress.denied = true;
    } else {
        interaction.progress.approved = Some(Approval {
            session,
            scope: approved,
        });
    }
    step(app, exchange, interaction, ambient.now).await?;
    Ok(back_to_dispatcher(exchange, &visit.handle))
}

/// Another user wants to go on: the dispatcher asks for a sign-in again.
async fn switch_user(app: &App, exchange: &Exchange, visit: Visit, ambient: &Ambient) -> Answer {
    let mut interaction = visit.interaction.clone();
    interaction.progress.signed_in = None;
    if let InteractionRequest::Authorization(request) = &mut interaction.request
        && !request.prompts(Prompt::SelectAccount)
    {
        request.prompt.push(Prompt::SelectAccount);
    }
    step(app, exchange, interaction, ambient.now).await?;
    Ok(back_to_dispatcher(exchange, &visit.handle))
}

async fn ask(app: &App, exchange: &Exchange, visit: &Visit, now: Timestamp) -> Answer {
    let Some(session) = &visit.session else {
        return Ok(back_to_dispatcher(exchange, &visit.handle));
    };
    let tenant = &exchange.tenant.tenant;
    let client = client_of(app, exchange, visit).await?;
    let user = app.store.user(&tenant.id, session.user).await?;
    let username = user.map(|user| user.username).unwrap_or_default();
    let request = visit.authorization()?;
    let asked = request.to_consent();
    let path = format!("{}/consent", tenant.issuer.path());
    let csrf = visit.csrf(exchange, Some(session.id));
    let logo = logo::path(app, exchange, &client, now);
    let page = Consent {
        look: view::look(tenant),
        client: view::asking(&client, request.target.redirect_uri(), logo.as_deref()),
        action: &path,
        interaction: &visit.handle,
        csrf: &csrf,
        username: &username,
        scopes: scope_lines(tenant, &asked),
        resources: client.audience.iter().map(String::as_str).collect(),
    };
    let html = app.pages.render(
        &Page::Consent(page),
        view::locale(exchange, request.ui_locales.as_deref()),
    )?;
    let origin = view::origin_of(request.target.redirect_uri());
    Ok(reply::page(StatusCode::OK, html, Some(&origin)))
}

pub(super) fn scope_lines<'a>(tenant: &'a Tenant, scope: &'a Scope) -> Vec<ScopeLine<'a>> {
    let described = |value: &str| {
        tenant
            .policy
            .scopes
            .get(value)
            .and_then(|scope| scope.description.as_deref())
    };
    scope
        .iter()
        .map(|value| ScopeLine {
            scope: value,
            description: described(value),
            mandatory: value == "openid",
        })
        .collect()
}
