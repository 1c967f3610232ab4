//! Who acts for the subject of an exchanged token, and whether they may (RFC 8693 §1.1, §4.1, §4.4).

use crate::authorize::request::clipped;
use crate::client::{Client, TokenExchange};
use crate::introspection::{TokenFacts, concerns};
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::tenant::Tenant;
use serde_json::{Map, Value, json};

rules! {
    EXCHANGE_ACTOR_CONCERNS = UnauthorizedClient, "exchange_actor_audience", "RFC 8693 §1.1, §5", {
        promise: "The actor token was issued to the client, or is meant for it or an audience it answers for",
        told: "The client may not act as this actor",
        fix: "Send an access token that the client got for itself, or leave actor_token out: the client is the actor then"
    };
    EXCHANGE_ACTOR_PLAIN = InvalidRequest, "exchange_actor_delegated", "RFC 8693 §4.1", {
        promise: "Nobody acts for the actor, and the chain of actors was written by this issuer",
        told: "The token has actors of its own",
        fix: "Send an actor token without act; a subject token with act must come from this issuer"
    };
    EXCHANGE_MAY_ACT = UnauthorizedClient, "exchange_may_act", "RFC 8693 §4.4", {
        promise: "The actor is the one whom may_act of the subject token names",
        told: "The actor is not the one the subject token allows",
        fix: "Act as the party that may_act names; members other than iss, sub and client_id are not understood"
    };
    EXCHANGE_NO_LOOP = InvalidRequest, "exchange_actor_loop", "RFC 8693 §4.1", {
        promise: "The actor has not acted earlier in the chain",
        told: "The actor acts for itself through others",
        fix: "Exchange the token the actor had before, not one that came back to it"
    };
    EXCHANGE_DEPTH = InvalidRequest, "exchange_too_deep", "RFC 8693 §4.1", {
        promise: "At most four actors stand behind one another",
        told: "The chain of actors is too long",
        fix: "Exchange an earlier token of the chain"
    };
}

/// How many actors may stand behind one another.
pub const MOST_ACTORS: usize = 4;

/// Who has to be named as the actor, if anybody: whose token was sent, else the client unless it may impersonate.
pub(super) fn acting<'a>(
    subject: &str,
    actor: Option<&'a TokenFacts>,
    (client, policy): (&'a Client, &TokenExchange),
    trail: &mut Trail,
) -> Result<Option<&'a str>, Refusal> {
    let party = match actor {
        Some(actor) => {
            trail.require(
                &EXCHANGE_ACTOR_CONCERNS,
                is_concerned(actor, client),
                || meant(actor, client),
            )?;
            trail.require(&EXCHANGE_ACTOR_PLAIN, actor.act.is_none(), || {
                Noted::new("no act in the actor token", "act")
            })?;
            Some(actor.subject.as_str())
        }
        None if policy.may_impersonate => None,
        None => Some(client.id.as_str()),
    };
    // Nobody acts for themselves.
    Ok(party.filter(|party| *party != subject))
}

pub(super) fn check_may_act(
    may_act: Option<&Map<String, Value>>,
    party: &str,
    tenant: &Tenant,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let Some(may_act) = may_act else {
        return Ok(());
    };
    let names = |name: &str, wanted: &str| match may_act.get(name) {
        None => true,
        Some(value) => value.as_str() == Some(wanted),
    };
    let understood = may_act
        .keys()
        .all(|name| matches!(name.as_str(), "iss" | "sub" | "client_id"));
    let named = may_act.contains_key("sub") || may_act.contains_key("client_id");
    let is_named = understood
        && named
        && names("sub", party)
        && names("client_id", party)
        && names("iss", tenant.issuer.as_str());
    trail.require(&EXCHANGE_MAY_ACT, is_named, || {
        let wanted = Value::Object(may_act.clone()).to_string();
        Noted::new(clipped(&wanted), party.to_owned())
    })
}

/// The subject token's chain of actors with the new one before it (RFC 8693 §4.1).
pub(super) fn chain(
    before: Option<&Value>,
    acting: Option<&str>,
    trail: &mut Trail,
) -> Result<Option<Value>, Refusal> {
    let earlier = actors(before);
    let Some(acting) = acting.filter(|acting| earlier.first() != Some(acting)) else {
        return Ok(before.cloned());
    };
    trail.require(&EXCHANGE_NO_LOOP, !earlier.contains(&acting), || {
        Noted::new("an actor that is not in the chain", acting.to_owned())
    })?;
    trail.require(&EXCHANGE_DEPTH, earlier.len() < MOST_ACTORS, || {
        let found = format!("{} and one more", earlier.len());
        Noted::new(format!("at most {MOST_ACTORS} actors"), found)
    })?;
    Ok(Some(match before {
        None => json!({ "sub": acting }),
        Some(before) => json!({ "sub": acting, "act": before }),
    }))
}

/// The actors of a chain, the newest first.
fn actors(act: Option<&Value>) -> Vec<&str> {
    std::iter::successors(act, |act| act.get("act"))
        .map(|act| act.get("sub").and_then(Value::as_str).unwrap_or_default())
        .collect()
}

pub(super) fn is_concerned(facts: &TokenFacts, client: &Client) -> bool {
    concerns(&facts.client, &facts.audience, client)
        || facts
            .audience
            .iter()
            .any(|meant| meant == client.id.as_str())
}

pub(super) fn meant(facts: &TokenFacts, client: &Client) -> Noted {
    Noted::new(
        format!(
            "issued to {}, or meant for it or one of: {}",
            client.id,
            client.introspects.join(", ")
        ),
        format!(
            "issued to {}, meant for {}",
            facts.client,
            facts.audience.join(", ")
        ),
    )
}
