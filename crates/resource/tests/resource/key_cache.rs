//! RFC 8414, RFC 7517: keys of the issuer, fetched seldom and kept while they are good. SEC-174.

use crate::support::*;
use jeton_resource::key_cache::{FRESH_BY_DEFAULT, STALE};
use jeton_resource::{KeyCache, Timestamp, Unavailable};
use jeton_token::{Jws, SigningKey};
use serde_json::json;
use std::sync::Arc;

fn cache(issuer: &Issuer) -> KeyCache {
    KeyCache::new(ISSUER, issuer.fetch()).unwrap()
}

/// Whether the cache has a key that verifies a token by `key`.
async fn knows(cache: &KeyCache, key: &SigningKey, now: Timestamp) -> Result<bool, Unavailable> {
    let text = token(key, &json!({}));
    let unverified = Jws::parse(&text).unwrap();
    let set = cache.keys_for(unverified.header(), now).await?;
    Ok(set.verify(&unverified).is_some())
}

#[tokio::test]
async fn keys_are_fetched_once_and_again_before_they_end() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = cache(&issuer);
    for seconds in [0, 1, 449] {
        assert_eq!(knows(&cache, &key, later(seconds)).await, Ok(true));
    }
    assert_eq!(issuer.asked("/jwks"), 1);
    assert_eq!(knows(&cache, &key, later(450)).await, Ok(true));
    assert_eq!(issuer.asked("/jwks"), 2);
    cache.refresh(later(451)).await.unwrap();
    assert_eq!(issuer.asked("/jwks"), 3);
}

#[tokio::test]
async fn an_unknown_kid_has_the_issuer_asked_once_a_minute() {
    let (issuer, old, new) = (Issuer::new(), made(), made());
    issuer.publishes(&[&old]);
    let cache = cache(&issuer);
    assert_eq!(knows(&cache, &old, NOW).await, Ok(true));
    issuer.publishes(&[&old, &new]);
    assert_eq!(knows(&cache, &new, later(59)).await, Ok(false));
    assert_eq!(issuer.asked("/jwks"), 1);
    assert_eq!(knows(&cache, &new, later(60)).await, Ok(true));
    assert_eq!(issuer.asked("/jwks"), 2);
    for stranger in [made(), made()] {
        assert_eq!(knows(&cache, &stranger, later(61)).await, Ok(false));
    }
    assert_eq!(issuer.asked("/jwks"), 2);
    assert_eq!(knows(&cache, &old, later(61)).await, Ok(true));
}

#[tokio::test]
async fn many_who_wait_are_one_request() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = Arc::new(cache(&issuer));
    let key = Arc::new(key);
    let ask = |key: &Arc<SigningKey>, now| {
        let (cache, key) = (Arc::clone(&cache), Arc::clone(key));
        tokio::spawn(async move { knows(&cache, &key, now).await })
    };
    let asking: Vec<_> = (0..20).map(|_| ask(&key, NOW)).collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), Ok(true));
    }
    assert_eq!(issuer.asked("/jwks"), 1);
    let asking: Vec<_> = (0..10).map(|_| ask(&Arc::new(made()), later(60))).collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), Ok(false));
    }
    assert_eq!(issuer.asked("/jwks"), 2);
}

#[tokio::test]
async fn old_keys_serve_while_the_issuer_is_away_but_not_for_ever() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = cache(&issuer);
    assert_eq!(knows(&cache, &key, NOW).await, Ok(true));
    issuer.is_down();
    let end = i64::try_from((FRESH_BY_DEFAULT + STALE).as_secs()).unwrap();
    assert_eq!(knows(&cache, &key, later(450)).await, Ok(true));
    assert_eq!(knows(&cache, &key, later(454)).await, Ok(true));
    let path = "/.well-known/oauth-authorization-server";
    assert_eq!(issuer.asked(path), 2, "once for the keys, once in vain");
    assert_eq!(knows(&cache, &key, later(455)).await, Ok(true));
    assert_eq!(issuer.asked(path), 3);
    assert_eq!(knows(&cache, &key, later(end - 1)).await, Ok(true));
    let gone = Err(Unavailable::Fetch("no route to the issuer".to_owned()));
    assert_eq!(knows(&cache, &key, later(end)).await, gone);
    let asked = issuer.asked(path);
    assert_eq!(knows(&cache, &key, later(end + 1)).await, gone);
    assert_eq!(issuer.asked(path), asked, "not at every request");
    issuer.publishes(&[&key]);
    assert_eq!(knows(&cache, &key, later(end + 5)).await, Ok(true));
}

