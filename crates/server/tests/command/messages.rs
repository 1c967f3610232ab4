//! Promises about messages: right the first time, in the right place, and for programs in JSON.

use serde_json::{Value as Json, json};

use crate::{Installation, cluster};

#[test]
fn errors_are_json_on_standard_error_when_json_was_asked_for() {
    let at = Installation::new();
    for (line, kind, code, told) in [
        (
            "client show nobody",
            "refused",
            1,
            "there is no client called nobody",
        ),
        ("client show", "usage", 2, "required arguments"),
        ("client list --set log.level=loud", "usage", 2, "log.level"),
        ("nonsense", "usage", 2, "nonsense"),
    ] {
        let ran = at.run(&format!("{line} --json"));
        let error: Json =
            serde_json::from_str(&ran.error).unwrap_or_else(|_| panic!("{line}: {}", ran.error));
        assert_eq!(
            (ran.code, &error["exit_code"]),
            (code, &code.into()),
            "{line}"
        );
        assert_eq!(error["error"], kind, "{line}");
        assert!(error["messages"].to_string().contains(told), "{error}");
        assert_eq!(ran.text, "", "{line}: nothing on standard output");
        let lines = error["messages"].as_array().expect("a list");
        assert!(
            lines
                .iter()
                .all(|line| line.as_str().is_some_and(|it| !it.is_empty()))
        );
    }
    let help = at.run("client --help --json");
    assert_eq!((help.code, help.error.as_str()), (0, ""));
}

#[test]
fn a_second_init_says_how_to_go_on() {
    let at = Installation::new();
    at.good("init");
    let first = std::fs::read(at.path("jeton.toml")).expect("written");
    let told = at.refused("init", 1);
    for words in [
        "jeton.toml exists already and was left as it is",
        "jeton serve",
        "--output",
    ] {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(std::fs::read(at.path("jeton.toml")).expect("kept"), first);
}

// SEC-R10: an address, never its password
#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let at = Installation::new();
    let url = "postgres://jeton:verysecret@127.0.0.1:1/tokens";
    for line in ["serve", "client list", "check"] {
        let ran = at.run(&format!(
            "{line} --set database.url={url} --set keys.encryption_key_file=jeton.key"
        ));
        let told = format!("{}{}", ran.text, ran.error);
        assert_eq!(ran.code, 1, "{line}: {told}");
        assert!(told.contains("127.0.0.1:1/tokens"), "{line}: {told}");
        assert!(!told.contains("verysecret"), "{line}: {told}");
        assert!(!told.contains("nothing was changed"), "{line}: {told}");
    }
}

#[test]
fn a_broken_certificate_file_is_not_called_a_key() {
    let at = Installation::new();
    let told = at.refused(
        "serve --set listen.tls.certificate=c.pem --set listen.tls.key=k.pem",
        1,
    );
    assert!(told.starts_with("jeton: TLS: c.pem: "), "{told}");
}

#[test]
fn durations_are_shown_as_they_are_written() {
    let at = Installation::new();
    let shown = at.good("config show --set lifetimes.access_token=900s --set lifetimes.code=90s");
    let value = |key: &str| {
        let rows = shown.as_array().expect("a list").iter();
        rows.clone().find(|it| it["key"] == key).expect("the key")["value"].clone()
    };
    assert_eq!(value("lifetimes.access_token"), "\"15m\"");
    assert_eq!(value("lifetimes.code"), "\"90s\"");
    let told = at.refused("check --set lifetimes.code=3h", 2);
    assert!(told.contains("10m") && !told.contains("600s"), "{told}");
}

#[test]
fn check_only_looks_at_a_file() {
    let at = Installation::new();
    assert_eq!(at.run("check").code, 0);
    assert_eq!(
        std::fs::read_dir(&at.0).expect("a folder").count(),
        0,
        "nothing was made"
    );
    std::fs::write(at.path("jeton.db"), "").expect("an empty file");
    assert_eq!(at.run("check").code, 0);
    assert_eq!(
        std::fs::read(at.path("jeton.db")).expect("a file").len(),
        0,
        "it stays empty"
    );
    std::fs::remove_file(at.path("jeton.db")).expect("removed");
    at.good("admin link");
    let before = std::fs::read(at.path("jeton.db")).expect("a file");
    let report = at.good("check");
    assert!(report.to_string().contains("schema up to date"), "{report}");
    assert_eq!(std::fs::read(at.path("jeton.db")).expect("a file"), before);
}

#[test]
fn check_only_looks_at_postgresql_and_tells_what_is_missing() {
    let at = Installation::new();
    let set = format!(
        "--set database.url={} --set keys.encryption_key_file=jeton.key",
        cluster::schema()
    );
    let told = |line: &str| {
        at.good(&format!("{line} {set}"))[1]["told"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    for _ in 0..2 {
        let told = told("check");
        assert!(
            told.contains("needs migration from step 0 to step "),
            "{told}"
        );
    }
    at.good(&format!("client list {set}"));
    assert!(told("check").contains("schema up to date"));
}

#[test]
fn every_shell_gets_its_completions() {
    let at = Installation::new();
    for (shell, word) in [
        ("bash", "_jeton"),
        ("zsh", "#compdef jeton"),
        ("fish", "complete -c jeton"),
    ] {
        let ran = at.run(&format!("completions {shell}"));
        assert_eq!(ran.code, 0, "{}", ran.error);
        assert!(
            ran.text.contains(word) && ran.text.contains("healthcheck"),
            "{shell}"
        );
    }
    at.refused("completions tcsh", 2);
}

#[test]
fn a_page_of_a_list_is_bounded() {
    let at = Installation::new();
    for line in ["client list --limit 0", "user list --limit 100000"] {
        assert!(at.refused(line, 2).contains("1..=1000"), "{line}");
    }
    assert_eq!(at.good("client list --limit 1000"), json!([]));
}

#[test]
fn no_limit_and_no_default_of_a_duration_is_written_in_a_smaller_unit_than_it_needs() {
    let keys = jeton::config::TABLES.iter().flat_map(|table| table.keys);
    let mut seen = 0;
    for key in keys.filter(|key| (key.shape)().words.starts_with("duration")) {
        let limits = key.range.into_iter().flat_map(|(low, high)| [low, high]);
        for text in limits.chain(key.default) {
            let count: u64 = text[..text.len() - 1].parse().expect("a number");
            let is_normal = match &text[text.len() - 1..] {
                "s" | "m" => !count.is_multiple_of(60) || count == 0,
                "h" => !count.is_multiple_of(24) || count == 24,
                _ => true,
            };
            assert!(is_normal, "{}: {text}", key.name);
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} durations");
}
