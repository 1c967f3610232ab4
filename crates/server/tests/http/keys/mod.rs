//! The lives of keys: rotation of every kind of them, emergencies and damage (design §1, SEC-304, SEC-351, SEC-352, SEC-417).

mod damage;
mod emergency;
mod load;
mod rewrap;
mod rotation;

use crate::support::TestServer;
use jeton::keys::{self, Line};
use jeton_store::keys::StoredKey;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use std::time::Duration;

pub const ES256: Line = Line::Signing(SignatureAlgorithm::Es256);
pub const DAY: u64 = 24 * 60 * 60;

/// Makes the next key of a line, used in `lead` seconds.
pub async fn rotate(server: &TestServer, line: Line, lead: u64) -> StoredKey {
    let mut ambient = server.app.ambient();
    let (store, kek) = (&server.app.store, &server.app.kek);
    let plan = (line, Duration::from_secs(lead));
    let made = keys::rotate(store, kek, &server.tenant(), plan, &mut ambient).await;
    made.unwrap()
}

/// The keys of a line, oldest first.
pub async fn keys_of(server: &TestServer, line: Line) -> Vec<StoredKey> {
    let rows = server.app.store.keys(&server.tenant()).await.unwrap();
    let mut keys: Vec<_> = rows
        .into_iter()
        .filter(|row| Line::of(row) == Some(line))
        .collect();
    keys.sort_by_key(|key| key.number);
    keys
}

/// The number of the key that made a handle or an opaque token.
pub fn number(text: &str) -> u16 {
    let bytes = base64url::decode(&text[4..]).unwrap();
    u16::from_be_bytes([bytes[0], bytes[1]])
}
