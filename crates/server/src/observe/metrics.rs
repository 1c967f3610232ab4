//! Counters for whoever runs the server. Labels are words of ours, never a caller's.

use jeton_protocol::client::GrantType;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    grant: &'static str,
    outcome: &'static str,
    error: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EgressLabels {
    purpose: &'static str,
    outcome: &'static str,
}

/// Counts what goes out; the door holds a copy.
#[derive(Clone, Debug, Default)]
pub struct Egress(Family<EgressLabels, Counter>);

impl Egress {
    pub fn count(&self, purpose: &'static str, outcome: &'static str) {
        self.0
            .get_or_create(&EgressLabels { purpose, outcome })
            .inc();
    }
}

type Durations = Family<RequestLabels, Histogram, fn() -> Histogram>;

pub struct Metrics {
    registry: Registry,
    tokens: Family<TokenLabels, Counter>,
    requests: Durations,
    sign_ins: Family<OutcomeLabels, Counter>,
    refusals: Family<CauseLabels, Counter>,
    egress: Egress,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("jeton");
        let tokens = Family::default();
        registry.register("token_requests", "Answered token requests", tokens.clone());
        let requests = Durations::new_with_constructor(durations as fn() -> Histogram);
        registry.register_with_unit(
            "http_request_duration",
            "Time to the reply",
            Unit::Seconds,
            requests.clone(),
        );
        let sign_ins = Family::default();
        registry.register("sign_ins", "Tries to sign in", sign_ins.clone());
        let refusals = Family::default();
        registry.register(
            "refusals",
            "Refused requests by the rule that refused",
            refusals.clone(),
        );
        let egress = Egress::default();
        registry.register(
            "outbound_requests",
            "Requests to other servers",
            egress.0.clone(),
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What is running", build);
        Self {
            registry,
            tokens,
            requests,
            sign_ins,
            refusals,
            egress,
        }
    }

    pub fn egress(&self) -> Egress {
        self.egress.clone()
    }

    pub fn count_token(&self, grant: GrantType) {
        let labels = TokenLabels {
            grant: grant.name(),
            outcome: "success",
            error: "",
        };
        self.tokens.get_or_create(&labels).inc();
    }

    pub fn count_token_refusal(&self, error: &'static str) {
        let labels = TokenLabels {
            grant: "",
            outcome: "refused",
            error,
        };
        self.tokens.get_or_create(&labels).inc();
    }

    pub fn count_refusal(&self, cause: &'static str) {
        self.refusals.get_or_create(&CauseLabels { cause }).inc();
    }

    pub fn count_sign_in(&self, outcome: &'static str) {
        self.sign_ins
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    pub fn observe_request(&self, endpoint: &'static str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels { endpoint, status })
            .observe(took.as_secs_f64());
    }

    pub fn render(&self) -> String {
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn durations() -> Histogram {
    Histogram::new([0.000_1, 0.000_5, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0])
}
