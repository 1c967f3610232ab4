//! Nonces: made without a memory, good for a minute at least and two at most, of one tenant (§8, §9).

use crate::common::{NOW, seconds};
use crate::prover::{ONE, RING, claims, signed, token_url};
use jeton_protocol::dpop::nonce::Nonces;
use jeton_protocol::dpop::{self as rules, Unspent};
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};
use jeton_protocol::tenant::TenantId;
use jeton_token::Timestamp;
use jeton_token::dpop::Request;
use serde_json::{Value, json};

fn nonces(tenant: &TenantId) -> Nonces<'_> {
    Nonces {
        tenant,
        keys: &RING.handles,
    }
}

fn verify(changes: &Value, now: Timestamp) -> Result<Unspent, Refusal> {
    let (tenant, url) = (TenantId::default_tenant(), token_url());
    let request = Request {
        method: "POST",
        url: &url,
        access_token: None,
    };
    let text = signed(&ONE, &claims(changes));
    rules::verify(
        &text,
        &request,
        Some(&nonces(&tenant)),
        now,
        &mut Trail::off(),
    )
}

// P-233, SEC-180
#[test]
fn a_nonce_is_accepted_for_one_to_two_minutes_and_by_a_node_whose_clock_is_behind() {
    let tenant = TenantId::default_tenant();
    let nonces = nonces(&tenant);
    for start in [0, 30, 59] {
        let made_at = NOW.plus(seconds(start));
        let nonce = nonces.current(made_at);
        assert!(nonces.admits(&nonce, made_at.plus(seconds(60))));
        assert!(!nonces.admits(&nonce, made_at.plus(seconds(120))));
        assert!(nonces.admits(&nonce, made_at.minus(seconds(30))));
        assert!(!nonces.admits(&nonce, made_at.minus(seconds(120))));
    }
}

// P-233, SEC-055
#[test]
fn nobody_else_makes_a_nonce_and_none_crosses_to_another_tenant() {
    let tenant = TenantId::default_tenant();
    let other = TenantId::parse("other").unwrap();
    let nonce = nonces(&tenant).current(NOW);
    assert!(!nonces(&other).admits(&nonce, NOW));
    for at in 0..nonce.len() {
        let mut altered = nonce.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(!nonces(&tenant).admits(&altered, NOW), "character {at}");
    }
    for text in ["", "nonce", &format!("{nonce}A"), &nonce[1..]] {
        assert!(!nonces(&tenant).admits(text, NOW));
    }
}

// P-233, SEC-180
#[test]
fn where_nonces_are_wanted_a_proof_needs_one() {
    let tenant = TenantId::default_tenant();
    let current = nonces(&tenant).current(NOW);
    assert!(verify(&json!({ "nonce": current }), NOW).is_ok());
    for changes in [json!({}), json!({ "nonce": "made up" })] {
        let refusal = verify(&changes, NOW).unwrap_err();
        assert_eq!(refusal.rule, &rules::PROOF_NONCE);
        assert_eq!(refusal.code(), ErrorCode::UseDpopNonce);
    }
    // A proof made ahead of time, with the nonce of today.
    let refusal = verify(
        &json!({ "nonce": current, "iat": NOW.seconds() + 3600 }),
        NOW.plus(seconds(3600)),
    );
    assert_eq!(refusal.unwrap_err().rule, &rules::PROOF_NONCE);
}

// P-218
#[test]
fn with_a_nonce_the_clock_of_the_client_does_not_matter() {
    let tenant = TenantId::default_tenant();
    let current = nonces(&tenant).current(NOW);
    for offset in [-86_400, 86_400] {
        let changes = json!({ "nonce": current, "iat": NOW.seconds() + offset });
        assert!(verify(&changes, NOW).is_ok());
    }
}

// P-223, SEC-306
#[test]
fn a_proof_with_a_nonce_is_remembered_for_longer_than_the_nonce_counts() {
    let tenant = TenantId::default_tenant();
    let nonces = nonces(&tenant);
    for ahead in [0, 60] {
        let nonce = nonces.current(NOW.plus(seconds(ahead)));
        let until = verify(&json!({ "nonce": nonce }), NOW).unwrap().until;
        assert!(!nonces.admits(&nonce, until));
    }
}
