//! Issuers that tenants under test trust, and the tokens these make: right, or wrong in one thing each.

use super::{TestServer, jwt};
use jeton_protocol::client::ClientId;
use jeton_protocol::scope::Scope;
use jeton_protocol::trusted_issuer::{Condition, MappingRule, TrustedIssuer};
use jeton_token::algorithm::SignatureAlgorithm as Algorithm;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const HUB: &str = "https://hub.example";
pub const LAB: &str = "https://lab.example";

/// Keys of two issuers under the same `kid` (SEC-056).
pub fn key(issuer: &str) -> &'static SigningKey {
    static KEYS: [OnceLock<SigningKey>; 2] = [OnceLock::new(), OnceLock::new()];
    let make = || SigningKey::generate(Algorithm::Es256, Some("1")).unwrap();
    KEYS[usize::from(issuer == LAB)].get_or_init(make)
}

/// `hub` is good for one use of each token, `lab` for many.
pub fn issuers() -> Vec<TrustedIssuer> {
    let issuer = |name: &str, issuer: &str, rules| TrustedIssuer {
        name: name.to_owned(),
        issuer: issuer.to_owned(),
        keys: KeySet::new(vec![key(issuer).public_jwk().clone()]),
        algorithms: vec![Algorithm::Es256],
        audiences: Vec::new(),
        longest_life: Duration::from_secs(600),
        reusable: name == "lab",
        rules,
    };
    let hub = vec![
        rule(
            "alice",
            &["email=alice@hub.example"],
            "exchanger",
            Some("alice"),
        ),
        rule(
            "deploy",
            &["repository_id=7", "/where/ref=main"],
            "deployer",
            None,
        ),
        rule("unconcerned", &["repository_id=7"], "unconcerned", None),
        rule("exchanged", &["repository_id=7"], "exchanger", None),
        rule(
            "nobody",
            &["email=nobody@hub.example"],
            "exchanger",
            Some("nobody"),
        ),
    ];
    let lab = vec![rule("run", &["sub=job"], "deployer", None)];
    vec![issuer("hub", HUB, hub), issuer("lab", LAB, lab)]
}

fn rule(name: &str, when: &[&str], client: &str, user: Option<&str>) -> MappingRule {
    MappingRule {
        name: name.to_owned(),
        when: when
            .iter()
            .map(|text| Condition::parse(text).unwrap())
            .collect(),
        client: ClientId::parse(client).unwrap(),
        user: user.map(str::to_owned),
        scope: Scope::parse("photos:read email").unwrap(),
    }
}

/// The claims of a token that is right in everything; each has a `jti` of its own.
pub fn claims(server: &TestServer, issuer: &str) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = server.now().seconds();
    json!({
        "iss": issuer, "sub": "job", "aud": server.issuer, "iat": now, "exp": now + 300,
        "jti": format!("job-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        "repository_id": 7, "where": { "ref": "main" },
    })
}

pub fn sign(issuer: &str, claims: &Value) -> String {
    jwt::sign(key(issuer), &json!({ "alg": "ES256", "kid": "1" }), claims)
}

/// A token of `hub`; what is wrong with it is the name.
#[expect(clippy::too_many_lines, reason = "one arm a token")]
pub fn make(server: &TestServer, wrong: &str) -> String {
    let mut header = json!({ "alg": "ES256", "kid": "1" });
    let mut claims = claims(server, HUB);
    let now = server.now().seconds();
    let other = json!("https://qxq.example");
    let set = match wrong {
        "good" | "used" | "by-lab" | "foreign-key" | "hmac" | "unsigned" | "altered" => None,
        "typ" => {
            header["typ"] = json!("at+jwt");
            None
        }
        "alg" => return jwt::sign(rsa(), &json!({ "alg": "RS256", "kid": "1" }), &claims),
        "iss" => Some(("iss", other)),
        "iss-slash" => Some(("iss", json!(format!("{HUB}/")))),
        "iss-number" => Some(("iss", json!(7))),
        "no-iss" => Some(("iss", Value::Null)),
        "no-sub" => Some(("sub", Value::Null)),
        "sub-empty" => Some(("sub", json!(""))),
        "no-aud" => Some(("aud", Value::Null)),
        "aud" => Some(("aud", other)),
        "aud-two" => Some(("aud", json!([server.issuer, "https://qxq.example"]))),
        "aud-tenant" => Some(("aud", json!(format!("{}/acme", server.issuer)))),
        "no-exp" => Some(("exp", Value::Null)),
        "exp-past" => Some(("exp", json!(now - 11))),
        "exp-far" => Some(("exp", json!(now + 700))),
        "iat-ahead" => Some(("iat", json!(now + 60))),
        "nbf-ahead" => Some(("nbf", json!(now + 60))),
        "no-jti" => Some(("jti", Value::Null)),
        "jti-long" => Some(("jti", json!("q".repeat(257)))),
        "repository" => Some(("repository_id", json!(8))),
        "repository-list" => Some(("repository_id", json!([7]))),
        "ref" => Some(("where", json!({ "ref": "qxq" }))),
        "alice" => Some(("email", json!("alice@hub.example"))),
        "nobody" => {
            claims["repository_id"] = json!(8);
            Some(("email", json!("nobody@hub.example")))
        }
        "act" => Some(("act", json!({ "sub": "qxq" }))),
        "may-act" => Some(("may_act", json!({ "sub": "exchanger" }))),
        "may-act-other" => Some(("may_act", json!({ "sub": "qxq" }))),
        "may-act-strange" => Some(("may_act", json!({ "sub": "exchanger", "qxq": 1 }))),
        "cnf" => Some(("cnf", json!({ "jkt": "A".repeat(43) }))),
        "cnf-strange" => Some(("cnf", json!({ "kid": "qxq" }))),
        _ => panic!("no token {wrong}"),
    };
    if let Some((name, value)) = set {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
    }
    match wrong {
        "by-lab" => jwt::sign(key(LAB), &header, &claims),
        "foreign-key" => jwt::sign(jwt::foreign_key(), &header, &claims),
        "hmac" => {
            let public = Value::Object(key(HUB).public_jwk().to_json()).to_string();
            jwt::sign_hmac(
                public.as_bytes(),
                &json!({ "alg": "HS256", "kid": "1" }),
                &claims,
            )
        }
        "unsigned" => format!("{}.", jwt::input(&json!({ "alg": "none" }), &claims)),
        _ => jwt::sign(key(HUB), &header, &claims),
    }
}

fn rsa() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Rs256, Some("1")).unwrap())
}
