//! Runs the corpus, each row on a server of its own.

use super::scene::{Scene, is_empty};
use super::{Broken, To, corpus};
use crate::support::{Answer, ISSUER, TestServer};
use jeton_protocol::refusal::Refusal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Rules that no single request over HTTP can break, each with the reason.
const UNREACHABLE: [(&str, &str); 1] = [(
    "userinfo_audience",
    "a token with the scope openid always has the issuer among its audiences; without the scope another rule refuses first",
)];

// P-67, P-111, P-112, P-158, P-159, S40, SEC-100, SEC-197
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_broken_request_is_refused_for_its_own_reason_and_tells_the_caller_nothing_of_it() {
    let rows = corpus();
    let mut wrong = BTreeMap::new();
    for row in &rows {
        let problems = tokio::spawn(examine(row.clone())).await;
        let problems = problems.unwrap_or_else(|panicked| {
            let text = panicked.into_panic();
            let text = text
                .downcast_ref::<String>()
                .cloned()
                .unwrap_or_else(|| "a panic".to_owned());
            vec![text]
        });
        if !problems.is_empty() {
            wrong.insert(row.name, problems);
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{wrong:#?}",
        wrong.len(),
        rows.len()
    );
}

// S40
#[test]
fn the_corpus_has_at_least_150_rows_and_no_name_twice() {
    let rows = corpus();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    assert!(rows.len() >= 150, "{}", rows.len());
}

// S40
#[test]
fn every_rule_there_is_refuses_some_row_of_the_corpus() {
    let reached: BTreeSet<&str> = corpus().iter().map(|row| row.cause).collect();
    let excepted: BTreeSet<&str> = UNREACHABLE.iter().map(|(cause, _)| *cause).collect();
    let missing: Vec<&str> = jeton::rules::all()
        .map(|rule| rule.cause)
        .filter(|cause| !reached.contains(cause) && !excepted.contains(cause))
        .collect();
    assert!(missing.is_empty(), "no row for: {missing:?}");
    let needless: Vec<&&str> = excepted
        .iter()
        .filter(|cause| reached.contains(**cause))
        .collect();
    assert!(
        needless.is_empty(),
        "excepted and yet reached: {needless:?}"
    );
    let known: BTreeSet<&str> = jeton::rules::all().map(|rule| rule.cause).collect();
    assert!(
        excepted.iter().all(|cause| known.contains(cause)),
        "an exception for a rule that is not there"
    );
}

// The check for echoes is worth something only if it can fail.
#[test]
fn an_echo_is_seen_in_body_and_headers() {
    let answer = |name: &'static str, value: &'static str, body: &str| Answer {
        status: http::StatusCode::OK,
        headers: [(
            http::HeaderName::from_static(name),
            http::HeaderValue::from_static(value),
        )]
        .into_iter()
        .collect(),
        body: body.to_owned(),
    };
    assert!(has_marker(&answer(
        "location",
        "https://a.example/?x=qxq-marker",
        ""
    )));
    assert!(has_marker(&answer("vary", "origin", "you sent qxq")));
    assert!(!has_marker(&answer("vary", "origin", "nothing of yours")));
}

// S40
#[test]
fn no_two_rules_share_a_cause() {
    let causes: Vec<&str> = jeton::rules::all().map(|rule| rule.cause).collect();
    let distinct: BTreeSet<&&str> = causes.iter().collect();
    assert_eq!(distinct.len(), causes.len());
}

async fn examine(row: Broken) -> Vec<String> {
    let mut scene = Scene::open(&row).await;
    let ask = scene.prepare(&row).await;
    let answer = scene.server.send(ask).await;
    let mut problems = Vec::new();
    let mut check = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    let refusal = scene.server.refusal();
    let cause = refusal
        .as_ref()
        .map_or("none", |refusal| refusal.rule.cause);
    check(
        cause == row.cause,
        format!("cause {cause}, not {}", row.cause),
    );
    check(
        answer.status.as_u16() == row.status,
        format!("status {}, not {}", answer.status, row.status),
    );
    check(
        answer.header("cache-control") == Some("no-store"),
        "may be cached".to_owned(),
    );
    check(
        !has_marker(&answer),
        format!("an echo: {:?} {}", answer.headers, answer.body),
    );
    let Some(refusal) = refusal else {
        check(
            false,
            format!("nothing noted; {} {}", answer.status, answer.body),
        );
        return problems;
    };
    for problem in note_problems(&refusal) {
        check(false, problem);
    }
    if let Err(problem) = envelope(&row, &answer, &refusal) {
        check(
            false,
            format!(
                "{problem}: {:?} {:?} {}",
                answer.location(),
                answer.header("www-authenticate"),
                answer.body
            ),
        );
    }
    if matches!(row.to, To::Json | To::Basic | To::Bearer | To::Dpop) {
        let page = error_page(&scene.server, &answer).await;
        check(page, "error_uri leads nowhere".to_owned());
    }
    problems
}

fn has_marker(answer: &Answer) -> bool {
    let in_headers = answer.headers.iter().any(|(name, value)| {
        name != "set-cookie"
            && (name.as_str().contains("qxq")
                || value.as_bytes().windows(3).any(|three| three == b"qxq"))
    });
    in_headers || answer.body.contains("qxq")
}

fn note_problems(refusal: &Refusal) -> Vec<String> {
    let mut problems = Vec::new();
    let (noted, rule) = (&refusal.noted, refusal.rule);
    for (what, text) in [
        ("expected", noted.expected.as_ref()),
        ("found", &noted.found),
        ("fix", rule.fix),
        ("clause", rule.clause),
    ] {
        if text.trim().is_empty() {
            problems.push(format!("no {what}"));
        }
        if text.contains(char::is_control) {
            problems.push(format!("a control character in {what}"));
        }
    }
    // RFC 6749 §5.2
    if !rule
        .told
        .bytes()
        .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    {
        problems.push("an illegal character in error_description".to_owned());
    }
    problems
}

#[expect(clippy::too_many_lines, reason = "one arm an envelope")]
fn envelope(row: &Broken, answer: &Answer, refusal: &Refusal) -> Result<(), &'static str> {
    let holds = |holds: bool, problem| if holds { Ok(()) } else { Err(problem) };
    let challenge = answer.header("www-authenticate");
    match row.to {
        To::Page => {
            holds(answer.is_page(), "not a page")?;
            holds(answer.location().is_none(), "a page that leads elsewhere")?;
            holds(
                !answer.body.contains("http-equiv"),
                "a page that goes on by itself",
            )
        }
        To::Client => {
            let location = answer.location().ok_or("no Location")?;
            holds(
                location.starts_with("https://web.example/cb?")
                    || location.starts_with("https://web.example/cb#"),
                "not to the redirection URI",
            )?;
            holds(
                answer.callback("error").as_deref() == Some(row.error),
                "another error",
            )?;
            holds(
                answer.callback("error_description").as_deref() == Some(refusal.rule.told),
                "another description",
            )?;
            holds(
                answer.callback("state").as_deref() == Some("state-1"),
                "no state",
            )?;
            holds(answer.callback("iss").as_deref() == Some(ISSUER), "no iss")?;
            holds(
                answer.callback("code").is_none() && answer.body.is_empty(),
                "more than an error",
            )
        }
        To::Json | To::Basic => {
            body(row, answer, refusal)?;
            let expected = format!("Basic realm=\"{ISSUER}\", charset=\"UTF-8\"");
            let wanted = (row.to == To::Basic).then_some(expected.as_str());
            holds(challenge == wanted, "another challenge")
        }
        To::Bearer => {
            body(row, answer, refusal)?;
            let expected = format!(
                "Bearer realm=\"{ISSUER}\", error=\"{}\", error_description=\"{}\"",
                row.error, refusal.rule.told
            );
            holds(
                challenge.is_some_and(|challenge| challenge.starts_with(&expected)),
                "another challenge",
            )
        }
        To::Dpop => {
            body(row, answer, refusal)?;
            let parts = [
                format!("DPoP realm=\"{ISSUER}\", algs=\"ES256 "),
                format!(
                    "\", error=\"{}\", error_description=\"{}\"",
                    row.error, refusal.rule.told
                ),
            ];
            holds(
                challenge.is_some_and(|challenge| {
                    challenge.starts_with(&parts[0]) && challenge.ends_with(&parts[1])
                }),
                "another challenge",
            )
        }
        To::BareBearer => {
            body(row, answer, refusal)?;
            holds(
                challenge == Some(&format!("Bearer realm=\"{ISSUER}\"")),
                "another challenge",
            )
        }
        To::Inactive => holds(
            answer.json() == json!({ "active": false }),
            "more than inactive",
        ),
    }
}

fn body(row: &Broken, answer: &Answer, refusal: &Refusal) -> Result<(), &'static str> {
    let json: Value = serde_json::from_str(&answer.body).map_err(|_| "not JSON")?;
    if answer.header("content-type") != Some("application/json")
        || answer.header("pragma") != Some("no-cache")
    {
        return Err("another content type, or no pragma");
    }
    if json["error"] != row.error
        || json["error_description"] != refusal.rule.told
        || is_empty(&json["error_uri"])
    {
        return Err("another body");
    }
    if json.as_object().is_none_or(|members| members.len() != 3) {
        return Err("more members than three");
    }
    Ok(())
}

async fn error_page(server: &TestServer, answer: &Answer) -> bool {
    let uri = answer.json()["error_uri"].as_str().unwrap().to_owned();
    let page = server
        .send(crate::support::Ask::new(http::Method::GET, &uri))
        .await;
    page.status.as_u16() == 200 && page.is_page()
}
