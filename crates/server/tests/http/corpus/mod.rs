//! The corpus of broken requests: one row for each way of getting a request wrong, with what must come of it.
//!
//! Every row names the cause the operator reads, the error and the envelope the caller gets. The runner also checks what
//! holds for all of them: nothing of the request comes back, nothing may be cached, and the note for the operator has both
//! values and a fix.

mod authorization;
mod client_assertion;
mod client_assertion_kinds;
mod client_authentication;
mod codes;
mod devices;
mod dpop;
mod exchange;
mod grant_assertion;
mod interaction;
mod logout;
mod parameters;
mod pushed;
mod refreshing;
mod request_objects;
mod run;
mod scene;
mod tokens;
mod unchallenged;

use http::Method;

/// Where a refusal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// A page of ours, and no way on.
    Page,
    /// The client's redirection URI, with `state` and `iss`.
    Client,
    /// RFC 6749 §5.2.
    Json,
    /// As `Json`, with a `Basic` challenge.
    Basic,
    /// RFC 6750 §3.
    Bearer,
    /// RFC 6750 §3, to somebody who sent no token: the challenge names no error.
    BareBearer,
    /// RFC 9449 §7.1.
    Dpop,
    /// `{"active":false}`; only the operator learns why.
    Inactive,
}

/// What happens between getting the values of a request and sending it.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    Advance(u64),
    DisableUser(&'static str),
    DeleteUser(&'static str),
    /// The operator takes everything from a client, and lets it go on.
    DisableAndEnable(&'static str),
    /// The same, with no time in between.
    DisableAndEnableAtOnce(&'static str),
    /// The client loses every scope it had.
    Withdraw(&'static str),
    DisableClient(&'static str),
    /// The browser of the tokens signs out.
    SignOut,
    /// Revokes the first value that was asked for, as this client.
    Revoke(&'static str),
    /// The person of the visit presses "cancel".
    Cancel,
    /// From now on the client has to push its requests.
    RequirePush(&'static str),
    /// From now on the client has to sign its requests.
    RequireObject(&'static str),
}

/// A request that must be refused.
#[derive(Clone, Debug)]
pub struct Broken {
    pub name: &'static str,
    pub method: Method,
    pub path: &'static str,
    /// The client that authenticates, the way it is registered; empty for none.
    pub by: &'static str,
    /// Whose cookies are sent: a user's, those of the `visit`, a `stranger`'s, or none.
    pub cookies: &'static str,
    /// Of a POST in the body, of a GET in the query. Values in braces are made by the scene.
    pub fields: Vec<(&'static str, &'static str)>,
    pub query: Vec<(&'static str, &'static str)>,
    pub headers: Vec<(&'static str, &'static str)>,
    pub raw: Option<(&'static str, &'static str)>,
    pub deeds: Vec<Deed>,
    pub cause: &'static str,
    pub error: &'static str,
    pub status: u16,
    pub to: To,
}

impl Broken {
    fn new(name: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            name,
            method,
            path,
            by: "",
            cookies: "",
            fields: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            raw: None,
            deeds: Vec::new(),
            cause: "",
            error: "",
            status: 0,
            to: To::Page,
        }
    }

    fn by(self, by: &'static str) -> Self {
        Self { by, ..self }
    }

    fn cookies(self, cookies: &'static str) -> Self {
        Self { cookies, ..self }
    }

    /// Sets a parameter, replacing one of that name.
    fn set(self, name: &'static str, value: &'static str) -> Self {
        self.without(name).and(name, value)
    }

    fn and(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.push((name, value));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self
    }

    fn query(mut self, name: &'static str, value: &'static str) -> Self {
        self.query.push((name, value));
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn raw(self, content_type: &'static str, body: &'static str) -> Self {
        Self {
            raw: Some((content_type, body)),
            ..self
        }
    }

    fn after(mut self, deed: Deed) -> Self {
        self.deeds.push(deed);
        self
    }

    /// A page for a person: nobody is redirected.
    fn shown(self, cause: &'static str) -> Self {
        Self {
            cause,
            status: 400,
            to: To::Page,
            ..self
        }
    }

    /// An error response at the redirection URI.
    fn sent(self, cause: &'static str, error: &'static str) -> Self {
        Self {
            cause,
            error,
            status: 303,
            to: To::Client,
            ..self
        }
    }

    fn json(self, cause: &'static str, error: &'static str) -> Self {
        Self {
            cause,
            error,
            status: 400,
            to: To::Json,
            ..self
        }
    }

    /// Client authentication failed, and no header was tried.
    fn unauthorized(self, cause: &'static str) -> Self {
        Self {
            cause,
            error: "invalid_client",
            status: 401,
            to: To::Json,
            ..self
        }
    }

    /// Client authentication by header failed.
    fn challenged(self, cause: &'static str) -> Self {
        Self {
            cause,
            error: "invalid_client",
            status: 401,
            to: To::Basic,
            ..self
        }
    }

    fn bearer(self, cause: &'static str, error: &'static str, status: u16) -> Self {
        Self {
            cause,
            error,
            status,
            to: To::Bearer,
            ..self
        }
    }

    fn inactive(self, cause: &'static str) -> Self {
        Self {
            cause,
            status: 200,
            to: To::Inactive,
            ..self
        }
    }
}

fn post(name: &'static str, path: &'static str) -> Broken {
    Broken::new(name, Method::POST, path)
}

fn get(name: &'static str, path: &'static str) -> Broken {
    Broken::new(name, Method::GET, path)
}

/// A token request of `web` for a fresh code, right in everything.
fn redemption(name: &'static str) -> Broken {
    post(name, "/token")
        .by("web")
        .and("grant_type", "authorization_code")
        .and("code", "{code:web}")
        .and("redirect_uri", "https://web.example/cb")
        .and("code_verifier", crate::support::VERIFIER)
}

pub fn corpus() -> Vec<Broken> {
    [
        parameters::rows(),
        client_authentication::rows(),
        client_assertion::rows(),
        authorization::rows(),
        pushed::rows(),
        request_objects::rows(),
        codes::rows(),
        refreshing::rows(),
        tokens::rows(),
        dpop::rows(),
        logout::rows(),
        interaction::rows(),
        exchange::rows(),
        grant_assertion::rows(),
        devices::rows(),
    ]
    .concat()
}
