//! The authorization request (RFC 6749 §4.1.1, Core §3.1.2.1, RFC 7636 §4.3).
//!
//! P-60, P-61, P-62, P-63, P-64, P-65, P-68, P-69, P-88, P-89, P-92, P-110, P-123, P-124, SEC-001, SEC-002, SEC-003, SEC-005,
//! SEC-100, SEC-101, SEC-102, SEC-103, SEC-105, SEC-114, SEC-116, SEC-117, SEC-131, SEC-133, S12, S13, S18

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, get};
use crate::support::CHALLENGE;

/// A request of `web`, right in everything.
fn request(name: &'static str) -> Broken {
    get(name, "/authorize")
        .and("response_type", "code")
        .and("client_id", "web")
        .and("redirect_uri", "https://web.example/cb")
        .and("scope", "openid")
        .and("state", "state-1")
        .and("code_challenge", CHALLENGE)
        .and("code_challenge_method", "S256")
}

pub fn rows() -> Vec<Broken> {
    [
        shown(),
        redirect_uris(),
        sent(),
        scopes_and_pkce(),
        silent(),
    ]
    .concat()
}

fn shown() -> Vec<Broken> {
    vec![
        request("no client_id")
            .without("client_id")
            .shown("client_id_missing"),
        request("an empty client_id at authorization")
            .set("client_id", "")
            .shown("client_id_missing"),
        request("an unknown client")
            .set("client_id", "qxq-nobody")
            .shown("client_unknown"),
        request("a client_id with a control character")
            .set("client_id", "web\u{7f}")
            .shown("client_unknown"),
        request("a disabled client at authorization")
            .after(super::Deed::DisableClient("web"))
            .shown("client_unknown"),
        request("no redirect_uri")
            .without("redirect_uri")
            .shown("redirect_uri_missing"),
        request("an empty redirect_uri")
            .set("redirect_uri", "")
            .shown("redirect_uri_missing"),
        request("a foreign URI and another fault")
            .set("redirect_uri", "https://qxq.example/")
            .set("response_type", "qxq")
            .shown("redirect_uri_mismatch"),
        request("a foreign URI and prompt=none")
            .set("redirect_uri", "https://qxq.example/")
            .and("prompt", "none")
            .shown("redirect_uri_mismatch"),
        request("a state of 2049 bytes")
            .set("state", "{long}")
            .shown("state_too_long"),
    ]
}

fn redirect_uris() -> Vec<Broken> {
    let uri = |name, uri| {
        request(name)
            .set("redirect_uri", uri)
            .shown("redirect_uri_mismatch")
    };
    vec![
        uri("a foreign redirect_uri", "https://qxq.example/cb"),
        uri("a trailing slash more", "https://web.example/cb/"),
        uri("a query more", "https://web.example/cb?qxq=1"),
        uri(
            "another query than registered",
            "https://web.example/cb?x=1&keep=a%20b",
        ),
        uri("a fragment more", "https://web.example/cb#qxq"),
        uri(
            "user information before the host",
            "https://qxq@web.example/cb",
        ),
        uri(
            "the host as user information",
            "https://web.example@qxq.example/cb",
        ),
        uri(
            "a backslash before the host",
            "https://qxq.example\\@web.example/cb",
        ),
        uri("the default port", "https://web.example:443/cb"),
        uri("an upper case host", "https://WEB.example/cb"),
        uri("an upper case path", "https://web.example/CB"),
        uri("a trailing dot in the host", "https://web.example./cb"),
        uri("a dot segment", "https://web.example/x/../cb"),
        uri(
            "an encoded dot segment",
            "https://web.example/cb/%2e%2e/qxq",
        ),
        uri("a semicolon segment", "https://web.example/cb/..;/qxq"),
        uri("plain http", "http://web.example/cb"),
        uri("a prefix of the registered one", "https://web.example/c"),
        uri("a subdomain", "https://qxq.web.example/cb"),
        uri("a space at the end", "https://web.example/cb "),
        uri("a line break", "https://web.example/cb\r\nqxq: 1"),
        uri("a script", "javascript:alert(1)//qxq"),
        request("localhost with another port")
            .set("client_id", "native")
            .set("redirect_uri", "http://localhost:7777/cb")
            .shown("redirect_uri_mismatch"),
        request("a loopback address spelled short")
            .set("client_id", "native")
            .set("redirect_uri", "http://127.1/cb")
            .shown("redirect_uri_mismatch"),
        request("a loopback port for a web client")
            .set("redirect_uri", "http://127.0.0.1:7777/cb")
            .shown("redirect_uri_mismatch"),
        request("a private scheme with another path")
            .set("client_id", "native")
            .set("redirect_uri", "com.example.app:/qxq")
            .shown("redirect_uri_mismatch"),
    ]
}

