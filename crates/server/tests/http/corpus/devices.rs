//! The device grant, from the first request to the last poll (RFC 8628, SEC-039, SEC-152…155).

use super::{Broken, Deed, get, post};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

pub fn rows() -> Vec<Broken> {
    [starting(), polling(), pages(), answers()].concat()
}

fn starting() -> Vec<Broken> {
    let path = "/device_authorization";
    vec![
        post("a device of a client that is not registered for it", path)
            .by("web")
            .and("scope", "openid")
            .json("device_grant_not_registered", "unauthorized_client"),
        post("a device of a client without its secret", path)
            .and("client_id", "printer")
            .unauthorized("client_authentication_method"),
        post("a device that asks for what its client may not have", path)
            .by("tv")
            .and("scope", "photos:write")
            .json("scope_not_allowed", "invalid_scope"),
        post("a device with its parameters in the query", path)
            .by("tv")
            .query("scope", "openid")
            .json("parameters_in_query", "invalid_request"),
    ]
}

fn poll(name: &'static str, device_code: &'static str) -> Broken {
    post(name, "/token")
        .by("tv")
        .and("grant_type", GRANT)
        .and("device_code", device_code)
}

fn polling() -> Vec<Broken> {
    let unknown = "device_code_unknown";
    vec![
        poll("a poll without a code", "").json("device_code_missing", "invalid_request"),
        poll("a poll with a code nobody made", "qxq").json(unknown, "invalid_grant"),
        poll("a poll with an altered code", "{altered-device:tv}").json(unknown, "invalid_grant"),
        poll("a poll with a shortened code", "{short-device:tv}").json(unknown, "invalid_grant"),
        poll("a poll with an authorization code", "{code:web}").json(unknown, "invalid_grant"),
        poll("a poll of a client without the grant", "{device:tv}")
            .by("web")
            .json("grant_type_not_allowed", "unauthorized_client"),
        poll("a poll of another client", "{device:tv}")
            .by("printer")
            .json("device_code_of_another_client", "invalid_grant"),
        poll(
            "a poll of another client after the approval",
            "{spent-device:tv}",
        )
        .by("printer")
        .json("device_code_of_another_client", "invalid_grant"),
        poll("a poll before the answer", "{device:tv}")
            .json("device_pending", "authorization_pending"),
        poll("a poll right after another", "{polled-device:tv}")
            .json("device_polled_too_fast", "slow_down"),
        poll("a poll after the refusal", "{denied-device:tv}")
            .json("device_denied", "access_denied"),
        poll("a poll after ten minutes", "{device:tv}")
            .after(Deed::Advance(600))
            .json("device_code_expired", "expired_token"),
        poll("a poll after the success", "{spent-device:tv}")
            .json("device_code_spent", "invalid_grant"),
        poll(
            "a poll of a device whose user was disabled",
            "{approved-device:tv}",
        )
        .after(Deed::DisableUser("alice"))
        .json("user_disabled", "invalid_grant"),
        post("a device code as a code", "/token")
            .by("web")
            .and("grant_type", "authorization_code")
            .and("code", "{device:tv}")
            .json("code_unknown", "invalid_grant"),
    ]
}

fn pages() -> Vec<Broken> {
    let handle = "interaction";
    let other = "interaction_of_another_browser";
    let (code, confirm) = ("/device/code", "/device/confirm");
    vec![
        get("typing a code out of nowhere", code).shown("interaction_unknown"),
        get("answering a device out of nowhere", confirm).shown("interaction_unknown"),
        get("the page of a device in the sign-in of a client", confirm)
            .and(handle, "{interaction}")
            .cookies("visit")
            .shown("interaction_unknown"),
        get("the consent page for a device", "/consent")
            .and(handle, "{at:confirm}")
            .cookies("visit")
            .shown("interaction_unknown"),
        get("the page of a device in another browser", confirm)
            .and(handle, "{at:confirm}")
            .cookies("stranger")
            .shown(other),
    ]
}

fn answers() -> Vec<Broken> {
    let handle = "interaction";
    let other = "interaction_of_another_browser";
    let (code, confirm) = ("/device/code", "/device/confirm");
    vec![
        post("a yes to a device from another browser", confirm)
            .and(handle, "{at:confirm}")
            .and("csrf", "{at-csrf}")
            .and("approve", "yes")
            .cookies("stranger")
            .shown(other),
        post("a yes to a device without the form's token", confirm)
            .and(handle, "{at:confirm}")
            .and("approve", "yes")
            .cookies("visit")
            .shown("form_from_elsewhere"),
        post("a yes to a device from another site", confirm)
            .and(handle, "{at:confirm}")
            .and("csrf", "{at-csrf}")
            .and("approve", "yes")
            .header("sec-fetch-site", "cross-site")
            .cookies("visit")
            .shown("form_from_elsewhere"),
        post("a user code without the form's token", code)
            .and(handle, "{at:code}")
            .and("user_code", "BCDF-GHJK")
            .cookies("visit")
            .shown("form_from_elsewhere"),
        post("a yes to a device that has expired", confirm)
            .and(handle, "{at:confirm}")
            .and("csrf", "{at-csrf}")
            .and("approve", "yes")
            .cookies("visit")
            .after(Deed::Advance(600))
            .shown("device_not_waiting"),
        get("the verification page in a frame", "/device")
            .header("sec-fetch-dest", "iframe")
            .shown("in_a_frame"),
        Broken {
            status: 200,
            ..post("a user code nobody has", code)
                .and(handle, "{at:code}")
                .and("csrf", "{at-csrf}")
                .and("user_code", "BCDF-GHJK")
                .cookies("visit")
                .shown("user_code_unknown")
        },
    ]
}
