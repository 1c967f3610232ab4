//! Promises about the command line: what each command does, says, refuses, and exits with.

#[path = "support/malformed.rs"]
mod malformed;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value as Json;

#[path = "command/certificates.rs"]
mod certificates;
#[path = "command/change.rs"]
mod change;
#[path = "command/cluster.rs"]
mod cluster;
#[path = "command/issuers.rs"]
mod issuers;
#[path = "command/keys.rs"]
mod keys;
#[path = "command/messages.rs"]
mod messages;
#[path = "command/running.rs"]
mod running;

/// An installation of its own: a folder in which `jeton` runs, with no environment of ours.
struct Installation(PathBuf);

impl Installation {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jeton-command-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jeton"));
        command
            .current_dir(&self.0)
            .env_clear()
            .args(words(line))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().expect("jeton runs"))
    }

    fn run_with_input(&self, line: &str, input: &str) -> Ran {
        let mut command = self.command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("jeton runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that refuses before it reads closes the pipe, which is fine.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        Ran::of(child.wait_with_output().expect("jeton ends"))
    }

    fn good(&self, line: &str) -> Json {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.error);
        serde_json::from_str(&ran.text).expect("JSON on standard output")
    }

    fn refused(&self, line: &str, code: i32) -> String {
        let ran = self.run(line);
        assert_eq!(ran.code, code, "{line}: {} {}", ran.text, ran.error);
        assert!(!ran.error.is_empty(), "{line} says why");
        ran.error
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    code: i32,
    text: String,
    error: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code().expect("an exit code"),
            text: text(output.stdout),
            error: text(output.stderr),
        }
    }
}

/// Splits a line as a shell does, as far as the examples need it: blanks, and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => {
                words.extend(Some(std::mem::take(&mut word)).filter(|it| !it.is_empty()))
            }
            letter => word.push(letter),
        }
    }
    words.extend(Some(word).filter(|it| !it.is_empty()));
    words
}

/// Every command of the tree, by its words, with its help.
fn tree(at: &Installation, above: &str, found: &mut Vec<(String, String)>) {
    let help = at.run(&format!("{above} --help"));
    assert_eq!(help.code, 0, "{above} --help: {}", help.error);
    let commands = help.text.split("Commands:").nth(1).map(str::to_owned);
    found.push((above.to_owned(), help.text));
    for line in commands.iter().flat_map(|text| text.lines().skip(1)) {
        match line
            .strip_prefix("  ")
            .filter(|line| !line.starts_with(' '))
        {
            Some(line) => {
                let name = line.split_whitespace().next().expect("a name");
                tree(at, format!("{above} {name}").trim(), found);
            }
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
}

#[test]
fn every_command_has_an_example_that_is_a_line_it_understands() {
    let at = Installation::new();
    let mut found = Vec::new();
    tree(&at, "", &mut found);
    assert!(found.len() > 25, "only {} commands", found.len());
    for (name, help) in &found {
        let is_group = name.split(' ').count() == 1 && help.contains("Commands:");
        let examples: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  jeton "))
            .collect();
        assert!(is_group || !examples.is_empty(), "{name} has no example");
        for example in examples {
            // With --help at its end, a line is parsed but nothing is done.
            let ran = at.run(&format!("{example} --help"));
            assert_eq!(ran.code, 0, "jeton {example}: {}", ran.error);
        }
    }
}

#[test]
fn usage_and_configuration_mistakes_exit_with_2() {
    let at = Installation::new();
    assert!(at.refused("clients", 2).contains("client"));
    assert!(at.refused("client list --nope", 2).contains("--nope"));
    let told = at.refused("client list --set listen.adress=1", 2);
    assert_eq!(
        told,
        "jeton: flag --set listen.adress: unknown key listen.adress; did you mean listen.address?\n"
    );
    assert!(
        at.refused("client list --config missing.toml", 2)
            .contains("missing.toml")
    );
    assert!(
        !at.path("jeton.db").exists(),
        "nothing is opened before the configuration is good"
    );
}

#[test]
fn every_configuration_problem_is_told_on_its_own_line() {
    let at = Installation::new();
    let text = "[log]\nlevel = \"loud\"\n[lifetimes]\ncode = \"1h\"\nkode = 1\n";
    std::fs::write(at.path("jeton.toml"), text).expect("a file");
    let told = at.refused("check", 2);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("jeton: jeton.toml:")),
        "{told}"
    );
}

