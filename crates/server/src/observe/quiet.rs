//! One line a minute for what happens as often as a stranger likes.

use jeton_token::timestamp::Timestamp;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

const PERIOD_MILLIS: i64 = 60_000;

/// How many things have a line of their own in a period. All others share one.
const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Quiet {
    secret: RandomState,
    seen: Mutex<Seen>,
}

/// How often each thing was left out, this period and the one before.
#[derive(Debug, Default)]
struct Seen {
    until: i64,
    now: HashMap<u64, u64>,
    before: HashMap<u64, u64>,
}

impl Quiet {
    /// `None`: not now. Else how many lines about it were left out in the period before.
    pub(super) fn may_log(&self, what: &impl Hash, now: Timestamp) -> Option<u64> {
        let key = self.secret.hash_one(what);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.millis() >= seen.until {
            seen.before = std::mem::take(&mut seen.now);
            seen.until = now.millis().saturating_add(PERIOD_MILLIS);
        }
        let key = if seen.now.len() < MOST || seen.now.contains_key(&key) {
            key
        } else {
            0
        };
        match seen.now.get_mut(&key) {
            Some(left_out) => {
                *left_out += 1;
                None
            }
            None => {
                seen.now.insert(key, 0);
                Some(seen.before.get(&key).copied().unwrap_or(0))
            }
        }
    }
}
