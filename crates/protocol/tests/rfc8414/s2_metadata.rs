//! The metadata tells what is really there, in the types the specifications give (§2, Discovery §3).

use crate::common::{ISSUER, key_ring, tenant};
use jeton_protocol::client::{AuthenticationMethod, GrantType};
use jeton_protocol::metadata::{describe, path};
use jeton_protocol::scope::{Scope, ScopeDefinition};
use jeton_protocol::tenant::Tenant;
use jeton_token::SignatureAlgorithm;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn metadata_of(tenant: &Tenant) -> Map<String, Value> {
    let value = serde_json::to_value(describe(tenant, &key_ring())).unwrap();
    value.as_object().unwrap().clone()
}

fn metadata() -> Map<String, Value> {
    metadata_of(&tenant())
}

fn list(name: &str) -> Vec<String> {
    let metadata = metadata();
    let texts = metadata[name].as_array().unwrap().iter();
    texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_member_has_its_type_and_no_list_is_empty_or_repeats_itself() {
    // P-4, P-9…11, P-29
    for (name, value) in metadata() {
        match (name.as_str(), &value) {
            (name, Value::Bool(_)) => assert!(
                name.ends_with("_supported") || name.starts_with("require_"),
                "{name}"
            ),
            (name, Value::String(text)) => {
                assert!(text.starts_with("https://"), "{name}");
            }
            (name, Value::Array(values)) => {
                assert!(name.ends_with("_supported"), "{name}");
                let texts: BTreeSet<_> = values.iter().map(|text| text.as_str().unwrap()).collect();
                assert!(!texts.is_empty(), "{name}");
                assert_eq!(texts.len(), values.len(), "{name}");
            }
            (name, other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn the_issuer_and_the_endpoints_below_it() {
    // P-2, P-6, P-7, P-43
    let metadata = metadata();
    assert_eq!(metadata["issuer"], ISSUER);
    for (name, path) in [
        ("authorization_endpoint", path::AUTHORIZE),
        ("token_endpoint", path::TOKEN),
        ("userinfo_endpoint", path::USERINFO),
        ("jwks_uri", path::JWKS),
        ("introspection_endpoint", path::INTROSPECT),
        ("revocation_endpoint", path::REVOKE),
        ("end_session_endpoint", path::END_SESSION),
        ("device_authorization_endpoint", path::DEVICE_AUTHORIZATION),
    ] {
        assert_eq!(metadata[name], format!("{ISSUER}{path}"), "{name}");
    }
}

#[test]
fn a_tenant_with_a_path_has_its_endpoints_below_that_path() {
    let mut below = tenant();
    below.issuer = jeton_protocol::tenant::Issuer::parse("https://id.example/t/a").unwrap();
    assert_eq!(
        metadata_of(&below)["token_endpoint"],
        "https://id.example/t/a/token"
    );
}

#[test]
fn only_registered_names_are_published() {
    // P-5
    let registered = [
        "issuer",
        "authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "require_pushed_authorization_requests",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "introspection_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
        "device_authorization_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "code_challenge_methods_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "dpop_signing_alg_values_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "acr_values_supported",
        "claim_types_supported",
        "claims_supported",
        "ui_locales_supported",
        "prompt_values_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_object_signing_alg_values_supported",
        "request_uri_parameter_supported",
        "authorization_response_iss_parameter_supported",
        "authorization_signing_alg_values_supported",
    ];
    for name in metadata().keys() {
        assert!(registered.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn every_advertised_name_is_one_the_server_reads() {
    // P-11, P-12, P-25, P-26, S25
    for name in list("grant_types_supported") {
        assert!(GrantType::parse(&name).is_some(), "{name}");
    }
    assert_eq!(list("grant_types_supported").len(), GrantType::ALL.len());
    for endpoint in ["token", "introspection", "revocation"] {
        for name in list(&format!("{endpoint}_endpoint_auth_methods_supported")) {
            assert!(AuthenticationMethod::parse(&name).is_some(), "{name}");
        }
        for name in list(&format!(
            "{endpoint}_endpoint_auth_signing_alg_values_supported"
        )) {
            assert!(SignatureAlgorithm::parse(&name).is_some(), "{name}");
            assert!(!name.eq_ignore_ascii_case("none"), "SEC-070");
        }
    }
    assert_eq!(
        list("token_endpoint_auth_methods_supported").len(),
        AuthenticationMethod::ALL.len()
    );
    assert!(!list("introspection_endpoint_auth_methods_supported").contains(&"none".to_owned()));
}

#[test]
fn no_token_from_the_front_channel_no_password_and_no_plain_challenge_is_offered() {
    // P-9, P-10, P-27, SEC-112, SEC-133, S02
    assert_eq!(list("response_types_supported"), ["code"]);
    assert_eq!(
        list("response_modes_supported"),
        [
            "query",
            "fragment",
            "form_post",
            "query.jwt",
            "fragment.jwt",
            "form_post.jwt",
            "jwt"
        ]
    );
    assert_eq!(list("code_challenge_methods_supported"), ["S256"]);
    let grants = list("grant_types_supported");
    assert!(
        !grants
            .iter()
            .any(|name| name == "password" || name == "implicit")
    );
}

#[test]
fn every_offered_response_type_mode_and_prompt_is_accepted() {
    for (parameter, member) in [
        ("response_type", "response_types_supported"),
        ("response_mode", "response_modes_supported"),
        ("prompt", "prompt_values_supported"),
        ("code_challenge_method", "code_challenge_methods_supported"),
    ] {
        for value in list(member) {
            assert!(
                crate::common::authorize(&[(parameter, &value)]).is_ok(),
                "{parameter}={value}"
            );
        }
    }
}

#[test]
fn flags_tell_the_truth() {
    // P-18, P-21, P-31, SEC-109
    let metadata = metadata();
    for (name, value, change) in [
        ("claims_parameter_supported", true, ("claims", "{}")),
        (
            "request_uri_parameter_supported",
            false,
            ("request_uri", "urn:x"),
        ),
    ] {
        assert_eq!(metadata[name], value, "{name}");
        assert_eq!(crate::common::authorize(&[change]).is_ok(), value, "{name}");
    }
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );
}

#[test]
fn what_may_be_pushed_and_signed_is_told_truly() {
    // P-32, P-33, P-37
    let found = metadata();
    assert_eq!(
        found["pushed_authorization_request_endpoint"],
        "https://id.example/par"
    );
    assert_eq!(found["require_pushed_authorization_requests"], false);
    let mut strict = tenant();
    strict.policy.pushed.required = true;
    let strict = metadata_of(&strict);
    assert_eq!(strict["require_pushed_authorization_requests"], true);
    assert_eq!(found["request_parameter_supported"], true);
    let objects = list("request_object_signing_alg_values_supported");
    assert!(objects.contains(&"PS256".to_owned()) && objects.contains(&"RS256".to_owned()));
    assert!(
        !objects
            .iter()
            .any(|name| name == "none" || name.starts_with("HS"))
    );
    let responses: BTreeSet<_> = list("authorization_signing_alg_values_supported")
        .into_iter()
        .collect();
    assert_eq!(
        responses,
        ["ES256", "EdDSA", "RS256"].map(str::to_owned).into()
    );
}

#[test]
fn id_tokens_are_signed_with_what_there_are_keys_for() {
    // P-13…15
    assert_eq!(list("subject_types_supported"), ["public"]);
    let algorithms: BTreeSet<_> = list("id_token_signing_alg_values_supported")
        .into_iter()
        .collect();
    assert_eq!(
        algorithms,
        ["ES256", "RS256", "EdDSA"].map(str::to_owned).into()
    );
}

#[test]
fn scopes_are_advertised_once_unless_hidden_and_in_legal_characters() {
    // P-23, P-24, S63
    let mut tenant = tenant();
    for name in ["email", "openid"] {
        tenant
            .policy
            .scopes
            .insert(name.to_owned(), ScopeDefinition::default());
    }
    let metadata = metadata_of(&tenant);
    let scopes: Vec<_> = metadata["scopes_supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let distinct: BTreeSet<_> = scopes.iter().copied().collect();
    assert_eq!(distinct.len(), scopes.len(), "{scopes:?}");
    for name in [
        "openid",
        "offline_access",
        "profile",
        "email",
        "read",
        "write",
    ] {
        assert!(distinct.contains(name), "{name}");
    }
    assert!(!distinct.contains("secret.admin"));
    assert_eq!(
        Scope::parse(&scopes.join(" ")).unwrap().iter().count(),
        scopes.len()
    );
}
