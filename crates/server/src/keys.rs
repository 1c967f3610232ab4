//! The keys of tenants: made on first use, opened from the store, rotated by adding the next one (SEC-304, SEC-416, SEC-417).
//!
//! A key's life is a list of instants in its row: published, active, retired, expired. Nothing has to happen at any of them
//! but that the ring is read again.

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Fault;
use jeton_protocol::client::ClientId;
use jeton_protocol::issue::KeyRing;
use jeton_protocol::tenant::{Tenant, TenantId};
use jeton_store::audit::Occasion;
use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_store::leases::Leased;
use jeton_store::seal::{self, Place};
use jeton_store::{Store, StoreError};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::entropy::Entropy;
use jeton_token::handle::{HandleKey, HandleKeys};
use jeton_token::jwk::PublicJwk;
use jeton_token::key_set::KeySet;
use jeton_token::row_id::RowId;
use jeton_token::seal_key::SealKey;
use jeton_token::sealed::SealKeys;
use jeton_token::secret::Secret;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// What a new tenant signs with: RS256 because every OpenID client must be able to verify it (Core §15.1), the others
/// because they are faster.
pub const SIGNING_ALGORITHMS: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Rs256,
    SignatureAlgorithm::EdDsa,
];

#[derive(Debug, Error)]
pub enum KeyError {
    #[error("{path}: {problem}")]
    File { path: String, problem: String },
    #[error("key {0}: {1}")]
    Stored(RowId, String),
    #[error("a new key: {0}")]
    New(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::Store(error),
            KeyError::File { .. } | KeyError::Stored(..) | KeyError::New(_) => {
                Self::Keys(error.to_string())
            }
        }
    }
}

/// The key-encryption key: everything secret in the store is sealed under it.
#[derive(Debug)]
pub struct Kek(SealKey);

impl Kek {
    pub fn new(secret: &Secret) -> Result<Self, KeyError> {
        SealKey::new(1, secret)
            .map(Self)
            .map_err(|error| KeyError::New(error.to_string()))
    }

    /// Reads the key from its file, or makes the file on first start. Others must not be able to read it (SEC-423).
    pub fn from_file(path: &Path, entropy: &mut Entropy) -> Result<Self, KeyError> {
        let problem = |problem: String| KeyError::File {
            path: path.display().to_string(),
            problem,
        };
        let text = match fs::File::open(path) {
            Ok(mut file) => {
                let mode = file
                    .metadata()
                    .map_err(|error| problem(error.to_string()))?
                    .permissions()
                    .mode();
                if mode & 0o077 != 0 {
                    return Err(problem(format!(
                        "mode {:o}; only its owner may read it: chmod 600",
                        mode & 0o777
                    )));
                }
                let mut text = String::new();
                file.read_to_string(&mut text)
                    .map_err(|error| problem(error.to_string()))?;
                text
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write_new(path, &base64url::encode(&entropy.bytes::<32>()))
                    .map_err(|error| problem(error.to_string()))?
            }
            Err(error) => return Err(problem(error.to_string())),
        };
        let bytes = base64url::decode(text.trim())
            .ok()
            .filter(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or_else(|| problem("not 32 bytes in base64url".to_owned()))?;
        Self::new(&Secret::new(bytes))
    }

    pub fn seal_client_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &Secret,
        entropy: &mut Entropy,
    ) -> Result<String, KeyError> {
        let sealed = seal::seal(
            &self.0,
            client_secret_place(tenant, client.as_str()),
            secret,
            entropy,
        );
        sealed
            .map(|bytes| base64url::encode(&bytes))
            .map_err(|error| KeyError::New(error.to_string()))
    }

    pub fn open_client_secret(
        &self,
        tenant: &TenantId,
        client: &str,
        sealed: &str,
    ) -> Result<Secret, KeyError> {
        let broken =
            |problem: String| KeyError::New(format!("the secret of client {client}: {problem}"));
        let bytes = base64url::decode(sealed).map_err(|_| broken("not base64url".to_owned()))?;
        seal::open(&self.0, client_secret_place(tenant, client), &bytes)
            .map_err(|error| broken(error.to_string()))
    }
}

