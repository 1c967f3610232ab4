//! One AEAD key, kept parsed. Where keys come from and which is current does not belong here.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::handle::KeyError;
use crate::secret::Secret;

const NONCE: usize = 12;
const TAG: usize = 16;
const KEY_ID: usize = 2;
/// Keeps stored secrets and access tokens apart, should one key ever seal both.
const STORED: &[u8] = b"jeton stored bytes 1";
pub(crate) const HEAD: usize = KEY_ID + NONCE;

/// An AES-256-GCM-SIV key. Random nonces are safe for 2⁴⁰ messages and more. (RFC 8452 §9)
pub struct SealKey {
    id: u16,
    key: LessSafeKey,
}

/// Why sealed bytes did not open. For the log: callers answer all of them alike.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    #[error("too short to be sealed")]
    Length,
    #[error("sealed with key {0}, not with this one")]
    OtherKey(u16),
    #[error("altered, forged, or sealed for something else")]
    Forged,
    #[error("the cipher failed")]
    Cipher,
}

impl SealKey {
    pub fn new(id: u16, secret: &Secret) -> Result<Self, KeyError> {
        let key =
            UnboundKey::new(&AES_256_GCM_SIV, secret.expose()).map_err(|_| KeyError::Length)?;
        Ok(Self {
            id,
            key: LessSafeKey::new(key),
        })
    }

    pub fn id(&self) -> u16 {
        self.id
    }

    /// Seals stored bytes. `purpose` must name tenant, table, row and use, so that no value moves elsewhere. (SEC-415)
    pub fn seal_bytes(
        &self,
        purpose: &[u8],
        plain: &[u8],
        entropy: &mut Entropy,
    ) -> Result<Vec<u8>, OpenError> {
        let mut buffer = self.begin(plain.len(), entropy);
        buffer.extend_from_slice(plain);
        self.finish([STORED, purpose], &mut buffer)?;
        Ok(buffer)
    }

    pub fn open_bytes(&self, purpose: &[u8], sealed: &[u8]) -> Result<Secret, OpenError> {
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let plain = self.open_in_place([STORED, purpose], &mut buffer)?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// The id of the key that sealed these bytes.
    pub fn id_of(sealed: &[u8]) -> Option<u16> {
        sealed
            .first_chunk::<KEY_ID>()
            .map(|id| u16::from_be_bytes(*id))
    }

    /// A buffer that holds key id and fresh nonce; the plain text goes behind them.
    pub(crate) fn begin(&self, plain_length: usize, entropy: &mut Entropy) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(HEAD + plain_length + TAG);
        buffer.extend_from_slice(&self.id.to_be_bytes());
        buffer.extend_from_slice(&entropy.bytes::<NONCE>());
        buffer
    }

    /// Seals what was put behind the head of `buffer` and appends the tag.
    pub(crate) fn finish(
        &self,
        bound_to: [&[u8]; 2],
        buffer: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        let (head, plain) = buffer
            .split_first_chunk_mut::<HEAD>()
            .ok_or(OpenError::Length)?;
        let nonce = nonce_of(head);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, self.bound(bound_to), plain)
            .map_err(|_| OpenError::Cipher)?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    pub(crate) fn open_in_place<'a>(
        &self,
        bound_to: [&[u8]; 2],
        sealed: &'a mut [u8],
    ) -> Result<&'a [u8], OpenError> {
        let (head, rest) = sealed
            .split_first_chunk_mut::<HEAD>()
            .ok_or(OpenError::Length)?;
        let id = Self::id_of(head).ok_or(OpenError::Length)?;
        if id != self.id {
            return Err(OpenError::OtherKey(id));
        }
        let (cipher, tag) = rest
            .split_last_chunk_mut::<TAG>()
            .ok_or(OpenError::Length)?;
        let plain = self
            .key
            .open_in_place_separate_tag(nonce_of(head), self.bound(bound_to), tag, cipher)
            .map_err(|_| OpenError::Forged)?;
        Ok(plain)
    }

    fn bound(&self, bound_to: [&[u8]; 2]) -> Aad<Vec<u8>> {
        let [label, purpose] = bound_to;
        Aad::from([&self.id.to_be_bytes(), label, purpose].concat())
    }
}

fn nonce_of(head: &[u8; HEAD]) -> Nonce {
    let [_, _, nonce @ ..] = *head;
    Nonce::assume_unique_for_key(nonce)
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}
