//! Grants at the token endpoint: one file each, one arm each (RFC 6749 §4, §6).

pub mod acting;
pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod refresh_token;
pub mod token_exchange;

use crate::caller::Caller;
use crate::client::GrantType;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;

rules! {
    GRANT_TYPE_SENT = InvalidRequest, "grant_type_missing", "RFC 6749 §4.1.3", {
        promise: "The request names its grant type",
        told: "grant_type is missing",
        fix: "Add grant_type to the form body"
    };
    GRANT_TYPE_KNOWN = UnsupportedGrantType, "grant_type_unsupported", "RFC 6749 §5.2", {
        promise: "The grant type is one this server offers",
        told: "This grant type is not supported",
        fix: "Use a grant type that grant_types_supported in the metadata lists"
    };
    GRANT_TYPE_REGISTERED = UnauthorizedClient, "grant_type_not_allowed", "RFC 6749 §5.2", {
        promise: "The client is registered for the grant type",
        told: "The client is not registered for this grant type",
        fix: "Add the grant type to the client's grant_types"
    };
    SCOPE_PARSES = InvalidScope, "token_scope_malformed", "RFC 6749 §3.3", {
        promise: "scope is a list of well-formed scope values",
        told: "scope is not a list of well-formed scope values",
        fix: "Separate scope values by single spaces; quotation marks and backslashes are not legal"
    };
}

/// An access token request whose client is known and may use the grant.
#[derive(Debug)]
pub enum GrantRequest {
    AuthorizationCode(authorization_code::CodeRequest),
    RefreshToken(refresh_token::RefreshRequest),
    ClientCredentials(client_credentials::ClientCredentialsRequest),
    DeviceCode(device_code::DeviceCodeRequest),
    TokenExchange(token_exchange::ExchangeRequest),
    JwtBearer(jwt_bearer::JwtBearerRequest),
}

impl GrantRequest {
    pub fn parse(params: &Params<'_>, caller: &Caller, trail: &mut Trail) -> Result<Self, Refusal> {
        let sent = trail.demand(&GRANT_TYPE_SENT, params.one("grant_type"), || {
            Noted::new("grant_type", "absent")
        })?;
        let grant_type = trail.demand(&GRANT_TYPE_KNOWN, GrantType::parse(sent), || {
            let known: Vec<_> = GrantType::ALL.iter().map(|known| known.name()).collect();
            Noted::new(known.join(", "), crate::authorize::request::clipped(sent))
        })?;
        trail.require(
            &GRANT_TYPE_REGISTERED,
            caller.client().may_use(grant_type),
            || {
                let registered: Vec<_> = caller
                    .client()
                    .grant_types
                    .iter()
                    .map(|known| known.name())
                    .collect();
                Noted::new(registered.join(", "), grant_type.name())
            },
        )?;
        match grant_type {
            GrantType::AuthorizationCode => {
                authorization_code::CodeRequest::parse(params, trail).map(Self::AuthorizationCode)
            }
            GrantType::RefreshToken => {
                refresh_token::RefreshRequest::parse(params, trail).map(Self::RefreshToken)
            }
            GrantType::ClientCredentials => {
                client_credentials::ClientCredentialsRequest::parse(params, trail)
                    .map(Self::ClientCredentials)
            }
            GrantType::DeviceCode => {
                device_code::DeviceCodeRequest::parse(params, trail).map(Self::DeviceCode)
            }
            GrantType::TokenExchange => {
                token_exchange::ExchangeRequest::parse(params, trail).map(Self::TokenExchange)
            }
            GrantType::JwtBearer if jwt_bearer::is_on_behalf_of(params, trail)? => {
                token_exchange::ExchangeRequest::on_behalf_of(params, trail)
                    .map(Self::TokenExchange)
            }
            GrantType::JwtBearer => {
                jwt_bearer::JwtBearerRequest::parse(params, trail).map(Self::JwtBearer)
            }
        }
    }

    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::TokenExchange(request) => request.grant_type(),
            Self::JwtBearer(_) => GrantType::JwtBearer,
        }
    }
}

fn scope(params: &Params<'_>, trail: &mut Trail) -> Result<Option<Scope>, Refusal> {
    let Some(text) = params.one("scope") else {
        return Ok(None);
    };
    trail
        .demand(
            &SCOPE_PARSES,
            Scope::parse(text).ok().filter(|scope| !scope.is_empty()),
            || Noted::new("well-formed scope values", "something else"),
        )
        .map(Some)
}