#[test]
fn init_writes_a_file_that_check_accepts_and_never_overwrites_one() {
    let at = Installation::new();
    at.good("init --issuer https://auth.example.org");
    let first = std::fs::read_to_string(at.path("jeton.toml")).expect("written");
    assert!(first.contains("\nissuer = \"https://auth.example.org\"\n"));
    assert!(
        at.refused("init --issuer https://other.example.org", 1)
            .contains("jeton.toml")
    );
    assert_eq!(
        std::fs::read_to_string(at.path("jeton.toml")).expect("kept"),
        first
    );
    let report = at.good("check");
    assert!(
        report.as_array().is_some_and(|lines| lines.len() == 4),
        "{report}"
    );
    // SEC-191, SEC-465: TLS ends nowhere that is known, so every user would have the proxy's address.
    let told = report[3]["warning"].as_str().expect("a warning");
    assert!(told.contains("listen.trusted_proxies"), "{told}");
    let named = at.good("check --set listen.trusted_proxies=127.0.0.1");
    assert!(
        named.as_array().is_some_and(|lines| lines.len() == 3),
        "{named}"
    );
    assert!(!at.path("jeton.db").exists() && !at.path("jeton.key").exists());
}

#[test]
fn init_refuses_an_issuer_nobody_could_use() {
    let at = Installation::new();
    let told = at.refused("init --issuer http://auth.example.org", 2);
    assert!(told.contains("must be https"), "{told}");
    assert!(!at.path("jeton.toml").exists());
}

#[test]
fn check_reports_each_thing_that_is_wrong_and_exits_with_1() {
    let at = Installation::new();
    std::fs::write(
        at.path("jeton.db"),
        "this is no database, but long enough to look at",
    )
    .expect("a file");
    std::fs::write(at.path("jeton.key"), "short").expect("a file");
    std::fs::write(at.path("c.pem"), "no certificate").expect("a file");
    let tls =
        "--set listen.tls.certificate=c.pem --set listen.tls.key=k.pem --set outbound.ca=c.pem";
    let ran = at.run(&format!("check {tls}"));
    assert_eq!(ran.code, 1, "{}", ran.text);
    let failed: Vec<&str> = ran
        .text
        .lines()
        .filter(|line| line.starts_with("FAILED"))
        .collect();
    assert_eq!(failed.len(), 4, "{}", ran.text);
    assert!(failed[1].contains("jeton.key"), "{}", ran.text);
    assert!(failed[2].contains("c.pem"), "{}", ran.text);
    assert!(failed[3].contains("outbound.ca"), "{}", ran.text);
}

// SEC-423: others must not be able to read the key
#[cfg(unix)]
#[test]
fn check_refuses_a_key_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = Installation::new();
    at.good("client add --id a --auth client_secret_jwt");
    let key = at.path("jeton.key");
    let mode = std::fs::metadata(&key).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(at.run("check").code, 0);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("changed");
    let ran = at.run("check");
    assert_eq!(ran.code, 1);
    assert!(ran.text.contains("chmod 600"), "{}", ran.text);
}

