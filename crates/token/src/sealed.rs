//! Opaque access tokens: sealed facts that only this server opens. Whether they still hold is not decided here.

use minicbor::decode::Decoder;
use minicbor::encode::{Encoder, Write};
use minicbor::{Decode, Encode};
use serde_json::Value;
use thiserror::Error;

use crate::base64url;
use crate::confirmation::Confirmation;
use crate::entropy::Entropy;
use crate::handle::KeyError;
use crate::row_id::RowId;
use crate::seal_key::{OpenError, SealKey};
use crate::timestamp::Timestamp;

/// What every opaque access token begins with.
pub const PREFIX: &str = "jta_";
/// The longest text that is looked at.
pub const MAX_LENGTH: usize = 16 * 1024;
const LABEL: &[u8] = b"jeton access token 1";
const TYPICAL: usize = 384;

/// What an access token says, as it is put in. Members are numbered: new ones take new numbers, old ones keep theirs.
#[derive(Copy, Clone, Debug, Encode)]
#[cbor(map)]
pub struct FactsToSeal<'a> {
    #[n(0)]
    pub token: RowId,
    #[n(1)]
    pub grant: Option<RowId>,
    #[n(2)]
    pub session: Option<RowId>,
    #[n(3)]
    pub client: &'a str,
    #[n(4)]
    pub subject: &'a str,
    #[n(5)]
    pub user: Option<RowId>,
    #[n(6)]
    pub scope: &'a str,
    #[n(7)]
    pub audience: &'a [String],
    #[n(8)]
    pub issued_at: Timestamp,
    #[n(9)]
    pub expires_at: Timestamp,
    #[n(10)]
    pub auth_time: Option<Timestamp>,
    #[n(11)]
    pub acr: Option<&'a str>,
    #[n(12)]
    pub cnf: Option<Confirmation>,
    #[cbor(n(13), encode_with = "encode_json", skip_if = "Option::is_none")]
    pub act: Option<&'a Value>,
    #[cbor(n(14), encode_with = "encode_json", skip_if = "Option::is_none")]
    pub details: Option<&'a Value>,
    /// Set when claims were asked for at userinfo by name, so that only then the grant has to be read there.
    #[n(15)]
    pub asks_userinfo: Option<bool>,
}

/// What an access token says, as it comes out: the members of [`FactsToSeal`] under the same numbers.
#[derive(Clone, Debug, PartialEq, Decode)]
#[cbor(map)]
pub struct SealedFacts {
    /// The token itself; carries the millisecond of its issue.
    #[n(0)]
    pub token: RowId,
    #[n(1)]
    pub grant: Option<RowId>,
    #[n(2)]
    pub session: Option<RowId>,
    #[n(3)]
    pub client: String,
    #[n(4)]
    pub subject: String,
    #[n(5)]
    pub user: Option<RowId>,
    #[n(6)]
    pub scope: String,
    #[n(7)]
    pub audience: Vec<String>,
    #[n(8)]
    pub issued_at: Timestamp,
    #[n(9)]
    pub expires_at: Timestamp,
    #[n(10)]
    pub auth_time: Option<Timestamp>,
    #[n(11)]
    pub acr: Option<String>,
    #[n(12)]
    pub cnf: Option<Confirmation>,
    /// Who acts for the subject. (RFC 8693 §4.1)
    #[cbor(n(13), decode_with = "decode_json", default)]
    pub act: Option<Value>,
    /// `authorization_details`. (RFC 9396 §9.1)
    #[cbor(n(14), decode_with = "decode_json", default)]
    pub details: Option<Value>,
    /// Claims were asked for at userinfo by name. (OpenID Connect Core §5.5)
    #[n(15)]
    pub asks_userinfo: Option<bool>,
}

