//! Why a request is turned away, and the code of it. How that is written into an answer is for `challenge`.

use http::StatusCode;
use jeton_token::dpop::DpopError;
use jeton_token::jws::JwsError;
use jeton_token::jwt::ClaimError;
use thiserror::Error;

use crate::fetch::Unavailable;
use crate::presented::Scheme;

/// A request that was turned away, with the scheme it tried. Good for a log: nothing of the token is in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct Refused {
    pub why: Rejected,
    /// `None` when there was no token.
    pub scheme: Option<Scheme>,
}

/// Why. The caller is told less: see [`Rejected::code`] and [`Rejected::told`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    #[error("no access token")]
    NoToken,
    #[error("more than one Authorization header, or one that holds no token")]
    Request,
    #[error("not a well-formed signed JWT: {0}")]
    Malformed(JwsError),
    #[error("claims of the token: {0}")]
    Claims(ClaimError),
    #[error("typ is not at+jwt")]
    Typ,
    #[error("no key of the issuer verifies the signature")]
    Signature,
    #[error("issued by another issuer")]
    Issuer,
    #[error("meant for another audience")]
    Audience,
    #[error("expired")]
    Expired,
    #[error("issued in the future, or not to be used yet")]
    TooEarly,
    #[error("the issuer says that the token is not active")]
    Inactive,
    #[error("the token is bound to a key, and came as a bearer token")]
    BoundAsBearer,
    #[error("the token came by the DPoP scheme, and is not bound to a key of that kind")]
    Unbound,
    #[error("the token is bound to another certificate than the one of the connection")]
    Certificate,
    #[error("the token came by the DPoP scheme without a proof")]
    ProofMissing,
    #[error("more than one DPoP header, or one that is no text")]
    ProofRepeated,
    #[error("DPoP proof: {0}")]
    Proof(DpopError),
    #[error("the DPoP proof is too old or from the future")]
    ProofTime,
    #[error("the DPoP proof has no nonce of this resource, or an old one")]
    ProofNonce,
    #[error("the DPoP proof is by another key than the token's")]
    ProofKey,
    #[error("the DPoP proof has been used before")]
    ProofReplayed,
    #[error("the token lacks scope that the request needs")]
    Scope,
    #[error("the user signed in by another way, or too long ago")]
    Authentication,
    #[error("it could not be found out whether the token is good: {0}")]
    Unavailable(#[from] Unavailable),
}

/// The registered error codes of RFC 6750 §3.1, RFC 9449 §12.2 and RFC 9470 §7.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    InvalidDpopProof,
    UseDpopNonce,
    InsufficientUserAuthentication,
}

impl Code {
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
        }
    }
}

impl Rejected {
    /// None for a request without a token (RFC 6750 §3.1), and where nobody's token is at fault.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::NoToken | Self::Unavailable(_) => None,
            Self::Request => Some(Code::InvalidRequest),
            Self::Malformed(_)
            | Self::Claims(_)
            | Self::Typ
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Expired
            | Self::TooEarly
            | Self::Inactive
            | Self::BoundAsBearer
            | Self::Unbound
            | Self::Certificate
            | Self::ProofMissing
            | Self::ProofKey => Some(Code::InvalidToken),
            Self::ProofRepeated | Self::Proof(_) | Self::ProofTime | Self::ProofReplayed => {
                Some(Code::InvalidDpopProof)
            }
            Self::ProofNonce => Some(Code::UseDpopNonce),
            Self::Scope => Some(Code::InsufficientScope),
            Self::Authentication => Some(Code::InsufficientUserAuthentication),
        }
    }

    pub fn status(&self) -> StatusCode {
        match self.code() {
            Some(Code::InvalidRequest) => StatusCode::BAD_REQUEST,
            Some(Code::InsufficientScope) => StatusCode::FORBIDDEN,
            Some(
                Code::InvalidToken
                | Code::InvalidDpopProof
                | Code::UseDpopNonce
                | Code::InsufficientUserAuthentication,
            ) => StatusCode::UNAUTHORIZED,
            None if *self == Self::NoToken => StatusCode::UNAUTHORIZED,
            None => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The fixed text the caller may read: it tells a client's developer what to do, and a thief nothing about the token.
    pub fn told(&self) -> &'static str {
        match self {
            Self::NoToken => "An access token is required",
            Self::Request => "The request must carry one access token in one Authorization header",
            Self::BoundAsBearer => {
                "The access token is bound to a key and must be sent with the DPoP scheme"
            }
            Self::Unbound => "The access token is not bound to a key",
            Self::Certificate => "The access token is bound to another certificate",
            Self::ProofMissing => "The request must carry a DPoP proof",
            Self::ProofKey => "The access token is bound to another key",
            Self::ProofRepeated => "The request must carry one DPoP proof",
            Self::Proof(_) => "The DPoP proof is not one for this request and token",
            Self::ProofTime => "The DPoP proof is too old, or from the future",
            Self::ProofReplayed => "The DPoP proof has been used before",
            Self::ProofNonce => "The DPoP proof must carry the nonce of the DPoP-Nonce header",
            Self::Scope => "The access token lacks scope for this request",
            Self::Authentication => "The user has to sign in again, or in another way",
            Self::Unavailable(_) => "The access token could not be checked",
            Self::Malformed(_)
            | Self::Claims(_)
            | Self::Typ
            | Self::Signature
            | Self::Issuer
            | Self::Audience
            | Self::Expired
            | Self::TooEarly
            | Self::Inactive => "The access token is not valid here, or not any more",
        }
    }
}
