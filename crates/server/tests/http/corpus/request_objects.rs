//! Request objects by value (RFC 9101, Core §6.1), at both endpoints.
//!
//! P-123, P-125, P-126, P-127, P-128, P-132, P-133, P-135, P-146, P-151, SEC-005, SEC-025, SEC-070, SEC-071, SEC-122, SEC-138

use super::{Broken, Deed, get, post};
use crate::support::{CHALLENGE, TestServer, jwt};
use serde_json::{Value, json};

/// Makes the request object of a kind for `keyed`; `good` is right in everything.
pub fn make(server: &TestServer, kind: &str) -> String {
    let now = server.now().seconds();
    let mut header = json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" });
    let mut claims = json!({
        "iss": "keyed", "aud": server.issuer, "iat": now, "nbf": now, "exp": now + 60, "client_id": "keyed",
        "response_type": "code", "redirect_uri": "https://web.example/cb", "scope": "photos:read",
        "state": "state-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let (name, value) = match kind {
        "other-client" => ("client_id", json!("web")),
        "other-issuer" => ("iss", json!("web")),
        "other-audience" => ("aud", json!("https://qxq.example")),
        "expired" => ("exp", json!(now - 60)),
        "too-long" => ("exp", json!(now + 2 * 3600)),
        "not-yet" => ("nbf", json!(now + 60)),
        "text-for-time" => ("exp", json!("qxq")),
        "nested" => ("request", json!("qxq")),
        "nested-uri" => ("request_uri", json!("https://qxq.example/")),
        "subject" => ("sub", json!("keyed")),
        "foreign-uri" => ("redirect_uri", json!("https://qxq.example/cb")),
        "no-challenge" => ("code_challenge", Value::Null),
        "token-type" => ("response_type", json!("token")),
        _ => ("iat", json!(now)),
    };
    claims[name] = value;
    match kind {
        "assertion-typ" => header["typ"] = json!("client-authentication+jwt"),
        "access-typ" => header["typ"] = json!("at+jwt"),
        "critical" => header["crit"] = json!(["qxq"]),
        _ => {}
    }
    match kind {
        "unsigned" => format!("{}.", jwt::input(&json!({ "alg": "none" }), &claims)),
        "foreign-key" => jwt::sign(jwt::foreign_key(), &header, &claims),
        "hmac" => jwt::sign_hmac(&[b'q'; 40], &json!({ "alg": "HS256" }), &claims),
        "no-jwt" => "qxq.qxq.qxq".to_owned(),
        "five-parts" => "qxq.qxq.qxq.qxq.qxq".to_owned(),
        "huge" => {
            claims["qxq"] = json!("q".repeat(17 * 1024));
            jwt::sign(jwt::client_key(), &header, &claims)
        }
        _ => jwt::sign(jwt::client_key(), &header, &claims),
    }
}

/// Each kind, the cause and the error.
const KINDS: [(&str, &str, &str); 19] = [
    (
        "no-jwt",
        "request_object_malformed",
        "invalid_request_object",
    ),
    (
        "five-parts",
        "request_object_malformed",
        "invalid_request_object",
    ),
    ("huge", "request_object_malformed", "invalid_request_object"),
    (
        "critical",
        "request_object_malformed",
        "invalid_request_object",
    ),
    (
        "unsigned",
        "request_object_unsigned",
        "request_not_supported",
    ),
    ("hmac", "request_object_alg", "invalid_request_object"),
    (
        "foreign-key",
        "request_object_signature",
        "invalid_request_object",
    ),
    (
        "assertion-typ",
        "request_object_typ",
        "invalid_request_object",
    ),
    ("access-typ", "request_object_typ", "invalid_request_object"),
    (
        "other-client",
        "request_object_client",
        "invalid_request_object",
    ),
    (
        "other-issuer",
        "request_object_client",
        "invalid_request_object",
    ),
    (
        "other-audience",
        "request_object_audience",
        "invalid_request_object",
    ),
    ("expired", "request_object_times", "invalid_request_object"),
    ("too-long", "request_object_times", "invalid_request_object"),
    ("not-yet", "request_object_times", "invalid_request_object"),
    (
        "text-for-time",
        "request_object_claims",
        "invalid_request_object",
    ),
    ("nested", "request_object_nested", "invalid_request_object"),
    (
        "nested-uri",
        "request_object_nested",
        "invalid_request_object",
    ),
    (
        "subject",
        "request_object_subject",
        "invalid_request_object",
    ),
];

fn beside(row: Broken) -> Broken {
    row.and("response_type", "code")
        .and("client_id", "keyed")
        .and("redirect_uri", "https://web.example/cb")
        .and("state", "state-1")
}

pub fn rows() -> Vec<Broken> {
    let mut rows = Vec::new();
    for (kind, cause, error) in KINDS {
        let text = |text: String| -> &'static str { text.leak() };
        let object = text(format!("{{object:{kind}}}"));
        let brought = get(text(format!("a request object: {kind}")), "/authorize");
        rows.push(beside(brought).and("request", object).sent(cause, error));
        let pushed = post(text(format!("a pushed request object: {kind}")), "/par").by("keyed");
        rows.push(pushed.and("request", object).json(cause, error));
    }
    let brought = |name| beside(get(name, "/authorize"));
    rows.extend([
        brought("a broken request object and a foreign URI")
            .set("redirect_uri", "https://qxq.example/")
            .and("request", "{object:expired}")
            .shown("request_object_times"),
        brought("a request object with a foreign URI")
            .and("request", "{object:foreign-uri}")
            .shown("redirect_uri_mismatch"),
        brought("a request object that leaves to the outside what it needs")
            .and("code_challenge", CHALLENGE)
            .and("code_challenge_method", "S256")
            .and("request", "{object:no-challenge}")
            .sent("code_challenge_missing", "invalid_request"),
        brought("a request object of another response type")
            .and("request", "{object:token-type}")
            .sent("request_object_response_type", "invalid_request_object"),
        brought("a request object and a request_uri")
            .and("request", "{object:good}")
            .and("request_uri", "https://qxq.example/")
            .sent("request_and_request_uri", "invalid_request"),
        brought("plain parameters of a client that has to sign")
            .after(Deed::RequireObject("keyed"))
            .sent("request_object_missing", "invalid_request"),
    ]);
    rows
}
