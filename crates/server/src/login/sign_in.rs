//! Signing in with a password (SEC-R05, SEC-201, SEC-202).

use super::browser::{INTERACTION_KNOWN, Visit};
use super::username::{LONGEST, username_key};
use super::{client_of, view};
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::cookies::Cookie;
use crate::http::denied::{Denied, later};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::logo;
use crate::pages::{DemoUser, Page, SignIn, SignInProblem, Why};
use crate::throttle::{Reached, network};
use http::{HeaderValue, Method, StatusCode, header};
use jeton_protocol::authorize::request::Prompt;
use jeton_protocol::interaction::SignedIn;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::session::{ACR_PASSWORD, Session, SessionId};
use jeton_protocol::user::User;
use jeton_store::audit::account;
use jeton_store::interactions::Stepped;
use jeton_store::sessions::Renewed;
use jeton_store::throttle::Throttled;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

/// `GET /sign-in` shows the form, `POST /sign-in` takes it.
pub async fn sign_in(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    if exchange.method != Method::POST {
        let params = exchange.query_params()?;
        let visit =
            Visit::load(app, exchange, params.one("interaction"), ambient.now, trail).await?;
        let request = visit.interaction.authorization();
        let hint = request.and_then(|request| request.login_hint.clone());
        let hint = hint.unwrap_or_default();
        return show(app, exchange, &visit, (&hint, None), ambient.now).await;
    }
    let params = exchange.form()?;
    let visit = Visit::load(app, exchange, params.one("interaction"), ambient.now, trail).await?;
    visit.check_form(exchange, (params.one("csrf"), None), trail)?;
    if params.one("cancel").is_some() {
        return deny(app, exchange, visit, ambient.now).await;
    }
    match check_password(app, exchange, &params, ambient).await? {
        Tried::Right(user) => open(app, exchange, visit, &user, ambient).await,
        Tried::Wrong => {
            show(
                app,
                exchange,
                &visit,
                (typed_name(&params), Some(SignInProblem::WrongPassword)),
                ambient.now,
            )
            .await
        }
        Tried::TooOften(reached) => {
            let shown = (typed_name(&params), Some(SignInProblem::Throttled));
            Ok(later(
                show(app, exchange, &visit, shown, ambient.now).await?,
                reached.seconds,
            ))
        }
    }
}

/// Notes that the user said no; the dispatcher makes it the answer.
pub(super) async fn deny(app: &App, exchange: &Exchange, visit: Visit, now: Timestamp) -> Answer {
    let mut interaction = visit.interaction.clone();
    interaction.progress.denied = true;
    step(app, exchange, interaction, now).await?;
    Ok(back_to_dispatcher(exchange, &visit.handle))
}

/// Stores how far the interaction has come, unless another step was faster.
pub(super) async fn step(
    app: &App,
    exchange: &Exchange,
    interaction: jeton_protocol::interaction::Interaction,
    now: Timestamp,
) -> Result<(), Denied> {
    match app
        .store
        .step_interaction(exchange.tenant.id(), interaction, now)
        .await?
    {
        Stepped::Stepped(_) => Ok(()),
        Stepped::Stale => Err(stale().into()),
    }
}

fn stale() -> Refusal {
    Refusal::new(
        &INTERACTION_KNOWN,
        "the step the page was shown for",
        "another step",
    )
}

pub(super) fn back_to_dispatcher(exchange: &Exchange, handle: &str) -> reply::Reply {
    let path = exchange.tenant.tenant.issuer.path();
    reply::see_other(&format!("{path}/continue?interaction={handle}"))
}

enum Tried {
    Right(Box<User>),
    Wrong,
    TooOften(Reached),
}

