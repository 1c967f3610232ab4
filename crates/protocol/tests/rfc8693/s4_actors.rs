//! RFC 8693 §4.1: the chain of actors says who acted, the newest first, and says it truthfully.

use crate::s2_requests::{ACCESS, api, claims, facts, policy};
use jeton_protocol::client::{Client, TokenExchange};
use jeton_protocol::grants::acting::MOST_ACTORS;
use jeton_protocol::introspection::TokenFacts;
use serde_json::{Value, json};

const TO: (&str, &str) = ("audience", "other");

fn chained(act: &Value) -> TokenFacts {
    TokenFacts {
        act: Some(act.clone()),
        ..facts()
    }
}

/// What the client got for itself.
fn own(subject: &str) -> TokenFacts {
    TokenFacts {
        client: "api".to_owned(),
        subject: subject.to_owned(),
        user: None,
        grant: None,
        session: None,
        ..facts()
    }
}

fn act(subject: &TokenFacts, policy: TokenExchange) -> Result<Value, &'static str> {
    let made = claims(&api(policy), (subject, None), &[TO]);
    made.map(|claims| claims["act"].clone())
        .map_err(|refusal| refusal.rule.cause)
}

// S49, SEC-168
#[test]
fn a_new_actor_stands_before_those_there_were() {
    let before = json!({ "sub": "b", "act": { "sub": "a" } });
    let after = json!({ "sub": "api", "act": before });
    assert_eq!(act(&chained(&before), policy()).unwrap(), after);
}

// SEC-168
#[test]
fn the_chain_has_an_end_and_no_loop() {
    let mut before = json!({ "sub": "0" });
    for number in 1..MOST_ACTORS - 1 {
        before = json!({ "sub": number.to_string(), "act": before });
    }
    assert!(act(&chained(&before), policy()).is_ok());
    before = json!({ "sub": "last", "act": before });
    assert_eq!(act(&chained(&before), policy()), Err("exchange_too_deep"));
    let came_back = json!({ "sub": "b", "act": { "sub": "api" } });
    assert_eq!(
        act(&chained(&came_back), policy()),
        Err("exchange_actor_loop")
    );
    let twice = json!({ "sub": "api", "act": { "sub": "b" } });
    assert_eq!(act(&chained(&twice), policy()).unwrap(), twice);
}

// S49, SEC-168
#[test]
fn who_may_impersonate_adds_nothing_and_hides_nobody() {
    let silent = TokenExchange {
        may_impersonate: true,
        ..policy()
    };
    assert_eq!(act(&facts(), silent.clone()).unwrap(), Value::Null);
    let before = json!({ "sub": "b" });
    assert_eq!(act(&chained(&before), silent).unwrap(), before);
}

// S49
#[test]
fn nobody_acts_for_themselves() {
    assert_eq!(act(&own("api"), policy()).unwrap(), Value::Null);
}

// SEC-168: an actor is one whose token the client may use, and whom nobody else moves
#[test]
fn an_actor_token_is_the_clients_own_or_meant_for_it() {
    let api: Client = api(policy());
    let with = |actor: &TokenFacts| {
        let more = [TO, ("actor_token", "x"), ("actor_token_type", ACCESS)];
        let made = claims(&api, (&facts(), Some(actor)), &more);
        made.map(|claims| (claims["act"].clone(), claims["exp"].clone()))
            .map_err(|refusal| refusal.rule.cause)
    };
    assert_eq!(
        with(&own("agent-7")).unwrap().0,
        json!({ "sub": "agent-7" })
    );
    let ends = own("agent-7")
        .expires_at
        .minus(std::time::Duration::from_secs(60));
    let short = TokenFacts {
        expires_at: ends,
        ..own("agent-7")
    };
    assert_eq!(
        with(&short).unwrap().1,
        ends.seconds(),
        "no longer than the actor token"
    );
    let somebody = TokenFacts {
        client: "front".to_owned(),
        audience: vec!["https://elsewhere.example".to_owned()],
        ..own("agent-7")
    };
    assert_eq!(with(&somebody), Err("exchange_actor_audience"));
    let moved = TokenFacts {
        act: Some(json!({ "sub": "b" })),
        ..own("agent-7")
    };
    assert_eq!(with(&moved), Err("exchange_actor_delegated"));
}
