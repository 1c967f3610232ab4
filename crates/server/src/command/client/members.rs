//! The members of a registration (RFC 7591 §2, OpenID Connect Registration §2): each is honoured or refused by name.

use std::time::Duration;

use jeton_protocol::client::{ApplicationType, AuthenticationMethod, Client, GrantType, Rotation};
use jeton_protocol::redirect_uri::{self, RedirectUri};
use jeton_protocol::scope::Scope;
use jeton_protocol::tenant::TokenFormat;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use serde_json::{Map, Value as Json, json};

use crate::command::Failure;
use crate::config::{did_you_mean, duration};
use crate::keys::SIGNING_ALGORITHMS;

/// Sets one member of a client; the error is the end of a sentence that starts with the member's name.
type Set = fn(&mut Client, &Json) -> Result<(), String>;

/// Every member that can be set, in an order in which what one depends on comes before it. `null` is the default.
const MEMBERS: [(&str, Set); 26] = [
    ("application_type", application),
    ("token_endpoint_auth_method", authentication),
    ("token_endpoint_auth_signing_alg", |client, value| {
        let all = SignatureAlgorithm::ALL;
        client.authentication_algorithm = algorithm(value, &all)?;
        Ok(())
    }),
    ("jwks", keys),
    ("client_name", |client, value| {
        put(&mut client.name, text(value))
    }),
    ("redirect_uris", |client, value| {
        client.redirect_uris = uris(value, client.application_type)?;
        Ok(())
    }),
    ("post_logout_redirect_uris", |client, value| {
        client.post_logout_redirect_uris = uris(value, client.application_type)?;
        Ok(())
    }),
    ("grant_types", grant_types),
    // Both follow from what Jeton does, and may be said.
    ("response_types", response_types),
    ("subject_type", |_, value| {
        one_of(value, &["public"]).map(drop)
    }),
    ("scope", scope),
    ("audience", |client, value| {
        put(&mut client.audience, identifiers(value))
    }),
    ("introspects", |client, value| {
        put(&mut client.introspects, identifiers(value))
    }),
    ("allowed_origins", |client, value| {
        put(&mut client.allowed_origins, origins(value))
    }),
    ("access_token_format", token_format),
    ("access_token_signed_response_alg", |client, value| {
        put(
            &mut client.access_token_signed_response_alg,
            algorithm(value, &SIGNING_ALGORITHMS),
        )
    }),
    ("access_token_lifetime", |client, value| {
        put(&mut client.access_token_lifetime, lifetime(value))
    }),
    ("refresh_token_rotation", rotation),
    ("id_token_signed_response_alg", |client, value| {
        put(
            &mut client.id_token_signed_response_alg,
            algorithm(value, &SIGNING_ALGORITHMS),
        )
    }),
    ("default_max_age", max_age),
    ("first_party", |client, value| {
        put(&mut client.first_party, truth(value))
    }),
    ("client_uri", |client, value| {
        put(&mut client.client_uri, page(value))
    }),
    ("logo_uri", |client, value| {
        put(&mut client.logo_uri, page(value))
    }),
    ("policy_uri", |client, value| {
        put(&mut client.policy_uri, page(value))
    }),
    ("tos_uri", |client, value| {
        put(&mut client.tos_uri, page(value))
    }),
    ("contacts", |client, value| {
        put(&mut client.contacts, texts(value))
    }),
];

/// Registered members (IANA, OAuth Dynamic Client Registration Metadata) that nothing here reads yet.
const NOT_YET: &[&str] = &[
    "jwks_uri",
    "software_id",
    "software_version",
    "software_statement",
    "sector_identifier_uri",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_signed_response_alg",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_signing_alg",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "require_signed_request_object",
    "require_pushed_authorization_requests",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "request_uris",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "claims_redirect_uris",
    "nfv_token_signed_response_alg",
    "nfv_token_encrypted_response_alg",
    "nfv_token_encrypted_response_enc",
    "tls_client_certificate_bound_access_tokens",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
    "authorization_signed_response_alg",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_details_types",
    "dpop_bound_access_tokens",
    "backchannel_token_delivery_mode",
    "backchannel_client_notification_endpoint",
    "backchannel_authentication_request_signing_alg",
    "backchannel_user_code_parameter",
    "use_mtls_endpoint_aliases",
    "client_registration_types",
    "organization_name",
    "signed_jwks_uri",
];

