//! The front page of the running server.

use serde::Serialize;

use super::{Look, WebUrl};

#[derive(Debug, Clone, Serialize)]
pub struct Home<'a> {
    pub look: Look<'a>,
    pub issuer: WebUrl<'a>,
    pub version: &'a str,
    /// The endpoints that are enabled, from the metadata.
    pub endpoints: Vec<HomeEndpoint<'a>>,
    pub discovery: Vec<WebUrl<'a>>,
    /// Only on a `dev` server.
    pub demo: Option<Demo<'a>>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct HomeEndpoint<'a> {
    /// Metadata member, such as `token_endpoint`. (RFC 8414 §2)
    pub member: &'a str,
    pub url: WebUrl<'a>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Demo<'a> {
    pub clients: Vec<HomeClient<'a>>,
    pub users: Vec<super::DemoUser<'a>>,
    /// Path of the trace.
    pub trace: &'a str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct HomeClient<'a> {
    pub client_id: &'a str,
    /// What it is for, in a few words.
    pub about: &'a str,
    /// A command that works as printed.
    pub command: &'a str,
    /// An address that starts its sign-in, when it has one.
    pub start: Option<WebUrl<'a>>,
}