// SEC-411
#[test]
fn a_client_secret_is_long_random_shown_once_and_kept_as_a_digest() {
    let at = Installation::new();
    let added = at.good("client add --id photos --redirect-uri https://photos.example.org/cb");
    let secret = added["client_secret"].as_str().expect("a secret");
    assert_eq!(secret.len(), 43, "256 bits in base64url");
    assert_eq!(added["client_secret_expires_at"], 0);
    let shown = at.good("client show photos");
    assert!(
        shown["client_secret"].is_null() && shown["secret"].is_null(),
        "{shown}"
    );
    for name in ["jeton.db", "jeton.db-wal"] {
        let bytes = std::fs::read(at.path(name)).unwrap_or_default();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
    let renewed = at.good("client secret photos");
    assert_ne!(renewed["client_secret"], added["client_secret"]);
}

// S61: the member names of RFC 7591
#[test]
fn client_add_answers_with_registration_members_and_sound_defaults() {
    let at = Installation::new();
    let web = at.good("client add --redirect-uri https://a.example/cb --scope \"openid email\"");
    assert_eq!(
        web["grant_types"],
        serde_json::json!(["authorization_code", "refresh_token"])
    );
    assert_eq!(web["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(
        web["redirect_uris"],
        serde_json::json!(["https://a.example/cb"])
    );
    assert_eq!(web["scope"], "openid email");
    assert!(
        web["client_id_issued_at"]
            .as_i64()
            .is_some_and(|at| (1_700_000_000..99_999_999_999).contains(&at))
    );
    assert_eq!(web["client_id"].as_str().map(str::len), Some(36));
    let plain = at.good("client add --redirect-uri https://a.example/cb");
    assert_eq!(
        plain["scope"], "openid profile email",
        "without any it could sign nobody in"
    );
    let job = at.good("client add --id job");
    assert_eq!(
        job["grant_types"],
        serde_json::json!(["client_credentials"])
    );
    // P-230
    let bound = at.good("client add --id bound --dpop-bound --dpop-nonce true");
    assert_eq!(bound["dpop_bound_access_tokens"], true);
    assert_eq!(bound["dpop_nonce"], true);
    let spa = at.good("client add --auth none --redirect-uri https://spa.example/");
    assert!(spa["client_secret"].is_null());
    let server = at.good("client add --introspects https://api.example");
    assert_eq!(
        server["introspects"],
        serde_json::json!(["https://api.example"])
    );
    assert!(server["grant_types"].is_null(), "{server}");
}

// S48, SEC-460: only who is given it has it; nobody has to know the URN
#[test]
fn client_add_takes_a_short_name_for_the_device_grant() {
    let at = Installation::new();
    let tool =
        at.good("client add --auth none --grant-type device_code --grant-type refresh_token");
    assert_eq!(
        tool["grant_types"],
        serde_json::json!([
            "urn:ietf:params:oauth:grant-type:device_code",
            "refresh_token"
        ])
    );
    assert_eq!(tool["scope"], "openid profile email");
}

#[test]
fn a_client_file_is_a_registration_request() {
    let at = Installation::new();
    let request = r#"{"client_id": "filed", "client_name": "Filed", "response_types": ["code"],
        "redirect_uris": ["https://filed.example/cb"], "scope": "openid",
        "token_endpoint_auth_method": "client_secret_post"}"#;
    std::fs::write(at.path("r.json"), request).expect("a file");
    let added = at.good("client add --file r.json");
    assert_eq!(added["client_name"], "Filed");
    assert_eq!(added["token_endpoint_auth_method"], "client_secret_post");
    let piped = at.run_with_input(
        "client add --file - --json",
        &request.replace("filed\"", "piped\""),
    );
    assert_eq!(piped.code, 0, "{}", piped.error);
    let both = r#"{"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []},
        "jwks_uri": "https://filed.example/jwks"}"#;
    std::fs::write(at.path("both.json"), both).expect("a file");
    assert!(
        at.refused("client add --file both.json", 2)
            .contains("exclude each other")
    );
    assert!(
        at.refused("client add --file missing.json", 2)
            .contains("missing.json")
    );
}

// P-186, P-280, P-281, P-288: nobody has to answer at the addresses yet.
#[test]
fn a_client_may_keep_its_keys_and_its_image_at_addresses_of_its_own() {
    let at = Installation::new();
    let members = serde_json::json!({
        "client_id": "far", "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://far.example/jwks",
        "logo_uri": "https://far.example/logo.png", "client_uri": "https://far.example/",
        "policy_uri": "https://far.example/privacy", "tos_uri": "https://far.example/terms",
    });
    std::fs::write(at.path("far.json"), members.to_string()).expect("a file");
    let filed = at.good("client add --file far.json");
    let options = "--jwks-uri https://far.example/jwks --logo-uri https://far.example/logo.png \
                   --client-uri https://far.example/ --policy-uri https://far.example/privacy \
                   --tos-uri https://far.example/terms";
    let written = at.good(&format!(
        "client add --id far2 --auth private_key_jwt {options}"
    ));
    for (name, value) in members.as_object().expect("members") {
        assert_eq!(filed[name], *value, "{name}");
        if name != "client_id" {
            assert_eq!(written[name], *value, "{name}");
        }
    }
    assert!(filed.get("client_secret").is_none());
}

