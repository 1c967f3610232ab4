//! The members of a registration (RFC 7591 §2, OpenID Connect Registration §2): each is honoured or refused by name.

use jeton_protocol::authorize::request_object;
use jeton_protocol::client::{AuthenticationMethod, Client, GrantType};
use jeton_protocol::redirect_uri::RedirectUri;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use serde_json::{Map, Value as Json, json};

use super::setters::*;
use crate::command::Failure;
use crate::config::did_you_mean;
use crate::keys::SIGNING_ALGORITHMS;

/// Sets one member of a client; the error is the end of a sentence that starts with the member's name.
type Set = fn(&mut Client, &Json) -> Result<(), String>;

/// Every member that can be set, in an order in which what one depends on comes before it. `null` is the default.
const MEMBERS: [(&str, Set); 35] = [
    ("application_type", application),
    ("token_endpoint_auth_method", authentication),
    ("token_endpoint_auth_signing_alg", |client, value| {
        let all = SignatureAlgorithm::ALL;
        client.authentication_algorithm = algorithm(value, &all)?;
        Ok(())
    }),
    ("jwks", keys),
    ("jwks_uri", |client, value| {
        put(&mut client.jwks_uri, fetched(value))
    }),
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
    ("token_exchange", token_exchange),
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
    ("userinfo_signed_response_alg", |client, value| {
        put(
            &mut client.userinfo_signed_response_alg,
            algorithm(value, &SIGNING_ALGORITHMS),
        )
    }),
    ("authorization_signed_response_alg", |client, value| {
        put(
            &mut client.authorization_signed_response_alg,
            algorithm(value, &SIGNING_ALGORITHMS),
        )
    }),
    ("request_object_signing_alg", |client, value| {
        let known: Vec<_> = request_object::algorithms().collect();
        put(
            &mut client.request_object_signing_alg,
            algorithm(value, &known),
        )
    }),
    ("require_signed_request_object", |client, value| {
        put(&mut client.require_signed_request_object, truth(value))
    }),
    ("require_pushed_authorization_requests", |client, value| {
        put(
            &mut client.require_pushed_authorization_requests,
            truth(value),
        )
    }),
    ("dpop_bound_access_tokens", |client, value| {
        put(&mut client.dpop_bound_access_tokens, truth(value))
    }),
    ("dpop_nonce", |client, value| {
        let nonce = (!value.is_null()).then(|| truth(value)).transpose();
        put(&mut client.dpop_nonce, nonce)
    }),
    ("first_party", |client, value| {
        put(&mut client.first_party, truth(value))
    }),
    ("client_uri", |client, value| {
        put(&mut client.client_uri, page(value))
    }),
    ("logo_uri", |client, value| {
        put(&mut client.logo_uri, fetched(value))
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
    "software_id",
    "software_version",
    "software_statement",
    "sector_identifier_uri",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
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
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "introspection_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "authorization_details_types",
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
    let told = if client.is_public()
        && client.redirect_uris.is_empty()
        && client.grant_types.is_empty()
    {
        "a public client needs a redirect URI: --redirect-uri URI"
    } else if needs_uri && client.redirect_uris.is_empty() {
        "authorization_code needs a redirect URI: --redirect-uri URI"
    } else if client.is_public() && client.may_use(GrantType::ClientCredentials) {
        "client_credentials needs a client that can prove itself, not --auth none"
    } else if client.is_public() && client.may_use(GrantType::TokenExchange) {
        "token exchange needs a client that can prove itself, not --auth none"
    } else if client.may_use(GrantType::TokenExchange) && client.token_exchange.is_none() {
        "token exchange needs a target: --exchange-audience URI"
    } else if client.is_public() && !client.introspects.is_empty() {
        "introspection needs a client that can prove itself, not --auth none"
    } else if client.authentication == AuthenticationMethod::PrivateKeyJwt
        && client.jwks_uri.is_none()
        && client.jwks.as_ref().is_none_or(KeySet::is_empty)
    {
        "private_key_jwt needs the client's public keys: --jwks-file FILE or --jwks-uri URL"
    } else if client.require_signed_request_object
        && client.jwks_uri.is_none()
        && client.jwks.as_ref().is_none_or(KeySet::is_empty)
    {
        "signed request objects need the client's public keys: --jwks-file FILE or --jwks-uri URL"
    } else if client.jwks.is_some() && client.jwks_uri.is_some() {
        "jwks and jwks_uri exclude each other: give one of them"
    } else if client.may_use(GrantType::RefreshToken) && !signs_users_in(client) {
        "refresh_token needs authorization_code or device_code beside it"
    } else {
        return Ok(());
    };
    Err(Failure::usage(told))
}

/// Whether tokens of the client can be a user's.
pub(super) fn signs_users_in(client: &Client) -> bool {
    client.may_use(GrantType::AuthorizationCode) || client.may_use(GrantType::DeviceCode)
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