/// The counters are charged before the password is looked at, so that parallel guesses cannot outrun them (SEC-013). A right
/// one gets its charges back: many people behind one address are not held against each other (SEC-465).
async fn check_password(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    ambient: &mut Ambient,
) -> Result<Tried, Denied> {
    let tenant = exchange.tenant.id();
    let name = username_key(typed_name(params));
    let password = params.one("password").unwrap_or_default();
    let user = if name.len() <= LONGEST {
        app.store.user_by_name(tenant, &name).await?
    } else {
        None
    };
    let account = budget(app, exchange, &name, user.as_ref()).await;
    let address = format!("address:{}", network(exchange.address));
    app.passwords.check_room()?;
    let rates = app.throttle.rates();
    let both = (
        (address.clone(), rates.address),
        (account.clone(), rates.account),
    );
    let charged = app.store.charge_both(tenant, both, ambient.now).await?;
    if let (Throttled::Wait(wait), of_account) = charged {
        app.metrics.count_sign_in("throttled");
        let (limit, of) = if of_account {
            ("sign_in_failures_per_account", account)
        } else {
            ("sign_ins_per_address", address)
        };
        let reached = Reached {
            limit,
            of,
            seconds: wait.as_secs() + 1,
        };
        app.observe
            .note_throttled(exchange, "/sign-in", (&reached, ambient.now));
        return Ok(Tried::TooOften(reached));
    }
    let user = user.filter(|user| user.disabled_at.is_none());
    let stored = match &user {
        Some(user) => app.store.password(tenant, user.id).await?,
        None => None,
    };
    // A user who does not exist costs the same hash.
    let right = app.passwords.matches(stored.as_deref(), password).await?;
    match user.filter(|_| right) {
        Some(user) => {
            let counted = (account, (address, rates.address));
            let held = (ambient.now, app.clock.now());
            app.store.forgive(tenant, counted, held).await?;
            rehash(app, exchange, (user.id, stored, password), ambient).await?;
            app.metrics.count_sign_in("success");
            Ok(Tried::Right(Box::new(user)))
        }
        None => {
            let occasion = exchange.occasion("nobody", ambient);
            app.store
                .audit(tenant, "sign_in.failed", &account, occasion)
                .await?;
            app.metrics.count_sign_in("failure");
            tracing::warn!(event = "sign_in.failed", request_id = %exchange.id, tenant = %tenant, address = %exchange.address);
            Ok(Tried::Wrong)
        }
    }
}

/// What a try is counted against: the account, or for a browser this user has signed in with before, that user there. So
/// nobody can keep a user out who comes from a browser they have used (SEC-044, SEC-202).
async fn budget(app: &App, exchange: &Exchange, name: &str, user: Option<&User>) -> String {
    let known = match Cookie::Known.read(exchange) {
        Some(text) => {
            let state = &exchange.tenant;
            let opened = state.open_handle(app, HandleKind::KnownBrowser, text).await;
            opened.ok()
        }
        None => None,
    };
    match (known, user) {
        (Some(known), Some(user)) if known.row == user.id => format!("known:{}", user.id),
        (_, _) => account(name),
    }
}

/// A hash made at another cost is made anew while the password is at hand (SEC-410).
async fn rehash(
    app: &App,
    exchange: &Exchange,
    (user, stored, password): (RowId, Option<String>, &str),
    ambient: &mut Ambient,
) -> Result<(), Denied> {
    let Some(old) = stored.filter(|stored| !app.passwords.is_current(stored)) else {
        return Ok(());
    };
    let new = app
        .passwords
        .hash(password, ambient.entropy.bytes())
        .await?;
    app.store
        .rehash_password(exchange.tenant.id(), user, old, new)
        .await?;
    Ok(())
}

fn typed_name<'a>(params: &'a Params<'_>) -> &'a str {
    params.one("username").unwrap_or_default()
}

/// Signs the browser in: whatever cookie it had before is worth nothing now (SEC-041). The same user's session goes on under a
/// new generation, so that what was granted in it lives; another's ends.
async fn open(
    app: &App,
    exchange: &Exchange,
    mut visit: Visit,
    user: &User,
    ambient: &mut Ambient,
) -> Answer {
    let tenant = &exchange.tenant.tenant;
    let now = ambient.now;
    let actor = user.id.to_string();
    let (id, generation) = match visit.session.take() {
        Some(before) if before.user == user.id => {
            let again = Session {
                auth_time: now,
                amr: password_amr(),
                last_seen_at: now,
                ..before
            };
            renew(app, exchange, (again, visit.generation), ambient).await?
        }
        Some(before) => {
            app.store
                .end_session(&tenant.id, before.id, exchange.occasion(&actor, ambient))
                .await?;
            open_session(app, exchange, user, ambient).await?
        }
        None => open_session(app, exchange, user, ambient).await?,
    };
    let mut interaction = visit.interaction.clone();
    interaction.progress.signed_in = Some(SignedIn {
        session: id,
        at: now,
    });
    // A form sent twice is stale the second time; the sign-in itself was right, so the browser gets its session all the same.
    match step(app, exchange, interaction, now).await {
        Ok(()) | Err(Denied::Refused(_)) => {}
        Err(denied) => return Err(denied),
    }
    let ring = exchange.tenant.ring();
    let cookie = ring
        .handles
        .seal(tenant.id.as_str(), HandleKind::Session, id, generation);
    let mut reply = back_to_dispatcher(exchange, &visit.handle);
    set_cookie(&mut reply, Cookie::Session.set(tenant, &cookie));
    let known = ring
        .handles
        .seal(tenant.id.as_str(), HandleKind::KnownBrowser, user.id, 0);
    set_cookie(&mut reply, Cookie::Known.set(tenant, &known));
    Ok(reply)
}