// SEC-R03, SEC-004, SEC-103
// SEC-175
#[test]
fn a_set_of_keys_that_reads_in_two_ways_makes_no_client() {
    let at = Installation::new();
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let good = format!(r#"{{"keys":[{key}]}}"#);
    let twice = good
        .replace("\"crv\"", "\"kty\":\"OKP\",\"crv\"")
        .into_bytes();
    let mut wrong = malformed::variants(&good);
    wrong.push(("a member of a key twice", twice));
    for (name, text) in wrong {
        std::fs::write(at.path("keys.json"), text).expect("a file");
        let line = "client add --auth private_key_jwt --jwks-file keys.json";
        let told = at.refused(line, 2);
        assert!(told.contains("jwks"), "{name}: {told}");
    }
    std::fs::write(at.path("keys.json"), good).expect("a file");
    at.good("client add --auth private_key_jwt --jwks-file keys.json");
    assert_eq!(at.good("client list").as_array().map(Vec::len), Some(1));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of rows")]
fn clients_that_could_not_work_or_be_safe_are_refused_with_the_reason() {
    let at = Installation::new();
    let cases = [
        (
            "--redirect-uri http://a.example/cb",
            "loopback addresses only",
        ),
        ("--redirect-uri https://a.example/cb#x", "no fragment"),
        ("--redirect-uri javascript:alert", "browser"),
        ("--redirect-uri /cb", "absolute"),
        ("--redirect-uri https://*.a.example/cb", "never accepted"),
        ("--redirect-uri com.example.app:/cb", "native client"),
        ("--auth none", "--redirect-uri"),
        (
            "--auth none --grant-type client_credentials",
            "prove itself",
        ),
        (
            "--auth none --redirect-uri https://a.example/ --introspects https://b.example",
            "prove itself",
        ),
        (
            "--auth private_key_jwt",
            "--jwks-file FILE or --jwks-uri URL",
        ),
        (
            "--auth private_key_jwt --jwks-uri http://a.example/jwks",
            "not https",
        ),
        (
            "--auth private_key_jwt --jwks-uri https://me@a.example/jwks",
            "user information",
        ),
        ("--logo-uri javascript:alert", "https"),
        ("--logo-uri https://a.example/#x", "fragment"),
        ("--client-uri javascript:alert", "runs or reads something"),
        ("--policy-uri data:text/html,x", "runs or reads something"),
        ("--tos-uri /terms", "tos_uri is"),
        ("--auth magic", "client_secret_basic"),
        ("--grant-type password", "client_credentials"),
        ("--grant-type authorization_code", "--redirect-uri"),
        ("--grant-type refresh_token", "authorization_code"),
        ("--scope \"a\\b\"", "scope"),
        ("--token-format xml", "opaque, jwt"),
        ("--id-token-alg none", "RS256"),
        ("--response-alg none", "RS256"),
        ("--request-object-alg none", "PS256"),
        ("--request-object-alg HS256", "PS256"),
        ("--require-request-object", "--jwks-file"),
        (
            "--allowed-origin https://a.example/path",
            "scheme, host and port",
        ),
        ("--application-type tv", "web, native"),
        ("--tenant Nope", "tenant id"),
    ];
    for (options, told) in cases {
        let error = at.refused(&format!("client add {options}"), 2);
        assert!(error.contains(told), "{options}: {error}");
    }
    assert_eq!(at.good("client list"), serde_json::json!([]));
    at.good("client add --application-type native --redirect-uri com.example.app:/cb --auth none");
}

#[test]
fn a_client_is_listed_disabled_enabled_and_deleted() {
    let at = Installation::new();
    for id in ["a", "b", "c"] {
        at.good(&format!("client add --id {id}"));
    }
    let listed = |line: &str| -> Vec<String> {
        let list = at.good(line);
        let ids = list.as_array().expect("a list").iter();
        ids.map(|it| it["client_id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(listed("client list --limit 2"), ["a", "b"]);
    assert_eq!(listed("client list --after b"), ["c"]);
    assert!(
        at.refused("client add --id a", 1)
            .contains("exists already")
    );
    at.good("client disable a");
    assert_eq!(at.good("client show a")["disabled"], true);
    assert!(
        at.refused("client disable a", 1)
            .contains("no enabled client called a")
    );
    at.good("client enable a");
    assert_eq!(at.good("client show a")["disabled"], false);
    at.good("client delete a --yes");
    for line in [
        "client show a",
        "client delete a --yes",
        "client secret a",
        "client enable a",
    ] {
        assert!(at.refused(line, 1).contains("called a"), "{line}");
    }
}

#[test]
fn a_list_for_people_has_a_heading_and_a_row_each() {
    let at = Installation::new();
    at.good("client add --id a --name \"The A\"");
    let ran = at.run("client list");
    let lines: Vec<&str> = ran.text.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.text);
    assert!(
        lines[0].starts_with("CLIENT ID") && lines[1].contains("The A"),
        "{}",
        ran.text
    );
}

#[test]
fn a_user_is_added_with_a_password_from_input_or_a_file_but_never_from_the_line() {
    let at = Installation::new();
    let line = "user add Alice --email alice@example.org --admin --json";
    let ran = at.run_with_input(line, "correct horse battery\n");
    assert_eq!(ran.code, 0, "{}", ran.error);
    let user: Json = serde_json::from_str(&ran.text).expect("JSON");
    assert_eq!(
        (&user["username"], &user["preferred_username"]),
        (&"alice".into(), &"Alice".into())
    );
    assert_eq!(
        (&user["email_verified"], &user["admin"]),
        (&false.into(), &true.into())
    );
    std::fs::write(at.path("pw"), "another good one\nsecond line\n").expect("a file");
    at.good("user add bob --password-file pw");
    assert!(
        at.refused("user add carol --password hunter22hunter22", 2)
            .contains("--password")
    );
    assert!(
        at.refused("user add carol --password-file missing", 2)
            .contains("missing")
    );
    for name in ["jeton.db", "jeton.db-wal"] {
        let bytes = std::fs::read(at.path(name)).unwrap_or_default();
        assert!(!bytes.windows(13).any(|window| window == b"correct horse"));
    }
}

// SEC-052, SEC-410
#[test]
fn passwords_too_short_or_beyond_the_limit_are_refused_and_not_cut() {
    let at = Installation::new();
    let short = at.run_with_input("user add a", "1234567\n");
    assert_eq!(
        (short.code, short.error.contains("at least 8")),
        (1, true),
        "{}",
        short.error
    );
    let long = at.run_with_input("user add a", &"x".repeat(4097));
    assert_eq!(
        (long.code, long.error.contains("at most 4096")),
        (1, true),
        "{}",
        long.error
    );
    let nothing = at.run("user add a");
    assert_eq!(nothing.code, 1, "an empty input is no password");
    assert_eq!(at.run_with_input("user add a", &"x".repeat(4096)).code, 0);
}

// SEC-044
#[test]
fn spellings_of_a_name_are_one_user() {
    let at = Installation::new();
    assert_eq!(
        at.run_with_input("user add \"Zoé\"", "a good password")
            .code,
        0
    );
    for spelling in ["zoé", "ZOÉ", "zoe\u{301}", "ｚｏé"] {
        assert_eq!(
            at.good(&format!("user show {spelling}"))["username"],
            "zoé",
            "{spelling}"
        );
        let again = at.run_with_input(&format!("user add {spelling}"), "a good password");
        assert_eq!(
            (again.code, again.error.contains("exists already")),
            (1, true)
        );
    }
    for wrong in ["\"two words\"", "\"\u{7}\"", "\"  \""] {
        assert_eq!(
            at.run_with_input(&format!("user add {wrong}"), "a good password")
                .code,
            2
        );
    }
}

#[test]
fn a_user_is_disabled_enabled_given_a_password_and_deleted() {
    let at = Installation::new();
    assert_eq!(
        at.run_with_input("user add alice", "a good password").code,
        0
    );
    at.good("user disable alice");
    assert_eq!(at.good("user show alice")["disabled"], true);
    at.good("user enable ALICE");
    assert_eq!(at.good("user list")[0]["disabled"], false);
    let changed = at.run_with_input("user password alice", "a better password");
    assert_eq!(changed.code, 0, "{}", changed.error);
    at.good("user delete alice --yes");
    assert_eq!(at.good("user list"), serde_json::json!([]));
    for line in [
        "user show alice",
        "user disable alice",
        "user delete alice --yes",
    ] {
        assert!(
            at.refused(line, 1).contains("no user called alice"),
            "{line}"
        );
    }
}

// SEC-R06
#[test]
fn tenants_share_nothing_and_an_unknown_one_is_told() {
    let at = Installation::new();
    at.good("tenant add acme --issuer https://acme.example.org --name Acme");
    at.good("client add --id a --tenant acme");
    assert_eq!(at.good("client list"), serde_json::json!([]));
    assert_eq!(at.good("client list --tenant acme")[0]["client_id"], "a");
    assert!(
        at.refused("client list --tenant nobody", 1)
            .contains("no tenant called nobody")
    );
    let tenants = at.good("tenant list");
    assert_eq!(tenants[0]["id"], "acme");
    assert_eq!(tenants[1]["id"], "default");
    assert!(
        at.refused("tenant add acme --issuer https://b.example.org", 1)
            .contains("already")
    );
    assert!(
        at.refused("tenant add b --issuer https://acme.example.org", 1)
            .contains("already")
    );
    assert!(
        at.refused("tenant add b --issuer http://b.example.org", 2)
            .contains("must be https")
    );
    at.good("tenant disable acme");
    assert_eq!(at.good("tenant list")[0]["disabled"], true);
    at.good("tenant enable acme");
    assert!(
        at.refused("tenant enable acme", 1)
            .contains("no disabled tenant")
    );
}

#[test]
fn a_healthcheck_of_nobody_fails() {
    let at = Installation::new();
    let told = at.refused("healthcheck --set listen.address=127.0.0.1:9", 1);
    assert!(told.contains("http://127.0.0.1:9/readyz"), "{told}");
    let tls = "--set listen.tls.certificate=c --set listen.tls.key=k";
    assert!(
        at.refused(&format!("healthcheck {tls}"), 2)
            .contains("listen.management")
    );
}

#[test]
fn a_healthcheck_follows_the_answer_of_the_server() {
    use std::io::Read as _;
    for (answer, code) in [("200 OK", 0), ("503 Service Unavailable", 1), ("2", 1)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 1024];
            let count = stream.read(&mut request).expect("a request");
            let reply = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(reply.as_bytes()).expect("an answer");
            String::from_utf8_lossy(&request[..count]).into_owned()
        });
        let at = Installation::new();
        let ran = at.run(&format!("healthcheck --set listen.management={address}"));
        assert_eq!(ran.code, code, "{answer}: {} {}", ran.text, ran.error);
        let request = served.join().expect("served");
        assert!(
            request.starts_with("GET /readyz HTTP/1.1\r\nHost: localhost:9000\r\n"),
            "{request}"
        );
    }
}

#[test]
fn config_show_explain_reference_and_schema_answer() {
    let at = Installation::new();
    let shown = at.good("config show --set log.level=debug");
    let level = shown
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["key"] == "log.level");
    assert_eq!(
        level.map(|it| it["source"].clone()),
        Some("flag --set log.level".into())
    );
    let explained = at.run("config explain log.level");
    assert!(
        explained
            .text
            .starts_with("log.level = \"info\"\n  from      default\n")
    );
    assert!(
        at.refused("config explain log.levle", 2)
            .contains("did you mean log.level?")
    );
    assert!(
        at.run("config reference")
            .text
            .starts_with("# Configuration\n")
    );
    assert_eq!(at.good("config schema")["type"], "object");
}

