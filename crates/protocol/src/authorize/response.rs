//! The authorization response and how it travels (RFC 6749 §4.1.2, RFC 9207, OAuth 2.0 Multiple Response Type Encoding
//! Practices §2.1, OAuth 2.0 Form Post Response Mode, JARM).

use crate::client::{Client, ClientId};
use crate::issue::{KeyRing, MintError};
use crate::refusal::Refusal;
use crate::tenant::Issuer;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jwt;
use jeton_token::signing_key::JwtType;
use jeton_token::timestamp::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// A proven redirection URI, the state to give back, and the way back. Only the request parser makes one, after the proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTarget {
    redirect_uri: String,
    state: Option<String>,
    #[serde(default)]
    mode: ResponseMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signed: Option<Signed>,
}

/// Where the parameters of the response are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    /// Fields of a form that the browser posts.
    FormPost,
}

/// The response is one JWT (JARM §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Signed {
    audience: ClientId,
    algorithm: SignatureAlgorithm,
}

/// The values of `response_mode`.
pub const MODES: [&str; 7] = [
    "query",
    "fragment",
    "form_post",
    "query.jwt",
    "fragment.jwt",
    "form_post.jwt",
    "jwt",
];

/// What the browser is given to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Go there.
    Redirect(String),
    /// Post these fields there.
    Form {
        action: String,
        fields: Vec<(&'static str, String)>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse<'a> {
    Code(&'a str),
    Refused(&'a Refusal),
    /// Could not find out (RFC 6749 §4.1.2.1 `server_error`).
    Failed,
}

/// How long a signed response may be on its way. JARM §2.1 recommends at most ten minutes.
const LIFETIME: Duration = Duration::from_secs(60);

/// Everything but unreserved characters is encoded: the value comes back as it was sent (SEC-117).
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl ResponseMode {
    /// The mode a request asks for, and whether it is to be signed. Without one it follows from the response type
    /// (Multiple Response Types §2.1, JARM §2.3.4).
    pub(super) fn asked(name: Option<&str>, response_type: Option<&str>) -> Option<(Self, bool)> {
        let by_type = Self::by_default(response_type);
        match name {
            None => Some((by_type, false)),
            Some("jwt") => Some((by_type, true)),
            Some("query") => Some((Self::Query, false)),
            Some("fragment") => Some((Self::Fragment, false)),
            Some("form_post") => Some((Self::FormPost, false)),
            Some("query.jwt") => Some((Self::Query, true)),
            Some("fragment.jwt") => Some((Self::Fragment, true)),
            Some("form_post.jwt") => Some((Self::FormPost, true)),
            Some(_) => None,
        }
    }

    /// A type that would put tokens into the response belongs into the fragment, even to be refused there.
    pub(super) fn by_default(response_type: Option<&str>) -> Self {
        let holds_tokens = response_type
            .unwrap_or_default()
            .split(' ')
            .any(|word| matches!(word, "token" | "id_token"));
        if holds_tokens {
            Self::Fragment
        } else {
            Self::Query
        }
    }
}

impl ResponseTarget {
    pub(super) fn proven(redirect_uri: &str, state: Option<String>) -> Self {
        Self {
            redirect_uri: redirect_uri.to_owned(),
            state,
            mode: ResponseMode::Query,
            signed: None,
        }
    }

    pub(super) fn by(self, mode: ResponseMode) -> Self {
        Self { mode, ..self }
    }

    pub(super) fn signed_for(self, client: &Client) -> Self {
        let signed = Signed {
            audience: client.id.clone(),
            algorithm: client.authorization_response_algorithm(),
        };
        Self {
            signed: Some(signed),
            ..self
        }
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    pub fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The response in the mode of the request, errors included: the registered URI byte for byte, and our parameters
    /// (P-66, P-107, P-111, P-113). A signed one has nothing outside its JWT (JARM §2.3).
    pub fn encode(
        &self,
        response: &AuthorizationResponse<'_>,
        issuer: &Issuer,
        (ring, now): (&KeyRing, Timestamp),
    ) -> Result<Carried, MintError> {
        let plain = self.parameters(response, issuer);
        let fields = match &self.signed {
            None => plain,
            Some(signed) => vec![("response", signed.seal(plain, ring, now)?)],
        };
        Ok(match self.mode {
            ResponseMode::Query => Carried::Redirect(self.uri(self.query_sign(), &fields)),
            ResponseMode::Fragment => Carried::Redirect(self.uri("#", &fields)),
            ResponseMode::FormPost => Carried::Form {
                action: self.redirect_uri.clone(),
                fields,
            },
        })
    }

    fn parameters(
        &self,
        response: &AuthorizationResponse<'_>,
        issuer: &Issuer,
    ) -> Vec<(&'static str, String)> {
        let mut fields = Vec::with_capacity(4);
        match response {
            AuthorizationResponse::Code(code) => fields.push(("code", (*code).to_owned())),
            AuthorizationResponse::Refused(refusal) => {
                fields.push(("error", refusal.code().name().to_owned()));
                fields.push(("error_description", refusal.rule.told.to_owned()));
            }
            AuthorizationResponse::Failed => fields.push(("error", "server_error".to_owned())),
        }
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        fields.push(("iss", issuer.as_str().to_owned()));
        fields
    }

    /// What stands between the URI and our first parameter.
    fn query_sign(&self) -> &'static str {
        let uri = &self.redirect_uri;
        match uri.find('?') {
            None => "?",
            Some(at) if at + 1 == uri.len() || uri.ends_with('&') => "",
            Some(_) => "&",
        }
    }

    fn uri(&self, mut separator: &'static str, fields: &[(&'static str, String)]) -> String {
        let mut uri = self.redirect_uri.clone();
        for (name, value) in fields {
            uri.push_str(separator);
            separator = "&";
            uri.push_str(name);
            uri.push('=');
            uri.extend(utf8_percent_encode(value, PARAMETER));
        }
        uri
    }
}

impl Signed {
    fn seal(
        &self,
        parameters: Vec<(&'static str, String)>,
        ring: &KeyRing,
        now: Timestamp,
    ) -> Result<String, MintError> {
        let claims = ResponseClaims {
            aud: self.audience.as_str(),
            exp: now.plus(LIFETIME),
            parameters: parameters
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect(),
        };
        let key = ring.signing_key(self.algorithm)?;
        Ok(key.sign_jwt(JwtType::IdToken, &claims)?)
    }
}

/// JARM §2.1; `iss` is among the parameters.
#[derive(Serialize)]
struct ResponseClaims<'a> {
    aud: &'a str,
    #[serde(serialize_with = "jwt::seconds")]
    exp: Timestamp,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}
