//! What a new client shall be: options of the command line or a file, under RFC 7591's names.

use std::path::PathBuf;

use jeton_protocol::authorize::request_object;
use jeton_protocol::client::{ApplicationType, AuthenticationMethod, Client, ClientId, GrantType};
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::TokenFormat;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use serde::Deserialize;

use crate::command::Failure;

/// A registration request (RFC 7591 §2) with the members only an operator may set beside it.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(default)]
pub struct Registration {
    /// Its id; made up when not given
    #[arg(long = "id", value_name = "ID")]
    pub client_id: Option<String>,
    /// What users are shown
    #[arg(long = "name", value_name = "NAME")]
    pub client_name: Option<String>,
    /// Where users are sent back to, exactly; may be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<String>,
    /// Where users are sent after logging out; may be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    pub post_logout_redirect_uris: Vec<String>,
    /// authorization_code, refresh_token or client_credentials; may be repeated. Not given:
    /// the first two with a redirect URI, else client_credentials
    #[arg(long = "grant-type", value_name = "TYPE")]
    pub grant_types: Vec<String>,
    /// client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt or none
    #[arg(long = "auth", value_name = "METHOD")]
    pub token_endpoint_auth_method: Option<String>,
    /// The algorithm its assertions are signed with, such as RS256, which is not taken unless it is named here
    #[arg(long = "auth-algorithm", value_name = "ALGORITHM")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// A file with the client's public keys (a JWK Set), for private_key_jwt
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub jwks_file: Option<PathBuf>,
    #[arg(skip)]
    jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// web, or native for apps on a device (any loopback port, private schemes)
    #[arg(long, value_name = "TYPE")]
    pub application_type: Option<String>,
    /// The scope values it may ask for, separated by spaces. Not given: openid profile email if it
    /// signs users in, else none
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// The audience of its access tokens; may be repeated. Not given: the tenant's
    #[arg(long = "audience", value_name = "URI")]
    pub audience: Vec<String>,
    /// An audience it is the resource server of and may introspect tokens for; may be repeated
    #[arg(long = "introspects", value_name = "URI")]
    pub introspects: Vec<String>,
    /// An origin whose scripts may call the token endpoint (CORS); may be repeated
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    pub allowed_origins: Vec<String>,
    /// opaque or jwt. Not given: tokens.format
    #[arg(long = "token-format", value_name = "FORMAT")]
    pub access_token_format: Option<String>,
    /// The signature of its ID tokens, such as ES256. Not given: RS256, as clients expect
    #[arg(long = "id-token-alg", value_name = "ALGORITHM")]
    pub id_token_signed_response_alg: Option<String>,
    /// The signature of its authorization responses, when it asks for signed ones. Not given: RS256
    #[arg(long = "response-alg", value_name = "ALGORITHM")]
    pub authorization_signed_response_alg: Option<String>,
    /// The only signature its request objects may have, such as PS256. Not given: any of its keys'
    #[arg(long = "request-object-alg", value_name = "ALGORITHM")]
    pub request_object_signing_alg: Option<String>,
    /// Its authorization requests must be signed request objects
    #[arg(long = "require-request-object")]
    pub require_signed_request_object: bool,
    /// Its authorization requests must be pushed
    #[arg(long = "require-pushed-requests")]
    pub require_pushed_authorization_requests: bool,
    /// The operator's own application: users are not asked to consent
    #[arg(long)]
    pub first_party: bool,
}

