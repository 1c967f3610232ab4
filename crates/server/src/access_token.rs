//! Opening an access token, whatever its format, and asking the gate whether it still stands.

use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::introspection::{self as rules, TOKEN_READABLE, TokenFacts, TokenRef};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::standing::{self, Standing};
use jeton_token::jws::Jws;
use jeton_token::sealed::SealError;
use jeton_token::timestamp::Timestamp;

/// The facts of a token of this tenant that has neither expired nor been cut.
pub async fn open(
    app: &App,
    exchange: &Exchange,
    token: &str,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<(TokenFacts, Standing), Denied> {
    let facts = read(app, exchange, token).await?;
    trail.pass(&TOKEN_READABLE);
    rules::is_fresh(&facts, now, trail)?;
    let is_cut = app.is_token_cut(exchange, &facts, now).await?;
    let standing = standing::of_token(is_cut, trail)?;
    Ok((facts, standing))
}

/// The facts of a token of this tenant, expired or not: for revocation.
pub async fn read(app: &App, exchange: &Exchange, token: &str) -> Result<TokenFacts, Refusal> {
    let state = &exchange.tenant;
    let mut ring = state.ring();
    match TokenRef::read(token) {
        TokenRef::Sealed(text) => {
            let mut opened = ring.seals.open(state.tenant.id.as_str(), text);
            if let Err(SealError::UnknownKey(_)) = opened {
                ring = state.newer_ring(app).await;
                opened = ring.seals.open(state.tenant.id.as_str(), text);
            }
            opened.map(TokenFacts::from).map_err(rules::unreadable)
        }
        TokenRef::Jwt(text) => {
            let unverified = Jws::parse(text).map_err(rules::unreadable)?;
            if !unverified.header().typ_is("at+jwt") {
                return Err(rules::unreadable("a JWT of another typ than at+jwt"));
            }
            if !publishes(&ring, unverified.header().kid.as_deref()) {
                ring = state.newer_ring(app).await;
            }
            let verified = ring
                .published
                .verify(&unverified)
                .ok_or_else(|| rules::unreadable("a signature by no key of this issuer"))?;
            let claims = verified.claims().map_err(rules::unreadable)?;
            let facts = jeton_token::at_jwt::read(&claims).map_err(rules::unreadable)?;
            if facts.issuer != state.tenant.issuer.as_str() {
                return Err(rules::unreadable("a token of another issuer"));
            }
            Ok(TokenFacts::from(facts))
        }
        TokenRef::Refresh(_) | TokenRef::Other => {
            Err(rules::unreadable("something that is no access token"))
        }
    }
}

/// Whether this node has read of such a key.
fn publishes(ring: &KeyRing, kid: Option<&str>) -> bool {
    kid.is_some() && ring.published.keys().iter().any(|key| key.kid() == kid)
}
