//! A client: who may ask for tokens, how it proves itself and what it may have.
//!
//! Member names of the stored record are those of RFC 7591 §2, so that a client file is a registration request.

use crate::redirect_uri::RedirectUri;
use crate::scope::Scope;
use crate::tenant::{Policy, TokenFormat};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(String);

impl ClientId {
    /// 1 to 255 characters of `%x20-7E` (RFC 6749 appendix A.1).
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GrantType {
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    #[serde(rename = "refresh_token")]
    RefreshToken,
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer")]
    JwtBearer,
}

impl GrantType {
    pub const ALL: [Self; 6] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
        Self::JwtBearer,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == text)
    }
}

/// How a client proves itself (`token_endpoint_auth_method`, RFC 7591 §2, Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
}

impl AuthenticationMethod {
    pub const ALL: [Self; 5] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == text)
    }
}

/// What is kept of a client secret (SEC-411, SEC-412).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptSecret {
    /// SHA-256 of a secret Jeton generated with 256 bits.
    Digest(#[serde(with = "hex32")] [u8; 32]),
    /// Argon2id, as a PHC string, of a secret somebody chose.
    Hashed(String),
    /// Sealed under the key-encryption key, because `client_secret_jwt` needs the secret itself. Base64url.
    Sealed(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    #[default]
    Web,
    Native,
}

/// Who may change the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    #[default]
    Operator,
    /// `jeton dev` made it; `serve` refuses it.
    Demo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Each refresh makes a new refresh token and spends the old one.
    Each,
    Never,
}

/// What a client may exchange tokens for (RFC 8693). Without it: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenExchange {
    /// The audiences it may have tokens for.
    pub audiences: Vec<String>,
    /// It need not be named as the actor: its tokens may look like the subject's own.
    #[serde(default)]
    pub may_impersonate: bool,
    /// The trusted issuers, by name, whose JWTs it may present as subject tokens.
    #[serde(default)]
    pub subject_issuers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    #[serde(rename = "client_id")]
    pub id: ClientId,
    #[serde(
        rename = "client_name",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    #[serde(rename = "token_endpoint_auth_method")]
    pub authentication: AuthenticationMethod,
    #[serde(
        rename = "token_endpoint_auth_signing_alg",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub authentication_algorithm: Option<SignatureAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<KeptSecret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<KeySet>,
    /// Where its keys are, when the record does not hold them (Core §10.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    pub grant_types: Vec<GrantType>,
    #[serde(default)]
    pub application_type: ApplicationType,
    /// What it may ask for; also what a request without `scope` gets (S41).
    #[serde(default)]
    pub scope: Scope,
    /// `aud` of its access tokens; the tenant's default when empty.
    #[serde(default)]
    pub audience: Vec<String>,
    /// The audiences this client answers for as a resource server: it may introspect tokens meant for them (RFC 7662 §2.1).
    #[serde(default)]
    pub introspects: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<TokenExchange>,
    /// Origins whose scripts may call the token, userinfo and revocation endpoints (SEC-198).
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<TokenFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_signed_response_alg: Option<SignatureAlgorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<SignatureAlgorithm>,
    /// Makes userinfo a JWT, signed with this algorithm (OpenID Connect Registration §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SignatureAlgorithm>,
    /// What its authorization responses are signed with when it asks for signed ones (JARM §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SignatureAlgorithm>,
    /// The only algorithm its request objects may be signed with (Registration §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<SignatureAlgorithm>,
    /// Whether its requests have to come as signed objects (RFC 9101 §10.5).
    #[serde(default)]
    pub require_signed_request_object: bool,
    /// Whether its requests have to be pushed (RFC 9126 §6).
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_rotation: Option<Rotation>,
    /// It gets no tokens but those bound to a key (RFC 9449 §5.2).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// Whether its proofs must carry a nonce; the tenant's policy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_nonce: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// The operator's own application: nobody is asked to consent to it.
    #[serde(default)]
    pub first_party: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    #[serde(default)]
    pub owner: Owner,
    #[serde(rename = "client_id_issued_at")]
    pub created_at: Timestamp,
    #[serde(skip)]
    pub disabled_at: Option<Timestamp>,
}

impl Client {
    /// A client with the defaults of RFC 7591 §2, which everything else is set on.
    pub fn new(id: ClientId, created_at: Timestamp) -> Self {
        Self {
            id,
            name: None,
            authentication: AuthenticationMethod::ClientSecretBasic,
            authentication_algorithm: None,
            secret: None,
            jwks: None,
            jwks_uri: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: vec![GrantType::AuthorizationCode],
            application_type: ApplicationType::Web,
            scope: Scope::default(),
            audience: Vec::new(),
            introspects: Vec::new(),
            token_exchange: None,
            allowed_origins: Vec::new(),
            access_token_format: None,
            access_token_signed_response_alg: None,
            id_token_signed_response_alg: None,
            userinfo_signed_response_alg: None,
            authorization_signed_response_alg: None,
            request_object_signing_alg: None,
            require_signed_request_object: false,
            require_pushed_authorization_requests: false,
            access_token_lifetime: None,
            refresh_token_rotation: None,
            dpop_bound_access_tokens: false,
            dpop_nonce: None,
            default_max_age: None,
            first_party: false,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            owner: Owner::Operator,
            created_at,
            disabled_at: None,
        }
    }

    pub fn is_public(&self) -> bool {
        self.authentication == AuthenticationMethod::None
    }

    /// What a person calls it.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }

    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    pub fn token_format(&self, policy: &Policy) -> TokenFormat {
        self.access_token_format.unwrap_or(policy.token_format)
    }

    pub fn access_token_algorithm(&self, policy: &Policy) -> SignatureAlgorithm {
        self.access_token_signed_response_alg
            .unwrap_or(policy.signing_algorithm)
    }

    /// RS256 unless registered otherwise (Registration §2, P-171).
    pub fn id_token_algorithm(&self) -> SignatureAlgorithm {
        self.id_token_signed_response_alg
            .unwrap_or(SignatureAlgorithm::Rs256)
    }

    /// RS256 unless registered otherwise (JARM §3).
    pub fn authorization_response_algorithm(&self) -> SignatureAlgorithm {
        self.authorization_signed_response_alg
            .unwrap_or(SignatureAlgorithm::Rs256)
    }

    pub fn access_token_lifetime(&self, policy: &Policy) -> Duration {
        self.access_token_lifetime
            .unwrap_or(policy.lifetimes.access_token)
    }

    /// Refresh tokens of public clients rotate unless they are bound to a key; those of confidential clients do not, unless
    /// registered otherwise (design §1, RFC 9700 §4.14.2).
    pub fn rotation(&self, is_bound: bool) -> Rotation {
        let by_default = if self.is_public() && !is_bound {
            Rotation::Each
        } else {
            Rotation::Never
        };
        self.refresh_token_rotation.unwrap_or(by_default)
    }

    pub fn needs_dpop_nonce(&self, policy: &Policy) -> bool {
        self.dpop_nonce.unwrap_or(policy.dpop_nonce)
    }
}

mod hex32 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().chunks_exact(2);
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(D::Error::custom("a digest has 64 hexadecimal digits"));
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let pair = std::str::from_utf8(pair).map_err(D::Error::custom)?;
            *byte = u8::from_str_radix(pair, 16).map_err(D::Error::custom)?;
        }
        Ok(bytes)
    }
}
