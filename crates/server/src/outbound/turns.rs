//! How much goes out at once: so many fetches in all, and so many to one host, so that a slow one cannot take every place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const AT_ONCE: usize = 64;
const AT_ONCE_TO_ONE_HOST: usize = 4;
/// Hosts nobody is talking to are forgotten when there are more than these.
const MOST_HOSTS: usize = 1024;

pub(super) struct Turns {
    all: Arc<Semaphore>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place at the door, kept until the last holder is done.
#[derive(Clone)]
pub(super) struct Turn {
    _held: Arc<[OwnedSemaphorePermit]>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a place: first among those who want the same host, then among all.
    pub(super) async fn take(&self, host: &str) -> Turn {
        let own = self.host(host);
        let mut held = Vec::with_capacity(2);
        for places in [own, Arc::clone(&self.all)] {
            // The semaphores are never closed.
            held.extend(places.acquire_owned().await.ok());
        }
        Turn { _held: held.into() }
    }

    fn host(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let new = || Arc::new(Semaphore::new(AT_ONCE_TO_ONE_HOST));
        Arc::clone(hosts.entry(host.to_owned()).or_insert_with(new))
    }
}