fn sent() -> Vec<Broken> {
    vec![
        request("no response_type")
            .without("response_type")
            .sent("response_type_missing", "invalid_request"),
        request("the implicit response type")
            .set("response_type", "token")
            .sent("response_type_unsupported", "unsupported_response_type"),
        request("a hybrid response type")
            .set("response_type", "code id_token")
            .sent("response_type_unsupported", "unsupported_response_type"),
        request("an unknown response type")
            .set("response_type", "qxq")
            .sent("response_type_unsupported", "unsupported_response_type"),
        request("a client that may not authorize")
            .set("client_id", "jwt-service")
            .sent("grant_type_not_registered", "unauthorized_client"),
        request("response_mode web_message")
            .and("response_mode", "web_message")
            .sent("response_mode_unsupported", "invalid_request"),
        request("an error in the fragment")
            .and("response_mode", "fragment")
            .and("prompt", "qxq")
            .sent("prompt_unknown", "invalid_request"),
        request("an unknown response_mode")
            .and("response_mode", "qxq")
            .sent("response_mode_unsupported", "invalid_request"),
        request("a request_uri")
            .and("request_uri", "https://qxq.example/")
            .sent("request_uri_unsupported", "request_uri_not_supported"),
        request("a registration parameter")
            .and("registration", "{}")
            .sent("registration_unsupported", "registration_not_supported"),
        request("a nonce of 2049 bytes")
            .and("nonce", "{long}")
            .sent("nonce_too_long", "invalid_request"),
        request("an unknown prompt")
            .and("prompt", "qxq")
            .sent("prompt_unknown", "invalid_request"),
        request("an unknown prompt among known ones")
            .and("prompt", "login qxq")
            .sent("prompt_unknown", "invalid_request"),
        request("prompt=none and login")
            .and("prompt", "none login")
            .sent("prompt_none_combined", "invalid_request"),
        request("a max_age that is no number")
            .and("max_age", "qxq")
            .sent("max_age_malformed", "invalid_request"),
        request("a negative max_age")
            .and("max_age", "-1")
            .sent("max_age_malformed", "invalid_request"),
        request("a max_age with a fraction")
            .and("max_age", "1.5")
            .sent("max_age_malformed", "invalid_request"),
        request("a max_age of eleven digits")
            .and("max_age", "10000000000")
            .sent("max_age_malformed", "invalid_request"),
        request("claims that are not JSON")
            .and("claims", "qxq")
            .sent("claims_malformed", "invalid_request"),
        request("claims that are a list")
            .and("claims", "[\"qxq\"]")
            .sent("claims_malformed", "invalid_request"),
        request("claims whose userinfo is text")
            .and("claims", "{\"userinfo\":\"qxq\"}")
            .sent("claims_malformed", "invalid_request"),
        request("an id_token_hint that is no token")
            .and("id_token_hint", "qxq")
            .sent("id_token_hint_invalid", "invalid_request"),
        request("an id_token_hint of another client")
            .and("id_token_hint", "{id:other}")
            .sent("id_token_hint_invalid", "invalid_request"),
        request("an altered id_token_hint")
            .and("id_token_hint", "{altered-id:web}")
            .sent("id_token_hint_invalid", "invalid_request"),
        request("an access token as id_token_hint")
            .and("id_token_hint", "{access:jwt-web}")
            .sent("id_token_hint_invalid", "invalid_request"),
    ]
}