fn password_amr() -> Vec<String> {
    vec!["pwd".to_owned()]
}

async fn renew(
    app: &App,
    exchange: &Exchange,
    (session, seen): (Session, u32),
    ambient: &mut Ambient,
) -> Result<(SessionId, u32), Denied> {
    let id = session.id;
    let occasion = exchange.occasion(&session.user.to_string(), ambient);
    match app
        .store
        .renew_session(exchange.tenant.id(), session, seen, occasion)
        .await?
    {
        Renewed::Renewed(generation) => Ok((id, generation)),
        Renewed::Gone => Err(stale().into()),
    }
}

async fn open_session(
    app: &App,
    exchange: &Exchange,
    user: &User,
    ambient: &mut Ambient,
) -> Result<(SessionId, u32), Denied> {
    let session = new_session(exchange, user, ambient);
    let id = session.id;
    let occasion = exchange.occasion(&user.id.to_string(), ambient);
    app.store
        .open_session(exchange.tenant.id(), session, occasion)
        .await?;
    Ok((id, 0))
}

pub(super) fn new_session(exchange: &Exchange, user: &User, ambient: &mut Ambient) -> Session {
    let now = ambient.now;
    let lifetimes = &exchange.tenant.tenant.policy.lifetimes;
    Session {
        id: RowId::new(now, &mut ambient.entropy),
        user: user.id,
        auth_time: now,
        amr: password_amr(),
        acr: ACR_PASSWORD.to_owned(),
        created_at: now,
        last_seen_at: now,
        expires_at: now.plus(lifetimes.session_absolute),
        ended_at: None,
    }
}

pub(crate) fn set_cookie(reply: &mut reply::Reply, cookie: HeaderValue) {
    reply.headers_mut().append(header::SET_COOKIE, cookie);
}

async fn show(
    app: &App,
    exchange: &Exchange,
    visit: &Visit,
    (username, problem): (&str, Option<SignInProblem>),
    now: Timestamp,
) -> Answer {
    let request = visit.interaction.authorization();
    let client = match request {
        Some(_) => Some(client_of(app, exchange, visit).await?),
        None => None,
    };
    let asking = client.as_deref().zip(request);
    let path = format!("{}/sign-in", exchange.tenant.tenant.issuer.path());
    let csrf = visit.csrf(exchange, None);
    let logo = client
        .as_ref()
        .and_then(|client| logo::path(app, exchange, client, now));
    let development = app.settings.development.as_ref();
    let page = SignIn {
        look: view::look(&exchange.tenant.tenant),
        client: asking.map(|(client, request)| {
            view::asking(client, request.target.redirect_uri(), logo.as_deref())
        }),
        action: &path,
        interaction: &visit.handle,
        csrf: &csrf,
        username,
        why: why(visit),
        problem,
        demo_users: development
            .map(|shown| {
                shown.users.iter().map(|user| DemoUser {
                    username: &user.username,
                    password: &user.password,
                })
            })
            .into_iter()
            .flatten()
            .collect(),
    };
    let html = app.pages.render(
        &Page::SignIn(page),
        view::locale(exchange, visit.interaction.ui_locales()),
    )?;
    let status = match problem {
        Some(SignInProblem::Throttled) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInProblem::WrongPassword | SignInProblem::Expired) | None => StatusCode::OK,
    };
    let origin = request.map(|request| view::origin_of(request.target.redirect_uri()));
    Ok(reply::page(status, html, origin.as_deref()))
}

fn why(visit: &Visit) -> Why {
    let request = visit.interaction.authorization();
    if request.is_some_and(|request| request.prompts(Prompt::SelectAccount)) {
        Why::OtherUser
    } else if visit.session.is_some() {
        Why::Again
    } else {
        Why::First
    }
}
