//! Every rule this crate enforces, for `docs/specs.md` and for the corpus of broken requests.

use crate::refusal::Rule;
use crate::{
    authorize, client_auth, device, dpop, grants, introspection, logout, params, revocation,
    standing, trusted_issuer, userinfo,
};

pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        params::RULES,
        client_auth::RULES,
        client_auth::none::RULES,
        client_auth::secret::RULES,
        client_auth::assertion::RULES,
        authorize::request::RULES,
        authorize::request_object::RULES,
        authorize::pushed::RULES,
        authorize::parameters::RULES,
        authorize::step::RULES,
        grants::RULES,
        grants::authorization_code::RULES,
        grants::refresh_token::RULES,
        grants::client_credentials::RULES,
        device::RULES,
        grants::device_code::RULES,
        grants::token_exchange::RULES,
        grants::acting::RULES,
        grants::jwt_bearer::RULES,
        trusted_issuer::RULES,
        dpop::RULES,
        dpop::resource::RULES,
        standing::RULES,
        introspection::RULES,
        revocation::RULES,
        userinfo::RULES,
        logout::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Parameter names that may be repeated in a log line; any other name is the caller's text.
pub(crate) const KNOWN_PARAMETERS: [&str; 42] = [
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
    "response_type",
    "response_mode",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "acr_values",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "claims",
    "claims_locales",
    "display",
    "request",
    "request_uri",
    "access_token",
    "device_code",
    "user_code",
    "dpop_jkt",
    "assertion",
    "requested_token_use",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "resource",
    "audience",
];
