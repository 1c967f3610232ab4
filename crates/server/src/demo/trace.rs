//! `/dev/trace`: the requests of a development server, drawn as a sequence.

use crate::app::App;
use crate::endpoints::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply::{self, Reply};
use crate::http::routes::Endpoint;
use crate::login::{failure, view};
use crate::observe::trace::Step;
use crate::pages::{
    Outcome, Page, Pair, Peer, TraceCheck, TraceDetail, TraceFlow, TraceList, TraceRefusal,
    TraceStep, Way,
};
use http::StatusCode;

const BASE: &str = "/dev/trace";
/// Requests of one client that follow each other this closely belong together.
const SAME_FLOW_MILLIS: i64 = 120_000;

pub fn list(app: &App, exchange: &Exchange) -> Answer {
    let (steps, revision) = app
        .observe
        .with_trace(|trace| (trace.steps().cloned().collect(), trace.revision()))
        .unwrap_or_default();
    let steps: Vec<Step> = steps;
    let texts: Vec<Texts> = steps.iter().map(Texts::of).collect();
    let flows = flows(&steps);
    let titles: Vec<(String, String)> = flows
        .iter()
        .map(|flow| {
            (
                title(flow.iter().filter_map(|at| steps.get(*at))),
                started(&steps, flow),
            )
        })
        .collect();
    let shown = flows
        .iter()
        .zip(&titles)
        .map(|(flow, (title, started))| TraceFlow {
            title,
            client: flow
                .iter()
                .filter_map(|at| steps.get(*at)?.client.as_deref())
                .next(),
            started,
            steps: flow
                .iter()
                .filter_map(|at| Some(shown(steps.get(*at)?, texts.get(*at)?)))
                .collect(),
        })
        .collect();
    let revision = revision.to_string();
    let page = TraceList {
        look: view::look(&exchange.tenant.tenant),
        base: BASE,
        revision: &revision,
        flows: shown,
    };
    page_reply(app, exchange, &Page::TraceList(page))
}

pub fn detail(app: &App, exchange: &Exchange) -> Answer {
    let wanted = exchange
        .path
        .strip_prefix("/dev/trace/")
        .unwrap_or_default();
    let steps: Vec<Step> = app
        .observe
        .with_trace(|trace| trace.steps().cloned().collect())
        .unwrap_or_default();
    let Some(at) = steps.iter().position(|step| step.id.to_string() == wanted) else {
        return Ok(failure::render(
            app,
            exchange,
            (StatusCode::NOT_FOUND, "not_found"),
            None,
        ));
    };
    let flow = flows(&steps)
        .into_iter()
        .find(|flow| flow.contains(&at))
        .unwrap_or_default();
    let place = flow
        .iter()
        .position(|member| *member == at)
        .unwrap_or_default();
    let neighbour = |place: Option<usize>| {
        place
            .and_then(|place| flow.get(place))
            .and_then(|at| steps.get(*at))
            .map(|step| step.id.to_string())
    };
    let (before, after) = (
        neighbour(place.checked_sub(1)),
        neighbour(place.checked_add(1)),
    );
    let Some(step) = steps.get(at) else {
        return Ok(failure::render(
            app,
            exchange,
            (StatusCode::NOT_FOUND, "not_found"),
            None,
        ));
    };
    let texts = Texts::of(step);
    let status = step.status.to_string();
    let page = TraceDetail {
        look: view::look(&exchange.tenant.tenant),
        base: BASE,
        step: shown(step, &texts),
        sent: step
            .sent
            .iter()
            .map(|(name, value)| Pair { name, value })
            .collect(),
        answered: answered(&status, &step.answer),
        before: before.as_deref(),
        after: after.as_deref(),
    };
    page_reply(app, exchange, &Page::TraceDetail(page))
}

fn answered<'a>(status: &'a str, answer: &'a str) -> Vec<Pair<'a>> {
    let mut pairs = vec![Pair {
        name: "status",
        value: status,
    }];
    if !answer.is_empty() {
        pairs.push(Pair {
            name: "location",
            value: answer,
        });
    }
    pairs
}

fn page_reply(app: &App, exchange: &Exchange, page: &Page<'_>) -> Answer {
    let html = app.pages.render(page, view::locale(exchange, None))?;
    let reply: Reply = reply::scripted_page(html);
    Ok(reply)
}

/// Positions of the steps of each flow, newest flow first, each in order.
fn flows(steps: &[Step]) -> Vec<Vec<usize>> {
    let mut flows: Vec<Vec<usize>> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let joins = |flow: &&mut Vec<usize>| {
            flow.iter()
                .rev()
                .filter_map(|at| steps.get(*at))
                .any(|member| belongs(member, step))
        };
        match flows.iter_mut().rev().take(8).find(joins) {
            Some(flow) if begins(step).is_none() => flow.push(at),
            Some(_) | None => flows.push(vec![at]),
        }
    }
    flows.reverse();
    flows
}

/// A step that begins something new whatever came before.
fn begins(step: &Step) -> Option<()> {
    matches!(
        step.endpoint,
        Endpoint::Authorize | Endpoint::DeviceAuthorization | Endpoint::Device
    )
    .then_some(())
}

