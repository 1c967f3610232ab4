//! Random walks over every page and form: nobody who does not know a password gets a code, by any path (SEC-040, SEC-R05).

use crate::support::{Answer, Browser, Fields, TestServer};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Move {
    Begin(usize),
    Visit(usize, usize),
    SignIn(usize, &'static str, &'static str),
    Consent(usize, &'static str),
    NewBrowser,
    SignOut,
    Wait(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (0..4usize).prop_map(Move::Begin),
        (0..3usize, 0..6usize).prop_map(|(page, which)| Move::Visit(page, which)),
        (
            0..6usize,
            prop_oneof![Just("alice"), Just("bob"), Just("nobody"), Just("")],
            prop_oneof![Just(""), Just("wrong")]
        )
            .prop_map(|(which, name, password)| Move::SignIn(which, name, password)),
        (
            0..6usize,
            prop_oneof![
                Just("approve"),
                Just("deny"),
                Just("switch-user"),
                Just("cancel"),
                Just("")
            ]
        )
            .prop_map(|(which, button)| Move::Consent(which, button)),
        Just(Move::NewBrowser),
        Just(Move::SignOut),
        (0..2000u64).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 1..24)
}

/// The walker: the handles and form tokens it has ever seen, and its browser.
struct Walker {
    browser: Browser,
    forms: Vec<(String, String)>,
}

impl Walker {
    fn learn(&mut self, answer: &Answer) {
        if answer.is_page() && answer.body.contains("<form") {
            let form = crate::support::browser::form(answer);
            let value = |name: &str| form.hidden.value(name).unwrap_or_default().to_owned();
            self.forms.push((value("interaction"), value("csrf")));
        }
    }

    fn form(&self, which: usize) -> (String, String) {
        let count = self.forms.len();
        if count == 0 {
            (String::new(), String::new())
        } else {
            self.forms[count - 1 - which % count].clone()
        }
    }

    async fn go(&mut self, one: &Move) -> Option<Answer> {
        let server = self.browser.server.clone();
        let ask = match one {
            Move::Begin(kind) => {
                let prompt = ["", "login", "consent", "none"][*kind];
                server
                    .get("/authorize")
                    .query(&server.request("first", "openid").with("prompt", prompt))
            }
            Move::Visit(page, which) => {
                let path = ["/continue", "/consent", "/sign-in"][*page];
                server.get(path).query(&Fields::from([(
                    "interaction",
                    self.form(*which).0.as_str(),
                )]))
            }
            Move::SignIn(which, name, password) => {
                let (handle, csrf) = self.form(*which);
                let fields = [
                    ("interaction", handle.as_str()),
                    ("csrf", csrf.as_str()),
                    ("username", *name),
                    ("password", *password),
                ];
                server.post("/sign-in", &Fields::from(fields))
            }
            Move::Consent(which, button) => {
                let (handle, csrf) = self.form(*which);
                let fields = [
                    ("interaction", handle.as_str()),
                    ("csrf", csrf.as_str()),
                    (*button, "yes"),
                ];
                server.post("/consent", &Fields::from(fields))
            }
            Move::NewBrowser => {
                self.browser = server.browser();
                return None;
            }
            Move::SignOut => server.get("/end-session"),
            Move::Wait(seconds) => {
                server.advance(*seconds);
                return None;
            }
        };
        let answer = self.browser.go(ask).await;
        self.learn(&answer);
        Some(answer)
    }
}

// SEC-012, SEC-040, SEC-R05
#[test]
fn no_walk_over_the_forms_without_a_password_ends_with_a_code() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(TestServer::start());
    let config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(walk in moves())| {
        runtime.block_on(async {
            let mut walker = Walker { browser: server.browser(), forms: Vec::new() };
            for one in &walk {
                if let Some(answer) = walker.go(one).await {
                    assert!(answer.callback("code").is_none(), "{one:?} gave a code");
                    assert!(answer.status.as_u16() < 500, "{one:?}: {} {}", answer.status, answer.body);
                    let session = crate::rfc9700::sinks::cookie(&server, "session");
                    assert!(!walker.browser.cookies.contains_key(&session), "{one:?} gave a session");
                }
            }
        });
    });
}

// SEC-040, SEC-042
#[tokio::test]
async fn a_page_opened_out_of_turn_leads_back_to_the_step_that_is_due() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let handle = crate::support::browser::form(&page)
        .hidden
        .value("interaction")
        .unwrap()
        .to_owned();
    let consent = browser
        .go(server.get(&format!("/consent?interaction={handle}")))
        .await;
    assert!(
        crate::support::browser::asks_password(&consent),
        "{}",
        consent.body
    );
    let csrf = crate::support::browser::form(&page)
        .hidden
        .value("csrf")
        .unwrap()
        .to_owned();
    let early = Fields::from([
        ("interaction", handle.as_str()),
        ("csrf", csrf.as_str()),
        ("approve", "yes"),
        ("scope.openid", "yes"),
    ]);
    let answer = browser.go(server.post("/consent", &early)).await;
    assert!(
        crate::support::browser::asks_password(&answer),
        "{} {}",
        answer.status,
        answer.body
    );
    let consent = browser.sign_in(&page, "alice").await;
    assert!(
        crate::support::browser::asks_consent(&consent),
        "an approval before signing in does not count"
    );
}
