//! Revocation: which cut a token asks for, and who may ask (RFC 7009).

use crate::client_auth::AuthenticatedClient;
use crate::introspection::TokenFacts;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;

rules! {
    TOKEN_OF_CALLER = InvalidRequest, "revocation_of_foreign_token", "RFC 7009 §2.1", {
        promise: "The token was issued to the client that revokes it",
        told: "The token was not issued to this client",
        fix: "Revoke as the client the token was issued to; an operator ends access with `jeton user disable` or `jeton client disable`"
    };
}

/// Refuses to revoke what belongs to another client, and says so: nothing is revoked (SEC-164).
pub fn admit(
    issued_to: &str,
    caller: &AuthenticatedClient,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let own = issued_to == caller.client().id.as_str();
    trail.require(&TOKEN_OF_CALLER, own, || {
        Noted::new(issued_to.to_owned(), caller.client().id.to_string())
    })
}

/// An access token is cut alone; its grant lives on, because the client may have others (RFC 7009 §2.1).
pub fn cut_of(facts: &TokenFacts) -> crate::cut::CutTarget {
    crate::cut::CutTarget::Token(facts.token)
}
