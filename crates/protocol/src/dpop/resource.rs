//! Bound access tokens at a protected resource: by which scheme they come, and by whose hand (RFC 9449 §7).

use super::{Unspent, named};
use crate::introspection::TokenFacts;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::userinfo::Scheme;
use jeton_token::confirmation::Confirmation;

rules! {
    BOUND_BY_DPOP = InvalidToken, "bound_token_as_bearer", "RFC 9449 §7.1, §7.2", {
        promise: "A token that is bound to a key comes by the DPoP scheme",
        told: "The access token is bound to a key and must be sent with the DPoP scheme",
        fix: "Send Authorization: DPoP with the token, and a proof in the DPoP header"
    };
    UNBOUND_BY_BEARER = InvalidToken, "unbound_token_as_dpop", "RFC 9449 §7.1", {
        promise: "A token that comes by the DPoP scheme is bound to a key",
        told: "The access token is not bound to a key",
        fix: "Send the token as Bearer, or ask for a bound one by a DPoP proof at the token endpoint"
    };
    PROOF_WITH_TOKEN = InvalidToken, "dpop_proof_missing_at_resource", "RFC 9449 §7.1", {
        promise: "A token by the DPoP scheme comes with a proof",
        told: "The request must carry a DPoP proof",
        fix: "Send a DPoP header with a proof for this request, whose ath is the hash of the token"
    };
    PROOF_TOKEN = InvalidDpopProof, "dpop_proof_ath", "RFC 9449 §4.3, §7.1", {
        promise: "The ath of the proof is the hash of the access token",
        told: "The ath of the DPoP proof is not the hash of the access token",
        fix: "Set ath to BASE64URL(SHA256(access token))"
    };
    PROOF_KEY_OF_TOKEN = InvalidToken, "bound_token_key", "RFC 9449 §7.1", {
        promise: "The key of the proof is the one the access token is bound to",
        told: "The access token is bound to another key",
        fix: "Make the proof with the key of the token request; if you did, somebody substituted the token"
    };
}

/// Whether the scheme fits the token. `true` when a proof has to follow.
pub fn needs_proof(facts: &TokenFacts, scheme: Scheme, trail: &mut Trail) -> Result<bool, Refusal> {
    match (facts.binding, scheme) {
        (None, Scheme::Bearer) => Ok(false),
        (Some(_), Scheme::Dpop) => {
            trail.pass(&BOUND_BY_DPOP);
            Ok(true)
        }
        (Some(key), Scheme::Bearer) => Err(Refusal::new(
            &BOUND_BY_DPOP,
            format!("the DPoP scheme: {}", named(Some(key))),
            "a bearer token",
        )),
        (None, Scheme::Dpop) => Err(Refusal::new(
            &UNBOUND_BY_BEARER,
            "a token with cnf",
            "one without",
        )),
    }
}

/// Whether the request comes from the holder of the token's key. Asked before the proof is spent: a stranger's proofs are
/// not worth remembering.
pub fn prove_holder(
    bound_to: Option<Confirmation>,
    proof: &Unspent,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let found = Some(proof.key());
    trail.require(&PROOF_KEY_OF_TOKEN, bound_to == found, || {
        Noted::new(named(bound_to), named(found))
    })
}
