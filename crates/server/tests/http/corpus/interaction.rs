//! The steps of a sign-in (SEC-014, SEC-040, SEC-050, SEC-200, SEC-404).

use super::{Broken, Deed, get, post};

pub fn rows() -> Vec<Broken> {
    [unknown(), of_others(), forms()].concat()
}

fn unknown() -> Vec<Broken> {
    let handle = "interaction";
    vec![
        get("a link for the administrator nobody made", "/admin/link")
            .and("token", "qxq")
            .shown("admin_link_unknown"),
        get("a code as a link for the administrator", "/admin/link")
            .and("token", "{code:web}")
            .shown("admin_link_unknown"),
        post("a new password without a link", "/admin/link")
            .and("password", "qxq qxq qxq qxq")
            .shown("admin_link_unknown"),
        get("going on with nothing", "/continue").shown("interaction_unknown"),
        get("going on with what nobody made", "/continue")
            .and(handle, "qxq")
            .shown("interaction_unknown"),
        get("going on with an altered handle", "/continue")
            .and(handle, "{altered-interaction}")
            .cookies("visit")
            .shown("interaction_unknown"),
        get("going on with a code", "/continue")
            .and(handle, "{code:web}")
            .shown("interaction_unknown"),
        get("signing in to nothing", "/sign-in").shown("interaction_unknown"),
        get("consenting to nothing", "/consent").shown("interaction_unknown"),
        post("a password for nothing", "/sign-in")
            .and("username", "alice")
            .and("password", "qxq")
            .shown("interaction_unknown"),
        post("an approval of nothing", "/consent")
            .and("approve", "yes")
            .shown("interaction_unknown"),
        get("a sign-in page after half an hour", "/sign-in")
            .and(handle, "{interaction}")
            .cookies("visit")
            .after(Deed::Advance(1800))
            .shown("interaction_unknown"),
        get("going on after the answer was given", "/continue")
            .and(handle, "{answered-interaction}")
            .cookies("visit")
            .shown("interaction_unknown"),
        get("going on after a refusal", "/continue")
            .and(handle, "{interaction}")
            .cookies("visit")
            .after(Deed::Cancel)
            .sent("access_denied", "access_denied"),
    ]
}

fn of_others() -> Vec<Broken> {
    let handle = "interaction";
    let other = "interaction_of_another_browser";
    vec![
        get("the sign-in page of another browser", "/sign-in")
            .and(handle, "{interaction}")
            .cookies("stranger")
            .shown(other),
        get("the sign-in page without a cookie", "/sign-in")
            .and(handle, "{interaction}")
            .shown(other),
        get("the consent page of another browser", "/consent")
            .and(handle, "{interaction}")
            .cookies("stranger")
            .shown(other),
        get("going on in another browser", "/continue")
            .and(handle, "{interaction}")
            .cookies("stranger")
            .shown(other),
        post("a password in another browser", "/sign-in")
            .and(handle, "{interaction}")
            .and("csrf", "{csrf}")
            .and("username", "alice")
            .and("password", "qxq")
            .cookies("stranger")
            .shown(other),
        post("an approval in another browser", "/consent")
            .and(handle, "{interaction}")
            .and("csrf", "{csrf}")
            .and("approve", "yes")
            .cookies("stranger")
            .shown(other),
    ]
}

fn forms() -> Vec<Broken> {
    let sign_in = |name| {
        post(name, "/sign-in")
            .and("interaction", "{interaction}")
            .and("csrf", "{csrf}")
            .and("username", "alice")
            .and("password", "qxq")
            .cookies("visit")
    };
    let consent = |name| {
        post(name, "/consent")
            .and("interaction", "{interaction}")
            .and("csrf", "{csrf}")
            .and("approve", "yes")
            .cookies("visit")
    };
    let ours = "form_from_elsewhere";
    vec![
        sign_in("a sign-in form without its token")
            .without("csrf")
            .shown(ours),
        sign_in("a sign-in form with another token")
            .set("csrf", "qxq")
            .shown(ours),
        sign_in("a sign-in form from another site")
            .header("origin", "https://qxq.example")
            .shown(ours),
        sign_in("a sign-in form from nowhere with another token")
            .header("origin", "null")
            .set("csrf", "qxq")
            .shown(ours),
        sign_in("a sign-in form that is cross-site")
            .header("sec-fetch-site", "cross-site")
            .shown(ours),
        sign_in("a sign-in form that is same-site only")
            .header("sec-fetch-site", "same-site")
            .shown(ours),
        consent("a consent form with another token")
            .set("csrf", "qxq")
            .shown(ours),
        consent("a consent form from another site")
            .header("origin", "https://qxq.example")
            .shown(ours),
        consent("a consent form that is cross-site")
            .header("sec-fetch-site", "cross-site")
            .shown(ours),
        post("a sign-out form with another token", "/end-session")
            .and("csrf", "qxq")
            .and("yes", "yes")
            .cookies("alice")
            .shown(ours),
        post("a sign-out form from another site", "/end-session")
            .and("csrf", "qxq")
            .and("yes", "yes")
            .header("origin", "https://qxq.example")
            .cookies("alice")
            .shown(ours),
    ]
}