#[test]
fn the_reference_command_prints_docs_config_md() {
    let at = Installation::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let written = std::fs::read_to_string(path).expect("docs/config.md");
    assert_eq!(at.run("config reference").text, written);
}

/// P-186, SEC-170: RS256 assertions are taken from a client that is registered for them.
#[test]
fn the_algorithm_of_assertions_is_registered_and_has_to_fit_the_method() {
    let at = Installation::new();
    let file = |auth: &str, algorithm: &str| {
        let registration = serde_json::json!({
            "client_id": format!("c{}", algorithm.len() + auth.len()),
            "token_endpoint_auth_method": auth,
            "token_endpoint_auth_signing_alg": algorithm,
            "grant_types": ["client_credentials"],
        });
        std::fs::write(at.path("c.json"), registration.to_string()).expect("written");
        at.run("client add --file c.json --json")
    };
    let added = file("client_secret_jwt", "HS384");
    assert_eq!(added.code, 0, "{}", added.error);
    assert!(
        added
            .text
            .contains("\"token_endpoint_auth_signing_alg\":\"HS384\"")
            || added.text.contains("HS384"),
        "{}",
        added.text
    );
    assert_eq!(file("client_secret_jwt", "RS256").code, 2);
    assert_eq!(file("client_secret_basic", "RS256").code, 2);
    assert_eq!(file("private_key_jwt", "HS256").code, 2);
}

