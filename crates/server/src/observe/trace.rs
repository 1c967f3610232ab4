//! The trace of a development server: the last requests, each with the checks it passed. Bounded, in memory, without secrets.

use super::Finished;
use crate::http::routes::Endpoint;
use jeton_protocol::refusal::{Refusal, Rule};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

const KEPT: usize = 200;

#[derive(Debug, Default)]
pub struct Trace {
    steps: VecDeque<Step>,
    /// Refusals of requests that are still running.
    refusals: VecDeque<(RowId, Refusal)>,
    revision: u64,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub id: RowId,
    pub at: Timestamp,
    pub took: Duration,
    pub endpoint: Endpoint,
    pub method: String,
    pub path: String,
    /// Names and harmless values of what was sent.
    pub sent: Vec<(String, String)>,
    pub status: u16,
    pub answer: String,
    pub passed: Vec<&'static Rule>,
    pub refusal: Option<Refusal>,
    pub client: Option<String>,
    /// Ties the requests of one sign-in together.
    pub flow: Option<String>,
}

/// Parameters whose values say nothing secret; of every other one only the presence is shown (SEC-432).
const SHOWN: [&str; 17] = [
    "grant_type",
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "token_type_hint",
    "client_assertion_type",
    "ui_locales",
    "display",
    "acr_values",
    "post_logout_redirect_uri",
    "username",
];

impl Trace {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn note_refusal(&mut self, id: RowId, refusal: Refusal) {
        if self.refusals.len() >= KEPT {
            self.refusals.pop_front();
        }
        self.refusals.push_back((id, refusal));
    }

    pub fn add(&mut self, mut step: Step) {
        if let Some(at) = self.refusals.iter().position(|(id, _)| *id == step.id) {
            step.refusal = self.refusals.remove(at).map(|(_, refusal)| refusal);
        }
        if self.steps.len() >= KEPT {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
        self.revision += 1;
    }

    /// Oldest first.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.steps.iter()
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }
}

impl Step {
    pub fn of(finished: &Finished<'_>) -> Self {
        let exchange = finished.exchange;
        let query = exchange.query_params().unwrap_or_default();
        let body = exchange.form().unwrap_or_default();
        let mut sent = Vec::new();
        if let Some(scheme) = exchange
            .authorization()
            .and_then(|header| header.split(' ').next())
        {
            sent.push(("Authorization".to_owned(), format!("{scheme} …")));
        }
        for params in [&query, &body] {
            for name in params.names() {
                let value = params.one(name).unwrap_or_default();
                let shown = if SHOWN.contains(&name) {
                    value.chars().take(200).collect()
                } else {
                    "…".to_owned()
                };
                sent.push((name.chars().take(60).collect(), shown));
            }
        }
        let named = query.one("client_id").or(body.one("client_id"));
        let client = named
            .map(str::to_owned)
            .or_else(|| basic_id(exchange.authorization()));
        Self {
            id: finished.id,
            at: finished.at,
            took: finished.took,
            endpoint: finished.route.endpoint,
            method: exchange.method.to_string(),
            path: exchange.path.clone(),
            flow: query
                .one("interaction")
                .or(body.one("interaction"))
                .map(str::to_owned),
            sent,
            status: finished.status,
            answer: answer(finished),
            passed: finished.passed.to_vec(),
            refusal: None,
            client,
        }
    }
}

/// Where the answer leads, without the values in it.
fn answer(finished: &Finished<'_>) -> String {
    match finished.location {
        Some(location) => {
            let (base, query) = location.split_once('?').unwrap_or((location, ""));
            let names: Vec<&str> = query
                .split('&')
                .filter_map(|pair| pair.split('=').next())
                .collect();
            let names = names.join(", ");
            if names.is_empty() {
                format!("go to {base}")
            } else {
                format!("go to {base} with {names}")
            }
        }
        None => String::new(),
    }
}

fn basic_id(authorization: Option<&str>) -> Option<String> {
    use base64::Engine as _;
    let encoded = authorization?.strip_prefix("Basic ")?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':')
        .map(|(id, _)| id.chars().take(100).collect())
}
