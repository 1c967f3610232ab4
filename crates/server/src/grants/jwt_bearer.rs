//! The JWT bearer grant (RFC 7523 §2.1): one read if the rule names a user, one write if the assertion is good for one use.

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::{Denied, Fault};
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::client::ClientId;
use jeton_protocol::client_auth::Replay;
use jeton_protocol::grants::jwt_bearer::{self as rules, JwtBearerRequest};
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::trusted_issuer::{self, GRANT_ASSERTION_FRESH, Vouched};
use jeton_protocol::user::User;
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_token::timestamp::Timestamp;

pub async fn issue(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &JwtBearerRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;
    let client = &caller.client().id;

    // Load.
    let now = ambient.now;
    let vouched = trusted_issuer::verify(&request.assertion, tenant, client, now, trail)?;
    let user = user(app, exchange, &vouched).await?;

    // Decide.
    let is_cut = is_cut(app, exchange, (client, user.as_ref()), now).await?;
    let facts = (&vouched, user.as_ref());
    let issuance = rules::decide(request, facts, (caller, tenant), is_cut, trail)?;

    // Mint.
    let ring = state.ring();
    let response = issue::mint(&issuance, tenant, &ring, &mut ambient.entropy, now)?;

    // Commit.
    spend(app, exchange, &vouched, now).await?;
    trail.pass(&GRANT_ASSERTION_FRESH);
    Ok(response)
}

/// The user whom the rule names.
pub(super) async fn user(
    app: &App,
    exchange: &Exchange,
    vouched: &Vouched<'_>,
) -> Result<Option<User>, Denied> {
    match &vouched.rule.user {
        None => Ok(None),
        Some(name) => Ok(app.store.user_by_name(exchange.tenant.id(), name).await?),
    }
}

/// Whether what is issued this moment for an assertion would be dead at once.
pub(super) async fn is_cut(
    app: &App,
    exchange: &Exchange,
    (client, user): (&ClientId, Option<&User>),
    now: Timestamp,
) -> Result<bool, Denied> {
    let user = user.map(|user| user.id);
    Ok(app.is_party_cut(exchange, (client, user), now).await?)
}

/// Spends the assertion, for all clients at once: its `jti` is its issuer's.
pub(super) async fn spend(
    app: &App,
    exchange: &Exchange,
    vouched: &Vouched<'_>,
    now: Timestamp,
) -> Result<(), Denied> {
    if let Some(replay) = &vouched.replay {
        claim(app, exchange, (vouched, replay), now).await?;
    }
    // Which rule let it in is said nowhere else: the token names the client or the user alone.
    let (issuer, rule) = (&vouched.issuer.name, &vouched.rule.name);
    tracing::info!(event = "assertion", tenant = %exchange.tenant.id(), %issuer, %rule);
    Ok(())
}

async fn claim(
    app: &App,
    exchange: &Exchange,
    (vouched, replay): (&Vouched<'_>, &Replay),
    now: Timestamp,
) -> Result<(), Denied> {
    let unnamed = || Fault::Keys("a trusted issuer's identifier is not printable ASCII".to_owned());
    let one_time = OneTime {
        kind: ReplayKind::GrantAssertion,
        client: Some(ClientId::parse(&vouched.issuer.issuer).ok_or_else(unnamed)?),
        value: replay.jti.clone(),
        expires_at: replay.until,
    };
    let claimed = app.store.claim_once(exchange.tenant.id(), &one_time, now);
    match claimed.await? {
        Claimed::Claimed => Ok(()),
        Claimed::AlreadyUsed => {
            let found = format!("jti of {} characters, seen before", replay.jti.len());
            Err(Refusal::new(&GRANT_ASSERTION_FRESH, "a jti not seen before", found).into())
        }
    }
}