/// An installation whose trail has a few records, linked and signed.
fn audited() -> (Installation, String) {
    let at = Installation::new();
    at.good("client add --id photos --redirect-uri https://photos.example.org/cb");
    at.good("client disable photos");
    at.good("client enable photos");
    let signed = at.good("audit checkpoint");
    let checkpoint = signed["checkpoint"].as_str().expect("a JWS").to_owned();
    (at, checkpoint)
}

/// Writes another text of the same length over the first place it stands at in the database.
fn tamper(at: &Installation, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(at.path("jeton.db")).expect("the database");
    let place = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .expect("it stands there");
    bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
    std::fs::write(at.path("jeton.db"), bytes).expect("written");
}

// SEC-431
#[test]
fn audit_verify_tells_a_whole_trail_from_a_broken_one() {
    let (at, checkpoint) = audited();
    let whole = at.good("audit verify");
    assert_eq!(
        (&whole["verified"], &whole["not_linked_yet"]),
        (&true.into(), &0.into())
    );
    assert_eq!(
        (&whole["signed_to"], &whole["first"]),
        (&whole["last"], &1.into())
    );
    at.good("client delete photos --yes");
    assert_eq!(at.good("audit verify")["not_linked_yet"], 1);
    assert_eq!(
        at.run(&format!("audit verify --checkpoint {checkpoint}"))
            .code,
        0
    );
    tamper(&at, "client.disabledoperator", "client.disabledsomebody");
    let ran = at.run("audit verify");
    assert_eq!(
        (ran.code, ran.text.trim_end()),
        (1, "BROKEN  record 3 was edited")
    );
}

