//! The JWT bearer grant (RFC 7523 §2.1), its assertion wrong in one thing each.
//!
//! S50, SEC-023, SEC-056, SEC-070, SEC-168, SEC-176

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, Deed, post};

fn bearer(name: &'static str, assertion: &'static str) -> Broken {
    post(name, "/token")
        .by("deployer")
        .and("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .and("assertion", assertion)
}

fn on_behalf(name: &'static str, assertion: &'static str) -> Broken {
    bearer(name, assertion)
        .by("exchanger")
        .and("requested_token_use", "on_behalf_of")
        .and("audience", "https://down.example")
}

pub fn rows() -> Vec<Broken> {
    let refused = |name, assertion, cause| bearer(name, assertion).json(cause, "invalid_grant");
    let claims = |name, assertion| refused(name, assertion, "assertion_claims");
    let times = |name, assertion| refused(name, assertion, "assertion_times");
    let audience = |name, assertion| refused(name, assertion, "assertion_audience");
    let unmapped = |name, assertion| refused(name, assertion, "assertion_unmapped");
    vec![
        bearer("a grant of no assertion", "").json("assertion_missing", "invalid_request"),
        bearer("another use of an assertion", "qxq")
            .and("requested_token_use", "qxq")
            .json("requested_token_use", "invalid_request"),
        refused("a grant of no JWT", "qxq", "assertion_malformed"),
        refused(
            "a grant nobody signed",
            "{vouched:unsigned}",
            "assertion_malformed",
        ),
        refused(
            "an access token as a grant",
            "{own:jwt-service}",
            "assertion_typ",
        ),
        refused(
            "a grant of the typ at+jwt",
            "{vouched:typ}",
            "assertion_typ",
        ),
        refused("a grant of an ID token", "{id:web}", "assertion_issuer"),
        refused(
            "a grant of an issuer nobody trusts",
            "{vouched:iss}",
            "assertion_issuer",
        ),
        refused(
            "a grant of an issuer with a slash",
            "{vouched:iss-slash}",
            "assertion_issuer",
        ),
        claims("a grant of a numeric issuer", "{vouched:iss-number}"),
        claims("a grant of no issuer", "{vouched:no-iss}"),
        refused("a grant signed by RS256", "{vouched:alg}", "assertion_alg"),
        refused(
            "a grant signed with a public key as secret",
            "{vouched:hmac}",
            "assertion_alg",
        ),
        refused(
            "a grant signed by a foreign key",
            "{vouched:foreign-key}",
            "assertion_signature",
        ),
        refused(
            "a grant signed by another issuer",
            "{vouched:by-lab}",
            "assertion_signature",
        ),
        refused(
            "an altered grant",
            "{altered-vouched:altered}",
            "assertion_signature",
        ),
        claims("a grant of no subject", "{vouched:no-sub}"),
        claims("a grant of an empty subject", "{vouched:sub-empty}"),
        claims("a grant of no audience", "{vouched:no-aud}"),
        audience("a grant of another audience", "{vouched:aud}"),
        audience("a grant of two audiences", "{vouched:aud-two}"),
        audience("a grant of another tenant", "{vouched:aud-tenant}"),
        claims("a grant without an end", "{vouched:no-exp}"),
        times("an expired grant", "{vouched:exp-past}"),
        times("a grant that lives too long", "{vouched:exp-far}"),
        times("a grant of the future", "{vouched:iat-ahead}"),
        times("a grant that is not valid yet", "{vouched:nbf-ahead}"),
        claims("a grant without jti", "{vouched:no-jti}"),
        claims("a grant with a long jti", "{vouched:jti-long}"),
        unmapped("a grant of another repository", "{vouched:repository}"),
        unmapped(
            "a grant of a list of repositories",
            "{vouched:repository-list}",
        ),
        unmapped("a grant of another branch", "{vouched:ref}"),
        unmapped("a grant whose rule is for another client", "{vouched:good}").by("planless"),
        refused(
            "a grant used before",
            "{vouched:used}",
            "assertion_replayed",
        ),
        refused("a grant of no user", "{vouched:nobody}", "user_disabled").by("exchanger"),
        refused(
            "a grant of a disabled user",
            "{vouched:alice}",
            "user_disabled",
        )
        .by("exchanger")
        .after(Deed::DisableUser("alice")),
        bearer("a grant of a wider scope", "{vouched:good}")
            .and("scope", "photos:read photos:write")
            .json("assertion_scope_wider", "invalid_scope"),
        bearer("a grant of a scope of users", "{vouched:good}")
            .and("scope", "email")
            .json("assertion_scope_wider", "invalid_scope"),
        on_behalf("on behalf of nobody", "qxq").json("exchange_token_unknown", "invalid_request"),
        on_behalf("on behalf of a foreign subject", "{vouched:good}")
            .json("exchange_token_unknown", "invalid_request"),
        on_behalf("on behalf, by a public client", "{plain:api-web}")
            .by("deployer")
            .json("exchange_public", "unauthorized_client"),
        on_behalf("on behalf, for another target", "{plain:api-web}")
            .set("audience", "https://qxq.example")
            .json("exchange_target", "invalid_target"),
    ]
}
