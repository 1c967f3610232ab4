//! RFC 7662: asking about opaque tokens, and how long an answer is believed. S53.

use crate::support::*;
use bytes::Bytes;
use http::Request;
use jeton_resource::{Introspector, Rejected, Secret, Unavailable};
use jeton_token::ClaimError;
use serde_json::{Value, json};
use std::time::Duration;

const ENDPOINT: &str = "https://issuer.example/introspect";

fn introspector(issuer: &Issuer) -> Introspector {
    Introspector::new(ENDPOINT, ("reports api", &secret_text()), issuer.fetch()).unwrap()
}

fn secret_text() -> Secret {
    Secret::from_text("s:ü&".to_owned())
}

fn active(members: &Value) -> Value {
    changed(changed(claims(), &json!({ "active": true })), members)
}

fn says(issuer: &Issuer, answer: Value) {
    issuer.says(move |_| Ok(json_answer(&answer)));
}

// RFC 6749 §2.3.1, RFC 7662 §2.1
#[tokio::test]
async fn the_resource_proves_itself_and_sends_the_token_in_the_body() {
    let issuer = Issuer::new();
    issuer.says(|request: &Request<Bytes>| {
        assert_eq!(request.uri(), ENDPOINT);
        let headers = request.headers();
        // reports%20api:s%3A%C3%BC%26
        let basic = "Basic cmVwb3J0cyUyMGFwaTpzJTNBJUMzJUJDJTI2";
        assert_eq!(headers["authorization"], basic);
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(headers["accept"], "application/json");
        Ok(json_answer(&active(&json!({}))))
    });
    let access = introspector(&issuer).introspect("jta_a+b&c", NOW).await;
    assert_eq!(access.unwrap().subject, "user");
    let seen = issuer.seen.lock().unwrap();
    assert_eq!(
        seen[0].2,
        "token=jta%5Fa%2Bb%26c&token_type_hint=access_token"
    );
}

#[tokio::test]
async fn an_answer_is_believed_for_ten_seconds_and_never_past_the_end_of_the_token() {
    let issuer = Issuer::new();
    says(&issuer, active(&json!({ "exp": NOW.seconds() + 15 })));
    let introspector = introspector(&issuer);
    for (seconds, asked) in [(0, 1), (9, 1), (10, 2), (14, 2), (15, 3)] {
        introspector.introspect("a", later(seconds)).await.unwrap();
        assert_eq!(issuer.asked("/introspect"), asked, "{seconds}");
    }
    introspector.introspect("b", NOW).await.unwrap();
    assert_eq!(issuer.asked("/introspect"), 4);
    let long = introspector.keeping(Duration::from_secs(3600), 10);
    says(&issuer, active(&json!({})));
    for (seconds, asked) in [(0, 5), (29, 5), (30, 6)] {
        long.introspect("a", later(seconds)).await.unwrap();
        assert_eq!(issuer.asked("/introspect"), asked, "{seconds}");
    }
    let never = long.keeping(Duration::ZERO, 10);
    for asked in [7, 8] {
        never.introspect("a", NOW).await.unwrap();
        assert_eq!(issuer.asked("/introspect"), asked);
    }
}

#[tokio::test]
async fn what_is_not_active_is_remembered_shortly_and_pushes_nothing_out() {
    let issuer = Issuer::new();
    says(&issuer, active(&json!({})));
    let introspector = introspector(&issuer).keeping(Duration::from_secs(10), 2);
    introspector.introspect("good", NOW).await.unwrap();
    says(&issuer, json!({ "active": false, "sub": "user" }));
    for text in ["a", "b", "c", "c"] {
        let refused = introspector.introspect(text, NOW).await;
        assert_eq!(refused, Err(Rejected::Inactive));
    }
    assert_eq!(issuer.asked("/introspect"), 4);
    introspector.introspect("good", later(1)).await.unwrap();
    assert_eq!(issuer.asked("/introspect"), 4);
    assert!(introspector.introspect("c", later(2)).await.is_err());
    assert_eq!(issuer.asked("/introspect"), 5);
}

#[tokio::test]
async fn the_memory_of_answers_has_a_bound() {
    let issuer = Issuer::new();
    says(&issuer, active(&json!({})));
    let introspector = introspector(&issuer).keeping(Duration::from_secs(10), 2);
    for (text, asked) in [("a", 1), ("b", 2), ("c", 3), ("b", 3), ("a", 4)] {
        introspector.introspect(text, NOW).await.unwrap();
        assert_eq!(issuer.asked("/introspect"), asked, "{text}");
    }
}

#[tokio::test]
async fn an_answer_that_says_too_little_or_nothing_is_not_believed() {
    let issuer = Issuer::new();
    let introspector = introspector(&issuer);
    for name in ["exp", "aud", "sub", "client_id"] {
        says(&issuer, active(&json!({ name: null })));
        assert_eq!(
            introspector.introspect("a", NOW).await,
            Err(Rejected::Claims(ClaimError::Missing(name)))
        );
    }
    for active in [json!("true"), json!(1), Value::Null] {
        says(&issuer, changed(claims(), &json!({ "active": active })));
        assert_eq!(
            introspector.introspect("a", NOW).await,
            Err(Unavailable::Introspection.into())
        );
    }
    issuer.says(|_| {
        let mut answer = json_answer(&active(&json!({})));
        *answer.status_mut() = http::StatusCode::UNAUTHORIZED;
        Ok(answer)
    });
    assert_eq!(
        introspector.introspect("a", NOW).await,
        Err(Unavailable::Status(401).into())
    );
    issuer.is_down();
    let asked = issuer.asked("/introspect");
    assert!(introspector.introspect("a", NOW).await.is_err());
    assert!(introspector.introspect("a", NOW).await.is_err());
    assert_eq!(
        issuer.asked("/introspect"),
        asked + 2,
        "a failure is not remembered"
    );
    let long = "a".repeat(16 * 1024 + 1);
    assert_eq!(
        introspector.introspect(&long, NOW).await,
        Err(Rejected::Inactive)
    );
}

#[test]
fn secrets_are_sent_over_tls_or_on_this_machine() {
    let issuer = Issuer::new();
    let made = |endpoint| Introspector::new(endpoint, ("a", &secret_text()), issuer.fetch());
    assert!(made("http://localhost:9000/introspect").is_ok());
    assert!(made("http://issuer.example/introspect").is_err());
    let shown = format!("{:?}", made(ENDPOINT).unwrap());
    assert!(!shown.contains("Basic"), "{shown}");
}
