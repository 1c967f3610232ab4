//! Promises about trusted issuers: what a declaration must say, and what a token would be good for.

use std::time::{SystemTime, UNIX_EPOCH};

use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value as Json, json};

use crate::Installation;

/// A rule that is good for every preset, by the name of the preset.
const RULES: [(&str, &str, &str); 4] = [
    ("github", "repository_id=7", "repository=me/photos"),
    ("gitlab", "project_id=7", "project_path=me/photos"),
    (
        "kubernetes",
        "/kubernetes.io/serviceaccount/uid=u-7",
        "/kubernetes.io/namespace=shop",
    ),
    (
        "spiffe",
        "sub=spiffe://shop.example/web",
        "sub=spiffe://shop.example",
    ),
];

fn key() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, Some("1")).expect("a key")
}

/// An installation that trusts `hub`, with these lines in its table and in that of its rule `deploy`.
fn trusting(key: &SigningKey, issuer: &str, rule: &str) -> Installation {
    let at = Installation::new();
    let keys = KeySet::new(vec![key.public_jwk().clone()]);
    let keys = serde_json::to_string(&keys).expect("JSON");
    std::fs::write(at.path("hub.json"), keys).expect("a file");
    let text = format!(
        "issuer = \"https://id.example\"\nlisten.trusted_proxies = [\"10.0.0.1\"]\n\
         [trusted_issuers.hub]\n{issuer}\n[trusted_issuers.hub.rules.deploy]\n{rule}\n"
    );
    std::fs::write(at.path("jeton.toml"), text).expect("a file");
    at
}

const ISSUER: &str = "issuer = \"https://hub.example\"\njwks_file = \"hub.json\"";
const RULE: &str = "when = [\"repository_id=7\"]\nclient = \"deployer\"\nscope = \"photos:write\"";

#[expect(
    clippy::disallowed_methods,
    reason = "the command asks the clock of the system"
)]
fn token(key: &SigningKey, change: impl FnOnce(&mut Json)) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let mut claims = json!({
        "iss": "https://hub.example", "sub": "job", "aud": "https://id.example", "jti": "j",
        "iat": now, "exp": now + 300, "repository_id": "7",
    });
    change(&mut claims);
    let part = |value: &Json| base64url::encode(value.to_string().as_bytes());
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "ES256", "kid": "1" })),
        part(&claims)
    );
    let mut signature = Vec::new();
    key.sign(signed.as_bytes(), &mut signature).expect("signed");
    format!("{signed}.{}", base64url::encode(&signature))
}

// S50, SEC-023
#[test]
fn a_dry_run_tells_the_rule_that_matches_or_the_first_condition_that_fails_and_issues_nothing() {
    let key = key();
    let at = trusting(&key, ISSUER, RULE);
    let good = at.run_with_input("issuer test --json", &token(&key, |_| {}));
    assert_eq!(good.code, 0, "{}{}", good.text, good.error);
    let told: Json = serde_json::from_str(&good.text).expect("JSON");
    assert_eq!(
        (&told["issuer"], &told["refused"]),
        (&json!("hub"), &Json::Null)
    );
    assert_eq!(told["rules"][0]["matches"], true);
    assert_eq!(told["rules"][0]["client"], "deployer");

    let other = token(&key, |claims| claims["repository_id"] = json!("8"));
    std::fs::write(at.path("other.jwt"), format!("{other}\n")).expect("a file");
    let other = at.run("issuer test --file other.jwt");
    assert_eq!(other.code, 1, "{}", other.error);
    let line = "rule deploy: repository_id is \"8\", wanted \"7\"";
    assert!(other.text.contains(line), "{}", other.text);

    // What is wrong whatever the rules say is told beside them.
    let old = token(&key, |claims| claims["exp"] = json!(1_000_000_000));
    let old = at.run_with_input("issuer test", &old);
    assert_eq!(old.code, 1);
    for words in ["refused: assertion_times", "rule deploy: matches"] {
        assert!(old.text.contains(words), "{}", old.text);
    }
    let forged = at.run_with_input("issuer test", &token(&self::key(), |_| {}));
    assert_eq!(forged.code, 1);
    assert!(
        forged.text.contains("assertion_signature"),
        "{}",
        forged.text
    );
    assert!(!forged.text.contains("rule deploy"), "{}", forged.text);
    assert!(!at.path("jeton.db").exists(), "the database is not touched");
}

#[test]
fn an_issuer_is_listed_and_shown_as_it_was_declared() {
    let at = trusting(&key(), ISSUER, RULE);
    assert_eq!(at.good("issuer list")[0]["name"], "hub");
    let hub = at.good("issuer show hub");
    assert_eq!(hub["issuer"], "https://hub.example");
    assert_eq!(
        hub["audiences"],
        json!(["https://id.example", "https://id.example/token"])
    );
    assert_eq!(
        (&hub["reusable"], &hub["longest_life_seconds"]),
        (&json!(false), &json!(3600))
    );
    assert_eq!(hub["rules"][0]["when"], json!(["repository_id=7"]));
    assert!(at.refused("issuer show nobody", 1).contains("nobody"));
}

