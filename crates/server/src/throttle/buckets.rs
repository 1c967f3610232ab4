//! Counters for keys that strangers choose: a fixed number of them, whatever is sent (SEC-083, SEC-R11).

use jeton_store::throttle::Rate;
use jeton_token::timestamp::Timestamp;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// How many buckets a set has.
const WAYS: usize = 8;

/// Buckets of the generic cell rate algorithm, in sets of eight; a key belongs to one set. When its set has no place left, a
/// key takes that of the emptiest bucket *with what is in it*. So a bucket that was pushed out finds at least as much in it
/// when it comes back: nobody can empty a bucket by filling others. A newcomer is slowed down only when the emptiest of its
/// set is full, which takes as many charges as all buckets have room. (The space-saving algorithm.)
///
/// Which set a key belongs to is secret, or one set could be filled on purpose.
#[derive(Debug)]
pub struct Buckets {
    sets: usize,
    secret: RandomState,
    /// Made when the first bucket is charged.
    made: OnceLock<Box<[Mutex<Set>]>>,
}

type Set = [Bucket; WAYS];

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    key: u64,
    /// When it will be empty again, in microseconds.
    full_at: i64,
}

impl Buckets {
    pub fn new(sets: usize) -> Self {
        Self {
            sets,
            secret: RandomState::new(),
            made: OnceLock::new(),
        }
    }

    /// How many seconds `key` has to wait, if it has to.
    pub fn wait(&self, key: &[&str], rate: Rate, now: Timestamp) -> Option<u64> {
        self.made.get()?;
        let key = self.secret.hash_one(key);
        let set = self.set(key);
        wait(set[place(&set, key)].full_at, rate, now)
    }

    pub fn charge(&self, key: &[&str], rate: Rate, now: Timestamp) {
        let key = self.secret.hash_one(key);
        let mut set = self.set(key);
        let at = place(&set, key);
        charge(&mut set[at], key, rate, now);
    }

    /// Charges `key`, or says how many seconds it has to wait. What has to wait is not charged.
    pub fn admit(&self, key: &[&str], rate: Rate, now: Timestamp) -> Option<u64> {
        let key = self.secret.hash_one(key);
        let mut set = self.set(key);
        let at = place(&set, key);
        let seconds = wait(set[at].full_at, rate, now);
        if seconds.is_none() {
            charge(&mut set[at], key, rate, now);
        }
        seconds
    }

    fn set(&self, key: u64) -> MutexGuard<'_, Set> {
        let made = self
            .made
            .get_or_init(|| (0..self.sets).map(|_| Mutex::default()).collect());
        let at = usize::try_from(key % self.sets as u64).unwrap_or(0);
        made[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the key is, or would be.
fn place(set: &Set, key: u64) -> usize {
    let known = set.iter().position(|bucket| bucket.key == key);
    let emptiest = || (0..WAYS).min_by_key(|at| set[*at].full_at).unwrap_or(0);
    known.unwrap_or_else(emptiest)
}

fn charge(bucket: &mut Bucket, key: u64, rate: Rate, now: Timestamp) {
    bucket.key = key;
    let (now, room) = (micros(now), i64::from(rate.burst) * step(rate));
    // Never beyond full: a flood is over when it is over, for newcomers too.
    bucket.full_at = (bucket.full_at.max(now) + step(rate)).min(now + room);
}

fn wait(full_at: i64, rate: Rate, now: Timestamp) -> Option<u64> {
    let room = i64::from(rate.burst) * step(rate);
    let wait = full_at - micros(now) - room + step(rate);
    (wait > 0).then(|| u64::try_from(wait / 1_000_000 + 1).unwrap_or(1))
}

fn micros(now: Timestamp) -> i64 {
    now.millis().saturating_mul(1000)
}

fn step(rate: Rate) -> i64 {
    i64::try_from(rate.per_charge.as_micros()).unwrap_or(i64::MAX)
}