fn scopes_and_pkce() -> Vec<Broken> {
    vec![
        request("a scope with a quotation mark")
            .set("scope", "openid \"qxq\"")
            .sent("scope_malformed", "invalid_scope"),
        request("a scope with a backslash")
            .set("scope", "openid qxq\\")
            .sent("scope_malformed", "invalid_scope"),
        request("a scope with a tab")
            .set("scope", "openid\tqxq")
            .sent("scope_malformed", "invalid_scope"),
        request("a scope with a letter outside ASCII")
            .set("scope", "openid qxqé")
            .sent("scope_malformed", "invalid_scope"),
        request("a scope value of 129 characters")
            .set("scope", "{scope:129}")
            .sent("scope_malformed", "invalid_scope"),
        request("65 scope values")
            .set("scope", "{scope:65-values}")
            .sent("scope_malformed", "invalid_scope"),
        request("a known scope the client may not have")
            .set("scope", "openid photos:write")
            .sent("scope_not_allowed", "invalid_scope"),
        request("only scopes nobody knows")
            .set("scope", "qxq")
            .sent("scope_empty", "invalid_scope"),
        request("no scope for a client without one")
            .set("client_id", "scopeless")
            .without("scope")
            .sent("scope_empty", "invalid_scope"),
        request("no code_challenge")
            .without("code_challenge")
            .without("code_challenge_method")
            .sent("code_challenge_missing", "invalid_request"),
        request("a method without a challenge")
            .without("code_challenge")
            .sent("code_challenge_missing", "invalid_request"),
        request("an empty code_challenge")
            .set("code_challenge", "")
            .sent("code_challenge_missing", "invalid_request"),
        request("a challenge without a method")
            .without("code_challenge_method")
            .sent("code_challenge_method", "invalid_request"),
        request("the method plain")
            .set("code_challenge_method", "plain")
            .sent("code_challenge_method", "invalid_request"),
        request("the method s256")
            .set("code_challenge_method", "s256")
            .sent("code_challenge_method", "invalid_request"),
        request("an unknown method")
            .set("code_challenge_method", "qxq")
            .sent("code_challenge_method", "invalid_request"),
        request("a challenge with padding")
            .set(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            )
            .sent("code_challenge_malformed", "invalid_request"),
        request("a challenge of 42 characters")
            .set(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            )
            .sent("code_challenge_malformed", "invalid_request"),
        request("a challenge of 44 characters")
            .set(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMq",
            )
            .sent("code_challenge_malformed", "invalid_request"),
        request("a challenge in the other base64")
            .set(
                "code_challenge",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
            )
            .sent("code_challenge_malformed", "invalid_request"),
    ]
}

fn silent() -> Vec<Broken> {
    let silent = |name| request(name).and("prompt", "none");
    vec![
        silent("prompt=none without a session").sent("login_required", "login_required"),
        silent("prompt=none without consent")
            .cookies("alice")
            .sent("consent_required", "consent_required"),
        silent("prompt=none with a session that is too old")
            .set("client_id", "first")
            .and("max_age", "10")
            .cookies("alice")
            .after(super::Deed::Advance(11))
            .sent("login_required", "login_required"),
        silent("prompt=none after the session has ended")
            .set("client_id", "first")
            .cookies("alice")
            .after(super::Deed::Advance(8 * 3600))
            .sent("login_required", "login_required"),
        silent("an acr nobody can reach, asked for as essential")
            .set("client_id", "first")
            .and(
                "claims",
                "{\"id_token\":{\"acr\":{\"essential\":true,\"values\":[\"qxq\"]}}}",
            )
            .cookies("alice")
            .sent("acr_unmet", "unmet_authentication_requirements"),
        silent("a hint of one user and a claim of another")
            .and("id_token_hint", "{id:web}")
            .and("claims", "{\"id_token\":{\"sub\":{\"value\":\"qxq\"}}}")
            .sent("subjects_differ", "invalid_request"),
        request("an authorization request in a frame")
            .header("sec-fetch-dest", "iframe")
            .cookies("alice")
            .shown("in_a_frame"),
        silent("another subject asked for by a claim")
            .set("client_id", "first")
            .and("claims", "{\"id_token\":{\"sub\":{\"value\":\"qxq\"}}}")
            .cookies("alice")
            .sent("hinted_user_differs", "login_required"),
        silent("prompt=none with a hint of another user")
            .and("id_token_hint", "{id-of-bob:web}")
            .cookies("alice")
            .sent("hinted_user_differs", "login_required"),
    ]
}