// SEC-431: the whole database was put back
#[test]
fn audit_verify_misses_what_a_kept_checkpoint_covers() {
    let (at, _) = audited();
    let copy = std::fs::read(at.path("jeton.db")).expect("the database");
    at.good("client disable photos");
    let kept = at.good("audit checkpoint")["checkpoint"]
        .as_str()
        .expect("a JWS")
        .to_owned();
    assert_eq!(at.run(&format!("audit verify --checkpoint {kept}")).code, 0);
    std::fs::write(at.path("jeton.db"), copy).expect("put back");
    let _ = std::fs::remove_file(at.path("jeton.db-wal"));
    assert_eq!(at.run("audit verify").code, 0, "nothing inside says so");
    let ran = at.run(&format!("audit verify --checkpoint {kept} --json"));
    assert_eq!(ran.code, 1);
    let told: Json = serde_json::from_str(&ran.text).expect("JSON");
    assert_eq!(
        (&told["broken"], &told["at"]),
        (&"truncated".into(), &7.into())
    );
}

// SEC-430
#[test]
fn audit_list_shows_the_newest_first_and_finds_what_is_asked_for() {
    let (at, _) = audited();
    let events = |line: &str| -> Vec<String> {
        let found = at.good(&format!("audit list {line}"));
        let rows = found.as_array().expect("a list").iter();
        rows.map(|row| row["event"].as_str().expect("an event").to_owned())
            .collect()
    };
    let about_photos = ["client.enabled", "client.disabled", "client.registered"];
    assert_eq!(events("--object photos"), about_photos);
    assert_eq!(
        events("--event client.disabled --actor operator"),
        ["client.disabled"]
    );
    assert_eq!(events("--event client.disabled --actor nobody"), [""; 0]);
    assert_eq!(events("--until 2026-01-01"), [""; 0]);
    assert_eq!(
        events("--since 2026-01-01T00:00:00Z --object photos"),
        about_photos
    );
    let first = at.good("audit list --object photos --limit 1");
    let id = first[0]["id"].as_str().expect("an id");
    assert_eq!(
        events(&format!("--object photos --after {id}")),
        about_photos[1..]
    );
    assert_eq!(first[0]["result"], "done");
    let table = at.run("audit list --object photos --limit 1").text;
    assert!(
        table.starts_with("AT ") && table.contains("client.enabled"),
        "{table}"
    );
    for wrong in [
        "--since yesterday",
        "--until 2026-02-30",
        "--request %",
        "--after 7",
    ] {
        at.refused(&format!("audit list {wrong}"), 2);
    }
}

