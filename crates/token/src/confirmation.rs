//! The `cnf` claim: which key the bearer of a token must prove. Checking the proof does not belong here.

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base64url;

/// The key a token is bound to, by its SHA-256 thumbprint.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// `jkt`: the key of a DPoP proof. (RFC 9449 §6.1)
    DpopKey([u8; 32]),
    /// `x5t#S256`: the certificate of a mutual TLS client. (RFC 8705 §3.1)
    Certificate([u8; 32]),
}

const DPOP_KEY: &str = "jkt";
const CERTIFICATE: &str = "x5t#S256";

impl Serialize for Confirmation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (member, thumbprint) = match self {
            Self::DpopKey(thumbprint) => (DPOP_KEY, thumbprint),
            Self::Certificate(thumbprint) => (CERTIFICATE, thumbprint),
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(member, &base64url::encode(thumbprint))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Confirmation {
    /// Refuses more or other members than one thumbprint: a binding that is not understood must not vanish.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Members {
            jkt: Option<String>,
            #[serde(rename = "x5t#S256")]
            certificate: Option<String>,
        }
        let members = Members::deserialize(deserializer)?;
        let read = |text: String| base64url::decode_array(&text).map_err(de::Error::custom);
        match (members.jkt, members.certificate) {
            (Some(text), None) => read(text).map(Self::DpopKey),
            (None, Some(text)) => read(text).map(Self::Certificate),
            (None, None) | (Some(_), Some(_)) => {
                Err(de::Error::custom("cnf must name exactly one key"))
            }
        }
    }
}

impl<C> minicbor::Encode<C> for Confirmation {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let (tag, thumbprint) = match self {
            Self::DpopKey(thumbprint) => (0, thumbprint),
            Self::Certificate(thumbprint) => (1, thumbprint),
        };
        e.map(1)?.u8(tag)?.bytes(thumbprint)?.ok()
    }
}

impl<C> minicbor::Decode<'_, C> for Confirmation {
    fn decode(d: &mut Decoder<'_>, _: &mut C) -> Result<Self, decode::Error> {
        if d.map()? != Some(1) {
            return Err(decode::Error::message("cnf must name exactly one key"));
        }
        let tag = d.u8()?;
        let thumbprint: [u8; 32] = d
            .bytes()?
            .try_into()
            .map_err(|_| decode::Error::message("cnf must be 32 bytes"))?;
        match tag {
            0 => Ok(Self::DpopKey(thumbprint)),
            1 => Ok(Self::Certificate(thumbprint)),
            _ => Err(decode::Error::message("cnf of an unknown kind")),
        }
    }
}
