//! Proof of possession by DPoP: what a proof must be, when it is spent, and what hangs on its key (RFC 9449).
//!
//! How a proof is written is for `jeton_token::dpop`. Remembering spent ones is for the store.

pub mod nonce;
pub mod resource;

use crate::authorize::request::clipped;
use crate::caller::{Binding, Caller};
use crate::client::Client;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Rule, Trail};
use crate::rules;
use jeton_token::base64url;
use jeton_token::confirmation::Confirmation;
use jeton_token::dpop::{self, DpopError, Proof, Request};
use jeton_token::timestamp::Timestamp;
use nonce::Nonces;

rules! {
    ONE_PROOF = InvalidDpopProof, "dpop_proof_repeated", "RFC 9449 §4.3", {
        promise: "The request has at most one DPoP header",
        told: "The request has more than one DPoP header",
        fix: "Send one proof, made for this request"
    };
    PROOF_PARSES = InvalidDpopProof, "dpop_proof_malformed", "RFC 9449 §4.3, RFC 7515 §5.2", {
        promise: "The DPoP header is one well-formed, signed compact JWT",
        told: "The DPoP proof is not a well-formed signed JWT",
        fix: "Send a compact JWS of at most 16 KiB, without crit and without members that occur twice"
    };
    PROOF_TYP = InvalidDpopProof, "dpop_proof_typ", "RFC 9449 §4.2", {
        promise: "The typ of the proof is dpop+jwt",
        told: "The typ of the DPoP proof must be dpop+jwt",
        fix: "Set typ to dpop+jwt in the header of the proof"
    };
    PROOF_ALG = InvalidDpopProof, "dpop_proof_alg", "RFC 9449 §4.2, §4.3", {
        promise: "The proof is signed with an algorithm the metadata offers for proofs",
        told: "The DPoP proof is signed with an algorithm that is not supported",
        fix: "Use an algorithm out of dpop_signing_alg_values_supported, such as ES256"
    };
    PROOF_KEY = InvalidDpopProof, "dpop_proof_key", "RFC 9449 §4.2, §4.3", {
        promise: "The jwk in the header is a public key that fits the algorithm",
        told: "The jwk of the DPoP proof must be a public key",
        fix: "Put the public half of the key into the header as jwk, without d and other private members"
    };
    PROOF_VERIFIES = InvalidDpopProof, "dpop_proof_signature", "RFC 9449 §4.3", {
        promise: "The key in the header verifies the signature",
        told: "The signature of the DPoP proof is not valid",
        fix: "Sign with the private half of the key that is in the header"
    };
    PROOF_CLAIMS = InvalidDpopProof, "dpop_proof_claims", "RFC 9449 §4.2, §4.3", {
        promise: "The claims jti, htm, htu and iat are there, each of its JSON type",
        told: "The DPoP proof lacks a required claim, or a claim has the wrong type",
        fix: "Give jti (at most 256 bytes), htm, htu and iat; iat is a number of seconds"
    };
    PROOF_METHOD = InvalidDpopProof, "dpop_proof_htm", "RFC 9449 §4.3", {
        promise: "The htm of the proof is the method of the request",
        told: "The htm of the DPoP proof is not the method of the request",
        fix: "Make a proof for each request; htm is POST at the token endpoint, in capitals"
    };
    PROOF_URL = InvalidDpopProof, "dpop_proof_htu", "RFC 9449 §4.3, RFC 3986 §6.2", {
        promise: "The htu of the proof is the address of the request without query and fragment",
        told: "The htu of the DPoP proof is not the address of the request",
        fix: "Set htu to the address the client calls, as the metadata names it; the public one, also behind a proxy"
    };
    PROOF_TIMELY = InvalidDpopProof, "dpop_proof_iat", "RFC 9449 §4.3, §11.1", {
        promise: "The proof was made within the last minute, or carries a nonce of this server",
        told: "The DPoP proof is too old, or from the future",
        fix: "Make a proof for each request, and check the clock of the client"
    };
    PROOF_NONCE = UseDpopNonce, "dpop_nonce", "RFC 9449 §8, §9", {
        promise: "The proof carries a nonce that this server gave out in the last two minutes",
        told: "The DPoP proof must carry the nonce of the DPoP-Nonce header",
        fix: "Make the proof again with the nonce of this answer's DPoP-Nonce header, and keep that for the next request"
    };
    PROOF_FRESH = InvalidDpopProof, "dpop_proof_replayed", "RFC 9449 §11.1, SEC-348", {
        promise: "The proof has not been used before",
        told: "The DPoP proof has been used before",
        fix: "Make a new proof with a new jti for each request"
    };
    PROOF_SENT = InvalidDpopProof, "dpop_proof_missing", "RFC 9449 §5.2", {
        promise: "A client that asks for bound tokens only proves its key",
        told: "This client must send a DPoP proof",
        fix: "Send a DPoP header, or register the client without dpop_bound_access_tokens"
    };
    CODE_KEY = InvalidGrant, "code_dpop_key", "RFC 9449 §10", {
        promise: "The key is the one the authorization request named by dpop_jkt",
        told: "The authorization code is bound to another key",
        fix: "Redeem the code with a proof by the key whose thumbprint was dpop_jkt; if you did, somebody substituted one of them"
    };
    REFRESH_KEY = InvalidGrant, "refresh_token_dpop_key", "RFC 9449 §5, RFC 9700 §2.2.2", {
        promise: "The refresh token of a public client is used with the key it is bound to",
        told: "The refresh token is bound to another key",
        fix: "Refresh with a proof by the key of the first token request; when it is lost, have the user sign in again"
    };
    PUSHED_KEY = InvalidDpopProof, "pushed_request_dpop_key", "RFC 9449 §10.1", {
        promise: "The key that proves itself with a pushed request is the one its dpop_jkt names",
        told: "The DPoP proof is not by the key that dpop_jkt names",
        fix: "Push with a proof by the key whose thumbprint is dpop_jkt, or send one of them"
    };
    JKT_WELL_FORMED = InvalidRequest, "dpop_jkt_malformed", "RFC 9449 §10, RFC 7638 §3", {
        promise: "dpop_jkt is the SHA-256 thumbprint of a key",
        told: "dpop_jkt is not a base64url encoded SHA-256 thumbprint",
        fix: "Send the RFC 7638 thumbprint of the key: 43 characters of base64url without padding"
    };
}

