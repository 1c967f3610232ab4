//! The verification page of a device (RFC 8628 §3.3): who comes signs in first, then enters the code the device shows. What
//! they are asked then is in `device_confirm.rs`.

use super::browser::{self, Visit};
use super::sign_in::{back_to_dispatcher, step};
use super::{device_confirm, to_page, view};
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::denied::{Denied, FEW_USER_CODES};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::pages::{Page, UserCodePage};
use crate::throttle::{Reached, network};
use http::{Method, StatusCode};
use jeton_protocol::device::{
    DEVICE_WAITS, DeviceId, DeviceStep, DeviceVisit, USER_CODE_KNOWN, UserCode, next_step,
};
use jeton_protocol::interaction::InteractionRequest;
use jeton_protocol::metadata::path;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::session::Session;
use jeton_store::throttle::Throttled;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

/// `GET /device`, the address a device shows: begins an interaction about nothing yet.
pub async fn device(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    browser::check_not_framed(exchange, trail)?;
    let params = exchange.query_params()?;
    let offered = params.one("user_code").and_then(UserCode::parse);
    let request = InteractionRequest::Device(DeviceVisit {
        offered: offered.map(|code| code.to_string()),
        device: None,
    });
    super::begin(app, exchange, (request, None), (ambient, trail)).await
}

/// The dispatcher for interactions of this kind.
pub(super) async fn advance(
    app: &App,
    exchange: &Exchange,
    visit: Visit,
    wanted: &DeviceVisit,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Answer {
    let now = ambient.now;
    let most = sign_in_age(app, exchange, (&visit, wanted), now).await?;
    let who = (visit.session.as_ref(), &visit.interaction.progress);
    match next_step(wanted, who, most, now, trail) {
        DeviceStep::LogIn => to_page(app, exchange, "/sign-in", (visit, now)).await,
        DeviceStep::AskUserCode => to_page(app, exchange, "/device/code", (visit, now)).await,
        DeviceStep::Confirm(_) => to_page(app, exchange, "/device/confirm", (visit, now)).await,
        DeviceStep::Leave => device_confirm::left(app, exchange, &visit, now).await,
    }
}

/// How old a sign-in may be: the policy says, and the client when it is known and stricter.
async fn sign_in_age(
    app: &App,
    exchange: &Exchange,
    (visit, wanted): (&Visit, &DeviceVisit),
    now: Timestamp,
) -> Result<Duration, Denied> {
    let policy = &exchange.tenant.tenant.policy;
    let by_policy = policy.lifetimes.device_sign_in;
    let (Some(id), Some(session)) = (wanted.device, &visit.session) else {
        return Ok(by_policy);
    };
    let asked = device_confirm::asked(app, exchange, (id, session.id), now).await?;
    let by_client = asked.client.default_max_age.map(Duration::from_secs);
    Ok(by_client.map_or(by_policy, |by_client| by_client.min(by_policy)))
}

/// The device an interaction is about, and the session that goes on with it, once there are both and the dispatcher would
/// show this step. Whoever asks for a page out of turn goes back to it.
pub(super) async fn in_turn(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<Option<(DeviceVisit, DeviceStep, Session)>, Denied> {
    let InteractionRequest::Device(wanted) = &visit.interaction.request else {
        return Err(super::finish::ended("an interaction about something else").into());
    };
    let most = sign_in_age(app, exchange, (visit, wanted), now).await?;
    let who = (visit.session.as_ref(), &visit.interaction.progress);
    let step = next_step(wanted, who, most, now, trail);
    let session = visit.session.clone();
    Ok(session.map(|session| (wanted.clone(), step, session)))
}

/// `GET /device/code` asks for the code, `POST /device/code` takes it.
pub async fn user_code(
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
    let Some((wanted, DeviceStep::AskUserCode, session)) = turn else {
        return Ok(back_to_dispatcher(exchange, &visit.handle));
    };
    if !posts {
        return show(app, exchange, &visit, (&wanted, &session, false)).await;
    }
    visit.check_form(exchange, (params.one("csrf"), Some(session.id)), trail)?;
    let typed = params.one("user_code").unwrap_or_default();
    match claim(app, exchange, typed, (&session, now)).await? {
        Some(device) => {
            trail.pass(&USER_CODE_KNOWN);
            let mut interaction = visit.interaction.clone();
            interaction.request = InteractionRequest::Device(DeviceVisit {
                device: Some(device),
                ..wanted
            });
            step(app, exchange, interaction, now).await?;
            Ok(back_to_dispatcher(exchange, &visit.handle))
        }
        None => {
            let refusal = Refusal::new(&USER_CODE_KNOWN, "the code of a waiting device", "another");
            app.observe.note_shown_refusal(exchange, &refusal);
            show(app, exchange, &visit, (&wanted, &session, true)).await
        }
    }
}

/// Takes the device with this code for the session. Each try is charged to the user, whatever session they try in, and to the
/// address before anything is looked up, so that parallel guesses cannot outrun the counters; a right code takes its own
/// charge back, and only that one (SEC-013, SEC-153).
async fn claim(
    app: &App,
    exchange: &Exchange,
    typed: &str,
    (session, now): (&Session, Timestamp),
) -> Result<Option<DeviceId>, Denied> {
    let tenant = exchange.tenant.id();
    let rates = app.throttle.rates();
    let address = format!("user-code:{}", network(exchange.address));
    let buckets = [
        (address, rates.address),
        (format!("user-code:{}", session.user), rates.account),
    ];
    let both = (buckets[0].clone(), buckets[1].clone());
    let charged = app.store.charge_both(tenant, both, now).await?;
    if let (Throttled::Wait(wait), of_account) = charged {
        let limit = if of_account {
            "sign_in_failures_per_account"
        } else {
            "sign_ins_per_address"
        };
        let reached = Reached {
            limit,
            of: buckets[usize::from(of_account)].0.clone(),
            seconds: wait.as_secs() + 1,
        };
        return Err(Denied::Throttled(&FEW_USER_CODES, reached));
    }
    let Some(code) = UserCode::parse(typed) else {
        return Ok(None);
    };
    let digests = code.digests(tenant, &exchange.tenant.ring().handles);
    let who = (session.id, session.user);
    let claimed = app.store.claim_device(tenant, digests, who, now).await?;
    if claimed.is_some() {
        for (bucket, rate) in &buckets {
            app.store.refund(tenant, bucket, *rate).await?;
        }
    }
    Ok(claimed)
}

async fn show(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
    (wanted, session, wrong): (&DeviceVisit, &Session, bool),
) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let user = app.store.user(&tenant.id, session.user).await?;
    let username = user.map(|user| user.username).unwrap_or_default();
    let own = tenant.issuer.path();
    let (action, sign_out) = (
        format!("{own}/device/code"),
        format!("{own}{}", path::END_SESSION),
    );
    let csrf = visit.csrf(exchange, Some(session.id));
    let page = UserCodePage {
        look: view::look(tenant),
        action: &action,
        interaction: &visit.handle,
        csrf: &csrf,
        username: &username,
        sign_out: &sign_out,
        // What was wrong once is not offered again.
        offered: wanted.offered.as_deref().filter(|_| !wrong),
        wrong,
    };
    let html = app
        .pages
        .render(&Page::UserCode(page), view::locale(exchange, None))?;
    Ok(reply::page(StatusCode::OK, html, None))
}

/// The refusal for a device that does not wait for this session's answer.
pub(super) fn not_waiting(found: &'static str) -> Refusal {
    Refusal::new(&DEVICE_WAITS, "a device waiting for this session", found)
}
