//! Time and luck. Nobody else asks the clock or draws a random number: requests carry both by value.

use jeton_store::audit::Occasion;
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where time comes from.
#[derive(Debug)]
pub enum Clock {
    System,
    /// A test moves it.
    Set(AtomicI64),
}

impl Clock {
    pub fn set(now: Timestamp) -> Self {
        Self::Set(AtomicI64::new(now.millis()))
    }

    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
            Self::Set(millis) => Timestamp::from_millis(millis.load(Ordering::Relaxed)),
        }
    }

    /// Moves a set clock; the system's stays.
    pub fn advance(&self, by: Duration) {
        if let Self::Set(millis) = self {
            millis.fetch_add(
                i64::try_from(by.as_millis()).unwrap_or(0),
                Ordering::Relaxed,
            );
        }
    }
}

/// Where luck comes from.
#[derive(Debug)]
pub enum Luck {
    OperatingSystem,
    /// A test can repeat it: each request draws from the next seed.
    Seeded(AtomicU64),
}

/// What one request knows of the world.
#[derive(Debug)]
pub struct Ambient {
    pub now: Timestamp,
    pub entropy: Entropy,
    returns: bool,
}

thread_local! {
    /// A source with a block drawn already, for the next request on this thread.
    static SPARE: RefCell<Option<Entropy>> = const { RefCell::new(None) };
}

impl Ambient {
    pub fn new(clock: &Clock, luck: &Luck) -> Self {
        let now = clock.now();
        match luck {
            Luck::OperatingSystem => {
                let spare = SPARE.with(|spare| spare.borrow_mut().take());
                Self {
                    now,
                    entropy: spare.unwrap_or_else(Entropy::from_os),
                    returns: true,
                }
            }
            Luck::Seeded(seed) => {
                let seed = seed.fetch_add(1, Ordering::Relaxed);
                Self {
                    now,
                    entropy: Entropy::seeded(seed),
                    returns: false,
                }
            }
        }
    }

    /// What a store verb needs to leave its trace in the audit log. `request` is empty where there was none.
    pub fn occasion(&mut self, actor: &str, request: String) -> Occasion {
        Occasion {
            now: self.now,
            trace: RowId::new(self.now, &mut self.entropy),
            actor: actor.to_owned(),
            request,
        }
    }

    /// Gives the random source back for the next request.
    pub fn end(self) {
        if self.returns {
            SPARE.with(|spare| *spare.borrow_mut() = Some(self.entropy));
        }
    }
}
