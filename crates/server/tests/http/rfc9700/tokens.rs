//! Signed tokens taken apart, so that tests can put them together wrong and sign what came of it with the right key.

use super::sinks::{self, Given, Kind, Sink};
use crate::support::{Fields, TestServer, jwt};
use jeton_token::base64url;
use jeton_token::signing_key::SigningKey;
use serde_json::Value;
use std::sync::Arc;

/// A token that `sink` takes, with the key it is signed with.
pub struct Good {
    server: TestServer,
    sink: Sink,
    pub header: Value,
    pub payload: Value,
    key: Key,
}

enum Key {
    Client,
    Issuer(Arc<jeton::tenancy::TenantState>),
}

impl Good {
    pub fn of(server: &TestServer, sink: Sink, given: &Given) -> Self {
        let (kind, key) = match sink {
            Sink::Assertion => (Kind::Assertion, Key::Client),
            Sink::Hint | Sink::LogoutHint => (Kind::Id, Key::Issuer(given.state.clone())),
            Sink::Bearer | Sink::Introspection => (Kind::Jwt, Key::Issuer(given.state.clone())),
            Sink::Code
            | Sink::Refresh
            | Sink::SessionCookie
            | Sink::BrowserCookie
            | Sink::Interaction
            | Sink::FormToken
            | Sink::AdminLink
            | Sink::ClientSecret
            | Sink::Verifier => panic!("{sink:?} takes no signed token"),
        };
        let (header, payload) = jwt::read(given.value(kind));
        Self {
            server: server.clone(),
            sink,
            header,
            payload,
            key,
        }
    }

    /// The claims, with a `jti` of their own where that is spent.
    pub fn fresh(&self) -> Value {
        if self.sink == Sink::Assertion {
            jwt::assertion_claims(&self.server, "keyed")
        } else {
            self.payload.clone()
        }
    }

    /// The two parts as they are, and the right signature of them.
    pub fn signed(&self, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = base64url::encode(&self.signature(&input));
        format!("{input}.{signature}")
    }

    pub fn signature(&self, input: &str) -> Vec<u8> {
        let sign = |key: &SigningKey| {
            let mut out = Vec::new();
            key.sign(input.as_bytes(), &mut out).unwrap();
            out
        };
        match &self.key {
            Key::Client => sign(jwt::client_key()),
            Key::Issuer(state) => {
                let ring = state.ring();
                let kid = self.header["kid"].as_str().unwrap();
                sign(ring.signing.iter().find(|key| key.kid() == kid).unwrap())
            }
        }
    }
}

/// As [`sinks::accepts`], with the endpoint for the sink that has several.
pub async fn accepts(
    server: &TestServer,
    (sink, path): (Sink, &str),
    value: &str,
    own: &Given,
) -> bool {
    if path.is_empty() || path == "/token" {
        return sinks::accepts(server, sink, value, own).await;
    }
    let fields = jwt::with_assertion(Fields::from([("token", "jta_x")]), value);
    let status = server.send(server.post(path, &fields)).await.status;
    assert_ne!(status, 429, "refused unseen");
    status == 200
}