impl Registration {
    /// Reads a registration request; members nobody knows are ignored. (RFC 7591 §2)
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text)
            .map_err(|error| Failure::usage(format!("not a registration request: {error}")))
    }

    /// The client asked for, without its secret; `id` is for one that brings none.
    pub fn client(self, id: String, now: Timestamp) -> Result<Client, Failure> {
        let id = self.client_id.clone().unwrap_or(id);
        let id = ClientId::parse(&id).ok_or_else(|| {
            Failure::usage("--id: a client id has 1 to 255 printable ASCII characters")
        })?;
        let mut client = Client::new(id, now);
        client.application_type = self.application()?;
        client.authentication = self.authentication()?;
        client.authentication_algorithm = self.authentication_algorithm(client.authentication)?;
        client.redirect_uris = uris(&self.redirect_uris, client.application_type)?;
        client.post_logout_redirect_uris =
            uris(&self.post_logout_redirect_uris, client.application_type)?;
        client.grant_types = self.grant_types(&client)?;
        client.jwks = self.keys()?;
        client.scope = self.scope(client.may_use(GrantType::AuthorizationCode))?;
        client.access_token_format = self.token_format()?;
        client.id_token_signed_response_alg = signing_algorithm(
            "id_token_signed_response_alg",
            self.id_token_signed_response_alg.as_deref(),
        )?;
        client.authorization_signed_response_alg = signing_algorithm(
            "authorization_signed_response_alg",
            self.authorization_signed_response_alg.as_deref(),
        )?;
        client.request_object_signing_alg = self.request_object_algorithm()?;
        client.require_signed_request_object = self.require_signed_request_object;
        client.require_pushed_authorization_requests = self.require_pushed_authorization_requests;
        client.allowed_origins = origins(self.allowed_origins)?;
        client.name = self.client_name;
        client.audience = self.audience;
        client.introspects = self.introspects;
        client.first_party = self.first_party;
        fits_together(&client)?;
        Ok(client)
    }

    fn application(&self) -> Result<ApplicationType, Failure> {
        match self.application_type.as_deref() {
            None | Some("web") => Ok(ApplicationType::Web),
            Some("native") => Ok(ApplicationType::Native),
            Some(other) => Err(one_of("application_type", other, "web or native")),
        }
    }

    fn authentication(&self) -> Result<AuthenticationMethod, Failure> {
        let Some(name) = self.token_endpoint_auth_method.as_deref() else {
            return Ok(AuthenticationMethod::ClientSecretBasic);
        };
        AuthenticationMethod::parse(name).ok_or_else(|| {
            let names = AuthenticationMethod::ALL
                .map(AuthenticationMethod::name)
                .join(", ");
            one_of("token_endpoint_auth_method", name, &names)
        })
    }

    fn authentication_algorithm(
        &self,
        method: AuthenticationMethod,
    ) -> Result<Option<SignatureAlgorithm>, Failure> {
        let Some(name) = self.token_endpoint_auth_signing_alg.as_deref() else {
            return Ok(None);
        };
        let by_secret = method == AuthenticationMethod::ClientSecretJwt;
        let fits = |algorithm: &SignatureAlgorithm| algorithm.is_symmetric() == by_secret;
        if !by_secret && method != AuthenticationMethod::PrivateKeyJwt {
            return Err(Failure::usage(
                "token_endpoint_auth_signing_alg is for private_key_jwt and client_secret_jwt",
            ));
        }
        let found = SignatureAlgorithm::parse(name).filter(fits);
        let names: Vec<_> = SignatureAlgorithm::ALL
            .into_iter()
            .filter(fits)
            .map(SignatureAlgorithm::name)
            .collect();
        found
            .map(Some)
            .ok_or_else(|| one_of("token_endpoint_auth_signing_alg", name, &names.join(", ")))
    }

    fn grant_types(&self, client: &Client) -> Result<Vec<GrantType>, Failure> {
        let parse = |name: &String| {
            let names = GrantType::ALL.map(GrantType::name).join(", ");
            GrantType::parse(name).ok_or_else(|| one_of("grant_types", name, &names))
        };
        if !self.grant_types.is_empty() {
            return self.grant_types.iter().map(parse).collect();
        }
        if !client.redirect_uris.is_empty() {
            return Ok(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]);
        }
        if client.is_public() {
            return Err(Failure::usage(
                "a public client needs a redirect URI: --redirect-uri URI",
            ));
        }
        let for_introspection_only = !self.introspects.is_empty();
        Ok(if for_introspection_only {
            Vec::new()
        } else {
            vec![GrantType::ClientCredentials]
        })
    }

    fn keys(&self) -> Result<Option<KeySet>, Failure> {
        let set = match (&self.jwks_file, &self.jwks) {
            (Some(path), _) => {
                let bytes = std::fs::read(path)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
                KeySet::parse(&bytes)
            }
            (None, Some(object)) => KeySet::from_object(object),
            (None, None) => return Ok(None),
        };
        set.map(Some)
            .map_err(|error| Failure::usage(format!("jwks: {error}")))
    }

    /// Signing a user in without any scope value would be refused, so there is a default set.
    fn scope(&self, for_users: bool) -> Result<Scope, Failure> {
        let default = if for_users {
            "openid profile email"
        } else {
            ""
        };
        let text = self.scope.as_deref().unwrap_or(default);
        let told = "scope: up to 64 values of printable ASCII, separated by spaces";
        Scope::parse(text).map_err(|_| Failure::usage(told))
    }

    fn token_format(&self) -> Result<Option<TokenFormat>, Failure> {
        match self.access_token_format.as_deref() {
            None => Ok(None),
            Some("opaque") => Ok(Some(TokenFormat::Opaque)),
            Some("jwt") => Ok(Some(TokenFormat::Jwt)),
            Some(other) => Err(one_of("access_token_format", other, "opaque or jwt")),
        }
    }

    fn request_object_algorithm(&self) -> Result<Option<SignatureAlgorithm>, Failure> {
        let Some(name) = self.request_object_signing_alg.as_deref() else {
            return Ok(None);
        };
        let found = request_object::algorithms().find(|algorithm| algorithm.name() == name);
        let names: Vec<_> = request_object::algorithms()
            .map(SignatureAlgorithm::name)
            .collect();
        let told = || one_of("request_object_signing_alg", name, &names.join(", "));
        found.map(Some).ok_or_else(told)
    }
}

