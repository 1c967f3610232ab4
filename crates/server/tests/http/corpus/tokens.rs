//! Access tokens at userinfo, introspection and revocation (RFC 6750, RFC 7009, RFC 7662).
//!
//! P-255, P-262, P-263, SEC-030, SEC-032, SEC-033, SEC-034, SEC-036, SEC-164, SEC-166, SEC-167, SEC-176, S17, S56, S57

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, Deed, To, get, post};

pub fn rows() -> Vec<Broken> {
    [userinfo(), introspection(), revocation()].concat()
}

fn bearing(name: &'static str, header: &'static str) -> Broken {
    get(name, "/userinfo").header("authorization", header)
}

fn userinfo() -> Vec<Broken> {
    let bare = |row: Broken| Broken {
        to: To::BareBearer,
        ..row
    };
    let invalid = |name, header, cause| bearing(name, header).bearer(cause, "invalid_token", 401);
    vec![
        bare(get("userinfo without a token", "/userinfo").bearer(
            "bearer_missing",
            "invalid_token",
            401,
        )),
        bare(bearing("userinfo with Basic", "Basic cXhxOnF4cQ==").bearer(
            "bearer_scheme",
            "invalid_token",
            401,
        )),
        bare(bearing("userinfo with a scheme alone", "Bearer").bearer(
            "bearer_scheme",
            "invalid_token",
            401,
        )),
        get("a token in the query of userinfo", "/userinfo")
            .and("access_token", "{access:web}")
            .bearer("bearer_in_query", "invalid_request", 400),
        post("a token in header and body", "/userinfo")
            .header("authorization", "Bearer qxq")
            .and("access_token", "qxq")
            .bearer("bearer_twice", "invalid_request", 400),
        invalid("a token nobody made", "Bearer qxq", "token_unknown"),
        invalid(
            "an altered access token",
            "Bearer {altered-access:web}",
            "token_unknown",
        ),
        invalid(
            "a shortened access token",
            "Bearer {short-access:web}",
            "token_unknown",
        ),
        invalid(
            "an altered JWT access token",
            "Bearer {altered-access:jwt-web}",
            "token_unknown",
        ),
        invalid(
            "a code as a bearer token",
            "Bearer {code:web}",
            "token_unknown",
        ),
        invalid(
            "a refresh token as a bearer token",
            "Bearer {refresh:web}",
            "token_unknown",
        ),
        invalid(
            "an ID token as a bearer token",
            "Bearer {id:web}",
            "token_unknown",
        ),
        bearing("an expired access token", "Bearer {access:web}")
            .after(Deed::Advance(600))
            .bearer("token_expired", "invalid_token", 401),
        bearing("an expired JWT access token", "Bearer {access:jwt-web}")
            .after(Deed::Advance(600))
            .bearer("token_expired", "invalid_token", 401),
        bearing("a revoked access token", "Bearer {access:web}")
            .after(Deed::Revoke("web"))
            .bearer("token_revoked", "invalid_token", 401),
        bearing("an access token of a disabled user", "Bearer {access:web}")
            .after(Deed::DisableUser("alice"))
            .bearer("token_revoked", "invalid_token", 401),
        bearing(
            "an access token of a session that ended",
            "Bearer {access:web}",
        )
        .after(Deed::SignOut)
        .bearer("token_revoked", "invalid_token", 401),
        bearing("an access token without openid", "Bearer {plain:web}").bearer(
            "userinfo_scope",
            "insufficient_scope",
            403,
        ),
        bearing(
            "an access token of a client for itself",
            "Bearer {own:jwt-service}",
        )
        .bearer("userinfo_scope", "insufficient_scope", 403),
        get("the demo API with a token for userinfo", "/demo/api")
            .header("authorization", "Bearer {access:web}")
            .bearer("demo_api_audience", "invalid_token", 401),
        bearing(
            "an access token for another audience",
            "Bearer {plain:api-web}",
        )
        .bearer("userinfo_scope", "insufficient_scope", 403),
    ]
}

fn introspection() -> Vec<Broken> {
    let introspect = |name, by, token| post(name, "/introspect").by(by).and("token", token);
    vec![
        post("introspection of nothing", "/introspect")
            .by("web")
            .json("token_missing", "invalid_request"),
        introspect("introspection of an empty token", "web", "")
            .json("token_missing", "invalid_request"),
        introspect("introspection of what nobody made", "web", "qxq").inactive("token_unknown"),
        introspect("introspection of a code", "web", "{code:web}").inactive("token_unknown"),
        introspect("introspection of an ID token", "web", "{id:web}").inactive("token_unknown"),
        introspect(
            "introspection of an altered token",
            "web",
            "{altered-access:web}",
        )
        .inactive("token_unknown"),
        introspect(
            "introspection of an altered refresh token",
            "web",
            "{altered-refresh:web}",
        )
        .inactive("token_unknown"),
        introspect("introspection by a stranger", "stranger", "{access:web}")
            .inactive("introspection_audience"),
        introspect(
            "introspection of a JWT by a stranger",
            "stranger",
            "{access:jwt-web}",
        )
        .inactive("introspection_audience"),
        introspect(
            "introspection of a refresh token by a stranger",
            "stranger",
            "{refresh:web}",
        )
        .inactive("introspection_audience"),
        introspect(
            "introspection of a refresh token by the API",
            "api",
            "{refresh:api-web}",
        )
        .inactive("introspection_audience"),
        introspect("introspection of an expired token", "web", "{access:web}")
            .after(Deed::Advance(600))
            .inactive("token_expired"),
        introspect("introspection of a revoked token", "web", "{access:web}")
            .after(Deed::Revoke("web"))
            .inactive("token_revoked"),
        introspect(
            "introspection of a revoked refresh token",
            "web",
            "{refresh:web}",
        )
        .after(Deed::Revoke("web"))
        .inactive("grant_revoked"),
        introspect(
            "introspection of an old refresh token",
            "rotating",
            "{old-refresh:rotating}",
        )
        .inactive("token_expired"),
    ]
}

fn revocation() -> Vec<Broken> {
    let revoke = |name, token| post(name, "/revoke").by("stranger").and("token", token);
    vec![
        post("revocation of nothing", "/revoke")
            .by("web")
            .json("token_missing", "invalid_request"),
        revoke("revocation of a foreign access token", "{access:web}")
            .json("revocation_of_foreign_token", "invalid_request"),
        revoke("revocation of a foreign JWT", "{access:jwt-web}")
            .json("revocation_of_foreign_token", "invalid_request"),
        revoke("revocation of a foreign refresh token", "{refresh:web}")
            .json("revocation_of_foreign_token", "invalid_request"),
    ]
}
