//! The trace of a `dev` server: requests drawn between Browser, Client, Jeton and API.
//!
//! Values arrive here already redacted; nothing below hides a secret.

use serde::Serialize;

use super::Look;

/// The recent requests, newest flow first, each flow in the order it happened.
#[derive(Debug, Clone, Serialize)]
pub struct TraceList<'a> {
    pub look: Look<'a>,
    /// Path of this page; the path of one request is this, a slash and its id.
    pub base: &'a str,
    /// Changes whenever the list does.
    pub revision: &'a str,
    pub flows: Vec<TraceFlow<'a>>,
}

/// Requests that belong together: one authorization and what followed, or one request alone.
#[derive(Debug, Clone, Serialize)]
pub struct TraceFlow<'a> {
    pub title: &'a str,
    pub client: Option<&'a str>,
    pub started: &'a str,
    pub steps: Vec<TraceStep<'a>>,
}

/// One request with everything that is known about it.
#[derive(Debug, Clone, Serialize)]
pub struct TraceDetail<'a> {
    pub look: Look<'a>,
    pub base: &'a str,
    pub step: TraceStep<'a>,
    pub sent: Vec<Pair<'a>>,
    pub answered: Vec<Pair<'a>>,
    /// Ids of the neighbours in the flow.
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TraceStep<'a> {
    pub id: &'a str,
    pub time: &'a str,
    /// How long it took, with its unit.
    pub took: &'a str,
    pub peer: Peer,
    pub way: Way,
    pub method: &'a str,
    pub path: &'a str,
    /// What the request is, such as `Token request`.
    pub what: &'a str,
    pub status: u16,
    /// The answer in a few words, such as `code to localhost:3000`.
    pub answer: &'a str,
    pub outcome: Outcome,
    pub checks: Vec<TraceCheck<'a>>,
    pub refusal: Option<TraceRefusal<'a>>,
}

/// The other end of the arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    Browser,
    Client,
    Api,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The peer asks Jeton.
    In,
    /// Jeton asks the peer.
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Passed,
    Refused,
    Fault,
}

/// A check that passed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TraceCheck<'a> {
    pub promise: &'a str,
    pub clause: &'a str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct TraceRefusal<'a> {
    pub code: &'a str,
    pub cause: &'a str,
    pub clause: &'a str,
    pub promise: &'a str,
    pub expected: &'a str,
    pub found: &'a str,
    /// Commands and lines of configuration between backquotes.
    pub fix: &'a str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub struct Pair<'a> {
    pub name: &'a str,
    pub value: &'a str,
}
