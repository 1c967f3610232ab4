//! What a client shall be, as options of the command line: the members of RFC 7591 under shorter names.

use std::path::PathBuf;

use jeton_protocol::client::GrantType;
use jeton_token::key_set::KeySet;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::command::Failure;

/// A registration request (RFC 7591 §2) with the members only an operator may set beside it.
#[derive(Debug, Clone, Default, clap::Args, Serialize)]
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
    /// authorization_code, refresh_token, client_credentials, device_code, token-exchange or jwt-bearer; may be repeated.
    /// Not given for a new client: the first two with a redirect URI, else client_credentials, and token
    /// exchange with an --exchange-audience
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
    #[serde(skip)]
    jwks_file: Option<PathBuf>,
    /// Where its public keys are, in place of a file; fetched when they are needed
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    jwks_uri: Option<String>,
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
    /// An audience it may exchange tokens for; may be repeated
    #[arg(long = "exchange-audience", value_name = "URI")]
    #[serde(skip)]
    exchange_audiences: Vec<String>,
    /// A trusted issuer, by name, whose JWTs it may exchange; may be repeated
    #[arg(
        long = "exchange-issuer",
        value_name = "NAME",
        requires = "exchange_audiences"
    )]
    #[serde(skip)]
    exchange_issuers: Vec<String>,
    /// It need not be named as the actor in tokens it exchanged
    #[arg(long, requires = "exchange_audiences")]
    #[serde(skip)]
    may_impersonate: bool,
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
    /// Makes its userinfo a JWT with this signature, such as ES256. Not given: JSON
    #[arg(long = "userinfo-alg", value_name = "ALGORITHM")]
    userinfo_signed_response_alg: Option<String>,
    /// The signature of its authorization responses, when it asks for signed ones. Not given: RS256
    #[arg(long = "response-alg", value_name = "ALGORITHM")]
    authorization_signed_response_alg: Option<String>,
    /// The only signature its request objects may have, such as PS256. Not given: any of its keys'
    #[arg(long = "request-object-alg", value_name = "ALGORITHM")]
    request_object_signing_alg: Option<String>,
    /// Its authorization requests must be signed request objects
    #[arg(long = "require-request-object", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_signed_request_object: Option<bool>,
    /// Its authorization requests must be pushed
    #[arg(long = "require-pushed-requests", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_pushed_authorization_requests: Option<bool>,
    /// Gives it no tokens but those bound to a key of its own (DPoP)
    #[arg(long = "dpop-bound", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dpop_bound_access_tokens: Option<bool>,
    /// Whether its DPoP proofs must carry a nonce. Not given: tokens.dpop_nonce
    #[arg(long, value_name = "BOOL")]
    dpop_nonce: Option<bool>,
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
    pub fn members(mut self) -> Result<Map<String, Json>, Failure> {
        self.grant_types = whole(self.grant_types);
        let mut members = match serde_json::to_value(&self) {
            Ok(Json::Object(members)) => members,
            Ok(_) | Err(_) => Map::new(),
        };
        members.retain(|_, value| !value.is_null() && *value != json!([]));
        if let Some(path) = &self.jwks_file {
            members.insert("jwks".to_owned(), keys(path)?);
        }
        if let Some(policy) = self.token_exchange() {
            members.insert("token_exchange".to_owned(), policy);
        }
        Ok(members)
    }

    /// The policy of what it may exchange, if an audience was named.
    fn token_exchange(&self) -> Option<Json> {
        (!self.exchange_audiences.is_empty()).then(|| {
            json!({
                "audiences": self.exchange_audiences,
                "may_impersonate": self.may_impersonate,
                "subject_issuers": self.exchange_issuers,
            })
        })
    }
}

/// The grant types by their whole names: nobody types those that are URNs.
fn whole(names: Vec<String>) -> Vec<String> {
    let whole = |name: String| {
        let mut known = GrantType::ALL.iter().map(|known| known.name());
        let meant = known.find(|known| known.rsplit(':').next() == Some(&name));
        meant.map_or(name, str::to_owned)
    };
    names.into_iter().map(whole).collect()
}

fn keys(path: &PathBuf) -> Result<Json, Failure> {
    let told = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("--jwks-file {}: {error}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| told(&error))?;
    let set = KeySet::parse(&bytes).map_err(|error| told(&error))?;
    serde_json::to_value(set).map_err(|error| told(&error))
}
