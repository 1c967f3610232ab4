//! Token exchange (RFC 8693): nothing is read for a token of ours, and what trusted issuers vouch for is spent as an assertion.

use super::jwt_bearer;
use crate::access_token;
use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::client::TokenExchange;
use jeton_protocol::grants::token_exchange::{self as rules, ExchangeRequest, Subject, TokenType};
use jeton_protocol::introspection::TokenFacts;
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::Trail;
use jeton_protocol::standing::{self, Standing};
use jeton_protocol::trusted_issuer::{self, GRANT_ASSERTION_FRESH, Vouched};
use jeton_token::jws::Jws;
use jeton_token::timestamp::Timestamp;

pub async fn exchange(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &ExchangeRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;
    let now = ambient.now;
    let policy = rules::admit(caller, trail)?;

    // Load.
    let (subject, standing, vouched) =
        subject(app, exchange, (caller, policy), request, (now, trail)).await?;
    let actor = match &request.actor {
        None => None,
        Some(text) => Some(open(app, exchange, text, now, trail).await?.0),
    };

    // Decide.
    let facts = (&subject, actor.as_ref());
    let given = (policy, standing);
    let issuance = rules::decide(request, facts, (caller, tenant), given, trail)?;

    // Mint.
    let ring = state.ring();
    let mut response = issue::mint(&issuance, tenant, &ring, &mut ambient.entropy, now)?;
    response.issued_token_type = Some(request.issued_token_type());

    // Commit.
    if let Some(vouched) = vouched {
        let spent = jwt_bearer::spend(app, exchange, &vouched, now).await;
        spent.map_err(|denied| denied.worded(rules::unvouched))?;
        trail.pass(&GRANT_ASSERTION_FRESH);
    }
    Ok(response)
}

/// The subject, and what has to be spent for it when it is somebody else's token.
async fn subject<'a>(
    app: &App,
    exchange: &'a Exchange,
    (caller, policy): (&Caller, &TokenExchange),
    request: &ExchangeRequest,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<(Subject, Standing, Option<Vouched<'a>>), Denied> {
    let (text, kind) = &request.subject;
    let tenant = &exchange.tenant.tenant;
    if *kind == TokenType::AccessToken || is_ours(text, tenant.issuer.as_str()) {
        let (facts, standing) = open(app, exchange, text, now, trail).await?;
        let subject = Subject::of_token(&facts, caller, trail)?;
        return Ok((subject, standing, None));
    }
    let client = caller.client();
    let vouched = trusted_issuer::verify(text, tenant, &client.id, now, trail);
    let vouched = vouched.map_err(rules::unvouched)?;
    let user = jwt_bearer::user(app, exchange, &vouched).await?;
    let subject = Subject::of_assertion(&vouched, user.as_ref(), (caller, policy), trail)?;
    let is_cut = jwt_bearer::is_cut(app, exchange, (&client.id, user.as_ref()), now).await?;
    let names_user = vouched.rule.user.is_some();
    let standing = standing::of_mapped(names_user, user.as_ref(), is_cut, trail);
    Ok((subject, standing.map_err(rules::unvouched)?, Some(vouched)))
}

async fn open(
    app: &App,
    exchange: &Exchange,
    text: &str,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<(TokenFacts, Standing), Denied> {
    let opened = access_token::open(app, exchange, text, now, trail).await;
    opened.map_err(|denied| denied.worded(rules::unacceptable))
}

/// Whether a JWT says that it is of this issuer; its keys have the last word.
fn is_ours(text: &str, issuer: &str) -> bool {
    let Ok(unverified) = Jws::parse(text) else {
        return false;
    };
    let claims = unverified.unverified_claims();
    claims.is_ok_and(|claims| claims.text("iss") == Ok(Some(issuer)))
}