// SEC-023: names are given away, ids are not
#[test]
fn a_preset_insists_on_a_claim_that_is_never_given_to_somebody_else() {
    for (preset, good, bad) in RULES {
        let issuer = format!("{ISSUER}\npreset = \"{preset}\"");
        let rule = |when: &str| format!("when = [\"{when}\"]\nclient = \"deployer\"");
        let at = trusting(&key(), &issuer, &rule(good));
        let reusable = ["kubernetes", "spiffe"].contains(&preset);
        assert_eq!(at.good("issuer show hub")["reusable"], reusable, "{preset}");
        let at = trusting(&key(), &issuer, &rule(bad));
        let told = at.refused("issuer list", 2);
        assert!(told.contains("trusted_issuers.hub.rules.deploy"), "{told}");
        assert!(told.to_lowercase().contains(preset), "{told}");
    }
}

// SEC-023: every declaration that would trust too much, or nobody, is refused with the way out
#[test]
fn a_declaration_that_could_not_work_or_be_safe_is_refused_with_the_reason() {
    let uri = "issuer = \"https://hub.example\"\njwks_uri = \"https://hub.example/jwks\"";
    let cases = [
        ("jwks_file = \"hub.json\"", RULE, "issuer is not set"),
        (
            "issuer = \"https://hub.example\"",
            RULE,
            "jwks_file is not set",
        ),
        (
            "issuer = \"https://hub.example\"\njwks_file = \"none.json\"",
            RULE,
            "none.json",
        ),
        (uri, RULE, "jwks_uri is not supported yet"),
        (ISSUER, "client = \"deployer\"", "when is empty"),
        (
            ISSUER,
            "when = [\"repository_id\"]\nclient = \"a\"",
            "claim=value",
        ),
        (ISSUER, "when = [\"sub=job\"]", "client is not set"),
        (
            ISSUER,
            "when = [\"sub=job\"]\nclient = \"a\"\nscope = \"a\\\"b\"",
            "scope",
        ),
        (
            ISSUER,
            "when = [\"sub=job\"]\nclient = \"a\"\nkey = 1",
            "unknown key",
        ),
    ];
    for (issuer, rule, told) in cases {
        let error = trusting(&key(), issuer, rule).refused("issuer list", 2);
        assert!(error.contains(told), "{told}: {error}");
    }
    let own = ISSUER.replace("hub.example", "id.example");
    assert!(
        trusting(&key(), &own, RULE)
            .refused("issuer list", 2)
            .contains("own issuer")
    );
    let symmetric = format!("{ISSUER}\nalgorithms = [\"HS256\"]");
    assert!(
        trusting(&key(), &symmetric, RULE)
            .refused("issuer list", 2)
            .contains("HS256")
    );
    let twice = format!("{ISSUER}\n[trusted_issuers.again]\n{ISSUER}");
    let told = trusting(&key(), &twice, RULE);
    assert!(
        told.refused("issuer list", 2)
            .contains("another table has the same issuer")
    );
}

// SEC-R06: trust is one tenant's
#[test]
fn a_further_tenant_trusts_nobody_because_the_first_one_does() {
    let at = trusting(&key(), ISSUER, RULE);
    at.good("tenant add acme --issuer https://acme.example");
    let bytes = std::fs::read(at.path("jeton.db")).expect("made");
    let rest = std::fs::read(at.path("jeton.db-wal")).unwrap_or_default();
    let all = String::from_utf8_lossy(&[bytes, rest].concat()).into_owned();
    assert!(all.contains("https://acme.example") && !all.contains("https://hub.example"));
}

// S49
#[test]
fn what_a_client_may_exchange_for_is_set_and_changed_and_needs_a_client_that_proves_itself() {
    let at = Installation::new();
    let added = at.good(
        "client add --id api --exchange-audience https://a.example --exchange-audience b --exchange-issuer hub",
    );
    let policy = json!({
        "audiences": ["https://a.example", "b"], "may_impersonate": false, "subject_issuers": ["hub"],
    });
    assert_eq!(added["token_exchange"], policy);
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    assert_eq!(
        added["grant_types"],
        json!(["client_credentials", exchange])
    );
    let short = at.good("client add --id job --auth none --grant-type jwt-bearer");
    assert_eq!(
        short["grant_types"],
        json!(["urn:ietf:params:oauth:grant-type:jwt-bearer"])
    );
    at.good("client change api --exchange-audience b --may-impersonate");
    let shown = at.good("client show api");
    assert_eq!(shown["token_exchange"]["may_impersonate"], true);
    for (options, told) in [
        ("--grant-type token-exchange", "--exchange-audience"),
        (
            "--auth none --grant-type token-exchange --exchange-audience b",
            "prove itself",
        ),
        ("--may-impersonate", "--exchange-audience"),
    ] {
        let error = at.refused(&format!("client add {options}"), 2);
        assert!(error.contains(told), "{options}: {error}");
    }
    for (policy, told) in [
        ("{}", "audiences"),
        ("{\"audience\": [\"a\"]}", "audience;"),
        ("[]", "object"),
    ] {
        let file = format!("{{\"token_exchange\": {policy}}}");
        std::fs::write(at.path("client.json"), file).expect("a file");
        let error = at.refused("client add --file client.json", 2);
        assert!(error.contains(told), "{policy}: {error}");
    }
}