fn belongs(member: &Step, step: &Step) -> bool {
    let close = step.at.millis() - member.at.millis() < SAME_FLOW_MILLIS;
    let same_flow = step.flow.is_some()
        && (step.flow == member.flow
            || matches!(member.endpoint, Endpoint::Authorize | Endpoint::Device));
    let same_client = step.client.is_some() && step.client == member.client;
    let bearer = matches!(step.endpoint, Endpoint::Userinfo | Endpoint::DemoApi)
        && member.endpoint == Endpoint::Token;
    close && (same_flow || same_client || bearer)
}

fn title<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let mut steps = steps.peekable();
    match steps.peek() {
        Some(first) if first.endpoint == Endpoint::Authorize => "Sign-in".to_owned(),
        Some(first) => what(first).to_owned(),
        None => String::new(),
    }
}

fn started(steps: &[Step], flow: &[usize]) -> String {
    flow.first()
        .and_then(|at| steps.get(*at))
        .map(clock)
        .unwrap_or_default()
}

struct Texts {
    id: String,
    time: String,
    took: String,
}

impl Texts {
    fn of(step: &Step) -> Self {
        let micros = step.took.as_micros();
        let took = if micros < 1000 {
            format!("{micros} µs")
        } else {
            format!("{:.1} ms", step.took.as_secs_f64() * 1e3)
        };
        Self {
            id: step.id.to_string(),
            time: clock(step),
            took,
        }
    }
}

fn clock(step: &Step) -> String {
    let seconds = step.at.seconds().rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn shown<'a>(step: &'a Step, texts: &'a Texts) -> TraceStep<'a> {
    let refusal = step.refusal.as_ref();
    TraceStep {
        id: &texts.id,
        time: &texts.time,
        took: &texts.took,
        peer: peer(step.endpoint),
        way: Way::In,
        method: &step.method,
        path: &step.path,
        what: what(step),
        status: step.status,
        answer: &step.answer,
        outcome: match (refusal, step.status) {
            (Some(_), _) => Outcome::Refused,
            (None, 500..) => Outcome::Fault,
            (None, 400..) => Outcome::Refused,
            (None, _) => Outcome::Passed,
        },
        checks: step
            .passed
            .iter()
            .map(|rule| TraceCheck {
                promise: rule.promise,
                clause: rule.clause,
            })
            .collect(),
        refusal: refusal.map(|refusal| TraceRefusal {
            code: refusal.rule.code.name(),
            cause: refusal.rule.cause,
            clause: refusal.rule.clause,
            promise: refusal.rule.promise,
            expected: &refusal.noted.expected,
            found: &refusal.noted.found,
            fix: refusal.rule.fix,
        }),
    }
}

fn peer(endpoint: Endpoint) -> Peer {
    match endpoint {
        Endpoint::PushedRequest
        | Endpoint::DeviceAuthorization
        | Endpoint::Token
        | Endpoint::Revoke
        | Endpoint::Userinfo
        | Endpoint::Jwks
        | Endpoint::Metadata => Peer::Client,
        Endpoint::Introspect | Endpoint::DemoApi => Peer::Api,
        Endpoint::Authorize
        | Endpoint::Continue
        | Endpoint::SignIn
        | Endpoint::Consent
        | Endpoint::Device
        | Endpoint::DeviceUserCode
        | Endpoint::DeviceConfirm
        | Endpoint::EndSession
        | Endpoint::Home
        | Endpoint::ErrorPage
        | Endpoint::Asset
        | Endpoint::Logo
        | Endpoint::Livez
        | Endpoint::Readyz
        | Endpoint::Startupz
        | Endpoint::Metrics
        | Endpoint::AdminLink
        | Endpoint::TraceList
        | Endpoint::TraceDetail => Peer::Browser,
    }
}

fn what(step: &Step) -> &'static str {
    match step.endpoint {
        Endpoint::Authorize => "Authorization request",
        Endpoint::Continue => "Next step",
        Endpoint::SignIn if step.method == "POST" => "Sign-in",
        Endpoint::SignIn => "Sign-in page",
        Endpoint::Consent if step.method == "POST" => "Consent",
        Endpoint::Consent => "Consent page",
        Endpoint::DeviceAuthorization => "Device authorization request",
        Endpoint::Device => "Verification page",
        Endpoint::DeviceUserCode if step.method == "POST" => "User code",
        Endpoint::DeviceUserCode => "User code page",
        Endpoint::DeviceConfirm if step.method == "POST" => "Answer to the device",
        Endpoint::DeviceConfirm => "Device page",
        Endpoint::PushedRequest => "Pushed authorization request",
        Endpoint::Token => "Access token request",
        Endpoint::Introspect => "Introspection",
        Endpoint::Revoke => "Revocation",
        Endpoint::Userinfo => "Userinfo",
        Endpoint::Jwks => "Key set",
        Endpoint::Metadata => "Metadata",
        Endpoint::EndSession => "Sign-out",
        Endpoint::DemoApi => "Demo API",
        Endpoint::Home => "Home page",
        Endpoint::ErrorPage => "Explanation of a rule",
        Endpoint::Asset => "Asset",
        Endpoint::Logo => "Image of a client",
        Endpoint::Livez | Endpoint::Readyz | Endpoint::Startupz => "Health",
        Endpoint::Metrics => "Metrics",
        Endpoint::AdminLink => "Link for an administrator",
        Endpoint::TraceList | Endpoint::TraceDetail => "Trace",
    }
}
