//! Promises about two processes: what a command changes, a running server follows within a second.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::{Installation, cluster};

/// `jeton serve` on a free port of loopback, in an installation of its own.
struct Running {
    at: Installation,
    address: SocketAddr,
    settings: String,
    server: Child,
}

/// An answer, as far as the tests look at it.
struct Answer {
    status: u16,
    headers: String,
    body: String,
}

/// The tokens of a sign-in.
struct Tokens {
    access: String,
    refresh: String,
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://photos.example.org/cb";
const PASSWORD: &str = "correct horse battery";

impl Running {
    fn start(database: Option<String>) -> Self {
        let at = Installation::new();
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut settings = format!(
            "--set issuer=http://{address} --set listen.address={address} --set passwords.memory_mib=46"
        );
        if let Some(url) = database {
            settings.push_str(&format!(
                " --set database.url={url} --set keys.encryption_key_file=jeton.key"
            ));
        }
        let mut command = at.command(&format!("serve {settings}"));
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let running = Self {
            at,
            address,
            settings,
            server: server.expect("jeton serves"),
        };
        for _ in 0..1200 {
            if running.run("healthcheck") {
                return running;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start");
    }

    fn run(&self, line: &str) -> bool {
        self.at.run(&format!("{line} {}", self.settings)).code == 0
    }

    fn good(&self, line: &str) -> Json {
        self.at.good(&format!("{line} {}", self.settings))
    }

    fn with_people(database: Option<String>) -> Self {
        let running = Self::start(database);
        let line = format!("user add alice {}", running.settings);
        assert_eq!(running.at.run_with_input(&line, PASSWORD).code, 0);
        running
    }

    fn ask(&self, method: &str, path: &str, headers: &[String], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nConnection: close\r\n",
            self.address
        );
        for header in headers {
            text.push_str(&format!("{header}\r\n"));
        }
        if method == "POST" {
            text.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        stream
            .write_all(format!("{text}\r\n{body}").as_bytes())
            .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (headers, body) = answer.split_once("\r\n\r\n").expect("headers and a body");
        Answer {
            status: headers[9..12].parse().expect("a status"),
            headers: headers.to_owned(),
            body: body.to_owned(),
        }
    }

    fn token(&self, client: (&str, &str), fields: &[(&str, &str)]) -> Answer {
        let basic = STANDARD.encode(format!("{}:{}", client.0, client.1));
        self.ask(
            "POST",
            "/token",
            &[format!("Authorization: Basic {basic}")],
            &form(fields),
        )
    }

    fn refreshes(&self, client: (&str, &str), tokens: &Tokens) -> bool {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh.as_str()),
        ];
        self.token(client, &fields).status == 200
    }

    /// Whether userinfo takes the access token.
    fn is_live(&self, tokens: &Tokens) -> bool {
        let bearer = format!("Authorization: Bearer {}", tokens.access);
        self.ask("GET", "/userinfo", &[bearer], "").status == 200
    }

