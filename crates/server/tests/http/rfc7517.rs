//! RFC 7517: published keys, and their rotation (P-45…54, SEC-304, SEC-416, SEC-417).

use crate::support::{Fields, Setup, TestServer, Tokens, jwt};
use jeton::keys;
use jeton_token::algorithm::SignatureAlgorithm;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

async fn published(server: &TestServer) -> Vec<Value> {
    let answer = server.send(server.get("/jwks")).await.expect(200);
    answer.json()["keys"].as_array().unwrap().clone()
}

fn kids(keys: &[Value]) -> BTreeSet<String> {
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

async fn rotate(server: &TestServer, algorithm: SignatureAlgorithm, lead: Duration) {
    let mut ambient = server.app.ambient();
    let plan = (keys::Line::Signing(algorithm), lead);
    let (store, kek) = (&server.app.store, &server.app.kek);
    keys::rotate(store, kek, &server.tenant(), plan, &mut ambient)
        .await
        .unwrap();
    server.look_around().await;
}

// P-45, P-46, P-47, P-48, P-49, P-50, P-54
#[tokio::test]
async fn the_set_has_public_keys_of_every_algorithm_each_with_a_kid_of_its_own() {
    let server = TestServer::start().await;
    let keys = published(&server).await;
    assert_eq!(kids(&keys).len(), keys.len());
    let mut algorithms = BTreeSet::new();
    for key in &keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert_eq!(key.get(private), None, "{private}");
        }
        assert!(key.get("use").is_none_or(|usage| usage == "sig"));
        algorithms.insert(key["alg"].as_str().unwrap().to_owned());
        if key["kty"] == "RSA" {
            assert!(key["n"].as_str().unwrap().len() >= 342, "2048 bits");
        }
    }
    assert_eq!(
        algorithms,
        ["ES256", "EdDSA", "RS256"].map(str::to_owned).into()
    );
}

// P-51, P-52, P-53, SEC-416, SEC-417, S51
#[tokio::test]
async fn a_new_key_is_published_first_signs_after_its_lead_and_the_old_one_stays_for_its_tokens() {
    let server = TestServer::start().await;
    server
        .change_client("web", |client| {
            client.id_token_signed_response_alg = Some(SignatureAlgorithm::Es256)
        })
        .await;
    let before = kids(&published(&server).await);
    let old = server.tokens("web", "openid").await;
    let old_kid = jwt::read(old.id()).0["kid"].as_str().unwrap().to_owned();

    rotate(
        &server,
        SignatureAlgorithm::Es256,
        Duration::from_secs(1000),
    )
    .await;
    let after = kids(&published(&server).await);
    let new: Vec<&String> = after.difference(&before).collect();
    assert_eq!((after.len(), new.len()), (before.len() + 1, 1));
    let meanwhile = server.tokens("web", "openid").await;
    assert_eq!(
        jwt::read(meanwhile.id()).0["kid"],
        old_kid,
        "not before its lead has passed"
    );

    server.advance(1000);
    server.look_around().await;
    let late = server.tokens("web", "openid").await;
    assert_eq!(jwt::read(late.id()).0["kid"], new[0].as_str());
    for tokens in [&old, &meanwhile, &late] {
        jwt::verified(&server, tokens.id()).await;
    }
    server.advance(24 * 3600 - 1);
    server.look_around().await;
    assert!(
        kids(&published(&server).await).contains(&old_kid),
        "a token may live for a day"
    );
    server.advance(122);
    server.look_around().await;
    assert!(
        !kids(&published(&server).await).contains(&old_kid),
        "gone when nothing signed with it is alive"
    );
    jwt::verified(&server, late.id()).await;
}

// P-52, P-53, SEC-304
#[tokio::test]
async fn access_tokens_of_the_old_key_stay_good_to_their_end_and_hints_too() {
    let server = TestServer::start().await;
    let old = server.tokens("jwt-web", "openid").await;
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Rs256] {
        rotate(&server, algorithm, Duration::ZERO).await;
    }
    server.advance(1);
    server.look_around().await;
    server.userinfo(&old.access).await.expect(200);
    assert!(server.is_active("jwt-web", &old.access).await);
    let new = Tokens::of(&server.refresh("jwt-web", old.refresh()).await);
    assert_ne!(
        jwt::read(&new.access).0["kid"],
        jwt::read(&old.access).0["kid"]
    );
    assert_ne!(jwt::read(new.id()).0["kid"], jwt::read(old.id()).0["kid"]);
    let hint = Fields::from([("id_token_hint", old.id())]);
    server
        .browser()
        .go(server.get("/end-session").query(&hint))
        .await
        .expect(200);
}

// P-38, P-54, SEC-304, SEC-416
#[tokio::test]
async fn a_client_that_asks_for_ps256_gets_a_key_of_its_own_for_it_and_rs256_goes_on() {
    let server = TestServer::start().await;
    let mut ambient = server.app.ambient();
    let (store, kek) = (&server.app.store, &server.app.kek);
    let ps256 = (SignatureAlgorithm::Ps256, &mut ambient);
    keys::open_for(store, kek, &server.tenant(), ps256)
        .await
        .unwrap();
    server.look_around().await;
    let set = published(&server).await;
    assert_eq!(set.iter().filter(|key| key["alg"] == "PS256").count(), 1);
    server
        .change_client("jwt-web", |client| {
            client.id_token_signed_response_alg = Some(SignatureAlgorithm::Ps256);
            client.access_token_signed_response_alg = Some(SignatureAlgorithm::Ps256);
        })
        .await;
    server.advance(2);
    server.look_around().await;
    let tokens = server.tokens("jwt-web", "openid").await;
    let (id, access) = (jwt::read(tokens.id()).0, jwt::read(&tokens.access).0);
    assert_eq!(
        (&id["alg"], &access["alg"]),
        (&"PS256".into(), &"PS256".into())
    );
    jwt::verified(&server, tokens.id()).await;
    server.userinfo(&tokens.access).await.expect(200);
    let other = server.tokens("web", "openid").await;
    let rs256 = jwt::read(other.id()).0;
    assert_eq!(rs256["alg"], "RS256");
    assert_ne!(rs256["kid"], id["kid"]);
    let metadata = server
        .send(server.get("/.well-known/openid-configuration"))
        .await;
    let metadata = metadata.expect(200).json();
    let named = metadata["id_token_signing_alg_values_supported"].as_array();
    assert!(named.unwrap().iter().any(|name| name == "PS256"));
}

// P-54: the algorithm of a tenant's access tokens has a key from the beginning.
#[tokio::test]
async fn a_tenant_may_sign_its_access_tokens_with_ps256() {
    let mut setup = Setup::default();
    setup.policy.signing_algorithm = SignatureAlgorithm::Ps256;
    setup.keeps_keys = false;
    let server = setup.start().await;
    let tokens = server.tokens("jwt-web", "openid").await;
    assert_eq!(jwt::read(&tokens.access).0["alg"], "PS256");
    server.userinfo(&tokens.access).await.expect(200);
}
