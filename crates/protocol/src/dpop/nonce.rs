//! Nonces that need no memory: the number of a minute and a MAC over it. (RFC 9449 §8)

use crate::tenant::TenantId;
use jeton_token::base64url;
use jeton_token::handle::HandleKeys;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

const LABEL: &str = "dpop nonce";
const MINUTE: i64 = 60_000;
const BODY: usize = 4 + 32;

/// After this nothing made now is accepted any more.
pub const LIFE: Duration = Duration::from_secs(2 * 60);

/// The nonces of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Nonces<'a> {
    pub tenant: &'a TenantId,
    pub keys: &'a HandleKeys,
}

impl Nonces<'_> {
    /// The nonce to use from now on; good for at least a minute.
    pub fn current(&self, now: Timestamp) -> String {
        let minute = minute_of(now).to_be_bytes();
        let mac = self.keys.mac(LABEL, &self.parts(&minute));
        base64url::encode(&[&minute[..], &mac].concat())
    }

    /// Whether the nonce is one of ours of this or the last minute; or of the next, by a node whose clock is ahead.
    pub fn admits(&self, nonce: &str, now: Timestamp) -> bool {
        let Ok(body) = base64url::decode_array::<BODY>(nonce) else {
            return false;
        };
        let [m0, m1, m2, m3, mac @ ..] = body;
        let minute = [m0, m1, m2, m3];
        let apart = i64::from(minute_of(now)) - i64::from(u32::from_be_bytes(minute));
        (-1..=1).contains(&apart) && self.keys.mac_matches(LABEL, &self.parts(&minute), &mac)
    }

    fn parts<'b>(&'b self, minute: &'b [u8; 4]) -> [&'b [u8]; 2] {
        [self.tenant.as_str().as_bytes(), minute]
    }
}

fn minute_of(now: Timestamp) -> u32 {
    u32::try_from(now.millis().div_euclid(MINUTE)).unwrap_or(0)
}
