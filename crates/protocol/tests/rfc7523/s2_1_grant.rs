//! RFC 7523 §2.1: assertions of trusted issuers, their claims, and the rules that say what they are worth.

use crate::assertion::{key, sign};
use crate::common::{ISSUER, NOW, id, scope, seconds, tenant};
use jeton_protocol::refusal::Trail;
use jeton_protocol::tenant::{Policy, Tenant};
use jeton_protocol::trusted_issuer::{Condition, MappingRule, TrustedIssuer, try_out, verify};
use jeton_protocol::trusted_preset::Preset;
use jeton_token::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value, json};

const HUB: &str = "https://hub.example";

fn when(texts: &[&str]) -> Vec<Condition> {
    texts
        .iter()
        .map(|text| Condition::parse(text).unwrap())
        .collect()
}

fn rule(name: &str, conditions: &[&str], client: &str) -> MappingRule {
    MappingRule {
        name: name.to_owned(),
        when: when(conditions),
        client: id(client),
        user: None,
        scope: scope("read"),
    }
}

fn trusting(key: &SigningKey, rules: Vec<MappingRule>) -> Tenant {
    let hub = TrustedIssuer {
        name: "hub".to_owned(),
        issuer: HUB.to_owned(),
        keys: KeySet::new(vec![key.public_jwk().clone()]),
        algorithms: vec![SignatureAlgorithm::Es256],
        audiences: Vec::new(),
        longest_life: seconds(600),
        reusable: false,
        rules,
    };
    let mut tenant = tenant();
    tenant.policy.trusted_issuers = vec![hub];
    tenant
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": HUB, "sub": "job", "aud": ISSUER, "jti": "j", "exp": NOW.seconds() + 60,
        "n": 7, "yes": true, "list": ["a"], "deep": { "a/b": { "~": "x" } },
    });
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    claims
}

/// The rule that takes a token with these changes, or the cause of its refusal.
fn judged(tenant: &Tenant, key: &SigningKey, changes: &Value) -> Result<String, &'static str> {
    let jwt = sign(
        key,
        &json!({ "alg": "ES256" }),
        &claims(changes).to_string(),
    );
    let vouched = verify(&jwt, tenant, &id("app"), NOW, &mut Trail::off());
    vouched
        .map(|vouched| vouched.rule.name.clone())
        .map_err(|refusal| refusal.rule.cause)
}

// S50: equal as text, wherever the claim is; what is no single value equals nothing
#[test]
fn a_condition_is_met_by_one_equal_value() {
    let key = key();
    for (condition, holds) in [
        ("sub=job", true),
        ("sub=JOB", false),
        ("sub=jo", false),
        ("n=7", true),
        ("n=07", false),
        ("yes=true", true),
        ("list=a", false),
        ("deep=x", false),
        ("/deep/a~1b/~0=x", true),
        ("/deep/a=x", false),
        ("/sub=job", true),
        ("/sub/x=job", false),
        ("absent=x", false),
    ] {
        let tenant = trusting(&key, vec![rule("r", &[condition], "app")]);
        let expected = if holds {
            Ok("r".to_owned())
        } else {
            Err("assertion_unmapped")
        };
        assert_eq!(judged(&tenant, &key, &json!({})), expected, "{condition}");
    }
    for nonsense in ["", "sub", "=job", "sub=", "/=x"] {
        assert_eq!(Condition::parse(nonsense), None, "{nonsense}");
    }
}

// S50
#[test]
fn all_conditions_hold_and_the_first_rule_for_the_client_decides() {
    let key = key();
    let rules = vec![
        rule("other", &["sub=job"], "another"),
        rule("both", &["sub=job", "n=8"], "app"),
        rule("first", &["sub=job"], "app"),
        rule("second", &["n=7"], "app"),
    ];
    let tenant = trusting(&key, rules);
    assert_eq!(judged(&tenant, &key, &json!({})).unwrap(), "first");
    assert_eq!(judged(&tenant, &key, &json!({ "n": 8 })).unwrap(), "both");
    assert_eq!(
        judged(&tenant, &key, &json!({ "sub": "x" })).unwrap(),
        "second"
    );
    let neither = json!({ "sub": "x", "n": 1 });
    assert_eq!(judged(&tenant, &key, &neither), Err("assertion_unmapped"));
}

