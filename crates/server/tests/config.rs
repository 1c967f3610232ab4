//! Promises about configuration: what is refused and how, what wins, what is never shown.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jeton::config::{self, Config, ConfigProblem, DatabaseUrl, LogLevel, Source, Sources, TABLES};
use jeton_protocol::tenant::TokenFormat;
use jeton_token::algorithm::SignatureAlgorithm;

/// A directory of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jeton-config-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file in the temporary folder");
        path
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sources(file: Option<PathBuf>, environment: &[(&str, &str)], flags: &[&str]) -> Sources {
    let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    Sources {
        file,
        environment: environment.iter().map(pair).collect(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        usual_file: false,
    }
}

/// The problems of a file as the operator reads them, without the folder's name.
fn refusals(toml: &str) -> Vec<String> {
    let folder = Folder::new();
    let file = folder.write("jeton.toml", toml);
    let problems = Config::load(&sources(Some(file), &[], &[])).expect_err("must be refused");
    let prefix = format!("{}/", folder.path().display());
    problems
        .iter()
        .map(|problem| problem.to_string().replace(&prefix, ""))
        .collect()
}

fn accepted(toml: &str) -> Config {
    let folder = Folder::new();
    let file = folder.write("jeton.toml", toml);
    Config::load(&sources(Some(file), &[], &[])).expect("must be accepted")
}

fn flagged(flags: &[&str]) -> Result<Config, Vec<ConfigProblem>> {
    Config::load(&sources(None, &[], flags))
}

fn one_refusal(flag: &str) -> String {
    let problems = flagged(&[flag]).expect_err("must be refused");
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_at_all_is_a_configuration_for_loopback() {
    let config = flagged(&[]).expect("defaults fit together");
    assert_eq!(config.issuer.as_str(), "http://localhost:9000");
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:9000");
    assert_eq!(config.database.url, DatabaseUrl::Sqlite("jeton.db".into()));
    assert_eq!(config.encryption_key_file, PathBuf::from("jeton.key"));
    assert_eq!(config.policy.token_format, TokenFormat::Opaque);
    assert_eq!(config.policy.signing_algorithm, SignatureAlgorithm::Es256);
    assert_eq!(config.tls, None);
}

// SEC-461, SEC-417, SEC-410, SEC-444
#[test]
fn the_defaults_are_those_the_requirements_ask_for() {
    let config = flagged(&[]).expect("defaults");
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let days = |count: u64| Duration::from_secs(86_400 * count);
    let own = jeton_protocol::tenant::Policy::default();
    assert_eq!(
        config.policy, own,
        "the rules and the configuration agree on defaults"
    );
    assert_eq!(config.policy.lifetimes.code, minutes(1));
    assert_eq!(config.policy.lifetimes.access_token, minutes(10));
    assert_eq!(config.policy.lifetimes.id_token, minutes(5));
    assert_eq!(config.policy.lifetimes.refresh_idle, days(14));
    assert_eq!(config.policy.lifetimes.refresh_absolute, days(90));
    assert_eq!(config.policy.lifetimes.session_idle, minutes(8 * 60));
    assert_eq!(config.policy.lifetimes.session_absolute, days(1));
    assert_eq!(
        config.policy.lifetimes.refresh_grace,
        Duration::from_secs(10)
    );
    assert_eq!(config.rotation.lead, days(1));
    assert_eq!(
        (config.passwords.memory_mib, config.passwords.iterations),
        (46, 1)
    );
    assert_eq!(config.limits.body_bytes, 64 * 1024);
    assert_eq!(config.listen.per_ip_connections, 256);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_key_that_was_meant() {
    let told =
        refusals("issuer = \"https://auth.example.org\"\n\n[listen]\n  adress = \"[::]:1\"\n");
    assert_eq!(
        told,
        ["jeton.toml:4:3: unknown key listen.adress; did you mean listen.address?"]
    );
}

#[test]
fn an_unknown_table_is_one_problem_and_not_one_for_each_key() {
    let told = refusals("[lifetime]\ncode = \"1m\"\nid_token = \"1m\"\n");
    assert_eq!(
        told,
        ["jeton.toml:1:2: unknown key lifetime; did you mean lifetimes?"]
    );
}

#[test]
fn a_key_in_the_wrong_table_is_shown_its_table() {
    let told = refusals("connections = 4\n[database]\naddress = \"x\"\n");
    assert_eq!(
        told,
        [
            "jeton.toml:1:1: unknown key connections; did you mean database.connections?",
            "jeton.toml:3:1: unknown key database.address; did you mean listen.address?",
        ]
    );
}

#[test]
fn a_key_like_no_other_gets_no_wild_guess() {
    assert_eq!(
        refusals("zzzzzz = 1"),
        ["jeton.toml:1:1: unknown key zzzzzz"]
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let told = refusals(
        "issuer = \"http://auth.example.org\"\n[lifetimes]\ncode = \"601s\"\nid_token = 5\n\
         session_idle = \"2d\"\n[tokens]\nformat = \"jws\"\n[listen]\nadress = 1\n",
    );
    let expected = [
        "jeton.toml:9:1: unknown key listen.adress; did you mean listen.address?",
        "jeton.toml:3:8: lifetimes.code is \"601s\"; allowed is 1s to 10m",
        "jeton.toml:4:12: lifetimes.id_token is a number; write a duration with its unit in \
         quotes, such as \"10m\"",
        "jeton.toml:7:10: tokens.format is \"jws\"; write \"opaque\" or \"jwt\"",
        "jeton.toml:1:10: issuer must be https unless its host is loopback; if a proxy ends TLS, \
         name it in listen.trusted_proxies",
    ];
    assert_eq!(told, expected);
}

#[test]
fn broken_toml_is_refused_with_its_place() {
    let told = refusals("issuer = \"https://a.example\"\nlisten = [\n");
    assert!(told[0].starts_with("jeton.toml:2:"), "{told:?}");
    let twice = refusals("[log]\nlevel = \"info\"\nlevel = \"warn\"\n");
    assert!(
        twice[0].starts_with("jeton.toml:3:1: duplicate key"),
        "{twice:?}"
    );
}

#[test]
fn a_table_written_as_a_value_is_told_so() {
    assert_eq!(
        refusals("listen = \"127.0.0.1:9000\""),
        ["jeton.toml:1:1: listen is a table; write [listen] and its keys below"]
    );
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let told = refusals("log = { format = \"text\" }\nscopes.\"é\".hidden = true");
    assert!(
        told[0].starts_with("jeton.toml:2:8: scopes.\"é\": a scope name is"),
        "{told:?}"
    );
}

#[test]
fn a_file_that_was_named_must_exist() {
    let missing = PathBuf::from("/nowhere/jeton.toml");
    let problems = Config::load(&sources(Some(missing), &[], &[])).expect_err("no file");
    assert!(
        problems[0]
            .to_string()
            .starts_with("cannot read /nowhere/jeton.toml: ")
    );
    let named = [("JETON_CONFIG", "/nowhere/else.toml")];
    let problems = Config::load(&sources(None, &named, &[])).expect_err("no file");
    assert!(
        problems[0]
            .to_string()
            .starts_with("cannot read /nowhere/else.toml: ")
    );
}

#[test]
fn a_flag_beats_the_environment_beats_a_credential_beats_the_file_beats_the_default() {
    let folder = Folder::new();
    let text = "[log]\nlevel = \"error\"\nformat = \"json\"\n[database]\nconnections = 3\n";
    let file = folder.write("jeton.toml", text);
    folder.write("log.level", "warn\n");
    folder.write("database.connections", "4");
    folder.write("lifetimes.code", "30s\n");
    let directory = folder.path().to_string_lossy().into_owned();
    let environment = [
        ("CREDENTIALS_DIRECTORY", directory.as_str()),
        ("JETON_LOG__LEVEL", "debug"),
        ("JETON_DATABASE__CONNECTIONS", "5"),
    ];
    let flags = ["database.connections=6"];
    let config =
        Config::load(&sources(Some(file.clone()), &environment, &flags)).expect("accepted");
    let source = |path: &str| {
        let explained = config.explained().iter().find(|it| it.path == path);
        explained
            .map(|it| (it.shown.clone(), it.source.clone()))
            .expect("explained")
    };
    assert_eq!(
        source("database.connections"),
        (
            "6".to_owned(),
            Source::Flag("--set database.connections".to_owned())
        )
    );
    assert_eq!(
        source("log.level"),
        (
            "\"debug\"".to_owned(),
            Source::Environment("JETON_LOG__LEVEL".to_owned())
        )
    );
    assert_eq!(
        source("lifetimes.code"),
        (
            "\"30s\"".to_owned(),
            Source::Credential(folder.path().join("lifetimes.code"))
        )
    );
    assert_eq!(
        source("log.format"),
        (
            "\"json\"".to_owned(),
            Source::File {
                path: file,
                line: 3,
                column: 10
            }
        )
    );
    assert_eq!(
        source("tokens.format"),
        ("\"opaque\"".to_owned(), Source::Default)
    );
}

#[test]
fn jeton_config_names_the_file_and_the_flag_beats_it() {
    let folder = Folder::new();
    let by_variable = folder.write("a.toml", "[log]\nlevel = \"error\"\n");
    let by_flag = folder.write("b.toml", "[log]\nlevel = \"trace\"\n");
    let named = by_variable.to_string_lossy().into_owned();
    let environment = [("JETON_CONFIG", named.as_str())];
    let config = Config::load(&sources(None, &environment, &[])).expect("accepted");
    assert_eq!(config.log.level, LogLevel::Error);
    let config = Config::load(&sources(Some(by_flag), &environment, &[])).expect("accepted");
    assert_eq!(config.log.level, LogLevel::Trace);
}

#[test]
fn an_unknown_variable_is_an_error_with_the_one_that_was_meant() {
    let told = |name: &str| {
        let problems = Config::load(&sources(None, &[(name, "x")], &[])).expect_err("refused");
        assert_eq!(problems.len(), 1);
        problems[0].to_string()
    };
    assert_eq!(
        told("JETON_LISTEN__ADRESS"),
        "environment variable JETON_LISTEN__ADRESS: unknown setting; did you mean \
         JETON_LISTEN__ADDRESS?"
    );
    assert!(told("JETON_LISTEN_ADDRESS").ends_with("did you mean JETON_LISTEN__ADDRESS?"));
    assert!(told("JETON_ZZZZ").ends_with("levels are separated by two underscores"));
    assert!(told("JETON_SERVICE_HOST").contains("enableServiceLinks: false"));
    assert!(told("JETON_PORT_9000_TCP_ADDR").contains("enableServiceLinks: false"));
    assert!(told("JETON_SCOPES__X__HIDDEN").contains("unknown setting"));
}

#[test]
fn variables_of_others_are_none_of_our_business() {
    let environment = [("PATH", "/bin"), ("JETONS", "1"), ("LISTEN", "x")];
    Config::load(&sources(None, &environment, &[])).expect("accepted");
}

#[test]
fn the_environment_sets_every_type() {
    let environment = [
        ("JETON_ISSUER", "https://auth.example.org"),
        ("JETON_LISTEN__ADDRESS", "0.0.0.0:80"),
        ("JETON_LISTEN__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7"),
        (
            "JETON_PATHS__TOKEN",
            "[\"/oauth2/token\", \"/oauth/token\"]",
        ),
        ("JETON_DATABASE__CONNECTIONS", "7"),
        ("JETON_AUDIENCE", ""),
    ];
    let config = Config::load(&sources(None, &environment, &[])).expect("accepted");
    assert_eq!(config.listen.trusted_proxies.len(), 2);
    assert_eq!(config.listen.trusted_proxies[1].to_string(), "192.0.2.7/32");
    let paths: Vec<&str> = config
        .paths
        .token
        .iter()
        .map(|path| path.as_str())
        .collect();
    assert_eq!(paths, ["/oauth2/token", "/oauth/token"]);
    assert_eq!(config.database.connections, 7);
    assert!(config.policy.default_audience.is_empty());
}

#[test]
fn a_file_suffix_reads_the_value_from_the_file_without_its_last_newline() {
    let folder = Folder::new();
    let secret = folder.write("url", "postgres://jeton:s3cret@db/jeton\n");
    let path = secret.to_string_lossy().into_owned();
    let environment = [
        ("JETON_DATABASE__URL_FILE", path.as_str()),
        ("JETON_KEYS__ENCRYPTION_KEY_FILE", "/etc/jeton/key"),
    ];
    let config = Config::load(&sources(None, &environment, &[])).expect("accepted");
    assert_eq!(
        config.database.url,
        DatabaseUrl::Postgres("postgres://jeton:s3cret@db/jeton".to_owned())
    );
    assert_eq!(config.encryption_key_file, PathBuf::from("/etc/jeton/key"));
    let explained = config::explain(&config, "database.url").expect("a key");
    assert!(
        explained.contains("named by JETON_DATABASE__URL_FILE"),
        "{explained}"
    );
}

#[test]
fn a_file_suffix_is_refused_when_it_cannot_mean_one_thing() {
    let told = |environment: &[(&str, &str)]| {
        let problems = Config::load(&sources(None, environment, &[])).expect_err("refused");
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let both = told(&[
        ("JETON_DATABASE__URL", "sqlite:a"),
        ("JETON_DATABASE__URL_FILE", "/x"),
    ]);
    assert!(
        both.ends_with("JETON_DATABASE__URL is set as well; keep one of them"),
        "{both}"
    );
    let missing = told(&[("JETON_DATABASE__URL_FILE", "/nowhere/url")]);
    assert!(
        missing.ends_with("/nowhere/url is not a readable file"),
        "{missing}"
    );
    let path = told(&[("JETON_LISTEN__TLS__KEY_FILE", "/x")]);
    assert!(path.ends_with("listen.tls.key is a path already; set JETON_LISTEN__TLS__KEY"));
}

#[test]
fn a_credential_of_a_path_key_is_the_file_itself() {
    let folder = Folder::new();
    let key = folder.write("keys.encryption_key_file", "not read here");
    let directory = folder.path().to_string_lossy().into_owned();
    let environment = [("CREDENTIALS_DIRECTORY", directory.as_str())];
    let config = Config::load(&sources(None, &environment, &[])).expect("accepted");
    assert_eq!(config.encryption_key_file, key);
}

// S09
#[test]
fn an_http_issuer_is_refused_unless_loopback_or_behind_a_named_proxy() {
    assert!(one_refusal("issuer=http://auth.example.org").contains("must be https"));
    for loopback in [
        "http://localhost:9000",
        "http://127.0.0.1:1",
        "http://[::1]:9000",
    ] {
        flagged(&[&format!("issuer={loopback}")]).expect("loopback");
    }
    for trick in [
        "http://localhost.example.org",
        "http://127.0.0.1.example.org",
    ] {
        assert!(
            one_refusal(&format!("issuer={trick}")).contains("must be https"),
            "{trick}"
        );
    }
    let proxied = [
        "issuer=http://auth.example.org",
        "listen.trusted_proxies=10.0.0.1",
    ];
    flagged(&proxied).expect("a proxy was named");
}

#[test]
fn an_issuer_is_exactly_what_clients_will_compare() {
    let told = |issuer: &str| one_refusal(&format!("issuer={issuer}"));
    assert!(told("https://a.example/?x=1").contains("no query and no fragment"));
    assert!(told("https://a.example/#x").contains("no query and no fragment"));
    assert!(told("https://a.example/").ends_with("will see it: \"https://a.example\""));
    assert!(told("https://A.example").ends_with("will see it: \"https://a.example\""));
    assert!(told("https://a.example:443").ends_with("will see it: \"https://a.example\""));
    assert!(told("https://user:pw@a.example").contains("holds a user name"));
    assert!(!told("https://user:pw@a.example").contains("pw"));
    assert!(told("auth.example.org").contains("absolute URL"));
    assert!(told("ftp://a.example").contains("https URL"));
    let config = flagged(&["issuer=https://a.example/auth"]).expect("a path is fine");
    assert_eq!(config.issuer.as_str(), "https://a.example/auth");
}

// S09
#[test]
fn a_public_listener_without_tls_needs_a_named_proxy() {
    let public = "listen.address=0.0.0.0:9000";
    let issuer = "issuer=https://auth.example.org";
    let problems = flagged(&[issuer, public]).expect_err("plain http for everybody");
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .to_string()
            .contains("can be reached by other machines without TLS")
    );
    flagged(&[issuer, public, "listen.trusted_proxies=10.0.0.1"]).expect("behind a proxy");
    let tls = ["listen.tls.certificate=c.pem", "listen.tls.key=k.pem"];
    let config = flagged(&[issuer, public, tls[0], tls[1]]).expect("own TLS");
    assert_eq!(
        config.tls.map(|files| files.key),
        Some(PathBuf::from("k.pem"))
    );
    let forgotten = flagged(&[public, tls[0], tls[1]]).expect_err("no issuer");
    assert!(
        forgotten[0].to_string().starts_with("issuer is not set"),
        "{forgotten:?}"
    );
}

// SEC-191, SEC-465: all users would share the address of a proxy nobody named
#[test]
fn https_that_nobody_is_known_to_speak_is_warned_of() {
    let https = "issuer=https://auth.example.org";
    let warnings = |set: &[&str]| flagged(set).expect("can be served").warnings();
    let told = warnings(&[https]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("share one address") && told[0].contains("listen.trusted_proxies"));
    let tls = ["listen.tls.certificate=c.pem", "listen.tls.key=k.pem"];
    for good in [
        &[https, "listen.trusted_proxies=127.0.0.1"][..],
        &[https, tls[0], tls[1]],
        &["issuer=http://localhost:9000"],
    ] {
        assert_eq!(warnings(good), [""; 0], "{good:?}");
    }
}

#[test]
fn half_a_certificate_is_refused() {
    let told = one_refusal("listen.tls.key=k.pem");
    assert!(told.ends_with("listen.tls.certificate is not set, but listen.tls.key is; set both"));
}

#[test]
fn contradictions_between_two_keys_are_refused() {
    assert!(one_refusal("lifetimes.refresh_idle=91d").contains("must not exceed"));
    assert!(one_refusal("lifetimes.session_absolute=1h").contains("must not exceed"));
    assert!(one_refusal("listen.management=127.0.0.1:9000").contains("must differ"));
    assert!(one_refusal("database.url=postgres://db/jeton").contains("encryption_key_file"));
}

// SEC-417, SEC-461, SEC-161
#[test]
fn values_beyond_their_limits_are_refused_with_the_limits() {
    let cases = [
        (
            "lifetimes.code=601s",
            "lifetimes.code is \"601s\"; allowed is 1s to 10m",
        ),
        (
            "refresh.grace=2m",
            "refresh.grace is \"2m\"; allowed is 0s to 1m",
        ),
        (
            "keys.rotation.lead=23h",
            "keys.rotation.lead is \"23h\"; allowed is 24h to 90d",
        ),
        (
            "passwords.memory_mib=45",
            "passwords.memory_mib is 45; allowed is 46 to 4096",
        ),
        (
            "passwords.threads=0",
            "passwords.threads is 0; allowed is 1 to 1024",
        ),
        (
            "database.connections=0",
            "database.connections is 0; allowed is 1 to 512",
        ),
    ];
    for (flag, told) in cases {
        assert!(one_refusal(flag).ends_with(told), "{}", one_refusal(flag));
    }
}

#[test]
fn durations_need_a_number_and_a_unit() {
    for wrong in [
        "60",
        "m",
        "1.5m",
        "-1m",
        "1 m",
        "1w",
        "",
        "99999999999999999999d",
    ] {
        let told = one_refusal(&format!("lifetimes.id_token={wrong}"));
        assert!(
            told.ends_with("write a number and one of s, m, h, d, such as \"10m\""),
            "{told}"
        );
    }
}

// S30, S44
#[test]
fn paths_are_plain_and_belong_to_one_endpoint() {
    for wrong in [
        "token",
        "/a/../token",
        "//token",
        "/token?x",
        "/to ken",
        "/token/",
        "/%74oken",
    ] {
        let told = one_refusal(&format!("paths.token={wrong}"));
        assert!(told.contains("write a plain path"), "{wrong}: {told}");
    }
    for built_in in ["/authorize", "/token", "/.well-known/openid-configuration"] {
        let told = one_refusal(&format!("paths.token={built_in}"));
        assert!(
            told.ends_with(&format!("repeats {built_in:?} of the built-in endpoints")),
            "{told}"
        );
    }
    let told = one_refusal("paths.token=/oauth/x,/oauth/x");
    assert!(told.ends_with("paths.token repeats \"/oauth/x\" of paths.token"));
    let both =
        flagged(&["paths.token=/o", "paths.revoke=/o"]).expect_err("one path, two endpoints");
    assert!(
        both[0]
            .to_string()
            .ends_with("paths.revoke repeats \"/o\" of paths.token")
    );
}

// SEC-220, SEC-224
#[test]
fn what_may_go_out_is_named_exactly() {
    let config = accepted(
        "[outbound]\nallow = [\"keys.example:8443\", \"127.0.0.1:9444\", \"[::1]:443\"]\nports = [8443]\n\
         ca = [\"a.pem\", \"b.pem\"]\n",
    );
    let allowed: Vec<&str> = config.outbound.allow.iter().map(|it| it.as_str()).collect();
    assert_eq!(
        allowed,
        ["keys.example:8443", "127.0.0.1:9444", "[::1]:443"]
    );
    assert_eq!(config.outbound.ca.len(), 2);
    let nothing = accepted("").outbound;
    assert!(nothing.allow.is_empty() && nothing.ports.is_empty() && nothing.ca.is_empty());
    for wrong in [
        "keys.example",
        "https://keys.example:443",
        "Keys.example:443",
        "keys.example:0443",
        "keys.example:443/path",
        "me@keys.example:443",
        "10.0.0.0/8",
        "*.example:443",
        "127.1:443",
        ":443",
    ] {
        let told = one_refusal(&format!("outbound.allow=[\"{wrong}\"]"));
        assert!(told.contains("write a host and a port"), "{wrong}: {told}");
    }
    for wrong in ["0", "65536", "-1", "https"] {
        assert!(
            flagged(&[&format!("outbound.ports=[{wrong}]")]).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn scopes_are_read_by_name_and_bad_names_are_refused() {
    let config = accepted(
        "[scopes.\"photos:read\"]\ndescription = \"see your photos\"\n[scopes.internal]\n\
         hidden = true\n[scopes.\"https://a.example/x.y\"]\n",
    );
    let names: Vec<&str> = config.policy.scopes.keys().map(String::as_str).collect();
    assert_eq!(names, ["https://a.example/x.y", "internal", "photos:read"]);
    let photos = config.policy.scopes.get("photos:read");
    let photos = photos.map(|scope| (scope.description.as_deref(), scope.hidden));
    assert_eq!(photos, Some((Some("see your photos"), false)));
    assert!(refusals("[scopes.\"two words\"]\n")[0].contains("scopes.\"two words\": a scope name"));
    let told = refusals("[scopes.photos]\ndescripton = \"x\"\n");
    assert_eq!(
        told,
        [
            "jeton.toml:2:1: unknown key scopes.photos.descripton; did you mean \
          scopes.photos.description?"
        ]
    );
    let flag = "scopes.\"photos:read\".description=see";
    assert_eq!(
        flagged(&[flag])
            .expect("flags set scopes")
            .policy
            .scopes
            .len(),
        1
    );
}

#[test]
fn flags_are_checked_like_everything_else() {
    assert_eq!(
        one_refusal("log.levle=info"),
        "flag --set log.levle: unknown key log.levle; did you mean log.level?"
    );
    assert_eq!(one_refusal("log=info"), "flag --set log: log is a table");
    assert_eq!(
        one_refusal("log.level"),
        "flag --set log.level: write --set KEY=VALUE"
    );
}

#[test]
fn a_database_password_is_never_shown() {
    let flags = [
        "database.url=postgres://jeton:s3cret@db.example/jeton?password=s3cret&sslmode=require",
        "keys.encryption_key_file=k",
    ];
    let config = flagged(&flags).expect("accepted");
    let explained = config::explain(&config, "database.url").expect("a key");
    assert!(
        explained.contains("postgres://jeton:hidden@db.example/jeton"),
        "{explained}"
    );
    for shown in [
        explained,
        format!("{config:?}"),
        format!("{:?}", config.explained()),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let told = one_refusal("database.url=postgress://jeton:s3cret@db/jeton");
    assert!(!told.contains("s3cret"), "{told}");
    assert!(told.ends_with("write \"sqlite:PATH\" or \"postgres://USER:PASSWORD@HOST/DATABASE\""));
}

#[test]
fn every_key_is_explained_with_value_source_default_and_text() {
    let config = flagged(&["scopes.x.hidden=true"]).expect("accepted");
    for key in TABLES.iter().flat_map(|table| table.keys) {
        let text = config::explain(&config, key.name).expect("every key has an explanation");
        assert!(text.contains("  from      "), "{text}");
        assert!(text.contains("  default   "), "{text}");
        assert!(text.contains("  type      "), "{text}");
        let first = key.doc_lines().next().unwrap_or_default();
        assert!(
            first.len() > 10 && text.contains(first),
            "{} has no text",
            key.name
        );
    }
    let told = config::explain(&config, "listen.adress").expect_err("unknown");
    assert_eq!(
        told,
        "unknown key listen.adress; did you mean listen.address?"
    );
}

#[test]
fn every_default_and_every_limit_is_itself_allowed() {
    for key in TABLES.iter().flat_map(|table| table.keys) {
        assert_ne!((key.shown_default)(), "required", "{}", key.name);
        for limit in key.range.iter().flat_map(|(low, high)| [low, high]) {
            let flag = format!("{}={limit}", key.name);
            let problems = flagged(&[&flag]).err().unwrap_or_default();
            let own = problems
                .iter()
                .filter(|it| it.to_string().contains("; allowed is"));
            assert_eq!(own.count(), 0, "{flag}: {problems:?}");
        }
    }
}

#[test]
fn the_first_file_is_accepted_and_changes_nothing_but_the_issuer() {
    let config = accepted(&config::template("https://auth.example.org"));
    let set: Vec<&str> = config
        .explained()
        .iter()
        .filter(|it| it.source != Source::Default)
        .map(|it| it.path.as_str())
        .collect();
    assert_eq!(set, ["issuer"]);
}

#[test]
fn the_first_file_uncommented_is_accepted_too() {
    let text = config::template("https://auth.example.org");
    let uncommented = |line: &str| {
        let value = line.strip_prefix("# ")?;
        let is_key = value.split_once(" = ").is_some_and(|(key, default)| {
            key.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                && !default.starts_with('…')
        });
        let is_table = value.starts_with('[') && value.ends_with(']') && !value.contains(' ');
        (is_key || is_table).then(|| value.to_owned())
    };
    let lines: Vec<String> = text
        .lines()
        .map(|line| uncommented(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    let config = accepted(&lines.join("\n"));
    let set = config
        .explained()
        .iter()
        .filter(|it| it.source != Source::Default)
        .count();
    assert!(set > 25, "only {set} keys were uncommented");
}

#[test]
fn the_schema_knows_every_key_and_no_other() {
    let schema = config::schema();
    for key in TABLES.iter().flat_map(|table| table.keys) {
        let mut at = &schema;
        for part in key.name.split('.') {
            assert!(at["additionalProperties"].is_object() || at["additionalProperties"] == false);
            at = if part == "NAME" {
                &at["additionalProperties"]
            } else {
                &at["properties"][part]
            };
        }
        assert!(
            at["description"]
                .as_str()
                .is_some_and(|text| text.len() > 10),
            "{}",
            key.name
        );
    }
}

#[test]
fn the_reference_in_docs_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let generated = config::reference();
    assert!(
        written == generated,
        "docs/config.md is out of step; run `jeton config reference > docs/config.md`"
    );
}

proptest::proptest! {
    // SEC-455
    #[test]
    fn no_file_variable_or_flag_makes_reading_a_configuration_stop(
        text in "(\\PC|[\\[\\]\"=.\n]){0,80}",
        key in 0usize..200,
        value in "\\PC{0,40}",
    ) {
        let folder = Folder::new();
        let file = folder.write("jeton.toml", &text);
        let all: Vec<_> = TABLES.iter().flat_map(|table| table.keys).collect();
        let key = all[key % all.len()];
        let variable = key.variable().unwrap_or_default();
        let flag = format!("{}={value}", key.name);
        let written = format!("{} = {value}\n{text}", key.name);
        let _ = Config::load(&sources(Some(file), &[(&variable, &value)], &[&flag, &text]));
        let _ = Config::load(&sources(Some(folder.write("b.toml", &written)), &[], &[]));
    }
}
