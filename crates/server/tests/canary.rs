//! A long flow with marked secrets, and then a search for them: in the log at its loudest, in the metrics, in every answer
//! but the one that hands them out, and in the bytes of the database (SEC-250, SEC-051, SEC-062, SEC-432).

#[allow(dead_code)]
#[path = "support/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "support/wire.rs"]
mod wire;

use std::net::TcpListener;

use process::Place;
use wire::{Answer, Jar, Wire};

const PASSWORD: &str = "canary-password-Kp3x";
const WRONG_PASSWORD: &str = "canary-wrong-password-7Qz";
const NAME: &str = "canary-password-typed-as-name-x2";
const WRONG_SECRET: &str = "canary-wrong-secret-Vb81";
const VERIFIER: &str = "canary-verifier-canary-verifier-canary-verifier";
const GARBAGE: &str = "jta_canary-garbage-token-Lm4";
const STATE: &str = "canary-state-Tr5";
const NONCE: &str = "canary-nonce-Yd6";

struct Run {
    place: Place,
    jar: Jar,
    /// Everything that came back.
    answers: Vec<(String, String)>,
    /// What was handed out.
    given: Vec<String>,
}

impl Run {
    fn note(&mut self, what: &str, answer: Option<Answer>) -> Answer {
        let answer = answer.expect(what);
        self.jar.keep(&answer);
        self.answers.push((what.to_owned(), answer.whole()));
        answer
    }

    fn get(&mut self, path: &str) -> Answer {
        let answer = self.place.wire.get(path, &self.jar);
        self.note(path.split('?').next().unwrap(), answer)
    }

    fn post(&mut self, path: &str, body: &str) -> Answer {
        let answer = self.place.wire.post(path, body, &self.jar);
        self.note(path, answer)
    }

    fn basic(&mut self, path: &str, secret: &str, body: &str) -> Answer {
        let answer = self.place.wire.basic(path, ("web", secret), body);
        self.note(path, answer)
    }

    fn bearer(&mut self, token: &str) -> Answer {
        let answer = self.place.wire.bearer("/userinfo", token);
        self.note("/userinfo", answer)
    }
}

/// Signs in with a wrong and then the right password, approves, and returns the code.
fn sign_in(run: &mut Run) -> String {
    let challenge = jeton_token::base64url::encode(&jeton_token::sha256(VERIFIER.as_bytes()));
    let ask = format!(
        "/authorize?response_type=code&client_id=web&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&scope=openid%20email\
         &state={STATE}&nonce={NONCE}&code_challenge={challenge}&code_challenge_method=S256"
    );
    let shown = run.get(&ask);
    let page = run.get(shown.location().unwrap());
    let (interaction, csrf) = (page.hidden("interaction"), page.hidden("csrf"));
    run.given.extend([interaction.to_owned(), csrf.to_owned()]);
    for (name, password) in [
        ("alice", WRONG_PASSWORD),
        (NAME, PASSWORD),
        ("alice", PASSWORD),
    ] {
        let form =
            format!("interaction={interaction}&csrf={csrf}&username={name}&password={password}");
        let answer = run.post("/sign-in", &form);
        assert_eq!(
            answer.status,
            if (name, password) == ("alice", PASSWORD) {
                303
            } else {
                200
            }
        );
    }
    let page = run.get(&format!("/continue?interaction={interaction}"));
    let page = match page.location() {
        Some(path) => run.get(path),
        None => page,
    };
    let csrf = page.hidden("csrf").to_owned();
    let form = format!("interaction={interaction}&csrf={csrf}&scope.email=yes&approve=yes");
    let mut answer = run.post("/consent", &form);
    while let Some(path) = answer.location().filter(|path| path.starts_with('/')) {
        answer = run.get(path);
    }
    let code = answer
        .location()
        .expect(&answer.body)
        .split_once("code=")
        .unwrap()
        .1;
    let code = code.split('&').next().unwrap().to_owned();
    run.given.extend([csrf, code.clone()]);
    run.given
        .extend(run.jar.values().cloned().collect::<Vec<_>>());
    code
}