fn client_secret_place<'a>(tenant: &'a TenantId, client: &'a str) -> Place<'a> {
    Place {
        tenant,
        table: "clients",
        row: client,
        purpose: "client_secret",
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<String> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok(text.to_owned())
}

/// The keys of a tenant at one instant.
#[derive(Debug)]
pub struct Opened {
    pub ring: KeyRing,
    pub changes_at: Option<Timestamp>,
}

/// Opens the keys of a tenant, making the first ones if it has none.
pub async fn open(app: &App, tenant: &Tenant) -> Result<Opened, KeyError> {
    let mut ambient = app.ambient();
    let opened = open_for(&app.store, &app.kek, &tenant.id, &mut ambient).await;
    ambient.end();
    opened
}

/// As [`open`], outside a server.
pub async fn open_for(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<Opened, KeyError> {
    let mut rows = store.keys(tenant).await?;
    if rows.is_empty() {
        make_first(store, kek, tenant, ambient).await?;
        rows = store.keys(tenant).await?;
    }
    ring(kek, tenant, &rows, ambient.now)
}

async fn make_first(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<(), KeyError> {
    let mut keys = Vec::new();
    for (number, algorithm) in (1..).zip(SIGNING_ALGORITHMS) {
        keys.push(new_signing(kek, tenant, algorithm, number, ambient)?);
    }
    for purpose in [KeyPurpose::Handle, KeyPurpose::Seal] {
        keys.push(new_secret(kek, tenant, purpose, 1, ambient)?);
    }
    store
        .insert_first_keys(tenant, keys, occasion("first start", ambient))
        .await?;
    Ok(())
}

/// Adds the next key of `algorithm`: published now, used after `lead`; the one before it goes when its last token has.
pub async fn rotate(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (algorithm, lead, longest): (SignatureAlgorithm, Duration, Duration),
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let rows = store.keys(tenant).await?;
    let of_algorithm =
        |row: &&StoredKey| row.purpose == KeyPurpose::Signing && row.algorithm == algorithm.name();
    let number = rows
        .iter()
        .filter(|row| row.purpose == KeyPurpose::Signing)
        .map(|row| row.number)
        .max();
    let mut next = new_signing(
        kek,
        tenant,
        algorithm,
        number.unwrap_or(0).saturating_add(1),
        ambient,
    )?;
    let active_at = ambient.now.plus(lead);
    next.active_at = Some(active_at);
    store
        .insert_key(tenant, next.clone(), occasion("operator", ambient))
        .await?;
    for row in rows
        .iter()
        .filter(of_algorithm)
        .filter(|row| row.retired_at.is_none())
    {
        let retired = StoredKey {
            retired_at: Some(active_at),
            expires_at: Some(active_at.plus(longest).plus(MARGIN)),
            ..row.clone()
        };
        store
            .schedule_key(tenant, retired, occasion("operator", ambient))
            .await?;
    }
    Ok(next)
}

/// Makes the next key of every algorithm whose newest one has nearly signed for `period`; of several nodes one does.
pub async fn rotate_due(
    app: &App,
    tenant: &TenantId,
    (period, lead): (Duration, Duration),
) -> Result<(), KeyError> {
    let mut ambient = app.ambient();
    let now = ambient.now;
    let rows = app.store.keys(tenant).await?;
    let is_due = |algorithm: &SignatureAlgorithm| {
        let of_algorithm = rows.iter().filter(|row| row.algorithm == algorithm.name());
        let newest = of_algorithm.filter_map(|row| row.active_at).max();
        newest.is_some_and(|active_at| now.plus(lead) >= active_at.plus(period))
    };
    let due: Vec<_> = SIGNING_ALGORITHMS.into_iter().filter(is_due).collect();
    if !due.is_empty() && hold_lease(app, &mut ambient).await? {
        for algorithm in due {
            let plan = (algorithm, lead, LONGEST_TOKEN);
            rotate(&app.store, &app.kek, tenant, plan, &mut ambient).await?;
            tracing::info!(event = "key.rotated", tenant = %tenant, algorithm = algorithm.name());
        }
    }
    ambient.end();
    Ok(())
}

/// The ceiling of all token lifetimes.
const LONGEST_TOKEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Only one node rotates; the others see its key before the lease ends.
async fn hold_lease(app: &App, ambient: &mut Ambient) -> Result<bool, KeyError> {
    let holder = RowId::new(ambient.now, &mut ambient.entropy).to_string();
    let until = ambient.now.plus(Duration::from_secs(60));
    Ok(app
        .store
        .take_lease("key rotation", &holder, until, ambient.now)
        .await?
        == Leased::Taken)
}

/// Clocks differ, and a token may be minted in the very moment its key retires.
const MARGIN: Duration = Duration::from_secs(120);

fn occasion(actor: &str, ambient: &mut Ambient) -> Occasion {
    Occasion {
        now: ambient.now,
        trace: RowId::new(ambient.now, &mut ambient.entropy),
        actor: actor.to_owned(),
        request: String::new(),
    }
}

fn new_signing(
    kek: &Kek,
    tenant: &TenantId,
    algorithm: SignatureAlgorithm,
    number: u16,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let new = |error: &dyn std::fmt::Display| KeyError::New(error.to_string());
    let key = SigningKey::generate(algorithm, None).map_err(|error| new(&error))?;
    let pkcs8 = key.to_pkcs8().map_err(|error| new(&error))?;
    let mut row = stored(kek, tenant, (KeyPurpose::Signing, number), &pkcs8, ambient)?;
    algorithm.name().clone_into(&mut row.algorithm);
    row.public_key = Some(serde_json::Value::Object(key.public_jwk().to_json()).to_string());
    Ok(row)
}

fn new_secret(
    kek: &Kek,
    tenant: &TenantId,
    purpose: KeyPurpose,
    number: u16,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let secret = Secret::random(&mut ambient.entropy);
    stored(kek, tenant, (purpose, number), &secret, ambient)
}

fn stored(
    kek: &Kek,
    tenant: &TenantId,
    (purpose, number): (KeyPurpose, u16),
    secret: &Secret,
    ambient: &mut Ambient,
) -> Result<StoredKey, KeyError> {
    let id = RowId::new(ambient.now, &mut ambient.entropy);
    let row = id.to_string();
    let place = Place {
        tenant,
        table: "keys",
        row: &row,
        purpose: purpose.name(),
    };
    let sealed = seal::seal(&kek.0, place, secret, &mut ambient.entropy);
    Ok(StoredKey {
        id,
        purpose,
        number,
        algorithm: purpose.name().to_owned(),
        sealed: sealed.map_err(|error| KeyError::New(error.to_string()))?,
        public_key: None,
        created_at: ambient.now,
        published_at: Some(ambient.now),
        active_at: Some(ambient.now),
        retired_at: None,
        expires_at: None,
    })
}

/// Opens every key that is alive at `now`.
fn ring(
    kek: &Kek,
    tenant: &TenantId,
    rows: &[StoredKey],
    now: Timestamp,
) -> Result<Opened, KeyError> {
    let alive: Vec<&StoredKey> = rows
        .iter()
        .filter(|row| row.expires_at.is_none_or(|end| now < end))
        .collect();
    let open = |row: &StoredKey| {
        let id = row.id.to_string();
        let place = Place {
            tenant,
            table: "keys",
            row: &id,
            purpose: row.purpose.name(),
        };
        seal::open(&kek.0, place, &row.sealed)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    };
    let signing = signing_keys(&alive, now, &open)?;
    let published = published_keys(&alive, now)?;
    let handles = secret_keys(&alive, KeyPurpose::Handle, now, |row| {
        HandleKey::new(row.number, &open(row)?)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    })?;
    let seals = secret_keys(&alive, KeyPurpose::Seal, now, |row| {
        SealKey::new(row.number, &open(row)?)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    })?;
    let new = |error: jeton_token::handle::KeyError| KeyError::New(error.to_string());
    let instants = rows.iter().flat_map(|row| {
        [
            row.published_at,
            row.active_at,
            row.retired_at,
            row.expires_at,
        ]
    });
    let changes_at = instants.flatten().filter(|at| *at > now).min();
    Ok(Opened {
        ring: KeyRing {
            tenant: tenant.clone(),
            handles: HandleKeys::new(handles.0, handles.1).map_err(new)?,
            seals: SealKeys::new(seals.0, seals.1).map_err(new)?,
            signing,
            published,
        },
        changes_at,
    })
}

/// For each algorithm the key that became active last.
fn signing_keys(
    rows: &[&StoredKey],
    now: Timestamp,
    open: &impl Fn(&StoredKey) -> Result<Secret, KeyError>,
) -> Result<Vec<SigningKey>, KeyError> {
    let active = |row: &&&StoredKey| {
        row.purpose == KeyPurpose::Signing
            && row.active_at.is_some_and(|at| at <= now)
            && is_unretired(row, now)
    };
    let mut newest: Vec<&StoredKey> = Vec::new();
    for row in rows.iter().filter(active) {
        match newest
            .iter_mut()
            .find(|known| known.algorithm == row.algorithm)
        {
            Some(known) if known.active_at < row.active_at => *known = row,
            Some(_) => {}
            None => newest.push(row),
        }
    }
    newest
        .into_iter()
        .map(|row| {
            let broken = |error: String| KeyError::Stored(row.id, error);
            let algorithm = SignatureAlgorithm::parse(&row.algorithm);
            let algorithm =
                algorithm.ok_or_else(|| broken(format!("unknown algorithm {}", row.algorithm)))?;
            SigningKey::from_pkcs8(algorithm, None, open(row)?.expose())
                .map_err(|error| broken(error.to_string()))
        })
        .collect()
}

fn is_unretired(row: &StoredKey, now: Timestamp) -> bool {
    row.retired_at.is_none_or(|at| now < at)
}

fn published_keys(rows: &[&StoredKey], now: Timestamp) -> Result<KeySet, KeyError> {
    let mut keys = Vec::new();
    for row in rows
        .iter()
        .filter(|row| row.published_at.is_some_and(|at| at <= now))
    {
        let Some(text) = &row.public_key else {
            continue;
        };
        let broken = |error: String| KeyError::Stored(row.id, error);
        let members = jeton_token::json::parse_object(text.as_bytes(), 64 * 1024);
        let members = members.map_err(|error| broken(error.to_string()))?;
        keys.push(PublicJwk::parse(&members).map_err(|error| broken(error.to_string()))?);
    }
    Ok(KeySet::new(keys))
}

/// The active key of a purpose, and the others that still open what they made.
fn secret_keys<K>(
    rows: &[&StoredKey],
    purpose: KeyPurpose,
    now: Timestamp,
    open: impl Fn(&StoredKey) -> Result<K, KeyError>,
) -> Result<(K, Vec<K>), KeyError> {
    let of_purpose: Vec<_> = rows.iter().filter(|row| row.purpose == purpose).collect();
    let active = of_purpose
        .iter()
        .filter(|row| row.active_at.is_some_and(|at| at <= now));
    let current = active.max_by_key(|row| row.active_at);
    let current =
        current.ok_or_else(|| KeyError::New(format!("no active {} key", purpose.name())))?;
    let older = of_purpose.iter().filter(|row| row.id != current.id);
    Ok((
        open(current)?,
        older.map(|row| open(row)).collect::<Result<_, _>>()?,
    ))
}
