//! Token exchange (RFC 8693).
//!
//! S49, S50, SEC-030, SEC-035, SEC-168, SEC-169, SEC-176

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, Deed, get, post};

const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const DOWN: &str = "https://down.example";

fn exchange(name: &'static str, token: &'static str) -> Broken {
    post(name, "/token")
        .by("exchanger")
        .and(
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        )
        .and("subject_token", token)
        .and("subject_token_type", ACCESS)
        .and("audience", DOWN)
}

/// A token of the trusted issuer `hub` as the subject.
fn foreign(name: &'static str, token: &'static str) -> Broken {
    exchange(name, token).set("subject_token_type", JWT)
}

fn acting(name: &'static str, actor: &'static str) -> Broken {
    exchange(name, "{plain:api-web}")
        .and("actor_token", actor)
        .and("actor_token_type", ACCESS)
}

pub fn rows() -> Vec<Broken> {
    [
        requests(),
        subjects(),
        unnamed(),
        bound(),
        actors(),
        targets(),
    ]
    .concat()
}

fn requests() -> Vec<Broken> {
    let invalid = |row: Broken, cause| row.json(cause, "invalid_request");
    let unauthorized = |row: Broken, cause| row.json(cause, "unauthorized_client");
    let good = "{plain:api-web}";
    vec![
        invalid(
            exchange("an exchange of nothing", ""),
            "subject_token_missing",
        ),
        invalid(
            exchange("two subject tokens", "qxq").and("subject_token", "qxq"),
            "parameter_repeated",
        ),
        invalid(
            exchange("a subject token without a type", good).without("subject_token_type"),
            "subject_token_type",
        ),
        invalid(
            exchange("a refresh token as a subject", "{refresh:web}").set(
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:refresh_token",
            ),
            "subject_token_type",
        ),
        invalid(
            exchange("an ID token as a subject", "{id:web}").set(
                "subject_token_type",
                "urn:ietf:params:oauth:token-type:id_token",
            ),
            "subject_token_type",
        ),
        invalid(
            exchange("a refresh token asked of an exchange", good).and(
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:refresh_token",
            ),
            "requested_token_type",
        ),
        invalid(
            exchange("an actor token without a type", good).and("actor_token", "{own:exchanger}"),
            "actor_token_type",
        ),
        invalid(
            exchange("a type without an actor token", good).and("actor_token_type", ACCESS),
            "actor_token_type",
        ),
        unauthorized(
            exchange("an exchange by a public client", good).by("public-exchanger"),
            "exchange_public",
        ),
        unauthorized(
            exchange("an exchange by a client without a policy", good).by("planless"),
            "exchange_not_allowed",
        ),
        unauthorized(
            exchange("an exchange by a client without the grant type", good).by("web"),
            "grant_type_not_allowed",
        ),
        get("an exchanged token at userinfo", "/userinfo")
            .header("authorization", "Bearer {exchanged:exchanger}")
            .bearer("userinfo_audience", "invalid_token", 401),
    ]
}

fn subjects() -> Vec<Broken> {
    let invalid = |row: Broken, cause| row.json(cause, "invalid_request");
    let revoked = |row, deed| invalid(Broken::after(row, deed), "exchange_token_revoked");
    vec![
        invalid(
            exchange("a subject token nobody made", "qxq"),
            "exchange_token_unknown",
        ),
        invalid(
            exchange("an altered subject token", "{altered-access:api-web}"),
            "exchange_token_unknown",
        ),
        invalid(
            exchange(
                "a refresh token called an access token",
                "{refresh:api-web}",
            ),
            "exchange_token_unknown",
        ),
        invalid(
            exchange("an ID token called an access token", "{id:api-web}"),
            "exchange_token_unknown",
        ),
        invalid(
            exchange("a foreign token called an access token", "{vouched:good}"),
            "exchange_token_unknown",
        ),
        invalid(
            exchange("an expired subject token", "{plain:api-web}").after(Deed::Advance(600)),
            "exchange_token_expired",
        ),
        revoked(
            exchange("a revoked subject token", "{plain:api-web}"),
            Deed::Revoke("api-web"),
        ),
        revoked(
            exchange("the subject token of a disabled user", "{plain:api-web}"),
            Deed::DisableUser("alice"),
        ),
        revoked(
            exchange("the subject token of a deleted user", "{plain:api-web}"),
            Deed::DeleteUser("alice"),
        ),
        revoked(
            exchange(
                "the subject token of a session that ended",
                "{plain:api-web}",
            ),
            Deed::SignOut,
        ),
        revoked(
            exchange("the subject token of a stopped client", "{plain:api-web}"),
            Deed::DisableAndEnable("api-web"),
        ),
        invalid(
            exchange("the subject token of somebody else", "{plain:web}"),
            "exchange_subject_audience",
        ),
        invalid(
            exchange(
                "a subject token by a client that is no API",
                "{plain:api-web}",
            )
            .by("unconcerned"),
            "exchange_subject_audience",
        ),
        invalid(
            foreign(
                "a foreign subject token of another audience",
                "{vouched:aud}",
            ),
            "exchange_assertion",
        ),
        invalid(
            foreign(
                "a foreign subject token nobody signed",
                "{vouched:foreign-key}",
            ),
            "exchange_assertion",
        ),
        invalid(
            foreign("an opaque token called a JWT", "{plain:api-web}"),
            "exchange_assertion",
        ),
        invalid(
            foreign("a foreign subject who is no user", "{vouched:nobody}"),
            "exchange_assertion",
        ),
        invalid(
            foreign("a foreign subject without a rule", "{vouched:repository}"),
            "exchange_assertion",
        ),
        invalid(
            foreign("a foreign subject token with actors", "{vouched:act}"),
            "exchange_actor_delegated",
        ),
    ]
}