/// The one proof of a request, if it has any. `values` are those of its `DPoP` headers.
pub fn sent<'a>(
    mut values: impl Iterator<Item = &'a [u8]>,
    trail: &mut Trail,
) -> Result<Option<&'a str>, Refusal> {
    let Some(first) = values.next() else {
        return Ok(None);
    };
    trail.require(&ONE_PROOF, values.next().is_none(), || {
        Noted::new("one DPoP header", "several")
    })?;
    std::str::from_utf8(first)
        .map(Some)
        .map_err(|_| Refusal::new(&PROOF_PARSES, "a compact JWS", "bytes that are no text"))
}

/// A proof that fits its request and moment, and may have been used before.
#[derive(Debug)]
pub struct Unspent {
    proof: Proof,
    /// When the proof would be refused for its age anyway.
    pub until: Timestamp,
}

impl Unspent {
    pub fn key(&self) -> Confirmation {
        Confirmation::DpopKey(self.proof.thumbprint)
    }

    /// What may be used once: the same `jti` by another key is another one.
    pub fn one_time(&self) -> String {
        format!(
            "{}.{}",
            base64url::encode(&self.proof.thumbprint),
            self.proof.jti
        )
    }

    /// Makes the proof a binding; `claimed` says whether this was its first use.
    pub fn spent(self, claimed: bool, trail: &mut Trail) -> Result<Binding, Refusal> {
        trail.require(&PROOF_FRESH, claimed, || {
            Noted::new("a jti not seen before from this key", "one seen before")
        })?;
        Ok(Binding::proven(self.key()))
    }
}

/// Proves what can be proven without a memory. With `nonces` the proof must carry one of them, and then its clock need not
/// be right; without, it must have been made about now, and a nonce means nothing. (RFC 9449 §4.3, §11.1)
pub fn verify(
    text: &str,
    request: &Request<'_>,
    nonces: Option<&Nonces<'_>>,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Unspent, Refusal> {
    let proof = Proof::verify(text, request).map_err(|error| refusal(error, request));
    let failed = proof.as_ref().err().map(|refusal| refusal.rule);
    let asked = IN_ORDER.len() - usize::from(request.access_token.is_none());
    for rule in IN_ORDER.into_iter().take(asked) {
        if Some(rule) == failed {
            break;
        }
        trail.pass(rule);
    }
    let proof = proof?;
    let until = match nonces {
        Some(nonces) => {
            let sent = proof.nonce.as_deref();
            let admitted = sent.is_some_and(|nonce| nonces.admits(nonce, now));
            trail.require(&PROOF_NONCE, admitted, || {
                let found = sent.map_or("no nonce", |_| "another, or an old one");
                Noted::new("a nonce of the last two minutes", found)
            })?;
            now.plus(nonce::LIFE + dpop::TOLERANCE)
        }
        None => {
            trail.require(&PROOF_TIMELY, proof.is_timely(now), || {
                let apart = proof.issued_at.seconds() - now.seconds();
                let tolerated = dpop::TOLERANCE.as_secs();
                Noted::new(
                    format!("iat within {tolerated} s of now"),
                    format!("{apart} s from now"),
                )
            })?;
            // Twice: another node's clock may be behind.
            proof.issued_at.plus(dpop::TOLERANCE * 2)
        }
    };
    Ok(Unspent { proof, until })
}

