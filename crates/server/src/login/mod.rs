//! The dispatcher: loads interaction, session and consent, asks `next_step`, and goes there. Pages verify, commit and come
//! back here; they never name one another.

pub mod admin_link;
pub mod browser;
pub mod consent;
pub mod device;
pub mod device_confirm;
pub mod failure;
pub mod finish;
pub mod form_post;
pub mod sign_in;
pub mod username;
pub mod view;

use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::denied::{Denied, FEW_SIGN_INS};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::login::sign_in::set_cookie;
use browser::Visit;
use jeton_protocol::authorize::pushed::PushedRequestId;
use jeton_protocol::authorize::request::{check_still_registered, unknown_client};
use jeton_protocol::authorize::step::{Situation, Step, next_step};
use jeton_protocol::client::Client;
use jeton_protocol::interaction::{Interaction, InteractionRequest, Progress};
use jeton_protocol::refusal::Trail;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;

/// `GET /continue`: where every step of an interaction returns to.
pub async fn resume(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let params = exchange.query_params()?;
    let visit = Visit::load(app, exchange, params.one("interaction"), ambient.now, trail).await?;
    advance(app, exchange, visit, (ambient, trail)).await
}

/// Begins an interaction of this browser and takes it as far as it goes.
pub async fn begin(
    app: &App,
    exchange: &Exchange,
    (request, pushed): (InteractionRequest, Option<PushedRequestId>),
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    let (browser, cookie) = browser::known_browser(app, exchange, ambient).await;
    let tenant = &exchange.tenant.tenant;
    let interaction = Interaction {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        request,
        browser: browser::digest(browser),
        progress: Progress::default(),
        pushed,
        created_at: ambient.now,
        expires_at: ambient.now.plus(tenant.policy.lifetimes.interaction),
        closed_at: None,
    };
    let ring = exchange.tenant.ring();
    let handle = ring.handles.seal(
        tenant.id.as_str(),
        HandleKind::Interaction,
        interaction.id,
        0,
    );
    let visit = Visit::begin(app, exchange, (interaction, handle), ambient.now).await?;
    let mut reply = advance(app, exchange, visit, (ambient, trail)).await?;
    if let Some(cookie) = cookie {
        set_cookie(&mut reply, cookie);
    }
    Ok(reply)
}

/// Takes the interaction as far as it goes without the user.
pub async fn advance(
    app: &App,
    exchange: &Exchange,
    visit: Visit,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    if let InteractionRequest::Device(wanted) = &visit.interaction.request {
        let wanted = wanted.clone();
        return device::advance(app, exchange, visit, &wanted, (ambient, trail)).await;
    }
    let client = client_of(app, exchange, &visit).await?;
    let tenant = exchange.tenant.id();
    let interaction = &visit.interaction;
    let request = visit.authorization()?;
    let judged_by = (&*client, &exchange.tenant.tenant);
    // Shown here, whatever comes next: nothing goes to a place that is not the client's any more.
    check_still_registered(request, interaction.pushed.is_some(), judged_by)?;
    let consent = match &visit.session {
        Some(session) => app.store.consent(tenant, session.user, &client.id).await?,
        None => None,
    };
    let situation = Situation {
        request,
        client: &client,
        session: visit.session.as_ref(),
        consent: consent.as_ref(),
        progress: &interaction.progress,
    };
    match next_step(situation, ambient.now, trail) {
        Step::LogIn => to_page(app, exchange, "/sign-in", (visit, ambient.now)).await,
        Step::AskConsent(_) => to_page(app, exchange, "/consent", (visit, ambient.now)).await,
        Step::Finish(consented) => {
            finish::grant(app, exchange, visit, (&client, consented), (ambient, trail)).await
        }
        Step::Refuse(refusal) => finish::refuse(app, exchange, &visit, refusal, ambient.now).await,
    }
}

/// The client of an interaction; it may have been disabled since it began.
pub async fn client_of(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
) -> Result<Arc<Client>, Denied> {
    let found = exchange
        .tenant
        .client(app, &visit.authorization()?.client_id)
        .await?;
    found.ok_or_else(|| unknown_client("a client that was disabled meanwhile").into())
}

/// Sends the browser to a page. Only now, when a person is asked, the interaction has to be remembered.
pub(super) async fn to_page(
    app: &App,
    exchange: &Exchange,
    page: &str,
    (visit, now): (Visit, Timestamp),
) -> Answer {
    if !visit.stored {
        if let Some(reached) = app.throttle.admit_interaction(exchange, now) {
            return Err(Denied::Throttled(&FEW_SIGN_INS, reached));
        }
        app.store
            .open_interaction(exchange.tenant.id(), visit.interaction)
            .await?;
    }
    let path = exchange.tenant.tenant.issuer.path();
    Ok(reply::see_other(&format!(
        "{path}{page}?interaction={}",
        visit.handle
    )))
}
