//! Sealing of stored secrets under the key-encryption key. Each is bound to its tenant, table, row and use, so that a sealed
//! value moved elsewhere does not open (SEC-415). Where that key comes from is not decided here.

use jeton_protocol::tenant::TenantId;
use jeton_token::entropy::Entropy;
use jeton_token::seal_key::{OpenError, SealKey};
use jeton_token::secret::Secret;

/// Where a sealed value is stored.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub tenant: &'a TenantId,
    pub table: &'static str,
    /// The key of the row, as text.
    pub row: &'a str,
    pub purpose: &'static str,
}

impl Place<'_> {
    /// The parts with their lengths, so that no two places read alike.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.tenant.as_str(), self.table, self.row, self.purpose] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

pub fn seal(
    key: &SealKey,
    place: Place<'_>,
    secret: &Secret,
    entropy: &mut Entropy,
) -> Result<Vec<u8>, OpenError> {
    key.seal_bytes(&place.bytes(), secret.expose(), entropy)
}

pub fn open(key: &SealKey, place: Place<'_>, sealed: &[u8]) -> Result<Secret, OpenError> {
    key.open_bytes(&place.bytes(), sealed)
}
