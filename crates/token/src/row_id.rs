//! Names of rows: time-ordered, not secret. Unguessability comes from a MAC around them, never from the id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::entropy::Entropy;
use crate::timestamp::Timestamp;

/// The id of a row: a UUIDv7, which carries the millisecond of its making. (RFC 9562 §5.7)
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId([u8; 16]);

const TEXT_LENGTH: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const HEX: &[u8; 16] = b"0123456789abcdef";
const LATEST: i64 = (1 << 48) - 1;

impl RowId {
    /// Makes a new id. A time outside the 48 bits of a UUIDv7 is moved to the nearest end.
    pub fn new(now: Timestamp, entropy: &mut Entropy) -> Self {
        let millis = now.millis().clamp(0, LATEST).cast_unsigned();
        let luck = u128::from_be_bytes(entropy.bytes());
        let version_and_variant = (0x7_u128 << 76) | (0b10_u128 << 62);
        let free = (luck & !(0xf_u128 << 76) & !(0b11_u128 << 62)) & ((1 << 80) - 1);
        Self(((u128::from(millis) << 80) | version_and_variant | free).to_be_bytes())
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// The millisecond written inside.
    pub fn time(&self) -> Timestamp {
        let millis = u128::from_be_bytes(self.0) >> 80;
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(LATEST))
    }

    fn text(&self) -> [u8; TEXT_LENGTH] {
        let mut text = [b'-'; TEXT_LENGTH];
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let places = text
            .iter_mut()
            .enumerate()
            .filter(|(place, _)| !HYPHENS.contains(place));
        for ((_, to), digit) in places.zip(digits) {
            *to = HEX.get(usize::from(digit)).copied().unwrap_or(b'0');
        }
        text
    }

    fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        let text = self.text();
        read(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowId({self})")
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[error("an id is 36 characters of lower-case hyphenated hexadecimal")]
pub struct RowIdError;

impl FromStr for RowId {
    type Err = RowIdError;

    /// Reads the one spelling that is printed; an id has no second name.
    fn from_str(text: &str) -> Result<Self, RowIdError> {
        if text.len() != TEXT_LENGTH {
            return Err(RowIdError);
        }
        let mut value = 0_u128;
        for (place, byte) in text.bytes().enumerate() {
            let digit = match byte {
                b'-' if HYPHENS.contains(&place) => continue,
                _ if HYPHENS.contains(&place) => return Err(RowIdError),
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(RowIdError),
            };
            value = (value << 4) | u128::from(digit);
        }
        Ok(Self(value.to_be_bytes()))
    }
}

impl Serialize for RowId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for RowId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = RowId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a hyphenated UUID")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<RowId, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
