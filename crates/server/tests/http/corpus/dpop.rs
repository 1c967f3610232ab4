//! Proofs of possession at the token endpoint and at resources (RFC 9449).
//!
//! P-206…217, P-221…227, P-230…233, SEC-038, SEC-180, SEC-181, SEC-182, SEC-348

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, To, get, post, redemption};

pub fn rows() -> Vec<Broken> {
    [proofs(), pushes(), bindings(), resources()].concat()
}

fn pushes() -> Vec<Broken> {
    let push = |name, proof| {
        super::pushed::push(name)
            .and("dpop_jkt", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            .header("dpop", proof)
    };
    vec![
        push(
            "a push with a proof by another key than dpop_jkt names",
            "{proof:good@/par}",
        )
        .json("pushed_request_dpop_key", "invalid_dpop_proof"),
        push(
            "a push with a proof for the token endpoint",
            "{proof:good@/token}",
        )
        .json("dpop_proof_htu", "invalid_dpop_proof"),
        push("a push with a proof that was used", "{proof:used@/token}")
            .json("dpop_proof_htu", "invalid_dpop_proof"),
    ]
}

/// A token request of `service` with a proof.
fn proven(name: &'static str, proof: &'static str) -> Broken {
    post(name, "/token")
        .by("service")
        .and("grant_type", "client_credentials")
        .header("dpop", proof)
}

fn proofs() -> Vec<Broken> {
    let flawed = |name, proof, cause| proven(name, proof).json(cause, "invalid_dpop_proof");
    vec![
        flawed(
            "two DPoP headers",
            "{proof:good@/token}",
            "dpop_proof_repeated",
        )
        .header("dpop", "{proof:good@/token}"),
        flawed("a proof that is no JWT", "qxq", "dpop_proof_malformed"),
        flawed(
            "two proofs in one header",
            "{proof:two@/token}",
            "dpop_proof_malformed",
        ),
        flawed("an empty DPoP header", "", "dpop_proof_malformed"),
        flawed(
            "a proof of another typ",
            "{proof:typ@/token}",
            "dpop_proof_typ",
        ),
        flawed(
            "a proof with RS256",
            "{proof:rs256@/token}",
            "dpop_proof_alg",
        ),
        flawed(
            "a proof with HS256",
            "{proof:hs256@/token}",
            "dpop_proof_alg",
        ),
        flawed(
            "a proof without a key",
            "{proof:keyless@/token}",
            "dpop_proof_key",
        ),
        flawed(
            "a proof with a private key",
            "{proof:private@/token}",
            "dpop_proof_key",
        ),
        flawed(
            "a proof with another's key",
            "{proof:stolen@/token}",
            "dpop_proof_signature",
        ),
        flawed(
            "a proof without jti",
            "{proof:jti-less@/token}",
            "dpop_proof_claims",
        ),
        flawed(
            "a proof whose iat is a text",
            "{proof:iat-text@/token}",
            "dpop_proof_claims",
        ),
        flawed("a proof for PUT", "{proof:htm@/token}", "dpop_proof_htm"),
        flawed(
            "a proof for another server",
            "{proof:htu@/token}",
            "dpop_proof_htu",
        ),
        flawed(
            "a proof for userinfo at the token endpoint",
            "{proof:good@/userinfo}",
            "dpop_proof_htm",
        ),
        flawed(
            "a proof of an hour ago",
            "{proof:old@/token}",
            "dpop_proof_iat",
        ),
        flawed(
            "a proof of in an hour",
            "{proof:ahead@/token}",
            "dpop_proof_iat",
        ),
        flawed(
            "a proof that was used before",
            "{proof:used@/token}",
            "dpop_proof_replayed",
        ),
        redemption("a proof without the nonce the client needs")
            .by("nonce-web")
            .header("dpop", "{proof:good@/token}")
            .json("dpop_nonce", "use_dpop_nonce"),
        redemption("a proof with a made-up nonce")
            .by("nonce-web")
            .header("dpop", "{proof:nonce@/token}")
            .json("dpop_nonce", "use_dpop_nonce"),
    ]
}

fn bindings() -> Vec<Broken> {
    let refreshing = |name, by| {
        post(name, "/token")
            .by(by)
            .and("grant_type", "refresh_token")
    };
    vec![
        redemption("a bound client without a proof")
            .by("bound-web")
            .set("code", "{code:bound-web}")
            .json("dpop_proof_missing", "invalid_dpop_proof"),
        refreshing("a bound client that refreshes without a proof", "bound-web")
            .and("refresh_token", "{bound-refresh:bound-web}")
            .json("dpop_proof_missing", "invalid_dpop_proof"),
        redemption("a code of another key")
            .set("code", "{keyed-code:web}")
            .header("dpop", "{proof:other@/token}")
            .json("code_dpop_key", "invalid_grant"),
        redemption("a code of a key without a proof")
            .set("code", "{keyed-code:web}")
            .json("code_dpop_key", "invalid_grant"),
        refreshing("a public client's refresh token with another key", "spa")
            .and("refresh_token", "{bound-refresh:spa}")
            .header("dpop", "{proof:other@/token}")
            .json("refresh_token_dpop_key", "invalid_grant"),
        refreshing(
            "a public client's bound refresh token without a proof",
            "spa",
        )
        .and("refresh_token", "{bound-refresh:spa}")
        .json("refresh_token_dpop_key", "invalid_grant"),
        get("a dpop_jkt that is no thumbprint", "/authorize")
            .and("response_type", "code")
            .and("client_id", "web")
            .and("redirect_uri", "https://web.example/cb")
            .and("scope", "openid")
            .and("state", "state-1")
            .and("code_challenge", crate::support::CHALLENGE)
            .and("code_challenge_method", "S256")
            .and("dpop_jkt", "qxq")
            .sent("dpop_jkt_malformed", "invalid_request"),
    ]
}

/// A request with a bound token. Headers are filled in order, so the proof knows the token.
fn bearing(name: &'static str, path: &'static str, header: &'static str) -> Broken {
    get(name, path).header("authorization", header)
}

fn resources() -> Vec<Broken> {
    let dpop = |row: Broken, cause, error| Broken {
        to: To::Dpop,
        ..row.bearer(cause, error, 401)
    };
    let bound = |name, proof, cause, error| {
        let row = bearing(name, "/userinfo", "DPoP {bound:web}").header("dpop", proof);
        dpop(row, cause, error)
    };
    let flawed = |name, proof, cause| bound(name, proof, cause, "invalid_dpop_proof");
    vec![
        bearing(
            "a bound token as a bearer token",
            "/userinfo",
            "Bearer {bound:web}",
        )
        .header("dpop", "{proof:good@/userinfo}")
        .bearer("bound_token_as_bearer", "invalid_token", 401),
        post("a bound token in the body", "/userinfo")
            .and("access_token", "{bound:web}")
            .bearer("bound_token_as_bearer", "invalid_token", 401),
        dpop(
            bearing("a bearer token by DPoP", "/userinfo", "DPoP {access:web}"),
            "unbound_token_as_dpop",
            "invalid_token",
        ),
        dpop(
            bearing(
                "a bound token without a proof",
                "/userinfo",
                "DPoP {bound:web}",
            ),
            "dpop_proof_missing_at_resource",
            "invalid_token",
        ),
        dpop(
            bearing("a token nobody made by DPoP", "/userinfo", "DPoP qxq"),
            "token_unknown",
            "invalid_token",
        ),
        flawed(
            "userinfo: a proof without ath",
            "{proof:ath-less@/userinfo}",
            "dpop_proof_ath",
        ),
        flawed(
            "userinfo: a proof for another token",
            "{proof:ath@/userinfo}",
            "dpop_proof_ath",
        ),
        flawed(
            "userinfo: a proof for another method",
            "{proof:htm@/userinfo}",
            "dpop_proof_htm",
        ),
        flawed(
            "userinfo: a proof for the API",
            "{proof:good@/demo/api}",
            "dpop_proof_htu",
        ),
        flawed(
            "userinfo: a proof of an hour ago",
            "{proof:old@/userinfo}",
            "dpop_proof_iat",
        ),
        flawed(
            "userinfo: a proof that was used",
            "{proof:used@/userinfo}",
            "dpop_proof_replayed",
        ),
        bound(
            "userinfo: a proof by another key",
            "{proof:other@/userinfo}",
            "bound_token_key",
            "invalid_token",
        ),
        dpop(
            bearing(
                "the demo API with a bound token alone",
                "/demo/api",
                "DPoP {bound:web}",
            ),
            "dpop_proof_missing_at_resource",
            "invalid_token",
        ),
    ]
}