// SEC-431: whoever holds the export can prove it without this program's database
#[test]
fn audit_export_can_be_proven_by_itself() {
    use jeton_token::jwk::PublicJwk;
    use jeton_token::{base64url, secret::sha256};
    let (at, _) = audited();
    let text = at.run("audit export").text;
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let key = PublicJwk::parse(lines[0]["key"].as_object().expect("a key")).expect("a JWK");
    let digest = |parts: &[&[u8]]| {
        let with_length = |part: &&[u8]| [&(part.len() as u64).to_be_bytes()[..], part].concat();
        sha256(&parts.iter().flat_map(with_length).collect::<Vec<u8>>())
    };
    let bytes = |value: &Json| base64url::decode(value.as_str().expect("text")).expect("base64url");
    let (mut before, mut proven) = ([0; 32], 0);
    for line in &lines[1..] {
        if let Some(jws) = line["checkpoint"].as_str() {
            let jws = jeton_token::jws::Jws::parse(jws).expect("a JWS");
            let said: Json =
                serde_json::from_slice(jws.verify(&key).expect("signed").payload()).expect("JSON");
            assert_eq!(bytes(&said["hash"]), before);
            proven += 1;
            continue;
        }
        let text = |name: &str| line[name].as_str().expect("text").as_bytes();
        let body = digest(&[
            &bytes(&line["salt"]),
            text("actor"),
            text("object"),
            text("record"),
        ]);
        assert_eq!(bytes(&line["body"]), body);
        let id: jeton_token::row_id::RowId =
            line["id"].as_str().expect("an id").parse().expect("an id");
        let number = |name: &str| line[name].as_i64().expect("a number").to_be_bytes();
        before = digest(&[
            b"jeton audit record 1",
            &before,
            &number("sequence"),
            b"default",
            &id.bytes(),
            &number("at_ms"),
            text("event"),
            &body,
        ]);
        assert_eq!(bytes(&line["hash"]), before);
    }
    assert_eq!((lines.len(), proven), (8, 1));
    let rest = at.run("audit export --after 5").text;
    assert_eq!(
        rest.lines().skip(1).collect::<Vec<_>>(),
        text.lines().skip(6).collect::<Vec<_>>()
    );
}

// SEC-431: what a server did is signed when it stops, and one that did nothing since signs nothing
#[test]
fn a_server_that_stops_leaves_a_signed_trail() {
    let at = Installation::new();
    at.good("client add --id photos --redirect-uri https://photos.example.org/cb");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let mut child = at
        .command(&format!("serve --set listen.address={address}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("jeton serves");
    let ready = format!("healthcheck --set listen.address={address}");
    while at.run(&ready).code != 0 {
        assert!(child.try_wait().expect("a process").is_none(), "it serves");
    }
    let pid = child.id().to_string();
    let killed = Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .expect("kill");
    assert!(killed.success());
    assert!(child.wait().expect("it ends").success());
    let found = at.good("audit verify");
    assert_eq!(found["signed_to"], found["last"], "{found}");
    assert!(
        found["last"].as_i64().is_some_and(|last| last >= 3),
        "{found}"
    );
}
