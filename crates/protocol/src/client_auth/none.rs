//! `none`: a public client names itself and proves nothing (RFC 6749 §3.2.1).

use crate::client::Client;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;

rules! {
    PUBLIC_WITHOUT_SECRET = InvalidClient, "public_client_with_secret", "RFC 6749 §2.1", {
        promise: "A client registered with method none has no secret it could have proven",
        told: "Client authentication failed",
        fix: "Register the client with a secret method, or remove its secret"
    };
}

pub fn verify(client: &Client, trail: &mut Trail) -> Result<(), Refusal> {
    trail.require(&PUBLIC_WITHOUT_SECRET, client.secret.is_none(), || {
        Noted::new("no secret kept", "a secret")
    })
}
