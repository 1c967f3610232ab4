//! `private_key_jwt` with keys from `jwks_uri` (P-186, P-197, P-198, SEC-056, SEC-129, SEC-178, SEC-226).

use crate::support::remote::{Remote, Says, certificates};
use crate::support::{Answer, BY_PATH, Fields, Setup, TestServer, clients, jwt};
use jeton::outbound::Fetched;
use jeton::remote_keys::KEY_SET;
use jeton::throttle::Rates;
use jeton_protocol::client::{AuthenticationMethod, Client, GrantType};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value, json};
use std::sync::Arc;

/// A client whose keys are at this URL.
pub fn client(id: &str, url: &str) -> Client {
    Client {
        jwks_uri: Some(url.to_owned()),
        ..clients::new(
            id,
            AuthenticationMethod::PrivateKeyJwt,
            &[GrantType::ClientCredentials],
        )
    }
}

pub async fn serving(remote: &Remote, clients: Vec<Client>) -> TestServer {
    Setup {
        outbound: remote.settings(),
        more_clients: clients,
        rates: Rates::new([5, 50, 1_000_000, 0, 0]),
        ..Setup::default()
    }
    .with_tenants()
    .start()
    .await
}

/// A key with this `kid`, or with none.
pub fn key(kid: Option<&str>) -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, kid).unwrap()
}

pub fn set(keys: &[&SigningKey]) -> Value {
    let published = |key: &&SigningKey| {
        let mut members = key.public_jwk().to_json();
        members.retain(|member, _| member != "kid" || kid(key).is_some());
        members
    };
    json!({ "keys": keys.iter().map(published).collect::<Vec<_>>() })
}

/// The name it was given: a key that got none calls itself by its thumbprint.
fn kid(key: &SigningKey) -> Option<&str> {
    (key.kid() != key.public_jwk().thumbprint()).then(|| key.kid())
}

/// A token request of the client, proven by the key.
pub async fn proves(server: &TestServer, client: &str, key: &SigningKey) -> Answer {
    let mut header = json!({ "alg": "ES256" });
    if let Some(kid) = kid(key) {
        header["kid"] = json!(kid);
    }
    let signed = jwt::sign(key, &header, &jwt::assertion_claims(server, client));
    sends(server, &signed).await
}

pub async fn sends(server: &TestServer, assertion: &str) -> Answer {
    let fields = Fields::from([("grant_type", "client_credentials")]);
    server
        .send(server.post("/token", &jwt::with_assertion(fields, assertion)))
        .await
}

// P-186, P-197, P-281
#[tokio::test]
async fn a_client_proves_itself_with_keys_that_are_fetched_when_they_are_needed() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    assert_eq!(remote.met(), 0, "nothing is fetched before somebody asks");
    let (named, unnamed) = (key(Some("a")), key(None));
    remote.serves_keys("/jwks", &set(&[&named, &unnamed]));
    proves(&server, "far", &named).await.expect(200);
    proves(&server, "far", &unnamed).await.expect(200);
    assert_eq!(remote.asked(), 1, "and once for all of them");
    proves(&server, "far", jwt::foreign_key())
        .await
        .refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_assertion_signature");
}

// P-186
#[tokio::test]
async fn a_client_with_keys_in_its_record_goes_nowhere() {
    let remote = Remote::start().await;
    let server = serving(&remote, Vec::new()).await;
    let answer = sends(&server, &jwt::keyed(&server, "keyed")).await;
    answer.expect(200);
    let answer = proves(&server, "keyed", jwt::foreign_key()).await;
    answer.refused(401, "invalid_client");
    assert_eq!(remote.met(), 0);
}

// P-198, SEC-226
#[tokio::test]
async fn a_new_key_of_a_client_is_seen_within_a_minute_with_and_without_a_kid() {
    for kid in [Some("new"), None] {
        let remote = Remote::start().await;
        let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
        let (old, new) = (key(kid.map(|_| "old")), key(kid));
        remote.serves_keys("/jwks", &set(&[&old]));
        proves(&server, "far", &old).await.expect(200);
        remote.serves_keys("/jwks", &set(&[&new]));
        server.advance(59);
        proves(&server, "far", &new)
            .await
            .refused(401, "invalid_client");
        server.advance(1);
        proves(&server, "far", &new).await.expect(200);
        proves(&server, "far", &old)
            .await
            .refused(401, "invalid_client");
        assert_eq!(remote.asked(), 2);
    }
}

// P-198: what was passed before the keys were fetched again is not told twice.
#[tokio::test]
async fn a_check_that_is_made_again_with_new_keys_is_in_the_trace_once() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let (old, new) = (key(Some("old")), key(Some("new")));
    remote.serves_keys("/jwks", &set(&[&old]));
    proves(&server, "far", &old).await.expect(200);
    remote.serves_keys("/jwks", &set(&[&new]));
    server.advance(60);
    proves(&server, "far", &new).await.expect(200);
    let passed = server.app.observe.with_trace(|trace| {
        let last = trace.steps().next_back().unwrap();
        last.passed
            .iter()
            .map(|rule| rule.cause)
            .collect::<Vec<_>>()
    });
    let passed = passed.unwrap();
    for cause in [
        "client_assertion_malformed",
        "client_keys_unavailable",
        "client_assertion_signature",
    ] {
        let times = passed.iter().filter(|known| **known == cause).count();
        assert_eq!(times, 1, "{cause} in {passed:?}");
    }
}