/// What Jeton makes itself, and says where it shows a client.
pub const READ_ONLY: [&str; 4] = ["client_id_issued_at", "changed_at", "disabled", "owner"];

/// Refuses every member that would not be honoured, with the nearest name for one that nobody knows.
pub fn refuse_unknown(members: &Map<String, Json>) -> Result<(), Failure> {
    let settable = || MEMBERS.iter().map(|(name, _)| *name).chain(["client_id"]);
    let mut wrong = Vec::new();
    for name in members.keys() {
        let base = name.split('#').next().unwrap_or(name);
        if settable().chain(READ_ONLY).any(|known| known == name) {
            continue;
        }
        wrong.push(match base {
            "client_secret" | "client_secret_expires_at" => format!(
                "{name}: secrets are made by Jeton and shown once; leave it out, and see jeton client secret --help"
            ),
            "registration_access_token" | "registration_client_uri" => {
                format!("{name}: clients do not register themselves here; leave it out")
            }
            base if NOT_YET.contains(&base) => {
                format!("{name} is not supported yet; leave it out")
            }
            base if base != name && settable().any(|known| known == base) => {
                format!("{name}: members in several languages are not supported yet; use {base}")
            }
            _ => format!(
                "unknown member {name}{}",
                did_you_mean(name, settable().chain(NOT_YET.iter().copied()))
            ),
        });
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::usage(wrong.join("\n")))
    }
}