/// The checks of a proof as they are made; the last one needs a token.
static IN_ORDER: [&Rule; 9] = [
    &PROOF_PARSES,
    &PROOF_TYP,
    &PROOF_ALG,
    &PROOF_KEY,
    &PROOF_VERIFIES,
    &PROOF_CLAIMS,
    &PROOF_METHOD,
    &PROOF_URL,
    &resource::PROOF_TOKEN,
];

fn refusal(error: DpopError, request: &Request<'_>) -> Refusal {
    let rule: &'static Rule = match &error {
        DpopError::Malformed(_) => &PROOF_PARSES,
        DpopError::Typ => &PROOF_TYP,
        DpopError::Algorithm(_) => &PROOF_ALG,
        DpopError::NoKey | DpopError::Key(_) => &PROOF_KEY,
        DpopError::Signature(_) => &PROOF_VERIFIES,
        DpopError::Claims(_) | DpopError::Jti => &PROOF_CLAIMS,
        DpopError::Method(_) => &PROOF_METHOD,
        DpopError::Url(_) => &PROOF_URL,
        DpopError::AccessToken => &resource::PROOF_TOKEN,
    };
    let (expected, found) = match &error {
        DpopError::Method(sent) => (request.method.to_owned(), clipped(sent)),
        DpopError::Url(sent) => (request.url.to_owned(), clipped(sent)),
        DpopError::Algorithm(sent) => {
            let offered = dpop::ALGORITHMS.map(|algorithm| algorithm.name());
            (offered.join(", "), sent.name().to_owned())
        }
        DpopError::Malformed(_)
        | DpopError::Typ
        | DpopError::NoKey
        | DpopError::Key(_)
        | DpopError::Signature(_)
        | DpopError::Claims(_)
        | DpopError::Jti
        | DpopError::AccessToken => (rule.promise.to_owned(), error.to_string()),
    };
    Refusal::new(rule, expected, found)
}

/// A client that is registered for bound tokens gets no others. (RFC 9449 §5.2)
pub fn demanded(client: &Client, has_proof: bool, trail: &mut Trail) -> Result<(), Refusal> {
    if !client.dpop_bound_access_tokens {
        return Ok(());
    }
    trail.require(&PROOF_SENT, has_proof, || {
        Noted::new("a DPoP header", "none")
    })
}

/// The key a pushed request binds its code to: the one of its proof, which `dpop_jkt` agrees with where both are there.
/// (RFC 9449 §10.1)
pub fn pushed_key(
    requested: Option<Confirmation>,
    caller: &Caller,
    trail: &mut Trail,
) -> Result<Option<Confirmation>, Refusal> {
    match caller.confirmation() {
        None => Ok(requested),
        Some(proven) => {
            holds(&PUSHED_KEY, requested, caller, trail)?;
            Ok(Some(proven))
        }
    }
}

/// Whether `caller` holds the key that the code was asked for with, where it was.
pub(crate) fn prove_code_key(
    bound_to: Option<Confirmation>,
    caller: &Caller,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    holds(&CODE_KEY, bound_to, caller, trail)
}

/// Whether `caller` holds the key of the grant, where it has one: a confidential client's grant has none, so that it may
/// change its key. (RFC 9449 §5)
pub(crate) fn prove_refresh_key(
    bound_to: Option<Confirmation>,
    caller: &Caller,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    holds(&REFRESH_KEY, bound_to, caller, trail)
}

fn holds(
    rule: &'static Rule,
    bound_to: Option<Confirmation>,
    caller: &Caller,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let Some(key) = bound_to else {
        return Ok(());
    };
    trail.require(rule, caller.holds(key), || {
        Noted::new(named(Some(key)), named(caller.confirmation()))
    })
}

/// A key for the operator's eyes.
fn named(key: Option<Confirmation>) -> String {
    match key {
        None => "no key".to_owned(),
        Some(Confirmation::DpopKey(thumbprint)) => {
            format!("jkt {}", base64url::encode(&thumbprint))
        }
        Some(Confirmation::Certificate(thumbprint)) => {
            format!("x5t#S256 {}", base64url::encode(&thumbprint))
        }
    }
}

/// The key an authorization request binds its code to by `dpop_jkt`.
pub(crate) fn requested_key(
    params: &Params<'_>,
    trail: &mut Trail,
) -> Result<Option<Confirmation>, Refusal> {
    let Some(text) = params.one("dpop_jkt") else {
        return Ok(None);
    };
    trail
        .demand(&JKT_WELL_FORMED, base64url::decode_array(text).ok(), || {
            Noted::new(
                "43 characters of base64url",
                format!("{} characters", text.len()),
            )
        })
        .map(|thumbprint| Some(Confirmation::DpopKey(thumbprint)))
}
