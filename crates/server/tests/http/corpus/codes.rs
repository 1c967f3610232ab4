//! Grants at the token endpoint, and codes (RFC 6749 §4.1.3, §4.4, §5.2, RFC 7636 §4.6).
//!
//! P-158, P-160, P-161, P-163, P-165, P-166, SEC-010, SEC-024, SEC-030, SEC-132, SEC-134, S16, S31

use super::{Broken, Deed, post, redemption};

pub fn rows() -> Vec<Broken> {
    [grant_types(), possession(), verifiers(), standing()].concat()
}

fn grant_types() -> Vec<Broken> {
    let own = |name| post(name, "/token").and("grant_type", "client_credentials");
    vec![
        own("client credentials in the second the client was stopped")
            .by("service")
            .after(Deed::DisableAndEnableAtOnce("service"))
            .json("cut", "invalid_grant"),
        redemption("no grant_type")
            .without("grant_type")
            .json("grant_type_missing", "invalid_request"),
        redemption("an empty grant_type")
            .set("grant_type", "")
            .json("grant_type_missing", "invalid_request"),
        redemption("an unknown grant_type")
            .set("grant_type", "qxq")
            .json("grant_type_unsupported", "unsupported_grant_type"),
        redemption("the password grant")
            .set("grant_type", "password")
            .json("grant_type_unsupported", "unsupported_grant_type"),
        redemption("a grant_type in capitals")
            .set("grant_type", "Authorization_Code")
            .json("grant_type_unsupported", "unsupported_grant_type"),
        own("client credentials by a client without the grant")
            .by("web")
            .json("grant_type_not_allowed", "unauthorized_client"),
        redemption("a code by a client without the grant")
            .by("service")
            .json("grant_type_not_allowed", "unauthorized_client"),
        post("a refresh by a client without the grant", "/token")
            .by("code-only")
            .and("grant_type", "refresh_token")
            .and("refresh_token", "qxq")
            .json("grant_type_not_allowed", "unauthorized_client"),
        own("client credentials of a public client")
            .by("public-machine")
            .json("client_credentials_public", "unauthorized_client"),
        own("a scope the client may not have")
            .by("service")
            .and("scope", "qxq")
            .json("client_scope_wider", "invalid_scope"),
        own("openid for the client itself")
            .by("service")
            .and("scope", "openid")
            .json("client_scope_wider", "invalid_scope"),
        own("offline_access for the client itself")
            .by("service")
            .and("scope", "offline_access")
            .json("client_scope_wider", "invalid_scope"),
        own("a malformed scope at the token endpoint")
            .by("service")
            .and("scope", "\"qxq\"")
            .json("token_scope_malformed", "invalid_scope"),
    ]
}

fn possession() -> Vec<Broken> {
    vec![
        redemption("no code")
            .without("code")
            .json("code_missing", "invalid_request"),
        redemption("an empty code")
            .set("code", "")
            .json("code_missing", "invalid_request"),
        redemption("a code nobody made")
            .set("code", "qxq")
            .json("code_unknown", "invalid_grant"),
        redemption("an altered code")
            .set("code", "{altered-code:web}")
            .json("code_unknown", "invalid_grant"),
        redemption("a shortened code")
            .set("code", "{short-code:web}")
            .json("code_unknown", "invalid_grant"),
        redemption("a refresh token as a code")
            .set("code", "{refresh:web}")
            .json("code_unknown", "invalid_grant"),
        redemption("an access token as a code")
            .set("code", "{access:web}")
            .json("code_unknown", "invalid_grant"),
        redemption("the code of another client")
            .set("code", "{code:other}")
            .json("code_of_another_client", "invalid_grant"),
        redemption("the code of a public client")
            .set("code", "{code:spa}")
            .json("code_of_another_client", "invalid_grant"),
        redemption("no redirect_uri with the code")
            .without("redirect_uri")
            .json("code_redirect_uri", "invalid_grant"),
        redemption("the client's other redirect_uri")
            .set("redirect_uri", "https://web.example/cb?keep=a%20b&x=1")
            .json("code_redirect_uri", "invalid_grant"),
        redemption("a foreign redirect_uri with the code")
            .set("redirect_uri", "https://qxq.example/")
            .json("code_redirect_uri", "invalid_grant"),
        redemption("a redirect_uri with a slash more")
            .set("redirect_uri", "https://web.example/cb/")
            .json("code_redirect_uri", "invalid_grant"),
    ]
}

fn verifiers() -> Vec<Broken> {
    let malformed = |name, verifier| {
        redemption(name)
            .set("code_verifier", verifier)
            .json("code_verifier_malformed", "invalid_request")
    };
    vec![
        redemption("no verifier")
            .without("code_verifier")
            .json("code_verifier_missing", "invalid_grant"),
        redemption("an empty verifier")
            .set("code_verifier", "")
            .json("code_verifier_missing", "invalid_grant"),
        redemption("a wrong verifier")
            .set(
                "code_verifier",
                "qxqJftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            )
            .json("code_verifier_mismatch", "invalid_grant"),
        redemption("the challenge as the verifier")
            .set("code_verifier", crate::support::CHALLENGE)
            .json("code_verifier_mismatch", "invalid_grant"),
        malformed(
            "a verifier of 42 characters",
            "qxqftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX",
        ),
        malformed("a verifier of 129 characters", "{verifier:129}"),
        malformed(
            "a verifier with a space",
            "qxqf JeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        redemption("a verifier for a code without a challenge")
            .set("code", "{unchallenged:web}")
            .json("code_verifier_unasked", "invalid_grant"),
    ]
}

fn standing() -> Vec<Broken> {
    vec![
        redemption("a code after its life")
            .after(Deed::Advance(60))
            .json("code_expired", "invalid_grant"),
        redemption("a code spent before")
            .set("code", "{spent:web}")
            .json("code_spent", "invalid_grant"),
        redemption("a code of a disabled user")
            .after(Deed::DisableUser("alice"))
            .json("user_disabled", "invalid_grant"),
        redemption("a code of a deleted user")
            .after(Deed::DeleteUser("alice"))
            .json("user_disabled", "invalid_grant"),
        redemption("a code of a session that ended")
            .after(Deed::SignOut)
            .json("session_ended", "invalid_grant"),
        redemption("a code from before the client was stopped")
            .after(Deed::DisableAndEnable("web"))
            .json("grant_revoked", "invalid_grant"),
    ]
}