    /// Signs alice in, in a browser of her own.
    fn sign_in(&self, client: (&str, &str), scope: &str) -> Tokens {
        let query = form(&[
            ("response_type", "code"),
            ("client_id", client.0),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let mut cookies = BTreeMap::new();
        let mut answer = self.visit(&mut cookies, "GET", &format!("/authorize?{query}"), "");
        for _ in 0..10 {
            match location(&answer) {
                Some(location) if location.starts_with(CALLBACK) => {
                    let code = parameter(&location, "code");
                    return self.redeem(client, &code);
                }
                Some(path) => answer = self.visit(&mut cookies, "GET", &path, ""),
                None => {
                    let (action, mut fields) = shown_form(&answer.body);
                    fields.push(("username".to_owned(), "alice".to_owned()));
                    fields.push(("password".to_owned(), PASSWORD.to_owned()));
                    let fields: Vec<(&str, &str)> = fields
                        .iter()
                        .map(|(n, v)| (n.as_str(), v.as_str()))
                        .collect();
                    answer = self.visit(&mut cookies, "POST", &action, &form(&fields));
                }
            }
        }
        panic!("the sign-in goes round: {}", answer.headers);
    }

    fn visit(
        &self,
        cookies: &mut BTreeMap<String, String>,
        method: &str,
        path: &str,
        body: &str,
    ) -> Answer {
        let pairs: Vec<String> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let path = path
            .strip_prefix(&format!("http://{}", self.address))
            .unwrap_or(path);
        let answer = self.ask(
            method,
            path,
            &[format!("Cookie: {}", pairs.join("; "))],
            body,
        );
        for line in answer.headers.lines() {
            if let Some(cookie) = line.strip_prefix("set-cookie: ") {
                let (name, rest) = cookie.split_once('=').expect("a cookie");
                let value = rest.split(';').next().unwrap_or_default();
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn redeem(&self, client: (&str, &str), code: &str) -> Tokens {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.token(client, &fields);
        let json: Json = serde_json::from_str(&answer.body).expect("JSON");
        let text = |name: &str| {
            json[name]
                .as_str()
                .unwrap_or_else(|| panic!("{json}"))
                .to_owned()
        };
        Tokens {
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

fn location(answer: &Answer) -> Option<String> {
    let mut lines = answer.headers.lines();
    lines.find_map(|line| line.strip_prefix("location: ").map(str::to_owned))
}

fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    let found = url.query_pairs().find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}

/// Where the form of a page leads, and its hidden fields.
fn shown_form(page: &str) -> (String, Vec<(String, String)>) {
    let attribute = |html: &str, name: &str| {
        let found = html.split_once(&format!(" {name}=\""))?.1;
        Some(
            found
                .split('"')
                .next()?
                .replace("&#x2f;", "/")
                .replace("&amp;", "&"),
        )
    };
    let start = page
        .split_once("<form")
        .unwrap_or_else(|| panic!("no form: {page}"))
        .1;
    let html = start.split("</form>").next().expect("a form");
    let hidden = html
        .split("<input")
        .skip(1)
        .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
        .map(|input| {
            let text = |name| attribute(input, name).unwrap_or_default();
            (text("name"), text("value"))
        });
    (
        attribute(html, "action").expect("an action"),
        hidden.collect(),
    )
}

/// Asks again for a second at least, which is what a running server has.
fn within_a_second(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..50 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not within a second: {what}");
}

fn on_each_database(case: impl Fn(Running)) {
    case(Running::with_people(None));
    case(Running::with_people(Some(cluster::schema())));
}

fn add_photos(running: &Running) -> String {
    let line = format!("client add --id photos --first-party --redirect-uri {CALLBACK}");
    let line = format!("{line} --scope \"openid profile offline_access\"");
    let added = running.good(&line);
    added["client_secret"]
        .as_str()
        .expect("a secret")
        .to_owned()
}

// SEC-301, SEC-304
#[test]
fn a_grant_revoked_at_the_command_line_is_refused_by_a_running_server() {
    on_each_database(|running| {
        let secret = add_photos(&running);
        let client = ("photos", secret.as_str());
        let (kept, lost) = (
            running.sign_in(client, "openid"),
            running.sign_in(client, "openid profile"),
        );
        let grants = running.good("grant list --user alice --client photos");
        let grants = grants.as_array().expect("a list");
        assert_eq!(grants.len(), 2);
        assert!(
            grants.iter().all(|grant| grant["state"] == "live"),
            "{grants:?}"
        );
        assert_eq!(grants[1]["scope"], "openid profile");
        let id = grants[1]["grant_id"].as_str().expect("an id");
        let first = grants[0]["grant_id"].as_str().expect("an id");
        let page = |line: &str| running.good(line).as_array().expect("a list").len();
        assert_eq!(page("grant list --limit 1"), 1);
        assert_eq!(page(&format!("grant list --after {first}")), 1);
        assert_eq!(page(&format!("grant list --after {id}")), 0);
        running.good(&format!("grant revoke {id}"));
        within_a_second("the access token is refused", || !running.is_live(&lost));
        assert!(!running.refreshes(client, &lost), "nor does it refresh");
        assert!(running.is_live(&kept) && running.refreshes(client, &kept));
        assert_eq!(
            running.good(&format!("grant show {id}"))["state"],
            "revoked"
        );
        let again = format!("grant revoke {id} {}", running.settings);
        assert!(running.at.refused(&again, 1).contains("not revoked"));
    });
}

// SEC-042, SEC-304
#[test]
fn a_session_ended_at_the_command_line_takes_along_what_depends_on_it() {
    on_each_database(|running| {
        let secret = add_photos(&running);
        let client = ("photos", secret.as_str());
        let (bound, other) = (
            running.sign_in(client, "openid"),
            running.sign_in(client, "openid"),
        );
        let sessions = running.good("session list --user alice");
        assert_eq!(sessions.as_array().map(Vec::len), Some(2), "{sessions}");
        // The newest comes first, and was opened last.
        let newest = sessions[0]["session_id"].as_str().expect("an id");
        let ended = running.good(&format!("session end {newest}"));
        assert_eq!(ended["clients"], serde_json::json!(["photos"]));
        within_a_second("the access token is refused", || !running.is_live(&other));
        assert!(!running.refreshes(client, &other) && running.is_live(&bound));
        let left = running.good("session list --user alice --limit 1");
        assert_eq!(left[0]["session_id"], sessions[1]["session_id"]);
        let oldest = left[0]["session_id"].as_str().expect("an id");
        let behind = running.good(&format!("session list --user alice --after {oldest}"));
        assert_eq!(behind, serde_json::json!([]));
        let again = format!("session end {newest} {}", running.settings);
        assert!(running.at.refused(&again, 1).contains("no live session"));
    });
}

// SEC-R12
#[test]
fn a_changed_client_and_user_are_served_as_changed() {
    on_each_database(|running| {
        let secret = add_photos(&running);
        let client = ("photos", secret.as_str());
        let tokens = running.sign_in(client, "openid profile");
        let own = [("grant_type", "client_credentials")];
        assert_eq!(running.token(client, &own).status, 400);
        let types = ["authorization_code", "refresh_token", "client_credentials"];
        let types = types.map(|name| format!("--grant-type {name}")).join(" ");
        running.good(&format!(
            "client change photos {types} --token-lifetime 90s"
        ));
        within_a_second("it may do what it could not", || {
            running.token(client, &own).status == 200
        });
        let json: Json = serde_json::from_str(&running.token(client, &own).body).expect("JSON");
        assert_eq!(json["expires_in"], 90);
        running.good("user change alice --name \"Alice Martin\" --username alicia");
        let bearer = format!("Authorization: Bearer {}", tokens.access);
        within_a_second("userinfo says so", || {
            let answer = running.ask("GET", "/userinfo", std::slice::from_ref(&bearer), "");
            answer.body.contains("Alice Martin") && answer.body.contains("\"alicia\"")
        });
        running.good("client change photos --auth none --grant-type authorization_code --grant-type refresh_token");
        within_a_second("the old secret is of no use", || {
            running.token(client, &own).status == 401
        });
    });
}
