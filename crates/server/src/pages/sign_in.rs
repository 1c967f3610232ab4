//! The sign-in page.

use serde::Serialize;

use super::{Asking, Look};

#[derive(Debug, Clone, Serialize)]
pub struct SignIn<'a> {
    pub look: Look<'a>,
    /// None when the person came to a page of this server's own, to connect a device.
    pub client: Option<Asking<'a>>,
    /// Path the form is posted to.
    pub action: &'a str,
    pub interaction: &'a str,
    pub csrf: &'a str,
    /// What the username field holds: `login_hint`, or what was typed before. May be empty.
    pub username: &'a str,
    pub why: Why,
    pub problem: Option<SignInProblem>,
    /// Shown under the form so that a first visit to a `dev` server goes on. Empty when serving.
    pub demo_users: Vec<DemoUser<'a>>,
}

/// Why the page is shown, when it is not simply the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    First,
    /// The client wants a fresh sign-in. (`prompt=login`, `max_age`: OIDC Core §3.1.2.1)
    Again,
    /// Another user is wanted. (`prompt=select_account`, or the person asked)
    OtherUser,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInProblem {
    /// Unknown user and wrong password look the same. (SEC-201)
    WrongPassword,
    Throttled,
    Expired,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct DemoUser<'a> {
    pub username: &'a str,
    pub password: &'a str,
}
