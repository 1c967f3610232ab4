//! Handles: names of rows that nobody else can make. What the row then says is not decided here.

use aws_lc_rs::hmac;
use thiserror::Error;

use crate::base64url;
use crate::row_id::RowId;
use crate::secret::{Secret, constant_time_eq};

/// What a handle names. The kind is inside the MAC, so no handle passes for one of another kind.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum HandleKind {
    Code,
    RefreshToken,
    Session,
    Interaction,
    Browser,
    AdminLink,
    /// A browser that a user has signed in with before.
    KnownBrowser,
    /// What a device polls with (RFC 8628 §3.2).
    DeviceCode,
    /// The end of a `request_uri` (RFC 9126 §2.2).
    PushedRequest,
}

impl HandleKind {
    pub const ALL: [Self; 9] = [
        Self::Code,
        Self::RefreshToken,
        Self::Session,
        Self::Interaction,
        Self::Browser,
        Self::AdminLink,
        Self::KnownBrowser,
        Self::DeviceCode,
        Self::PushedRequest,
    ];

    /// What the text begins with, so that scanners find a leaked one. (SEC-414)
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Code => "jtc_",
            Self::RefreshToken => "jtr_",
            Self::Session => "jts_",
            Self::Interaction => "jti_",
            Self::Browser => "jtb_",
            Self::AdminLink => "jtl_",
            Self::KnownBrowser => "jtk_",
            Self::DeviceCode => "jtd_",
            Self::PushedRequest => "jtp_",
        }
    }

    /// The kind a text claims to be.
    pub fn claimed_by(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }
}

/// The row a handle names and the generation it was made for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Handle {
    pub row: RowId,
    pub generation: u32,
}

/// Why a text is not a handle. For the log: callers answer all of them alike.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum HandleError {
    #[error("a handle of this kind has {} characters", TEXT_LENGTH)]
    Length,
    #[error("a handle of another kind, or none")]
    Kind,
    #[error("not base64url")]
    Encoding,
    #[error("made with key {0}, which is not known")]
    UnknownKey(u16),
    #[error("altered, forged, or of another tenant")]
    Forged,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("a key must have at least 256 bits")]
    TooShort,
    #[error("a key of this kind must have exactly 256 bits")]
    Length,
    #[error("two keys have the id {0}")]
    DuplicateId(u16),
}

const BODY: usize = 2 + 16 + 4 + 32;
/// The length of every handle.
pub const TEXT_LENGTH: usize = 4 + base64url::encoded_len(BODY);
const HANDLE_LABEL: &[u8] = b"jeton handle 1";
const MAC_LABEL: &[u8] = b"jeton mac 1";

/// One secret that handles are made with.
#[derive(Clone, Debug)]
pub struct HandleKey {
    id: u16,
    key: hmac::Key,
}

impl HandleKey {
    pub fn new(id: u16, secret: &Secret) -> Result<Self, KeyError> {
        if secret.len() < 32 {
            return Err(KeyError::TooShort);
        }
        Ok(Self {
            id,
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose()),
        })
    }

    fn mac<'a>(&self, parts: impl Iterator<Item = &'a [u8]>) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.key);
        for part in parts {
            mac.update(part);
        }
        mac.sign()
    }
}

/// The key that makes new handles and the older ones that still open theirs.
#[derive(Clone, Debug)]
pub struct HandleKeys {
    current: HandleKey,
    older: Vec<HandleKey>,
}

impl HandleKeys {
    pub fn new(current: HandleKey, older: Vec<HandleKey>) -> Result<Self, KeyError> {
        let mut seen = vec![current.id];
        for key in &older {
            if seen.contains(&key.id) {
                return Err(KeyError::DuplicateId(key.id));
            }
            seen.push(key.id);
        }
        Ok(Self { current, older })
    }