// SEC-023: wrong in one thing at a time, at both sides of each limit
#[test]
fn claims_are_checked_to_the_second_and_by_type() {
    let key = key();
    let tenant = trusting(&key, vec![rule("r", &["sub=job"], "app")]);
    let now = NOW.seconds();
    for (changes, expected) in [
        (json!({ "exp": now - 9 }), Ok("r")),
        (json!({ "exp": now - 10 }), Err("assertion_times")),
        (json!({ "exp": now + 610 }), Ok("r")),
        (json!({ "exp": now + 611 }), Err("assertion_times")),
        (json!({ "iat": now + 10, "nbf": now + 10 }), Ok("r")),
        (json!({ "iat": now + 11 }), Err("assertion_times")),
        (json!({ "nbf": now + 11 }), Err("assertion_times")),
        (json!({ "exp": "1" }), Err("assertion_claims")),
        (json!({ "exp": null }), Err("assertion_claims")),
        (json!({ "iat": "1" }), Err("assertion_claims")),
        (json!({ "aud": [ISSUER] }), Ok("r")),
        (json!({ "aud": format!("{ISSUER}/token") }), Ok("r")),
        (
            json!({ "aud": [ISSUER, format!("{ISSUER}/token")] }),
            Err("assertion_audience"),
        ),
        (
            json!({ "aud": format!("{ISSUER}/") }),
            Err("assertion_audience"),
        ),
        (json!({ "aud": 7 }), Err("assertion_claims")),
        (json!({ "aud": [] }), Err("assertion_claims")),
        (json!({ "jti": null }), Err("assertion_claims")),
        (json!({ "jti": "" }), Err("assertion_claims")),
        (json!({ "jti": "q".repeat(256) }), Ok("r")),
        (json!({ "jti": "q".repeat(257) }), Err("assertion_claims")),
        (
            json!({ "iss": "https://hub.example/" }),
            Err("assertion_issuer"),
        ),
        (json!({ "iss": ISSUER }), Err("assertion_issuer")),
    ] {
        let found = judged(&tenant, &key, &changes);
        assert_eq!(
            found.as_deref().map_err(|cause| *cause),
            expected,
            "{changes}"
        );
    }
}

// SEC-023: the record says what is allowed, not the token
#[test]
fn audiences_and_reuse_are_what_the_record_says() {
    let key = key();
    let mut tenant = trusting(&key, vec![rule("r", &["sub=job"], "app")]);
    let hub = &mut tenant.policy.trusted_issuers[0];
    hub.audiences = vec!["sts".to_owned()];
    hub.reusable = true;
    assert_eq!(judged(&tenant, &key, &json!({})), Err("assertion_audience"));
    assert!(judged(&tenant, &key, &json!({ "aud": "sts", "jti": null })).is_ok());
    tenant.policy.trusted_issuers[0].algorithms = vec![SignatureAlgorithm::EdDsa];
    assert_eq!(
        judged(&tenant, &key, &json!({ "aud": "sts" })),
        Err("assertion_alg")
    );
}

// S50
#[test]
fn a_trial_tells_the_first_failed_condition_of_each_rule_with_both_values() {
    let key = key();
    let rules = vec![
        rule("a", &["sub=job", "n=8"], "x"),
        rule("b", &["sub=job"], "y"),
    ];
    let tenant = trusting(&key, rules);
    let jwt = sign(
        &key,
        &json!({ "alg": "ES256" }),
        &claims(&json!({ "exp": 1 })).to_string(),
    );
    let trial = try_out(&jwt, &tenant, NOW).unwrap();
    assert_eq!(trial.refused.unwrap().rule.cause, "assertion_times");
    let (condition, noted) = trial.rules[0].1.as_ref().unwrap();
    assert_eq!(condition.claim, "n");
    assert_eq!((noted.expected.as_ref(), noted.found.as_ref()), ("8", "7"));
    assert!(trial.rules[1].1.is_none());
}

// SEC-023
#[test]
fn presets_take_ids_and_no_names() {
    for (preset, good, bad) in [
        (
            Preset::Github,
            "repository_owner_id=1",
            "repository_owner=me",
        ),
        (Preset::Gitlab, "namespace_id=1", "namespace_path=me"),
        (
            Preset::Kubernetes,
            "/kubernetes.io/serviceaccount/uid=u",
            "sub=system:serviceaccount:a:b",
        ),
        (Preset::Spiffe, "sub=spiffe://td/path", "sub=spiffe://td/"),
    ] {
        assert!(preset.judge(&when(&["ref=main", good])).is_ok(), "{good}");
        assert!(preset.judge(&when(&["ref=main", bad])).is_err(), "{bad}");
    }
}

// A tenant's policy is kept as JSON; one from before there were trusted issuers trusts nobody.
#[test]
fn what_is_kept_of_a_trusted_issuer_comes_back_unchanged() {
    let policy = trusting(&key(), vec![rule("r", &["sub=job"], "app")]).policy;
    let kept = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&kept).unwrap(), policy);
    let mut before: Value = serde_json::from_str(&kept).unwrap();
    before.as_object_mut().unwrap().remove("trusted_issuers");
    let read: Policy = serde_json::from_value(before).unwrap();
    assert!(read.trusted_issuers.is_empty());
}
