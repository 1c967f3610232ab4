//! Client authentication: which method a request presents, and whether it proves the client (RFC 6749 §2.3, Core §9).
//!
//! One file a method. `AuthenticatedClient` is made in one place, from a verification whose replay claim was won.

pub mod assertion;
pub mod none;
pub mod secret;

use crate::client::{AuthenticationMethod, Client, ClientId};
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::tenant::Issuer;
use jeton_token::key_set::KeySet;
use jeton_token::secret::Secret;
use jeton_token::timestamp::Timestamp;
use std::borrow::Cow;
use std::sync::Arc;

rules! {
    ONE_METHOD = InvalidRequest, "two_client_authentications", "RFC 6749 §2.3", {
        promise: "The client authenticates by one method only",
        told: "The client must not use more than one authentication method in a request",
        fix: "Send either the Authorization header, or client_secret, or client_assertion; a client_id that agrees may stay"
    };
    CLIENT_NAMED = InvalidClient, "client_not_named", "RFC 6749 §3.2.1", {
        promise: "The request says which client it comes from",
        told: "Client authentication is missing",
        fix: "Authenticate with the registered method; a public client sends client_id"
    };
    CLIENT_EXISTS = InvalidClient, "client_not_found", "RFC 6749 §5.2", {
        promise: "The client is registered and enabled here",
        told: "Client authentication failed",
        fix: "Register the client with this issuer, correct client_id, or enable the client"
    };
    CLIENT_ID_AGREES = InvalidClient, "client_id_differs", "RFC 6749 §5.2, RFC 7521 §4.2", {
        promise: "client_id is the client that authenticates",
        told: "client_id is not the client that authenticates",
        fix: "Leave client_id out, or send the one that the credentials belong to"
    };
    METHOD_REGISTERED = InvalidClient, "client_authentication_method", "OpenID Connect Registration §2, RFC 9700 §2.5", {
        promise: "The method is the one the client is registered for",
        told: "Client authentication failed",
        fix: "Use the registered token_endpoint_auth_method, or change the registration"
    };
    BASIC_WELL_FORMED = InvalidClient, "basic_malformed", "RFC 6749 §2.3.1, RFC 7617 §2", {
        promise: "The Authorization header is Basic with base64 of a form-encoded id, a colon and a form-encoded secret",
        told: "The Authorization header is not well-formed Basic authentication",
        fix: "Send Authorization: Basic BASE64(form-encoded client_id ':' form-encoded client_secret)"
    };
    SCHEME_BASIC = InvalidClient, "authorization_scheme", "RFC 6749 §2.3.1", {
        promise: "Client authentication by header uses the Basic scheme",
        told: "This authorization scheme does not authenticate a client",
        fix: "Use Authorization: Basic, or another registered method; a bearer token does not authenticate a client here"
    };
}

/// What a request presents, before anybody knows whether it is true.
#[derive(Debug)]
pub enum Presented<'a> {
    Basic {
        id: String,
        secret: Secret,
        raw: (String, Secret),
    },
    Post {
        id: &'a str,
        secret: &'a str,
    },
    Assertion {
        id: String,
        jwt: &'a str,
    },
    Public {
        id: &'a str,
    },
}

impl<'a> Presented<'a> {
    /// Reads the one method a request uses. `authorization` is the header's value.
    pub fn read(
        authorization: Option<&str>,
        params: &'a Params<'_>,
        trail: &mut Trail,
    ) -> Result<Self, Refusal> {
        let id = params.one("client_id");
        let secret = params.one("client_secret");
        let assertion = params.one("client_assertion");
        let typed = params.one("client_assertion_type").is_some();
        let used = usize::from(authorization.is_some())
            + usize::from(secret.is_some())
            + usize::from(assertion.is_some() || typed);
        trail.require(&ONE_METHOD, used <= 1, || {
            Noted::new("one method", format!("{used} methods"))
        })?;
        let presented = match (authorization, secret, assertion.is_some() || typed) {
            (Some(header), _, _) => secret::read_basic(header)?,
            (None, Some(secret), _) => Self::Post {
                id: named(id, trail)?,
                secret,
            },
            (None, None, true) => assertion::read(params, trail)?,
            (None, None, false) => Self::Public {
                id: named(id, trail)?,
            },
        };
        let agrees = id.is_none_or(|id| id == presented.client_id());
        trail.require(&CLIENT_ID_AGREES, agrees, || {
            Noted::new("the authenticating client", "another client_id")
        })?;
        Ok(presented)
    }

    pub fn client_id(&self) -> &str {
        match self {
            Self::Basic { id, .. } | Self::Assertion { id, .. } => id,
            Self::Post { id, .. } | Self::Public { id } => id,
        }
    }

    /// The client to load; an id with illegal characters belongs to nobody.
    pub fn parsed_client_id(&self) -> Result<ClientId, Refusal> {
        ClientId::parse(self.client_id())
            .ok_or_else(|| unknown_client("an id with illegal characters"))
    }

