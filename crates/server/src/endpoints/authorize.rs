//! The authorization endpoint (RFC 6749 §3.1, Core §3.1.2): parses the request, opens an interaction, and lets the dispatcher
//! take it from there.

use super::Answer;
use crate::ambient::Ambient;
use crate::app::App;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::login::browser;
use crate::login::{self, finish};
use http::Method;
use jeton_protocol::authorize::request::{self as rules, AuthorizationRequest, AuthorizeRefusal};
use jeton_protocol::client::Client;
use jeton_protocol::interaction::InteractionRequest;
use jeton_protocol::metadata::path;
use jeton_protocol::refusal::Trail;
use jeton_token::jws::Jws;

pub async fn authorize(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    browser::check_not_framed(exchange, trail)?;
    let params = exchange.unjudged_params()?;
    if let Some(query) = posted_from_elsewhere(exchange) {
        let endpoint = exchange.tenant.tenant.issuer.join(path::AUTHORIZE);
        return Ok(reply::see_other(&format!("{endpoint}?{query}")));
    }
    let id = rules::client_id(&params, trail)?;
    let client = exchange.tenant.client(app, &id).await?;
    let client =
        client.ok_or_else(|| rules::unknown_client("no such client, or a disabled one"))?;
    let hint = |text: &str| hinted_subject(exchange, &client, text);
    let request =
        match AuthorizationRequest::parse(&params, &client, &exchange.tenant.tenant, hint, trail) {
            Ok(request) => request,
            Err(AuthorizeRefusal::Shown(refusal)) => return Err(refusal.into()),
            Err(AuthorizeRefusal::Sent(refusal, target)) => {
                return Ok(finish::send_refusal(app, exchange, &target, &refusal));
            }
        };
    let request = InteractionRequest::Authorization(Box::new(request));
    login::begin(app, exchange, request, (ambient, trail)).await
}

/// The query of the same request as a GET: a form that another site posts comes without our cookies (`SameSite=Lax`), and
/// without them a user who is signed in would not be known.
fn posted_from_elsewhere(exchange: &Exchange) -> Option<&str> {
    let posted = exchange.method == Method::POST && browser::is_from_elsewhere(exchange);
    let short = exchange.body.len() <= LONGEST_QUERY;
    let query = std::str::from_utf8(&exchange.body)
        .ok()
        .filter(|query| query.bytes().all(|b| b.is_ascii_graphic()));
    query.filter(|_| posted && short)
}

/// A longer form is answered as it comes.
const LONGEST_QUERY: usize = 8 * 1024;

/// `sub` of an ID token of ours for this client, expired or not (Core §3.1.2.1).
fn hinted_subject(exchange: &Exchange, client: &Client, text: &str) -> Option<String> {
    let hint = id_token(exchange, text)?;
    (hint.client == client.id.as_str()).then_some(hint.subject)
}

/// What an ID token of this issuer says, its age aside.
pub fn id_token(exchange: &Exchange, text: &str) -> Option<jeton_protocol::logout::LogoutHint> {
    let state = &exchange.tenant;
    let unverified = Jws::parse(text).ok()?;
    let header = unverified.header();
    if header
        .typ
        .as_deref()
        .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
    {
        return None;
    }
    let ring = state.ring();
    let claims = ring.published.verify(&unverified)?.claims().ok()?;
    if claims.text("iss").ok()?? != state.tenant.issuer.as_str() {
        return None;
    }
    Some(jeton_protocol::logout::LogoutHint {
        client: (*claims.audience().ok()?.first()?).to_owned(),
        subject: claims.text("sub").ok()??.to_owned(),
        session: claims.text("sid").ok()?.and_then(|sid| sid.parse().ok()),
    })
}