    /// Makes the text of a handle. Equal arguments give equal text, which is how a lost answer can be repeated.
    pub fn seal(&self, tenant: &str, kind: HandleKind, row: RowId, generation: u32) -> String {
        let handle = Handle { row, generation };
        let mut body = [0; BODY];
        let head = head(self.current.id, handle);
        let tag = self.current.handle_mac(tenant, kind, &head);
        for (to, from) in body.iter_mut().zip(head.iter().chain(tag.as_ref())) {
            *to = *from;
        }
        let mut text = String::with_capacity(TEXT_LENGTH);
        text.push_str(kind.prefix());
        base64url::encode_onto(&body, &mut text);
        text
    }

    /// Reads a handle of this tenant and kind. The whole text counts. (SEC-036)
    pub fn open(&self, tenant: &str, kind: HandleKind, text: &str) -> Result<Handle, HandleError> {
        let encoded = text.strip_prefix(kind.prefix()).ok_or(HandleError::Kind)?;
        if text.len() != TEXT_LENGTH {
            return Err(HandleError::Length);
        }
        let body: [u8; BODY] =
            base64url::decode_array(encoded).map_err(|_| HandleError::Encoding)?;
        let (head, tag) = body
            .split_first_chunk::<HEAD>()
            .ok_or(HandleError::Length)?;
        let (id, handle) = read_head(head);
        let key = self
            .all()
            .find(|key| key.id == id)
            .ok_or(HandleError::UnknownKey(id))?;
        if constant_time_eq(key.handle_mac(tenant, kind, head).as_ref(), tag) {
            Ok(handle)
        } else {
            Err(HandleError::Forged)
        }
    }

    /// A MAC for other uses, made with the current key. Different labels never give the same value.
    pub fn mac(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        digest_of(&self.current.labelled_mac(label, parts))
    }

    /// The MACs of these parts under every key, the current one first: what a value that is looked up by its MAC may be kept
    /// under.
    pub fn macs(&self, label: &str, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        self.all()
            .map(|key| digest_of(&key.labelled_mac(label, parts)))
            .collect()
    }

    /// Whether `presented` is the MAC of these parts under the current or an older key.
    pub fn mac_matches(&self, label: &str, parts: &[&[u8]], presented: &[u8]) -> bool {
        self.all()
            .any(|key| constant_time_eq(key.labelled_mac(label, parts).as_ref(), presented))
    }

    fn all(&self) -> impl Iterator<Item = &HandleKey> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl HandleKey {
    fn handle_mac(&self, tenant: &str, kind: HandleKind, head: &[u8; HEAD]) -> hmac::Tag {
        let length = length_of(tenant.as_bytes());
        let parts = [
            HANDLE_LABEL,
            &length,
            tenant.as_bytes(),
            kind.prefix().as_bytes(),
            head,
        ];
        self.mac(parts.into_iter())
    }

    fn labelled_mac(&self, label: &str, parts: &[&[u8]]) -> hmac::Tag {
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| length_of(part)).collect();
        let label_length = length_of(label.as_bytes());
        let start = [MAC_LABEL, &label_length, label.as_bytes()];
        let rest = lengths
            .iter()
            .zip(parts)
            .flat_map(|(length, part)| [length.as_slice(), part]);
        self.mac(start.into_iter().chain(rest))
    }
}

fn digest_of(tag: &hmac::Tag) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    out
}

fn length_of(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

const HEAD: usize = 2 + 16 + 4;

fn head(key: u16, handle: Handle) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let (key, row, generation) = (
        key.to_be_bytes(),
        handle.row.bytes(),
        handle.generation.to_be_bytes(),
    );
    for (to, from) in head
        .iter_mut()
        .zip(key.iter().chain(&row).chain(&generation))
    {
        *to = *from;
    }
    head
}

fn read_head(head: &[u8; HEAD]) -> (u16, Handle) {
    let [k0, k1, row @ .., g0, g1, g2, g3] = *head;
    let handle = Handle {
        row: RowId::from_bytes(row),
        generation: u32::from_be_bytes([g0, g1, g2, g3]),
    };
    (u16::from_be_bytes([k0, k1]), handle)
}
