//! Password hashing: Argon2id on a few threads of its own behind a short queue, so that a storm of sign-ins never slows
//! tokens and never piles up (SEC-363, SEC-410).

use crate::http::denied::Fault;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use jeton_token::entropy::Entropy;
use jeton_token::secret::{Secret, constant_time_eq, sha256};
use papaya::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use unicode_normalization::UnicodeNormalization as _;

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub memory_kib: u32,
    pub iterations: u32,
    pub lanes: u32,
}

impl Default for Cost {
    /// The floor of OWASP ASVS for one pass (SEC-410).
    fn default() -> Self {
        Self {
            memory_kib: 46 * 1024,
            iterations: 1,
            lanes: 1,
        }
    }
}

pub struct Passwords {
    queue: SyncSender<Job>,
    /// Jobs that wait or run.
    pending: Arc<AtomicUsize>,
    /// Jobs that were ever taken.
    taken: AtomicUsize,
    cost: Cost,
    /// Secrets that were right, by their hash: a keyed digest, valid as long as the process and the stored hash.
    remembered: HashMap<String, [u8; 32]>,
    key: [u8; 32],
    /// A hash no password has, for users that do not exist (SEC-201).
    nobody: String,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

type Job = Box<dyn FnOnce() + Send>;

const QUEUE: usize = 64;
const MOST_REMEMBERED: usize = 4096;

impl Passwords {
    pub fn start(threads: usize, cost: Cost, entropy: &mut Entropy) -> Self {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads.max(1) {
            let jobs = Arc::clone(&jobs);
            let spawned = std::thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || work(&jobs));
            if let Err(error) = spawned {
                tracing::error!(%error, "a thread for password hashing could not be started");
            }
        }
        let nobody = nobodys_hash(cost, entropy);
        Self {
            queue,
            pending: Arc::new(AtomicUsize::new(0)),
            taken: AtomicUsize::new(0),
            cost,
            remembered: HashMap::new(),
            key: entropy.bytes(),
            nobody,
        }
    }

    /// Whether the password is the one of `stored`; with no stored hash the same work is done for nothing.
    pub async fn matches(&self, stored: Option<&str>, password: &str) -> Result<bool, Fault> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let password = Secret::from_text(normalised(password));
        let equal = self.run(move || verify(&stored, password.expose())).await?;
        Ok(exists && equal)
    }

    /// As [`Self::matches`] for a client secret somebody chose: the slow hash is computed once, not for every token.
    pub async fn matches_remembered(&self, stored: &str, secret: &[u8]) -> Result<bool, Fault> {
        let digest = sha256(&[self.key.as_slice(), stored.as_bytes(), b"\0", secret].concat());
        if let Some(known) = self.remembered.pin().get(stored)
            && constant_time_eq(known, &digest)
        {
            return Ok(true);
        }
        let (hash, bytes) = (stored.to_owned(), Secret::new(secret.to_vec()));
        let equal = self.run(move || verify(&hash, bytes.expose())).await?;
        if equal {
            if self.remembered.len() >= MOST_REMEMBERED {
                self.remembered.pin().clear();
            }
            self.remembered.pin().insert(stored.to_owned(), digest);
        }
        Ok(equal)
    }

    /// Whether a stored hash was made at today's cost.
    pub fn is_current(&self, stored: &str) -> bool {
        let Cost {
            memory_kib,
            iterations,
            lanes,
        } = self.cost;
        stored.starts_with(&format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={lanes}$"
        ))
    }

    pub async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String, Fault> {
        let (cost, password) = (self.cost, Secret::from_text(normalised(password)));
        let hashed = self
            .run(move || hash(cost, password.expose(), salt))
            .await?;
        hashed.map_err(|error| Fault::Keys(error.to_string()))
    }

    /// Whether a password could be looked at now. Asked before a try is counted, so that a flood costs nobody theirs.
    pub fn check_room(&self) -> Result<(), Fault> {
        if self.pending.load(Ordering::Relaxed) < QUEUE {
            Ok(())
        } else {
            Err(Fault::HashingBusy)
        }
    }

    /// How many hashes were computed, so that tests can see that nobody costs what somebody does (SEC-201).
    #[doc(hidden)]
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, waiting) = oneshot::channel();
        let pending = Arc::clone(&self.pending);
        pending.fetch_add(1, Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::Relaxed);
        let done = Arc::clone(&pending);
        let job: Job = Box::new(move || {
            drop(answer.send(work()));
            done.fetch_sub(1, Ordering::Relaxed);
        });
        match self.queue.try_send(job) {
            Ok(()) => waiting.await.map_err(|_| Fault::HashingBusy),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                pending.fetch_sub(1, Ordering::Relaxed);
                Err(Fault::HashingBusy)
            }
        }
    }
}

/// A well-formed hash that is the hash of nothing anybody knows: checking it costs what checking any other does.
fn nobodys_hash(cost: Cost, entropy: &mut Entropy) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let Cost {
        memory_kib,
        iterations,
        lanes,
    } = cost;
    let (salt, hash) = (entropy.bytes::<16>(), entropy.bytes::<32>());
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={memory_kib},t={iterations},p={lanes}${salt}${hash}")
}

/// Hashes a password outside a server, as the command line does.
pub fn hash_now(
    cost: Cost,
    password: &str,
    entropy: &mut Entropy,
) -> Result<String, password_hash::Error> {
    hash(cost, normalised(password).as_bytes(), entropy.bytes())
}

/// The same password typed on another keyboard is the same password (SEC-410).
fn normalised(password: &str) -> String {
    password.nfc().collect()
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

fn hasher(cost: Cost) -> Result<Argon2<'static>, password_hash::Error> {
    let params = Params::new(cost.memory_kib, cost.iterations, cost.lanes, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(cost: Cost, password: &[u8], salt: [u8; 16]) -> Result<String, password_hash::Error> {
    Ok(hasher(cost)?
        .hash_password_with_salt(password, &salt)?
        .to_string())
}

fn verify(stored: &str, password: &[u8]) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}
