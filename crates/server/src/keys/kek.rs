//! The key-encryption key and what is sealed directly under it.

use super::KeyError;
use jeton_protocol::client::ClientId;
use jeton_protocol::tenant::TenantId;
use jeton_store::Store;
use jeton_store::keys::StoredKey;
use jeton_store::seal::{self, Place};
use jeton_token::base64url;
use jeton_token::entropy::Entropy;
use jeton_token::seal_key::SealKey;
use jeton_token::secret::Secret;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// The key-encryption key: everything secret in the store is sealed under it.
#[derive(Debug)]
pub struct Kek(pub(super) SealKey);

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

    /// As [`Self::from_file`], for a database that may hold keys already: those are opened by no other key, so a new file is made
    /// only for a database without any, and a file that does not fit is refused before anything is written with it.
    pub async fn of_database(
        path: &Path,
        store: &Store,
        entropy: &mut Entropy,
    ) -> Result<Self, KeyError> {
        let tenant = TenantId::default_tenant();
        let rows = store.keys(&tenant).await?;
        let problem = |problem: &str| KeyError::File {
            path: path.display().to_string(),
            problem: problem.to_owned(),
        };
        if !rows.is_empty() && !path.exists() {
            return Err(problem(
                "is missing, but the database holds keys that only it opens; put it back from the backup",
            ));
        }
        let kek = Self::from_file(path, entropy)?;
        match rows.first() {
            Some(row) if kek.open_key(&tenant, row).is_err() => Err(problem(
                "does not open the keys of this database; put the file of its first start back",
            )),
            Some(_) | None => Ok(kek),
        }
    }

    /// The secret part of a stored key.
    pub(super) fn open_key(&self, tenant: &TenantId, row: &StoredKey) -> Result<Secret, KeyError> {
        let id = row.id.to_string();
        let place = Place {
            tenant,
            table: "keys",
            row: &id,
            purpose: row.purpose.name(),
        };
        seal::open(&self.0, place, &row.sealed)
            .map_err(|error| KeyError::Stored(row.id, error.to_string()))
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
