//! Pushed authorization requests (RFC 9126).
//!
//! P-136, P-141, P-142, P-143, P-145, P-148, P-149, P-150, P-151, SEC-011, SEC-012, SEC-136, SEC-137

use super::{Broken, Deed, get, post};
use crate::support::{Browser, CHALLENGE, Fields, TestServer};
use http::Method;

/// Makes a `request_uri` of `web`; one that is `used` has been answered.
pub async fn make(server: &TestServer, browser: &mut Browser, kind: &str) -> String {
    let uri = server.push("web", &server.request("web", "openid")).await;
    if kind == "used" {
        let fields = Fields::from([("client_id", "web"), ("request_uri", &uri)]);
        browser.complete(&fields, "alice").await.code();
    }
    uri
}

/// A push of `web`, right in everything.
pub fn push(name: &'static str) -> Broken {
    post(name, "/par")
        .by("web")
        .and("response_type", "code")
        .and("client_id", "web")
        .and("redirect_uri", "https://web.example/cb")
        .and("scope", "openid")
        .and("state", "state-1")
        .and("code_challenge", CHALLENGE)
        .and("code_challenge_method", "S256")
}

fn using(name: &'static str, uri: &'static str) -> Broken {
    get(name, "/authorize")
        .and("client_id", "web")
        .and("request_uri", uri)
}

pub fn rows() -> Vec<Broken> {
    [pushing(), used(), required()].concat()
}

fn pushing() -> Vec<Broken> {
    vec![
        push("a push without client authentication")
            .by("")
            .unauthorized("client_authentication_method"),
        push("a push of another client_id")
            .set("client_id", "other")
            .challenged("client_id_differs"),
        push("a push with parameters in the query")
            .query("qxq", "1")
            .json("parameters_in_query", "invalid_request"),
        push("a pushed request_uri")
            .and("request_uri", "https://qxq.example/")
            .json("pushed_request_uri", "invalid_request"),
        push("a pushed request_uri of this server")
            .and("request_uri", "{pushed:good}")
            .json("pushed_request_uri", "invalid_request"),
        push("a pushed foreign URI")
            .set("redirect_uri", "https://qxq.example/")
            .json("redirect_uri_mismatch", "invalid_request"),
        push("a push without redirect_uri")
            .without("redirect_uri")
            .json("redirect_uri_missing", "invalid_request"),
        push("a pushed response type with tokens")
            .set("response_type", "code token")
            .json("response_type_unsupported", "unsupported_response_type"),
        push("a push without PKCE")
            .without("code_challenge")
            .json("code_challenge_missing", "invalid_request"),
        push("a push with the method plain")
            .set("code_challenge_method", "plain")
            .json("code_challenge_method", "invalid_request"),
        push("a pushed scope the client may not have")
            .set("scope", "openid photos:write")
            .json("scope_not_allowed", "invalid_scope"),
        push("a pushed state of 2049 bytes")
            .set("state", "{long}")
            .json("state_too_long", "invalid_request"),
        push("a pushed hint that is no token")
            .and("id_token_hint", "qxq")
            .json("id_token_hint_invalid", "invalid_request"),
        push("a repeated pushed parameter")
            .and("scope", "qxq")
            .json("parameter_repeated", "invalid_request"),
        Broken {
            status: 415,
            ..post("a push as JSON", "/par")
                .by("web")
                .raw("application/json", "{\"qxq\":1}")
                .json("content_type_not_form", "invalid_request")
        },
    ]
}

fn used() -> Vec<Broken> {
    const URN: &str = "urn:ietf:params:oauth:request_uri:";
    let handle = |name, kind: &str| {
        let uri = format!("{URN}{{{kind}:web}}");
        using(name, uri.leak()).shown("request_uri_unknown")
    };
    vec![
        using(
            "a request_uri nobody made",
            "urn:ietf:params:oauth:request_uri:qxq",
        )
        .shown("request_uri_unknown"),
        using("an altered request_uri", "{altered-pushed:good}").shown("request_uri_unknown"),
        using("a shortened request_uri", "{short-pushed:good}").shown("request_uri_unknown"),
        using("a request_uri of another client", "{pushed:good}")
            .set("client_id", "other")
            .shown("request_uri_unknown"),
        using("a request_uri without client_id", "{pushed:good}")
            .without("client_id")
            .shown("client_id_missing"),
        using("an expired request_uri", "{pushed:good}")
            .after(Deed::Advance(60))
            .shown("request_uri_expired"),
        using("an answered request_uri", "{pushed:used}").shown("request_uri_used"),
        using("an answered request_uri, silently", "{pushed:used}")
            .and("prompt", "none")
            .cookies("alice")
            .shown("request_uri_used"),
        using("a request_uri twice", "{pushed:good}")
            .and("request_uri", "qxq")
            .shown("parameter_repeated"),
        using(
            "a request_uri of a client that was disabled since",
            "{pushed:good}",
        )
        .after(Deed::DisableClient("web"))
        .shown("client_unknown"),
        handle("a code as request_uri", "code"),
        handle("a refresh token as request_uri", "refresh"),
    ]
}

fn required() -> Vec<Broken> {
    let brought = |name| Broken {
        method: Method::GET,
        path: "/authorize",
        by: "",
        ..push(name)
    };
    vec![
        brought("a request that should have been pushed")
            .after(Deed::RequirePush("web"))
            .sent("request_not_pushed", "invalid_request"),
        brought("a foreign URI of a request that should have been pushed")
            .set("redirect_uri", "https://qxq.example/")
            .after(Deed::RequirePush("web"))
            .shown("request_not_pushed"),
    ]
}