#[tokio::test]
async fn a_request_that_hangs_up_does_not_keep_others_from_the_keys() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = cache(&issuer);
    hangs_up(knows(&cache, &key, NOW)).await;
    assert_eq!(knows(&cache, &key, NOW).await, Ok(true));
}

#[tokio::test]
async fn strangers_who_hang_up_do_not_have_the_issuer_asked_more_often() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = cache(&issuer);
    assert_eq!(knows(&cache, &key, NOW).await, Ok(true));
    for _ in 0..3 {
        hangs_up(knows(&cache, &made(), later(60))).await;
    }
    assert_eq!(knows(&cache, &made(), later(61)).await, Ok(false));
    let asked = issuer.asked("/.well-known/oauth-authorization-server");
    assert_eq!(asked, 2);
}

/// Goes on until it has to wait, and no further.
async fn hangs_up(asking: impl Future<Output = Result<bool, Unavailable>>) {
    tokio::select! {
        biased;
        _ = asking => {}
        () = std::future::ready(()) => {}
    }
}

// SEC-171, RFC 8414 §3.3
#[tokio::test]
async fn metadata_of_another_issuer_and_unfit_answers_are_refused_and_harm_nothing() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let cache = cache(&issuer);
    assert_eq!(knows(&cache, &key, NOW).await, Ok(true));
    let jwks_uri = format!("{ISSUER}/jwks");
    for (metadata, why) in [
        (
            json!({ "issuer": format!("{ISSUER}/"), "jwks_uri": jwks_uri }),
            Unavailable::OtherIssuer,
        ),
        (json!({ "jwks_uri": jwks_uri }), Unavailable::Metadata),
        (json!({ "issuer": ISSUER }), Unavailable::Metadata),
        (json!([]), Unavailable::Metadata),
        (
            json!({ "issuer": ISSUER, "jwks_uri": "http://issuer.example/jwks" }),
            Unavailable::Address(jeton_resource::BadAddress),
        ),
        (
            json!({ "issuer": ISSUER, "jwks_uri": jwks_uri }),
            Unavailable::NoKeys,
        ),
    ] {
        issuer.says(move |request| {
            let keys = request.uri().path() == "/jwks";
            Ok(json_answer(&if keys {
                json!({ "keys": [{ "kty": "oct", "k": "AA" }] })
            } else {
                metadata.clone()
            }))
        });
        assert_eq!(cache.refresh(later(1)).await.unwrap_err(), why);
        assert_eq!(knows(&cache, &key, later(1)).await, Ok(true));
    }
    issuer.says(|_| {
        let mut answer = json_answer(&json!({}));
        *answer.status_mut() = http::StatusCode::FOUND;
        Ok(answer)
    });
    assert_eq!(
        cache.refresh(later(1)).await.unwrap_err(),
        Unavailable::Status(302)
    );
}

#[test]
fn keys_come_over_tls_or_from_this_machine() {
    let issuer = Issuer::new();
    for good in [
        "https://a.example",
        "https://a.example/t",
        "http://localhost:9000",
        "http://[::1]:1",
    ] {
        assert!(KeyCache::new(good, issuer.fetch()).is_ok(), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://localhost.example",
        "ftp://a.example",
        "a.example",
        "/",
        "",
        "https://a.example?x",
        "https://a.example/#x",
        "https://user@a.example",
    ] {
        assert!(KeyCache::new(bad, issuer.fetch()).is_err(), "{bad}");
    }
}