/// An algorithm this server signs with.
fn signing_algorithm(
    member: &str,
    name: Option<&str>,
) -> Result<Option<SignatureAlgorithm>, Failure> {
    let known = crate::keys::SIGNING_ALGORITHMS;
    let Some(name) = name else { return Ok(None) };
    let found = known.into_iter().find(|algorithm| algorithm.name() == name);
    let names = known.map(SignatureAlgorithm::name).join(", ");
    found.map(Some).ok_or_else(|| one_of(member, name, &names))
}

fn one_of(member: &str, value: &str, allowed: &str) -> Failure {
    Failure::usage(format!("{member} is {value:?}; allowed: {allowed}"))
}

fn uris(texts: &[String], application: ApplicationType) -> Result<Vec<RedirectUri>, Failure> {
    let parse = |text: &String| {
        RedirectUri::parse(text, application)
            .map_err(|error| Failure::usage(format!("{text}: {error}")))
    };
    texts.iter().map(parse).collect()
}

/// Origins as browsers send them: scheme, host and port, nothing behind. (RFC 6454 §6.2)
fn origins(texts: Vec<String>) -> Result<Vec<String>, Failure> {
    for text in &texts {
        let origin = url::Url::parse(text).map(|url| url.origin().ascii_serialization());
        if origin.as_deref() != Ok(text.as_str()) || !text.starts_with("http") {
            let told = "an origin is scheme, host and port, such as https://app.example.org";
            return Err(Failure::usage(format!("{text}: {told}")));
        }
    }
    Ok(texts)
}

/// What two members must be to each other. (RFC 7591 §2, RFC 6749 §4.4, RFC 7523 §2.2)
fn fits_together(client: &Client) -> Result<(), Failure> {
    let needs_uri = client.may_use(GrantType::AuthorizationCode);
    let told = if needs_uri && client.redirect_uris.is_empty() {
        "authorization_code needs a redirect URI: --redirect-uri URI"
    } else if client.is_public() && client.may_use(GrantType::ClientCredentials) {
        "client_credentials needs a client that can prove itself, not --auth none"
    } else if client.is_public() && !client.introspects.is_empty() {
        "introspection needs a client that can prove itself, not --auth none"
    } else if client.authentication == AuthenticationMethod::PrivateKeyJwt
        && client.jwks.as_ref().is_none_or(KeySet::is_empty)
    {
        "private_key_jwt needs the client's public keys: --jwks-file FILE"
    } else if client.require_signed_request_object
        && client.jwks.as_ref().is_none_or(KeySet::is_empty)
    {
        "signed request objects need the client's public keys: --jwks-file FILE"
    } else if client.may_use(GrantType::RefreshToken) && !needs_uri {
        "refresh_token needs authorization_code beside it"
    } else {
        return Ok(());
    };
    Err(Failure::usage(told))
}
