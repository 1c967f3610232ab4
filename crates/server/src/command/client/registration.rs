//! What a client shall be, as options of the command line: the members of RFC 7591 under shorter names.

use std::path::PathBuf;

use jeton_token::key_set::KeySet;
use serde_json::{Map, Value as Json, json};

use crate::command::Failure;

/// A registration request (RFC 7591 §2) with the members only an operator may set beside it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Registration {
    /// What users are shown
    #[arg(long = "name", value_name = "NAME")]
    client_name: Option<String>,
    /// Where users are sent back to, exactly; may be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Where users are sent after logging out; may be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Vec<String>,
    /// authorization_code, refresh_token, client_credentials or device_code; may be repeated. Not given for a new client:
    /// the first two with a redirect URI, else client_credentials
    #[arg(long = "grant-type", value_name = "TYPE")]
    grant_types: Vec<String>,
    /// client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt or none
    #[arg(long = "auth", value_name = "METHOD")]
    token_endpoint_auth_method: Option<String>,
    /// The algorithm its assertions are signed with, such as RS256, which is not taken unless it is named here
    #[arg(long = "auth-algorithm", value_name = "ALGORITHM")]
    token_endpoint_auth_signing_alg: Option<String>,
    /// A file with the client's public keys (a JWK Set), for private_key_jwt
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// web, or native for apps on a device (any loopback port, private schemes)
    #[arg(long, value_name = "TYPE")]
    application_type: Option<String>,
    /// The scope values it may ask for, separated by spaces. Not given for a new client: openid profile email if it
    /// signs users in, else none
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The audience of its access tokens; may be repeated. Not given: the tenant's
    #[arg(long = "audience", value_name = "URI")]
    audience: Vec<String>,
    /// An audience it is the resource server of and may introspect tokens for; may be repeated
    #[arg(long = "introspects", value_name = "URI")]
    introspects: Vec<String>,
    /// An origin whose scripts may call the token endpoint (CORS); may be repeated
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,
    /// opaque or jwt. Not given: tokens.format
    #[arg(long = "token-format", value_name = "FORMAT")]
    access_token_format: Option<String>,
    /// The signature of its JWT access tokens, such as ES256. Not given: tokens.signing_algorithm
    #[arg(long = "token-alg", value_name = "ALGORITHM")]
    access_token_signed_response_alg: Option<String>,
    /// How long its access tokens live, 10s to 24h, such as 15m. Not given: lifetimes.access_token
    #[arg(long = "token-lifetime", value_name = "DURATION")]
    access_token_lifetime: Option<String>,
    /// each or never: whether a refresh replaces the refresh token. Not given: each for public clients
    #[arg(long = "rotation", value_name = "WHEN")]
    refresh_token_rotation: Option<String>,
    /// The signature of its ID tokens, such as ES256. Not given: RS256, as clients expect
    #[arg(long = "id-token-alg", value_name = "ALGORITHM")]
    id_token_signed_response_alg: Option<String>,
    /// How many seconds a sign-in is good for, unless the client says otherwise
    #[arg(long, value_name = "SECONDS")]
    default_max_age: Option<u64>,
    /// The operator's own application: users are not asked to consent
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    first_party: Option<bool>,
    /// Its home page, https
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// Its picture, https
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// Its privacy policy, https
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// Its terms of service, https
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
    /// Whom to write to about it; may be repeated
    #[arg(long = "contact", value_name = "ADDRESS")]
    contacts: Vec<String>,
}

impl Registration {
    /// The members that were given, under the names of RFC 7591.
    pub fn members(self) -> Result<Map<String, Json>, Failure> {
        let jwks = self.jwks_file.as_ref().map(keys).transpose()?;
        let texts = [
            ("client_name", self.client_name),
            (
                "token_endpoint_auth_method",
                self.token_endpoint_auth_method,
            ),
            (
                "token_endpoint_auth_signing_alg",
                self.token_endpoint_auth_signing_alg,
            ),
            ("application_type", self.application_type),
            ("scope", self.scope),
            ("access_token_format", self.access_token_format),
            (
                "access_token_signed_response_alg",
                self.access_token_signed_response_alg,
            ),
            ("access_token_lifetime", self.access_token_lifetime),
            ("refresh_token_rotation", self.refresh_token_rotation),
            (
                "id_token_signed_response_alg",
                self.id_token_signed_response_alg,
            ),
            ("client_uri", self.client_uri),
            ("logo_uri", self.logo_uri),
            ("policy_uri", self.policy_uri),
            ("tos_uri", self.tos_uri),
        ];
        let lists = [
            ("redirect_uris", self.redirect_uris),
            ("post_logout_redirect_uris", self.post_logout_redirect_uris),
            ("grant_types", self.grant_types),
            ("audience", self.audience),
            ("introspects", self.introspects),
            ("allowed_origins", self.allowed_origins),
            ("contacts", self.contacts),
        ];
        let others = [
            ("jwks", jwks),
            ("default_max_age", self.default_max_age.map(Json::from)),
            ("first_party", self.first_party.map(Json::from)),
        ];
        let texts = texts
            .into_iter()
            .map(|(name, text)| (name, text.map(Json::from)));
        let lists = lists
            .into_iter()
            .map(|(name, list)| (name, (!list.is_empty()).then(|| json!(list))));
        let given = texts.chain(lists).chain(others);
        Ok(given
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect())
    }
}

fn keys(path: &PathBuf) -> Result<Json, Failure> {
    let told = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("--jwks-file {}: {error}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| told(&error))?;
    let set = KeySet::parse(&bytes).map_err(|error| told(&error))?;
    serde_json::to_value(set).map_err(|error| told(&error))
}
