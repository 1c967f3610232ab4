//! RP-initiated logout (P-302…305, SEC-205).

use super::{Broken, get};

pub fn rows() -> Vec<Broken> {
    let leave = |name| get(name, "/end-session");
    let hint = "id_token_hint";
    let back = "post_logout_redirect_uri";
    vec![
        leave("a hint that is no token")
            .and(hint, "qxq")
            .shown("logout_hint_invalid"),
        leave("an altered hint")
            .and(hint, "{altered-id:web}")
            .shown("logout_hint_invalid"),
        leave("an unsigned hint")
            .and(hint, "{unsigned-id:web}")
            .shown("logout_hint_invalid"),
        leave("a hint signed by somebody else")
            .and(hint, "{foreign-id:web}")
            .shown("logout_hint_invalid"),
        leave("an access token as a hint")
            .and(hint, "{access:jwt-web}")
            .shown("logout_hint_invalid"),
        leave("a hint of one client and the id of another")
            .and(hint, "{id:web}")
            .and("client_id", "other")
            .shown("logout_client_differs"),
        leave("a way back without a client")
            .and(back, "https://web.example/bye")
            .shown("post_logout_client_unknown"),
        leave("a way back for an unknown client")
            .and(back, "https://web.example/bye")
            .and("client_id", "qxq")
            .shown("post_logout_client_unknown"),
        leave("a way back that is not registered")
            .and(back, "https://qxq.example/")
            .and("client_id", "web")
            .shown("post_logout_redirect_uri_mismatch"),
        leave("a way back with a query more")
            .and(back, "https://web.example/bye?qxq=1")
            .and(hint, "{id:web}")
            .shown("post_logout_redirect_uri_mismatch"),
        leave("the redirection URI as the way back")
            .and(back, "https://web.example/cb")
            .and(hint, "{id:web}")
            .shown("post_logout_redirect_uri_mismatch"),
        leave("a way back with a signed-in browser")
            .and(back, "https://qxq.example/")
            .and("client_id", "web")
            .cookies("alice")
            .shown("post_logout_redirect_uri_mismatch"),
    ]
}