/// A token whose issuer the client's policy does not name.
fn unnamed() -> Vec<Broken> {
    let row = foreign(
        "a foreign subject token of an issuer beyond the policy",
        "{vouched:good}",
    );
    vec![
        row.by("unconcerned")
            .json("exchange_issuer", "invalid_request"),
    ]
}

/// Tokens bound to a key the client does not prove.
fn bound() -> Vec<Broken> {
    let refused = |row: Broken| row.json("subject_token_key", "invalid_request");
    vec![
        refused(exchange(
            "a bound subject token by an API without its key",
            "{bound:api-web}",
        )),
        refused(
            exchange("a bound subject token with another key", "{bound:api-web}")
                .header("dpop", "{proof:other@/token}"),
        ),
        refused(acting("a bound actor token", "{bound:api-web}")),
        refused(foreign(
            "a foreign subject token bound to a key",
            "{vouched:cnf}",
        )),
        refused(foreign(
            "a foreign subject token bound in a way nobody knows",
            "{vouched:cnf-strange}",
        )),
    ]
}

fn actors() -> Vec<Broken> {
    let invalid = |row: Broken, cause| row.json(cause, "invalid_request");
    let unauthorized = |row: Broken, cause| row.json(cause, "unauthorized_client");
    vec![
        invalid(
            acting("an actor token nobody made", "qxq"),
            "exchange_token_unknown",
        ),
        unauthorized(
            acting("the actor token of somebody else", "{own:stranger}"),
            "exchange_actor_audience",
        ),
        invalid(
            acting("an actor for whom somebody acts", "{chain:1}"),
            "exchange_actor_delegated",
        ),
        unauthorized(
            foreign(
                "an actor whom may_act does not name",
                "{vouched:may-act-other}",
            ),
            "exchange_may_act",
        ),
        unauthorized(
            foreign(
                "a may_act that is not understood",
                "{vouched:may-act-strange}",
            ),
            "exchange_may_act",
        ),
        invalid(
            exchange("an actor who is in the chain", "{chain:2}")
                .by("hop-1")
                .without("audience"),
            "exchange_actor_loop",
        ),
        invalid(exchange("a fifth actor", "{chain:4}"), "exchange_too_deep"),
    ]
}

fn targets() -> Vec<Broken> {
    let good = "{plain:api-web}";
    let target = |row: Broken, cause| row.json(cause, "invalid_target");
    vec![
        target(
            exchange("an audience beyond the policy", good).set("audience", "https://qxq.example"),
            "exchange_target",
        ),
        target(
            exchange("one audience beyond the policy of two", good)
                .and("audience", "https://qxq.example"),
            "exchange_target",
        ),
        target(
            exchange("a resource beyond the policy", good).and("resource", "https://qxq.example"),
            "exchange_target",
        ),
        target(
            exchange("no audience where there are two", good).without("audience"),
            "exchange_target_missing",
        ),
        exchange("a scope the subject token lacks", good)
            .and("scope", "photos:read email")
            .json("exchange_scope_wider", "invalid_scope"),
        exchange("a scope nobody knows", good)
            .and("scope", "qxq")
            .json("exchange_scope_wider", "invalid_scope"),
        exchange("a malformed scope of an exchange", good)
            .and("scope", "\"qxq\"")
            .json("token_scope_malformed", "invalid_scope"),
    ]
}
