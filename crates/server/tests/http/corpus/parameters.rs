//! Parameters: their place, their encoding, their number (RFC 6749 §3.1, §3.2, appendix B).
//!
//! P-59, SEC-105, SEC-195, SEC-196, SEC-444 (at most 128 parameters), S27, S35

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, get, post, redemption};

const FORM: &str = "application/x-www-form-urlencoded";

pub fn rows() -> Vec<Broken> {
    let unsupported = |row: Broken| Broken {
        status: 415,
        ..row.json("content_type_not_form", "invalid_request")
    };
    vec![
        unsupported(
            post("a token request in JSON", "/token")
                .raw("application/json", "{\"grant_type\":\"qxq\"}"),
        ),
        unsupported(
            post("a token request as multipart", "/token")
                .raw("multipart/form-data; boundary=qxq", "--qxq--"),
        ),
        unsupported(
            post("a token request as text", "/token")
                .raw("text/plain", "grant_type=client_credentials"),
        ),
        unsupported(
            post("a token request without a content type", "/token").raw("", "grant_type=qxq"),
        ),
        unsupported(post("a token request in Latin-1", "/token").raw(
            "application/x-www-form-urlencoded; charset=iso-8859-1",
            "scope=qxq",
        )),
        unsupported(
            post("a revocation in JSON", "/revoke").raw("application/json", "{\"token\":\"qxq\"}"),
        ),
        unsupported(
            post("an introspection in JSON", "/introspect")
                .raw("application/json", "{\"token\":\"qxq\"}"),
        ),
        post("an authorization request in JSON", "/authorize")
            .raw("application/json", "{}")
            .shown("content_type_not_form"),
        post("userinfo with a JSON body", "/userinfo")
            .raw("application/json", "{\"access_token\":\"qxq\"}")
            .bearer("content_type_not_form", "invalid_request", 400),
        post("half a percent-encoding", "/token")
            .raw(FORM, "grant_type=%4")
            .json("parameter_encoding", "invalid_request"),
        post("a percent sign alone", "/token")
            .raw(FORM, "grant_type=100%")
            .json("parameter_encoding", "invalid_request"),
        post("digits that are not hexadecimal", "/token")
            .raw(FORM, "grant_type=%zz")
            .json("parameter_encoding", "invalid_request"),
        post("bytes that are not UTF-8", "/token")
            .raw(FORM, "grant_type=%ff%fe")
            .json("parameter_encoding", "invalid_request"),
        post("an overlong UTF-8 form", "/token")
            .raw(FORM, "grant_type=%c0%af")
            .json("parameter_encoding", "invalid_request"),
        post("an encoded NUL", "/token")
            .raw(FORM, "grant_type=a%00b")
            .json("parameter_encoding", "invalid_request"),
        post("a NUL as it is", "/token")
            .raw(FORM, "grant_type=a\0b")
            .json("parameter_encoding", "invalid_request"),
        post("a bad encoding in a name", "/token")
            .raw(FORM, "grant%f_type=a")
            .json("parameter_encoding", "invalid_request"),
        get(
            "a bad encoding in an authorization request",
            "/authorize?client_id=%ff",
        )
        .shown("parameter_encoding"),
        redemption("grant_type twice")
            .and("grant_type", "authorization_code")
            .json("parameter_repeated", "invalid_request"),
        redemption("code twice")
            .and("code", "qxq")
            .json("parameter_repeated", "invalid_request"),
        redemption("redirect_uri twice")
            .and("redirect_uri", "https://web.example/cb")
            .json("parameter_repeated", "invalid_request"),
        redemption("an empty parameter twice")
            .and("empty", "")
            .and("empty", "")
            .json("parameter_repeated", "invalid_request"),
        redemption("an unknown parameter twice")
            .and("qxq-two", "1")
            .and("qxq-two", "1")
            .json("parameter_repeated", "invalid_request"),
        redemption("a full and an empty parameter of one name")
            .and("code", "")
            .json("parameter_repeated", "invalid_request"),
        post("a token twice at revocation", "/revoke")
            .by("web")
            .and("token", "qxq1")
            .and("token", "qxq2")
            .json("parameter_repeated", "invalid_request"),
        post("a token twice at introspection", "/introspect")
            .by("web")
            .and("token", "qxq1")
            .and("token", "qxq2")
            .json("parameter_repeated", "invalid_request"),
        get("client_id twice", "/authorize")
            .and("client_id", "web")
            .and("client_id", "web")
            .shown("parameter_repeated"),
        get(
            "redirect_uri twice in an authorization request",
            "/authorize",
        )
        .and("client_id", "web")
        .and("redirect_uri", "https://web.example/cb")
        .and("redirect_uri", "https://qxq.example/cb")
        .shown("parameter_repeated"),
        post("more than 128 parameters", "/token")
            .raw(FORM, many_parameters())
            .json("too_many_parameters", "invalid_request"),
        redemption("a parameter in the query of the token endpoint")
            .query("scope", "qxq")
            .json("parameters_in_query", "invalid_request"),
        post("the code in the query", "/token")
            .by("web")
            .query("code", "qxq")
            .and("grant_type", "authorization_code")
            .json("parameters_in_query", "invalid_request"),
        post("the client secret in the query", "/token")
            .query("client_id", "post")
            .query("client_secret", "qxq")
            .and("grant_type", "client_credentials")
            .json("parameters_in_query", "invalid_request"),
        post("the token in the query of introspection", "/introspect")
            .by("web")
            .query("token", "qxq")
            .json("parameters_in_query", "invalid_request"),
        post("the token in the query of revocation", "/revoke")
            .by("web")
            .query("token", "qxq")
            .json("parameters_in_query", "invalid_request"),
    ]
}

fn many_parameters() -> &'static str {
    use std::sync::LazyLock;
    static MANY: LazyLock<String> = LazyLock::new(|| {
        (0..129)
            .map(|number| format!("p{number}=qxq"))
            .collect::<Vec<_>>()
            .join("&")
    });
    &MANY
}