    /// The secret as sent, for the shell to hash where that takes time.
    pub fn secret(&self) -> Option<&[u8]> {
        match self {
            Self::Basic { secret, .. } => Some(secret.expose()),
            Self::Post { secret, .. } => Some(secret.as_bytes()),
            Self::Assertion { .. } | Self::Public { .. } => None,
        }
    }

    /// Whether the request tried the Authorization header, so that a 401 carries `WWW-Authenticate` (RFC 6749 §5.2).
    pub fn used_header(&self) -> bool {
        matches!(self, Self::Basic { .. })
    }

    fn method(&self, client: &Client) -> AuthenticationMethod {
        match self {
            Self::Basic { .. } => AuthenticationMethod::ClientSecretBasic,
            Self::Post { .. } => AuthenticationMethod::ClientSecretPost,
            Self::Public { .. } => AuthenticationMethod::None,
            Self::Assertion { .. }
                if client.authentication == AuthenticationMethod::ClientSecretJwt =>
            {
                AuthenticationMethod::ClientSecretJwt
            }
            Self::Assertion { .. } => AuthenticationMethod::PrivateKeyJwt,
        }
    }
}

/// What the shell could find out about the client's kept secret, or about keys that are kept elsewhere.
#[derive(Debug)]
pub enum OpenedSecret<'a> {
    /// The client has none, or it is not needed for what was presented.
    None,
    Digest(&'a [u8; 32]),
    /// A slow hash was compared by the shell.
    Compared(bool),
    /// Unsealed, for HMAC.
    Plain(Secret),
    /// Fetched from the client's `jwks_uri`.
    Keys(Arc<KeySet>),
    /// There are none to be had from there, and why.
    NoKeys(String),
}

/// A `jti` to spend before the client counts as authenticated (SEC-120).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    pub jti: String,
    pub until: Timestamp,
}

/// A proven client whose assertion, if it used one, is not spent yet.
#[derive(Debug)]
pub struct Verified {
    client: Arc<Client>,
    method: AuthenticationMethod,
    pub replay: Option<Replay>,
}

/// A client that has proven itself. Made by [`Verified::spent`] only.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    method: AuthenticationMethod,
}

impl AuthenticatedClient {
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn method(&self) -> AuthenticationMethod {
        self.method
    }

    pub fn is_public(&self) -> bool {
        self.method == AuthenticationMethod::None
    }
}

impl Verified {
    /// Turns the verification into an authentication; `claimed` says whether the `jti` was won, where there is one.
    pub fn spent(self, claimed: bool, trail: &mut Trail) -> Result<AuthenticatedClient, Refusal> {
        if let Some(replay) = &self.replay {
            trail.require(&assertion::ASSERTION_FRESH, claimed, || {
                Noted::new(
                    "a jti not seen before",
                    format!("jti of {} characters, seen before", replay.jti.len()),
                )
            })?;
        }
        Ok(AuthenticatedClient {
            client: self.client,
            method: self.method,
        })
    }
}

/// Proves that what was presented is the client, by the client's registered method.
pub fn verify(
    presented: &Presented<'_>,
    client: Arc<Client>,
    opened: &OpenedSecret<'_>,
    (issuer, now): (&Issuer, Timestamp),
    trail: &mut Trail,
) -> Result<Verified, Refusal> {
    trail.pass(&CLIENT_EXISTS);
    let method = presented.method(&client);
    trail.require(&METHOD_REGISTERED, method == client.authentication, || {
        Noted::new(client.authentication.name(), method.name())
    })?;
    let replay = match presented {
        Presented::Basic { secret, raw, .. } => {
            secret::verify_basic(secret, raw, opened, trail)?;
            None
        }
        Presented::Post { secret, .. } => {
            secret::verify(secret.as_bytes(), opened, trail)?;
            None
        }
        Presented::Assertion { jwt, .. } => Some(assertion::verify(
            jwt,
            &client,
            opened,
            (issuer, now),
            trail,
        )?),
        Presented::Public { .. } => {
            none::verify(&client, trail)?;
            None
        }
    };
    Ok(Verified {
        client,
        method,
        replay,
    })
}

/// The refusal for a client that is not there, or disabled: the same to the caller as a wrong secret.
pub fn unknown_client(found: &'static str) -> Refusal {
    Refusal {
        rule: &CLIENT_EXISTS,
        noted: Box::new(Noted {
            expected: Cow::Borrowed("a registered, enabled client"),
            found: Cow::Borrowed(found),
        }),
    }
}

fn named<'a>(id: Option<&'a str>, trail: &mut Trail) -> Result<&'a str, Refusal> {
    trail.demand(&CLIENT_NAMED, id, || {
        Noted::new("client_id or another proof of the client", "nothing")
    })
}