/// Redeems, refreshes, asks and revokes, each rightly and wrongly.
fn use_tokens(run: &mut Run, secret: &str, code: &str) {
    let redeem = |verifier: &str| {
        format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fweb.example%2Fcb&code_verifier={verifier}"
        )
    };
    assert_eq!(
        run.basic("/token", WRONG_SECRET, &redeem(VERIFIER)).status,
        401
    );
    assert_eq!(
        run.basic("/token", secret, &redeem(&VERIFIER.replace('y', "z")))
            .status,
        400
    );
    let tokens = run.basic("/token", secret, &redeem(VERIFIER));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let (access, refresh) = (tokens.text("access_token"), tokens.text("refresh_token"));
    let id = tokens.text("id_token");
    run.given
        .extend([access.clone(), refresh.clone(), id.clone()]);
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let more = run.basic("/token", secret, &form);
    run.given.push(more.text("access_token"));
    assert_eq!(run.bearer(&access).status, 200);
    assert_eq!(run.bearer(GARBAGE).status, 401);
    for token in [access.as_str(), &refresh, GARBAGE] {
        assert_eq!(
            run.basic("/introspect", secret, &format!("token={token}"))
                .status,
            200
        );
    }
    assert_eq!(
        run.get(&format!("/userinfo?access_token={access}")).status,
        400
    );
    run.get(&format!(
        "/nowhere/{GARBAGE}?access_token={access}&password={PASSWORD}"
    ));
    run.get(&format!("/errors/{GARBAGE}"));
    assert_eq!(
        run.basic("/token", secret, &redeem(VERIFIER)).status,
        400,
        "spent"
    );
    assert_eq!(
        run.basic("/revoke", secret, &format!("token={refresh}"))
            .status,
        200
    );
    run.get(&format!("/end-session?id_token_hint={id}&state={STATE}"));
}

fn client(place: &Place, options: &str) -> String {
    let printed = place.run(&format!("client add {options} --json"));
    let added: serde_json::Value = serde_json::from_str(&printed).unwrap();
    added["client_secret"].as_str().unwrap().to_owned()
}

#[track_caller]
fn is_clean(place: &str, bytes: &[u8], secrets: &[String]) {
    for secret in secrets {
        // The end of a handle or token is what is secret about it.
        let tail = &secret.as_bytes()[secret.len().saturating_sub(20)..];
        let found = bytes.windows(tail.len()).position(|window| window == tail);
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(120)..(at + 60).min(bytes.len())];
            panic!("{secret} in {place}: …{}…", String::from_utf8_lossy(around));
        }
    }
}

// SEC-250, SEC-051, SEC-062, SEC-432
#[test]
fn no_secret_is_found_where_it_does_not_belong() {
    let place = Place::new("sqlite:jeton.db");
    place.write("password", PASSWORD);
    place.run("user add alice --email alice@example.org --password-file password");
    let secret = client(&place, "--id web --redirect-uri https://web.example/cb");
    let hmac = client(
        &place,
        "--id hmac --auth client_secret_jwt --grant-type client_credentials",
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let management = Wire(free.local_addr().unwrap());
    drop(free);
    let flags = format!(
        "--set listen.management={} --set log.level=trace",
        management.0
    );
    let mut server = place.serve_with(&flags);
    let mut run = Run {
        place: place.clone(),
        jar: Jar::default(),
        answers: Vec::new(),
        given: Vec::new(),
    };
    let code = sign_in(&mut run);
    use_tokens(&mut run, &secret, &code);
    let metrics = management
        .get("/metrics", &Jar::default())
        .expect("metrics");
    assert!(metrics.body.contains("jeton_"), "{}", metrics.body);
    server.kill();

    let typed = [PASSWORD, WRONG_PASSWORD, WRONG_SECRET, VERIFIER, GARBAGE].map(str::to_owned);
    let hidden = [typed.as_slice(), &[secret, hmac]].concat();
    // What a page shows again is what was typed as a name, and nothing else.
    for (what, answer) in &run.answers {
        is_clean(&format!("an answer of {what}"), answer.as_bytes(), &hidden);
    }
    let answers: String = run
        .answers
        .iter()
        .map(|(_, answer)| answer.as_str())
        .collect();
    let handed_out = run.given.iter().filter(|secret| answers.contains(*secret));
    assert!(
        handed_out.count() >= 8,
        "what was handed out is found where it belongs"
    );
    let everything = [hidden.as_slice(), &run.given, &[NAME.to_owned()]].concat();
    for name in ["jeton.db", "jeton.db-wal", "jeton.db-shm"] {
        is_clean(name, &place.read(name), &everything);
    }
    let told = [everything.as_slice(), &[STATE.to_owned(), NONCE.to_owned()]].concat();
    is_clean("the metrics", metrics.whole().as_bytes(), &told);
    let log = place.read("log");
    is_clean("the log", &log, &told);
    let log = String::from_utf8_lossy(&log);
    assert!(
        log.contains("code_spent") && log.contains("sign_in.failed"),
        "it was looked at"
    );
    assert!(run.given.len() >= 8 && place.read("jeton.db").len() > 4096);
}
