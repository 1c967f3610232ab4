//! Keys, tokens and proofs of a world that stands still, and an issuer that answers what a test says.

use bytes::Bytes;
use http::{Method, Request, Response};
use jeton_resource::{Fetch, Secret, Timestamp};
use jeton_token::{KeySet, SignatureAlgorithm, SigningKey, base64url, sha256};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const ISSUER: &str = "https://issuer.example";
pub const API: &str = "https://api.example";

pub fn later(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() + seconds)
}

pub fn made() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap()
}

pub fn key_set(keys: &[&SigningKey]) -> KeySet {
    KeySet::new(keys.iter().map(|key| key.public_jwk().clone()).collect())
}

pub fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "user", "aud": [API], "client_id": "client", "scope": "read write",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 600, "jti": "any text",
    })
}

/// `members` put in or, where null, taken out.
pub fn changed(mut object: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

pub fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(claims));
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

pub fn token(key: &SigningKey, members: &Value) -> String {
    let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": key.public_jwk().kid() });
    signed(key, &header, &changed(claims(), members))
}

/// A token that is bound to the key of `holder`.
pub fn bound(key: &SigningKey, holder: &SigningKey) -> String {
    token(
        key,
        &json!({ "cnf": { "jkt": holder.public_jwk().thumbprint() } }),
    )
}

pub fn proof(key: &SigningKey, token: &str, members: &Value) -> String {
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk().to_json() });
    let ath = base64url::encode(&sha256(token.as_bytes()));
    let claims = json!({
        "jti": "one", "htm": "GET", "htu": format!("{API}/things"), "iat": NOW.seconds(), "ath": ath,
    });
    signed(key, &header, &changed(claims, members))
}

pub fn secret() -> Secret {
    Secret::new(vec![7; 32])
}

/// What the issuer saw, and what it says.
#[derive(Clone)]
pub struct Issuer {
    pub seen: Arc<Mutex<Vec<(Method, String, String)>>>,
    says: Arc<Mutex<Says>>,
}

type Says = Box<dyn Fn(&Request<Bytes>) -> Result<Response<Bytes>, String> + Send>;

impl Issuer {
    pub fn new() -> Self {
        let down: Says = Box::new(|_| Err("no route to the issuer".to_owned()));
        Self {
            seen: Arc::default(),
            says: Arc::new(Mutex::new(down)),
        }
    }

    pub fn says(
        &self,
        says: impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, String> + Send + 'static,
    ) {
        *self.says.lock().unwrap() = Box::new(says);
    }

    /// The metadata, and these keys.
    pub fn publishes(&self, keys: &[&SigningKey]) {
        let set = serde_json::to_value(key_set(keys)).unwrap();
        self.says(move |request| {
            let path = request.uri().path();
            Ok(json_answer(&if path == "/jwks" {
                set.clone()
            } else {
                assert_eq!(path, "/.well-known/oauth-authorization-server");
                json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/jwks") })
            }))
        });
    }

    pub fn is_down(&self) {
        self.says(|_| Err("no route to the issuer".to_owned()));
    }

    /// How often it was asked for something at this path.
    pub fn asked(&self, path: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(_, found, _)| found == path).count()
    }

    pub fn fetch(&self) -> Fetch {
        let issuer = self.clone();
        Fetch::new(move |request: Request<Bytes>| {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            let path = request.uri().path().to_owned();
            let saw = (request.method().clone(), path, body);
            issuer.seen.lock().unwrap().push(saw);
            let answer = (issuer.says.lock().unwrap())(&request);
            async move {
                // Somebody else gets a turn, as with a real network.
                tokio::task::yield_now().await;
                answer
            }
        })
    }
}

pub fn json_answer(value: &Value) -> Response<Bytes> {
    Response::new(Bytes::from(value.to_string()))
}
