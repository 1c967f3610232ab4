//! The key-encryption key and what is sealed directly under it.

use super::KeyError;
use jeton_protocol::client::ClientId;
use jeton_protocol::tenant::TenantId;
use jeton_store::Store;
use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_store::seal::{self, Place};
use jeton_token::base64url;
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::seal_key::{OpenError, SealKey};
use jeton_token::secret::Secret;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The key-encryption key: everything secret in the store is sealed under it. While it is being replaced there are two, and
/// what either sealed is opened.
#[derive(Debug)]
pub struct Kek {
    current: SealKey,
    previous: Option<SealKey>,
}

/// Where the key-encryption key is, and while it is being replaced, the other one.
#[derive(Clone, Copy, Debug)]
pub struct KekFiles<'a> {
    pub current: &'a Path,
    pub previous: Option<&'a Path>,
}

/// Which key opens sealed bytes.
#[derive(Debug)]
pub(super) enum Under {
    Current,
    Previous(Secret),
    Neither,
}

impl Kek {
    pub fn new(secret: &Secret) -> Result<Self, KeyError> {
        let current = SealKey::new(1, secret).map_err(|error| KeyError::New(error.to_string()))?;
        Ok(Self {
            current,
            previous: None,
        })
    }

    /// As this one, but what `previous` sealed is opened too.
    pub fn with_previous(self, previous: Self) -> Self {
        Self {
            previous: Some(previous.current),
            ..self
        }
    }

    pub fn has_previous(&self) -> bool {
        self.previous.is_some()
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

    /// As [`Self::from_file`], for a database that may hold keys already: those are opened by no other key, so a new file is made
    /// only for a database without any, and a file that does not fit is refused before anything is written with it. A single
    /// damaged key is no reason to stop (SEC-352).
    pub async fn of_database(
        files: KekFiles<'_>,
        store: &Store,
        entropy: &mut Entropy,
    ) -> Result<Self, KeyError> {
        let tenant = TenantId::default_tenant();
        let rows = store.keys(&tenant).await?;
        let problem = |path: &Path, problem: &str| KeyError::File {
            path: path.display().to_string(),
            problem: problem.to_owned(),
        };
        if let Some(previous) = files.previous.filter(|path| !path.exists()) {
            return Err(problem(
                previous,
                "is missing; put it back, or take keys.encryption_key_previous_file away if jeton key rewrap has finished",
            ));
        }
        if !rows.is_empty() && !files.current.exists() {
            return Err(problem(
                files.current,
                "is missing, but the database holds keys that only it opens; put it back from the backup",
            ));
        }
        let mut kek = Self::from_file(files.current, entropy)?;
        if let Some(previous) = files.previous {
            kek = kek.with_previous(Self::from_file(previous, entropy)?);
        }
        let fits = |row: &StoredKey| kek.open_key(&tenant, row).is_ok();
        if !rows.is_empty() && !rows.iter().any(fits) {
            return Err(problem(
                files.current,
                "does not open the keys of this database; put the file of its first start back",
            ));
        }
        Ok(kek)
    }

    /// The secret part of a stored key.
    pub fn open_key(&self, tenant: &TenantId, row: &StoredKey) -> Result<Secret, KeyError> {
        let id = row.id.to_string();
        self.open(key_place(tenant, (row.purpose, &id)), &row.sealed)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
    }

    pub(super) fn seal_key(
        &self,
        tenant: &TenantId,
        (purpose, id): (KeyPurpose, RowId),
        secret: &Secret,
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, KeyError> {
        let id = id.to_string();
        let place = key_place(tenant, (purpose, &id));
        seal::seal(&self.current, place, secret, entropy)
            .map_err(|error| KeyError::New(error.to_string()))
    }

    /// Under which key a stored key is sealed.
    pub(super) fn key_is_under(&self, tenant: &TenantId, row: &StoredKey) -> Under {
        let id = row.id.to_string();
        self.under(key_place(tenant, (row.purpose, &id)), &row.sealed)
    }

    pub fn seal_client_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &Secret,
        entropy: &mut Entropy,
    ) -> Result<String, KeyError> {
        let place = client_secret_place(tenant, client.as_str());
        let sealed = seal::seal(&self.current, place, secret, entropy);
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
        self.open(client_secret_place(tenant, client), &bytes)
            .map_err(|error| broken(error.to_string()))
    }

    /// Under which key a client's secret is sealed.
    pub(super) fn client_secret_is_under(
        &self,
        tenant: &TenantId,
        client: &str,
        sealed: &str,
    ) -> Under {
        match base64url::decode(sealed) {
            Ok(bytes) => self.under(client_secret_place(tenant, client), &bytes),
            Err(_) => Under::Neither,
        }
    }

    fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret, OpenError> {
        let opened = seal::open(&self.current, place, sealed);
        match (&opened, &self.previous) {
            (Err(_), Some(previous)) => seal::open(previous, place, sealed).or(opened),
            (Ok(_), _) | (Err(_), None) => opened,
        }
    }

    fn under(&self, place: Place<'_>, sealed: &[u8]) -> Under {
        if seal::open(&self.current, place, sealed).is_ok() {
            return Under::Current;
        }
        let previous = self.previous.as_ref();
        previous
            .and_then(|previous| seal::open(previous, place, sealed).ok())
            .map_or(Under::Neither, Under::Previous)
    }
}

fn key_place<'a>(tenant: &'a TenantId, (purpose, row): (KeyPurpose, &'a str)) -> Place<'a> {
    Place {
        tenant,
        table: "keys",
        row,
        purpose: purpose.name(),
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
