//! Client authentication by assertion (RFC 7523 §2.2, §3).
//!
//! P-192, P-193, P-194, P-195, P-199, P-202, SEC-020, SEC-021, SEC-023, SEC-070, SEC-071, SEC-073, SEC-074, SEC-075, SEC-076,
//! SEC-120, SEC-121, SEC-122, SEC-124, SEC-170, SEC-171, SEC-172, SEC-173, SEC-174, SEC-175, SEC-176, SEC-177

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, post};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn with(name: &'static str, assertion: &'static str) -> Broken {
    post(name, "/token")
        .and("grant_type", "client_credentials")
        .and("client_assertion_type", TYPE)
        .and("client_assertion", assertion)
}

pub fn rows() -> Vec<Broken> {
    let malformed =
        |name, assertion| with(name, assertion).unauthorized("client_assertion_malformed");
    let claims = |name, assertion| with(name, assertion).unauthorized("client_assertion_claims");
    let times = |name, assertion| with(name, assertion).unauthorized("client_assertion_times");
    let audience =
        |name, assertion| with(name, assertion).unauthorized("client_assertion_audience");
    let alg = |name, assertion| with(name, assertion).unauthorized("client_assertion_alg");
    let signature =
        |name, assertion| with(name, assertion).unauthorized("client_assertion_signature");
    let typ = |name, assertion| with(name, assertion).unauthorized("client_assertion_typ");
    vec![
        with("an assertion without its type", "{assertion:good}")
            .without("client_assertion_type")
            .unauthorized("client_assertion_type"),
        with("an assertion of the SAML type", "{assertion:good}")
            .set(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            )
            .unauthorized("client_assertion_type"),
        with("a type without an assertion", "").unauthorized("client_assertion_missing"),
        malformed("an assertion that is no JWT", "qxq"),
        malformed("an assertion of two parts", "{assertion:two-parts}"),
        malformed("an assertion of four parts", "{assertion:four-parts}"),
        malformed("an unsigned assertion", "{assertion:alg-none}"),
        malformed(
            "an unsigned assertion, spelled None",
            "{assertion:alg-None}",
        ),
        malformed(
            "an unsigned assertion, spelled nOnE",
            "{assertion:alg-nOnE}",
        ),
        malformed("an assertion without alg", "{assertion:no-alg}"),
        malformed("an assertion with crit", "{assertion:crit}"),
        malformed("an assertion with an unencoded payload", "{assertion:b64}"),
        malformed("an assertion in JSON serialization", "{assertion:json}"),
        malformed("an assertion with padding", "{assertion:padded}"),
        malformed("an assertion with a space in it", "{assertion:spaced}"),
        malformed("an assertion of more than 16 KiB", "{assertion:huge}"),
        malformed("an assertion with a member twice", "{assertion:twice}"),
        malformed("an assertion whose claims are a list", "{assertion:list}"),
        with(
            "an assertion by an unknown client",
            "{assertion:sub-unknown}",
        )
        .unauthorized("client_not_found"),
        with(
            "an assertion with another issuer than subject",
            "{assertion:iss-other}",
        )
        .unauthorized("client_assertion_subject"),
        claims("an assertion without sub", "{assertion:no-sub}"),
        claims(
            "an assertion whose sub is a number",
            "{assertion:sub-number}",
        ),
        claims("an assertion without iss", "{assertion:no-iss}"),
        claims("an assertion without exp", "{assertion:no-exp}"),
        claims("an assertion whose exp is text", "{assertion:exp-text}"),
        claims("an assertion without jti", "{assertion:no-jti}"),
        claims("an assertion with an empty jti", "{assertion:empty-jti}"),
        claims(
            "an assertion with a jti of 257 characters",
            "{assertion:long-jti}",
        ),
        claims(
            "an assertion whose jti is a number",
            "{assertion:jti-number}",
        ),
        claims(
            "an assertion whose aud is a number",
            "{assertion:aud-number}",
        ),
        times("an expired assertion", "{assertion:exp-past}"),
        times("an assertion that lives too long", "{assertion:exp-far}"),
        times("an assertion of the future", "{assertion:iat-ahead}"),
        times("an assertion not valid yet", "{assertion:nbf-ahead}"),
        claims("an assertion without aud", "{assertion:no-aud}"),
        audience(
            "an assertion for the token endpoint",
            "{assertion:aud-token}",
        ),
        audience(
            "an assertion for the issuer with a slash",
            "{assertion:aud-slash}",
        ),
        audience("an assertion for another issuer", "{assertion:aud-other}"),
        audience("an assertion for two", "{assertion:aud-two}"),
        alg(
            "an HMAC made with the public key",
            "{assertion:hmac-with-public-key}",
        ),
        alg(
            "a signature where an HMAC is registered",
            "{assertion:signed-for-hmac}",
        ),
        signature(
            "an assertion by a key nobody registered",
            "{assertion:foreign-key}",
        ),
        signature(
            "an assertion with an altered signature",
            "{assertion:altered}",
        ),
        malformed(
            "an assertion without a signature",
            "{assertion:empty-signature}",
        ),
        signature(
            "an assertion with a signature of zeros",
            "{assertion:zeros}",
        ),
        signature(
            "an assertion with a kid that is not registered",
            "{assertion:kid-unknown}",
        ),
        signature("an assertion that brings its own key", "{assertion:jwk}"),
        signature("an HMAC with a wrong secret", "{assertion:hmac-wrong}"),
        typ("an access token as an assertion", "{assertion:typ-at}"),
        typ("a DPoP proof as an assertion", "{assertion:typ-dpop}"),
        typ("a logout token as an assertion", "{assertion:typ-logout}"),
        with(
            "an assertion of a client whose keys cannot be fetched",
            "{assertion:remote}",
        )
        .unauthorized("client_keys_unavailable"),
        with("an assertion used before", "{assertion:used}")
            .unauthorized("client_assertion_replayed"),
    ]
}
