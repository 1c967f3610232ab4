//! Client authentication by secret and by nothing (RFC 6749 §2.3, §3.2.1; SEC-022, SEC-125, SEC-126).

use super::{Broken, post};

fn own(name: &'static str) -> Broken {
    post(name, "/token").and("grant_type", "client_credentials")
}

pub fn rows() -> Vec<Broken> {
    [names(), methods(), headers()].concat()
}

fn names() -> Vec<Broken> {
    vec![
        own("no client at all").unauthorized("client_not_named"),
        own("an empty client_id")
            .and("client_id", "")
            .unauthorized("client_not_named"),
        own("a secret without a client_id")
            .and("client_secret", "qxq")
            .unauthorized("client_not_named"),
        own("an unknown public client")
            .and("client_id", "qxq-nobody")
            .unauthorized("client_not_found"),
        own("an unknown client with a secret")
            .header("authorization", "{basic:qxq-nobody:qxq}")
            .challenged("client_not_found"),
        own("a client_id with a letter outside ASCII")
            .and("client_id", "wéb")
            .unauthorized("client_not_found"),
        own("a client_id with a line break")
            .and("client_id", "web\n")
            .unauthorized("client_not_found"),
        own("a client_id of another case")
            .and("client_id", "SPA")
            .unauthorized("client_not_found"),
        own("a disabled client")
            .by("service")
            .after(super::Deed::DisableClient("service"))
            .challenged("client_not_found"),
        own("another client_id beside the header")
            .by("service")
            .and("client_id", "spa")
            .challenged("client_id_differs"),
        own("another client_id beside the assertion")
            .by("keyed")
            .and("client_id", "web")
            .unauthorized("client_id_differs"),
        post("revocation without a client", "/revoke")
            .and("token", "qxq")
            .unauthorized("client_not_named"),
        post("introspection without a client", "/introspect")
            .and("token", "qxq")
            .unauthorized("client_not_named"),
        post("introspection by a public client", "/introspect")
            .by("spa")
            .and("token", "qxq")
            .unauthorized("introspection_by_public_client"),
        own("a public client that has a secret")
            .and("client_id", "confused")
            .unauthorized("public_client_with_secret"),
    ]
}

fn methods() -> Vec<Broken> {
    vec![
        own("header and body")
            .by("service")
            .and("client_id", "service")
            .and("client_secret", "qxq")
            .json("two_client_authentications", "invalid_request"),
        own("header and assertion")
            .by("service")
            .and("client_assertion", "qxq")
            .json("two_client_authentications", "invalid_request"),
        own("body and assertion")
            .and("client_id", "post")
            .and("client_secret", "qxq")
            .and("client_assertion", "qxq")
            .json("two_client_authentications", "invalid_request"),
        own("a client for the header in the body")
            .and("client_id", "service")
            .and("client_secret", "the secret of service")
            .unauthorized("client_authentication_method"),
        own("a client for the body in the header")
            .header("authorization", "{basic:post:the secret of post}")
            .challenged("client_authentication_method"),
        own("a confidential client as a public one")
            .and("client_id", "service")
            .unauthorized("client_authentication_method"),
        own("a client for assertions as a public one")
            .and("client_id", "keyed")
            .unauthorized("client_authentication_method"),
        own("a client for assertions with a secret")
            .header("authorization", "{basic:keyed:qxq}")
            .challenged("client_authentication_method"),
        own("a client for HMAC with its secret")
            .header(
                "authorization",
                "{basic:hmac:a secret of more than thirty-two bytes for HMAC}",
            )
            .challenged("client_authentication_method"),
        own("a client for secrets with an assertion")
            .and(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            )
            .and("client_assertion", "{assertion:of-service}")
            .unauthorized("client_authentication_method"),
        own("a public client with a made-up secret")
            .and("client_id", "spa")
            .and("client_secret", "qxq")
            .unauthorized("client_authentication_method"),
    ]
}

fn headers() -> Vec<Broken> {
    vec![
        own("a wrong secret in the header")
            .header("authorization", "{basic:service:qxq}")
            .challenged("client_secret_wrong"),
        own("no secret in the header")
            .header("authorization", "{basic:service:}")
            .challenged("client_secret_wrong"),
        own("a wrong secret in the body")
            .and("client_id", "post")
            .and("client_secret", "qxq")
            .unauthorized("client_secret_wrong"),
        own("a secret with a character more")
            .header("authorization", "{basic:service:the secret of servicee}")
            .challenged("client_secret_wrong"),
        own("a secret that was not form-encoded")
            .header("authorization", "{raw-basic:odd%3A%25%2B:p:l%u+s}")
            .challenged("basic_malformed"),
        own("a raw secret whose plus sign was not encoded")
            .header("authorization", "{raw-basic:plus:a+b}")
            .challenged("client_secret_not_form_encoded"),
        own("a bearer token as client authentication")
            .header("authorization", "Bearer qxq")
            .challenged("authorization_scheme"),
        own("a digest as client authentication")
            .header("authorization", "Digest username=\"qxq\"")
            .challenged("authorization_scheme"),
        own("a scheme without credentials")
            .header("authorization", "Basic")
            .challenged("basic_malformed"),
        own("credentials that are not base64")
            .header("authorization", "Basic q~x~q")
            .challenged("basic_malformed"),
        own("credentials without a colon")
            .header("authorization", "Basic cXhxLXdpdGhvdXQtY29sb24=")
            .challenged("basic_malformed"),
        own("credentials that are not UTF-8")
            .header("authorization", "Basic //79Oi/+")
            .challenged("basic_malformed"),
        own("credentials without an id")
            .header("authorization", "{raw-basic::qxq}")
            .challenged("basic_malformed"),
        own("credentials whose percent-encoding is broken")
            .header("authorization", "{raw-basic:service:%zz}")
            .challenged("basic_malformed"),
        own("a bad header at introspection")
            .header("authorization", "Basic")
            .challenged("basic_malformed"),
    ]
}
