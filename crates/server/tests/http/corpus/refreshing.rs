//! Refresh tokens (RFC 6749 §6, RFC 9700 §4.14).
//!
//! P-177, P-179, SEC-030, SEC-160, SEC-162, SEC-163, S45, S46

#![expect(clippy::too_many_lines, reason = "a table of rows")]

use super::{Broken, Deed, post};

fn refresh(name: &'static str, token: &'static str) -> Broken {
    post(name, "/token")
        .by("web")
        .and("grant_type", "refresh_token")
        .and("refresh_token", token)
}

pub fn rows() -> Vec<Broken> {
    const DAY: u64 = 24 * 3600;
    vec![
        refresh("no refresh token", "").json("refresh_token_missing", "invalid_request"),
        refresh("a refresh token nobody made", "qxq")
            .json("refresh_token_unknown", "invalid_grant"),
        refresh("an altered refresh token", "{altered-refresh:web}")
            .json("refresh_token_unknown", "invalid_grant"),
        refresh("a code as a refresh token", "{code:web}")
            .json("refresh_token_unknown", "invalid_grant"),
        refresh("an access token as a refresh token", "{access:web}")
            .json("refresh_token_unknown", "invalid_grant"),
        refresh("an ID token as a refresh token", "{id:web}")
            .json("refresh_token_unknown", "invalid_grant"),
        refresh("the refresh token of another client", "{refresh:other}")
            .json("refresh_token_of_another_client", "invalid_grant"),
        refresh("the refresh token of a public client", "{refresh:spa}")
            .json("refresh_token_of_another_client", "invalid_grant"),
        refresh("a refresh token nobody used for too long", "{refresh:web}")
            .after(Deed::Advance(14 * DAY))
            .json("refresh_token_expired", "invalid_grant"),
        refresh(
            "a refresh token after the end of its grant",
            "{refresh:web}",
        )
        .after(Deed::Advance(90 * DAY))
        .json("grant_expired", "invalid_grant"),
        refresh(
            "an old refresh token after the grace",
            "{old-refresh:rotating}",
        )
        .by("rotating")
        .after(Deed::Advance(11))
        .json("refresh_token_reused", "invalid_grant"),
        refresh(
            "an old refresh token of a public client",
            "{old-refresh:spa}",
        )
        .by("spa")
        .after(Deed::Advance(11))
        .json("refresh_token_reused", "invalid_grant"),
        refresh("a revoked refresh token", "{refresh:web}")
            .after(Deed::Revoke("web"))
            .json("grant_revoked", "invalid_grant"),
        refresh("a refresh token of a disabled user", "{refresh:web}")
            .after(Deed::DisableUser("alice"))
            .json("user_disabled", "invalid_grant"),
        refresh("a refresh token of a deleted user", "{refresh:web}")
            .after(Deed::DeleteUser("alice"))
            .json("user_disabled", "invalid_grant"),
        refresh("a refresh token of a session that ended", "{refresh:web}")
            .after(Deed::SignOut)
            .json("session_ended", "invalid_grant"),
        refresh(
            "a refresh token from before the client was stopped",
            "{refresh:web}",
        )
        .after(Deed::DisableAndEnable("web"))
        .json("grant_revoked", "invalid_grant"),
        refresh("a refresh token whose scope was withdrawn", "{refresh:web}")
            .after(Deed::Withdraw("web"))
            .json("refresh_scope_withdrawn", "invalid_scope"),
        refresh("a wider scope at refresh", "{refresh:web}")
            .and("scope", "openid email")
            .json("refresh_scope_wider", "invalid_scope"),
        refresh("an unknown scope at refresh", "{refresh:web}")
            .and("scope", "openid qxq")
            .json("refresh_scope_wider", "invalid_scope"),
        refresh("a malformed scope at refresh", "{refresh:web}")
            .and("scope", "\"qxq\"")
            .json("token_scope_malformed", "invalid_scope"),
    ]
}