/// Judges the client as a whole, after members were set: what two of them must be to each other.
pub fn judge(members: &Map<String, Json>, client: &Client) -> Result<(), Failure> {
    fits_together(client)?;
    let expected = if client.may_use(GrantType::AuthorizationCode) {
        json!(["code"])
    } else {
        json!([])
    };
    match members.get("response_types") {
        Some(value) if !value.is_null() && *value != expected => Err(Failure::usage(format!(
            "response_types is {value}; with these grant_types it can only be {expected}"
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Sets each member that is named and leaves the others as they are; [`judge`] comes after.
pub fn set(members: &Map<String, Json>, client: &mut Client) -> Result<(), Failure> {
    for (name, set) in MEMBERS {
        if let Some(value) = members.get(name) {
            set(client, value).map_err(|wrong| Failure::usage(format!("{name} {wrong}")))?;
        }
    }
    Ok(())
}

fn put<T>(member: &mut T, value: Result<T, String>) -> Result<(), String> {
    *member = value?;
    Ok(())
}

fn text(value: &Json) -> Result<Option<String>, String> {
    match value {
        Json::Null => Ok(None),
        Json::String(text) if text.is_empty() => Ok(None),
        Json::String(text) => Ok(Some(text.clone())),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            Err(format!("is {value}; write a text in quotes"))
        }
    }
}

fn texts(value: &Json) -> Result<Vec<String>, String> {
    let told = || format!("is {value}; write a list of texts, such as [\"…\"]");
    match value {
        Json::Null => Ok(Vec::new()),
        Json::Array(members) => {
            let text = |member: &Json| member.as_str().map(str::to_owned).ok_or_else(told);
            members.iter().map(text).collect()
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => Err(told()),
    }
}

fn truth(value: &Json) -> Result<bool, String> {
    match value {
        Json::Null => Ok(false),
        Json::Bool(truth) => Ok(*truth),
        Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            Err(format!("is {value}; write true or false"))
        }
    }
}

/// The place of the value among those allowed; `None` when nothing was said.
fn one_of(value: &Json, allowed: &[&str]) -> Result<Option<usize>, String> {
    let Some(found) = text(value)? else {
        return Ok(None);
    };
    let place = allowed.iter().position(|name| *name == found);
    let told = || format!("is {found:?}; allowed: {}", allowed.join(", "));
    place.map(Some).ok_or_else(told)
}

fn application(client: &mut Client, value: &Json) -> Result<(), String> {
    client.application_type = match one_of(value, &["web", "native"])? {
        Some(1) => ApplicationType::Native,
        Some(_) | None => ApplicationType::Web,
    };
    Ok(())
}

fn authentication(client: &mut Client, value: &Json) -> Result<(), String> {
    let all = AuthenticationMethod::ALL;
    let place = one_of(value, &all.map(AuthenticationMethod::name))?;
    let method = place.and_then(|place| all.get(place).copied());
    client.authentication = method.unwrap_or(AuthenticationMethod::ClientSecretBasic);
    Ok(())
}

fn algorithm(
    value: &Json,
    known: &[SignatureAlgorithm],
) -> Result<Option<SignatureAlgorithm>, String> {
    let names: Vec<_> = known.iter().map(|algorithm| algorithm.name()).collect();
    let place = one_of(value, &names)?;
    Ok(place.and_then(|place| known.get(place).copied()))
}

fn keys(client: &mut Client, value: &Json) -> Result<(), String> {
    client.jwks = match value {
        Json::Null => None,
        Json::Object(set) => {
            Some(KeySet::from_object(set).map_err(|error| format!("is no key set: {error}"))?)
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            return Err("is no key set; write an object with keys".to_owned());
        }
    };
    Ok(())
}

fn uris(value: &Json, application: ApplicationType) -> Result<Vec<RedirectUri>, String> {
    let parse = |text: &String| {
        RedirectUri::parse(text, application).map_err(|error| format!("has {text:?}: {error}"))
    };
    texts(value)?.iter().map(parse).collect()
}

/// The address of a page people are shown. (SEC-004)
fn page(value: &Json) -> Result<Option<String>, String> {
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    match redirect_uri::check_page(&text) {
        Ok(()) => Ok(Some(text)),
        Err(error) => Err(format!("is {text:?}: {error}")),
    }
}

/// Names of resource servers: often addresses, but only ever compared. (SEC-004)
fn identifiers(value: &Json) -> Result<Vec<String>, String> {
    let names = texts(value)?;
    match names.iter().find(|name| redirect_uri::is_executable(name)) {
        Some(name) => Err(format!(
            "has {name:?}: this scheme runs or reads something in the browser"
        )),
        None => Ok(names),
    }
}

/// Origins as browsers send them: scheme, host and port, nothing behind. (RFC 6454 §6.2)
fn origins(value: &Json) -> Result<Vec<String>, String> {
    let texts = texts(value)?;
    for text in &texts {
        let origin = url::Url::parse(text).map(|url| url.origin().ascii_serialization());
        if origin.as_deref() != Ok(text.as_str()) || !text.starts_with("http") {
            let told = "an origin is scheme, host and port, such as https://app.example.org";
            return Err(format!("has {text:?}: {told}"));
        }
    }
    Ok(texts)
}

fn grant_types(client: &mut Client, value: &Json) -> Result<(), String> {
    let parse = |name: String| {
        let names = GrantType::ALL.map(GrantType::name).join(", ");
        GrantType::parse(&name).ok_or_else(|| format!("has {name:?}; allowed: {names}"))
    };
    client.grant_types = texts(value)?
        .into_iter()
        .map(parse)
        .collect::<Result<_, _>>()?;
    Ok(())
}

fn response_types(_: &mut Client, value: &Json) -> Result<(), String> {
    match texts(value)?.iter().find(|name| *name != "code") {
        Some(other) => Err(format!("has {other:?}; allowed: code")),
        None => Ok(()),
    }
}

fn scope(client: &mut Client, value: &Json) -> Result<(), String> {
    let written = text(value)?.unwrap_or_default();
    let told = "takes up to 64 values of printable ASCII, separated by spaces";
    client.scope = Scope::parse(&written).map_err(|_| told.to_owned())?;
    Ok(())
}

fn token_format(client: &mut Client, value: &Json) -> Result<(), String> {
    let format = |place| [TokenFormat::Opaque, TokenFormat::Jwt].get(place).copied();
    client.access_token_format = one_of(value, &["opaque", "jwt"])?.and_then(format);
    Ok(())
}

fn rotation(client: &mut Client, value: &Json) -> Result<(), String> {
    let rotation = |place| [Rotation::Each, Rotation::Never].get(place).copied();
    client.refresh_token_rotation = one_of(value, &["each", "never"])?.and_then(rotation);
    Ok(())
}

/// No longer than a revocation is remembered.
fn lifetime(value: &Json) -> Result<Option<Duration>, String> {
    let Some(text) = text(value)? else {
        return Ok(None);
    };
    let found = duration(&text)?;
    let limits = Duration::from_secs(10)..=Duration::from_secs(24 * 60 * 60);
    if limits.contains(&found) {
        Ok(Some(found))
    } else {
        Err(format!("is {text:?}; write 10s to 24h"))
    }
}

fn max_age(client: &mut Client, value: &Json) -> Result<(), String> {
    client.default_max_age = match value.as_u64() {
        Some(seconds) => Some(seconds),
        None if value.is_null() => None,
        None => return Err(format!("is {value}; write a number of seconds")),
    };
    Ok(())
}

/// What members must be to each other. (RFC 7591 §2, RFC 6749 §4.4, RFC 7523 §2.2)
fn fits_together(client: &Client) -> Result<(), Failure> {
    for uri in client
        .redirect_uris
        .iter()
        .chain(&client.post_logout_redirect_uris)
    {
        RedirectUri::parse(uri.as_str(), client.application_type)
            .map_err(|error| Failure::usage(format!("{uri}: {error}")))?;
    }
    judge_algorithm(client)?;
    let needs_uri = client.may_use(GrantType::AuthorizationCode);
    let told =
        if client.is_public() && client.redirect_uris.is_empty() && client.grant_types.is_empty() {
            "a public client needs a redirect URI: --redirect-uri URI"
        } else if needs_uri && client.redirect_uris.is_empty() {
            "authorization_code needs a redirect URI: --redirect-uri URI"
        } else if client.is_public() && client.may_use(GrantType::ClientCredentials) {
            "client_credentials needs a client that can prove itself, not --auth none"
        } else if client.is_public() && !client.introspects.is_empty() {
            "introspection needs a client that can prove itself, not --auth none"
        } else if client.authentication == AuthenticationMethod::PrivateKeyJwt
            && client.jwks.as_ref().is_none_or(KeySet::is_empty)
        {
            "private_key_jwt needs the client's public keys: --jwks-file FILE"
        } else if client.may_use(GrantType::RefreshToken) && !needs_uri {
            "refresh_token needs authorization_code beside it"
        } else {
            return Ok(());
        };
    Err(Failure::usage(told))
}

fn judge_algorithm(client: &Client) -> Result<(), Failure> {
    let Some(algorithm) = client.authentication_algorithm else {
        return Ok(());
    };
    let by_secret = match client.authentication {
        AuthenticationMethod::ClientSecretJwt => true,
        AuthenticationMethod::PrivateKeyJwt => false,
        AuthenticationMethod::None
        | AuthenticationMethod::ClientSecretBasic
        | AuthenticationMethod::ClientSecretPost => {
            return Err(Failure::usage(
                "token_endpoint_auth_signing_alg is for private_key_jwt and client_secret_jwt",
            ));
        }
    };
    if algorithm.is_symmetric() == by_secret {
        return Ok(());
    }
    let fitting = SignatureAlgorithm::ALL.into_iter();
    let fitting = fitting.filter(|known| known.is_symmetric() == by_secret);
    let names: Vec<_> = fitting.map(SignatureAlgorithm::name).collect();
    Err(Failure::usage(format!(
        "token_endpoint_auth_signing_alg is {:?}; with {} it is one of {}",
        algorithm.name(),
        client.authentication.name(),
        names.join(", ")
    )))
}