// SEC-226
#[tokio::test]
async fn ten_thousand_unknown_kids_lead_to_one_fetch_a_minute() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = key(Some("own"));
    remote.serves_keys("/jwks", &set(&[&own]));
    proves(&server, "far", &own).await.expect(200);
    let claims = jwt::assertion_claims(&server, "far");
    let nonsense = jeton_token::base64url::encode(&[7; 64]);
    for number in 0..10_000 {
        if number == 5_000 {
            server.advance(60);
        }
        let header = json!({ "alg": "ES256", "kid": format!("random-{number}") });
        let assertion = format!("{}.{nonsense}", jwt::input(&header, &claims));
        let status = sends(&server, &assertion).await.status;
        assert_eq!(status, 401);
    }
    assert_eq!(remote.asked(), 2, "the first one, and one a minute later");
    proves(&server, "far", &own).await.expect(200);
}

// SEC-056, SEC-129
#[tokio::test]
async fn the_same_kid_of_another_client_or_tenant_proves_nothing() {
    let remote = Remote::start().await;
    let clients = vec![
        client("one", &remote.url("/one")),
        client("two", &remote.url("/two")),
    ];
    let server = serving(&remote, clients).await;
    let (one, two) = (key(Some("same")), key(Some("same")));
    remote.serves_keys("/one", &set(&[&one]));
    remote.serves_keys("/two", &set(&[&two]));
    proves(&server, "one", &one).await.expect(200);
    proves(&server, "two", &two).await.expect(200);
    proves(&server, "one", &two)
        .await
        .refused(401, "invalid_client");
    proves(&server, "two", &one)
        .await
        .refused(401, "invalid_client");
    // The same URL in another tenant is another set: it is fetched for that tenant.
    let asked = remote.asked();
    remote.serves_keys("/one", &set(&[&two]));
    let acme = server.at(BY_PATH);
    proves(&acme, "one", &two).await.expect(200);
    proves(&acme, "one", &one)
        .await
        .refused(401, "invalid_client");
    assert_eq!(remote.asked(), asked + 1);
    proves(&server, "one", &one).await.expect(200);
}

// SEC-178
#[tokio::test]
async fn a_weak_or_private_key_in_a_fetched_set_verifies_nothing_and_spoils_nothing() {
    let remote = Remote::start().await;
    let far = Client {
        authentication_algorithm: None,
        ..client("far", &remote.url("/jwks"))
    };
    let server = serving(&remote, vec![far]).await;
    let good = key(Some("good"));
    let mut leaked = key(Some("leaked"));
    let mut keys = set(&[&good, &leaked]);
    keys["keys"][1]["d"] = json!("AA");
    let weak = json!({ "kty": "RSA", "kid": "weak", "e": "AQAB", "n": jeton_token::base64url::encode(&[0xb5; 128]) });
    keys["keys"].as_array_mut().unwrap().push(weak);
    let read = (KEY_SET.read)(&Fetched {
        body: keys.to_string().into(),
        content_type: "application/json",
        max_age: None,
    });
    assert_eq!(read.unwrap().keys(), [good.public_jwk().clone()]);
    remote.serves_keys("/jwks", &keys);
    proves(&server, "far", &good).await.expect(200);
    proves(&server, "far", &leaked)
        .await
        .refused(401, "invalid_client");
    leaked = key(None);
    proves(&server, "far", &leaked)
        .await
        .refused(401, "invalid_client");
}

// SEC-225: whatever the fault of the other side, the caller is refused and told nothing of it.
#[tokio::test]
async fn keys_that_cannot_be_had_refuse_the_client_and_say_why_to_the_operator_only() {
    let stalls = Says::Stalls(b"HTTP/1.1 200 OK\r\n".to_vec());
    let page = |content_type: &str, body: &str| {
        crate::support::remote::document(&[("content-type", content_type)], body.as_bytes())
    };
    for (says, found) in [
        (
            Says::Bytes(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_vec()),
            "500",
        ),
        (page("text/html", "{\"keys\":[]}"), "text/html"),
        (page("application/json", "qxq"), "not usable"),
        (page("application/json", "[]"), "not usable"),
        (page("application/json", "{\"keys\":{}}"), "not usable"),
        (
            page("application/json", &" ".repeat(64 * 1024 + 1)),
            "65536",
        ),
        (stalls, "in time"),
    ] {
        let remote = Remote::start().await;
        remote.serves("/jwks", says);
        let mut settings = remote.settings();
        if found == "in time" {
            settings.patience = std::time::Duration::from_millis(300);
        }
        let server = Setup {
            outbound: settings,
            ..Setup::default()
        }
        .client(client("far", &remote.url("/jwks")))
        .start()
        .await;
        let answer = proves(&server, "far", &key(None)).await;
        answer.refused(401, "invalid_client");
        assert_eq!(
            answer.json()["error_description"],
            "Client authentication failed"
        );
        assert!(!answer.body.contains("keys.example") && !answer.body.contains("jwks"));
        let refusal = server.refusal().unwrap();
        assert_eq!(refusal.rule.cause, "client_keys_unavailable");
        assert!(refusal.noted.expected.contains(&remote.url("/jwks")));
        assert!(
            refusal.noted.found.contains(found),
            "{}",
            refusal.noted.found
        );
    }
    assert!(certificates().is_dir());
}

// SEC-225
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_requests_at_once_fetch_the_keys_once() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![client("far", &remote.url("/jwks"))]).await;
    let own = Arc::new(key(Some("own")));
    remote.serves_keys("/jwks", &set(&[&own]));
    remote.pauses(std::time::Duration::from_millis(200));
    let asking: Vec<_> = (0..1000)
        .map(|_| {
            let (server, own) = (server.clone(), Arc::clone(&own));
            tokio::spawn(async move { proves(&server, "far", &own).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in asking {
        statuses.push(one.await.unwrap());
    }
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(remote.asked(), 1);
}
