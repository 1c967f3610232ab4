//! What `jeton dev` adds: people, clients, a protected API and the trace. None of it exists in `jeton serve`.

pub mod api;
pub mod seed;
pub mod trace;

/// A demo client, as the home page and the terminal show it.
#[derive(Clone, Debug)]
pub struct DemoClient {
    pub id: String,
    pub about: String,
    /// A command that works as printed.
    pub command: String,
    /// Where its sign-in begins, when it has one.
    pub start: Option<String>,
}

#[derive(Clone, Debug)]
pub struct DemoPerson {
    pub username: String,
    pub password: String,
}
