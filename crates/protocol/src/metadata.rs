//! Authorization server metadata, made from what is really there (RFC 8414, OpenID Connect Discovery §3).

use crate::authorize::request_object;
use crate::authorize::response::MODES;
use crate::client::{AuthenticationMethod, GrantType};
use crate::issue::KeyRing;
use crate::scope::OPENID_CONNECT;
use crate::session::ACR_PASSWORD;
use crate::tenant::Tenant;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::dpop;
use serde::Serialize;

/// Paths below the issuer. The router and the metadata read the same constants.
pub mod path {
    pub const AUTHORIZE: &str = "/authorize";
    pub const PUSHED_REQUEST: &str = "/par";
    pub const TOKEN: &str = "/token";
    pub const INTROSPECT: &str = "/introspect";
    pub const REVOKE: &str = "/revoke";
    pub const USERINFO: &str = "/userinfo";
    pub const DEVICE_AUTHORIZATION: &str = "/device_authorization";
    /// Where a person types the code of a device; short, because people type this too.
    pub const DEVICE: &str = "/device";
    pub const JWKS: &str = "/jwks";
    pub const END_SESSION: &str = "/end-session";
    pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
    pub const OAUTH_SERVER: &str = "/.well-known/oauth-authorization-server";
}

#[derive(Debug, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    pushed_authorization_request_endpoint: String,
    require_pushed_authorization_requests: bool,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    end_session_endpoint: String,
    device_authorization_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; MODES.len()],
    grant_types_supported: Vec<&'static str>,
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    dpop_signing_alg_values_supported: [&'static str; dpop::ALGORITHMS.len()],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    acr_values_supported: [&'static str; 1],
    claim_types_supported: [&'static str; 1],
    claims_supported: Vec<&'static str>,
    ui_locales_supported: [&'static str; 2],
    prompt_values_supported: [&'static str; 4],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_object_signing_alg_values_supported: Vec<&'static str>,
    request_uri_parameter_supported: bool,
    authorization_response_iss_parameter_supported: bool,
    authorization_signing_alg_values_supported: Vec<&'static str>,
}

/// The metadata of a tenant as it is now.
pub fn describe(tenant: &Tenant, ring: &KeyRing) -> Metadata {
    let at = |path: &str| tenant.issuer.join(path);
    let methods: Vec<_> = AuthenticationMethod::ALL
        .iter()
        .map(|method| method.name())
        .collect();
    let confidential: Vec<_> = methods
        .iter()
        .copied()
        .filter(|name| *name != "none")
        .collect();
    let assertion_algorithms: Vec<_> = SignatureAlgorithm::ALL
        .iter()
        .map(|alg| alg.name())
        .collect();
    Metadata {
        issuer: tenant.issuer.as_str().to_owned(),
        authorization_endpoint: at(path::AUTHORIZE),
        pushed_authorization_request_endpoint: at(path::PUSHED_REQUEST),
        require_pushed_authorization_requests: tenant.policy.pushed.required,
        token_endpoint: at(path::TOKEN),
        userinfo_endpoint: at(path::USERINFO),
        jwks_uri: at(path::JWKS),
        introspection_endpoint: at(path::INTROSPECT),
        revocation_endpoint: at(path::REVOKE),
        end_session_endpoint: at(path::END_SESSION),
        device_authorization_endpoint: at(path::DEVICE_AUTHORIZATION),
        scopes_supported: advertised_scopes(tenant),
        response_types_supported: ["code"],
        response_modes_supported: MODES,
        grant_types_supported: GrantType::ALL.iter().map(|grant| grant.name()).collect(),
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: methods.clone(),
        token_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
        introspection_endpoint_auth_methods_supported: confidential,
        introspection_endpoint_auth_signing_alg_values_supported: assertion_algorithms.clone(),
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: assertion_algorithms,
        dpop_signing_alg_values_supported: dpop::ALGORITHMS.map(|algorithm| algorithm.name()),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: signing_algorithms(ring),
        userinfo_signing_alg_values_supported: signing_algorithms(ring),
        acr_values_supported: [ACR_PASSWORD],
        claim_types_supported: ["normal"],
        claims_supported: crate::claims::supported().collect(),
        ui_locales_supported: ["en", "fr"],
        prompt_values_supported: ["none", "login", "consent", "select_account"],
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_object_signing_alg_values_supported: request_object::algorithms()
            .map(SignatureAlgorithm::name)
            .collect(),
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
        authorization_signing_alg_values_supported: signing_algorithms(ring),
    }
}

fn advertised_scopes(tenant: &Tenant) -> Vec<String> {
    let own = tenant
        .policy
        .scopes
        .iter()
        .filter(|(name, scope)| !scope.hidden && !OPENID_CONNECT.contains(&name.as_str()))
        .map(|(name, _)| name.clone());
    OPENID_CONNECT
        .iter()
        .map(|name| (*name).to_owned())
        .chain(own)
        .collect()
}

fn signing_algorithms(ring: &KeyRing) -> Vec<&'static str> {
    ring.signing
        .iter()
        .map(|key| key.algorithm().name())
        .collect()
}