impl SealedFacts {
    /// The same facts, ready to be sealed again.
    pub fn borrowed(&self) -> FactsToSeal<'_> {
        FactsToSeal {
            token: self.token,
            grant: self.grant,
            session: self.session,
            client: &self.client,
            subject: &self.subject,
            user: self.user,
            scope: &self.scope,
            audience: &self.audience,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            auth_time: self.auth_time,
            acr: self.acr.as_deref(),
            cnf: self.cnf,
            act: self.act.as_ref(),
            details: self.details.as_ref(),
            asks_userinfo: self.asks_userinfo,
        }
    }
}

/// Why a text is not an opaque access token of this tenant. For the log: callers answer all of them alike.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    #[error("does not begin with {PREFIX}")]
    Kind,
    #[error("longer than any token of ours")]
    TooLong,
    #[error("not base64url")]
    Encoding,
    #[error("sealed with key {0}, which is not known")]
    UnknownKey(u16),
    #[error(transparent)]
    Seal(#[from] OpenError),
    #[error("the facts cannot be written or read: {0}")]
    Facts(String),
}

/// The key that seals new tokens and the older ones that still open theirs.
#[derive(Debug)]
pub struct SealKeys {
    current: SealKey,
    older: Vec<SealKey>,
}

impl SealKeys {
    pub fn new(current: SealKey, older: Vec<SealKey>) -> Result<Self, KeyError> {
        let mut seen = vec![current.id()];
        for key in &older {
            if seen.contains(&key.id()) {
                return Err(KeyError::DuplicateId(key.id()));
            }
            seen.push(key.id());
        }
        Ok(Self { current, older })
    }

    pub fn seal(
        &self,
        tenant: &str,
        facts: &FactsToSeal<'_>,
        entropy: &mut Entropy,
    ) -> Result<String, SealError> {
        let mut buffer = self.current.begin(TYPICAL, entropy);
        minicbor::encode(facts, &mut buffer)
            .map_err(|problem| SealError::Facts(problem.to_string()))?;
        self.current
            .finish([LABEL, tenant.as_bytes()], &mut buffer)?;
        let length = PREFIX.len() + base64url::encoded_len(buffer.len());
        if length > MAX_LENGTH {
            return Err(SealError::TooLong);
        }
        let mut text = String::with_capacity(length);
        text.push_str(PREFIX);
        base64url::encode_onto(&buffer, &mut text);
        Ok(text)
    }

    /// Opens a token of this tenant. The whole text counts. (SEC-036)
    pub fn open(&self, tenant: &str, text: &str) -> Result<SealedFacts, SealError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SealError::Kind)?;
        if text.len() > MAX_LENGTH {
            return Err(SealError::TooLong);
        }
        let mut buffer = base64url::decode(encoded).map_err(|_| SealError::Encoding)?;
        let id = SealKey::id_of(&buffer).ok_or(OpenError::Length)?;
        let key = self.key(id).ok_or(SealError::UnknownKey(id))?;
        let plain = key.open_in_place([LABEL, tenant.as_bytes()], &mut buffer)?;
        minicbor::decode(plain).map_err(|problem| SealError::Facts(problem.to_string()))
    }

    fn key(&self, id: u16) -> Option<&SealKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id() == id)
    }
}

fn encode_json<C, W: Write>(
    value: &Option<&Value>,
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    match value {
        Some(value) => e.str(&value.to_string())?.ok(),
        None => e.null()?.ok(),
    }
}

fn decode_json<C>(
    d: &mut Decoder<'_>,
    _: &mut C,
) -> Result<Option<Value>, minicbor::decode::Error> {
    let text = d.str()?;
    serde_json::from_str(text)
        .map(Some)
        .map_err(|_| minicbor::decode::Error::message("not JSON"))
}

impl<C> Encode<C> for RowId {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.bytes())?.ok()
    }
}

impl<C> Decode<'_, C> for RowId {
    fn decode(d: &mut Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?.try_into();
        bytes
            .map(Self::from_bytes)
            .map_err(|_| minicbor::decode::Error::message("an id has 16 bytes"))
    }
}

impl<C> Encode<C> for Timestamp {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.i64(self.millis())?.ok()
    }
}

impl<C> Decode<'_, C> for Timestamp {
    fn decode(d: &mut Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.i64().map(Self::from_millis)
    }
}
