//! What must stay true of the tree itself: which crate knows which, what is absent from the inner crates, how long files
//! grow, and where SQL lives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

/// Each crate and the crates of ours it may name. One more crate needs a decision page.
const ARROWS: [(&str, &[&str]); 5] = [
    ("jeton-token", &[]),
    ("jeton-protocol", &["jeton-token"]),
    ("jeton-store", &["jeton-protocol", "jeton-token"]),
    ("jeton-resource", &["jeton-token"]),
    (
        "jeton",
        &[
            "jeton-store",
            "jeton-protocol",
            "jeton-token",
            "jeton-resource",
        ],
    ),
];

/// Runtimes, frameworks, clients and databases that `token` and `protocol` must not reach, not even through others.
const OUTSIDE: [&str; 30] = [
    "actix-rt",
    "actix-web",
    "async-io",
    "async-std",
    "axum",
    "axum-core",
    "chrono",
    "diesel",
    "futures-executor",
    "h2",
    "http",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "mio",
    "native-tls",
    "postgres",
    "postgres-protocol",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tokio-postgres",
    "tower",
    "tower-service",
    "ureq",
];

const DATABASES: [&str; 6] = [
    "diesel",
    "libsqlite3-sys",
    "postgres",
    "rusqlite",
    "sqlx",
    "tokio-postgres",
];

const MOST_LINES_OF_CODE: usize = 400;

#[test]
fn every_arrow_between_our_crates_points_inwards() {
    let manifests = manifests();
    let known: BTreeSet<&str> = manifests.keys().map(String::as_str).collect();
    let planned: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        known, planned,
        "the crates of the workspace are not the planned five"
    );
    let mut wrong = Vec::new();
    for (name, allowed) in ARROWS {
        for dependency in dependencies(&manifests[name]) {
            if planned.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} → {dependency}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that must not be: {}",
        wrong.join(", ")
    );
}

#[test]
fn token_and_protocol_reach_no_runtime_no_framework_and_no_database() {
    let graph = lock_graph();
    let mut wrong = Vec::new();
    for root in ["jeton-token", "jeton-protocol"] {
        let reached = closure(&graph, root);
        assert!(
            reached.contains("serde_json"),
            "the lock file does not list what {root} reaches"
        );
        wrong.extend(
            OUTSIDE
                .iter()
                .filter(|name| reached.contains(**name))
                .map(|name| format!("{root} reaches {name}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join(", "));
}

#[test]
fn only_the_store_depends_on_a_database() {
    for (name, manifest) in manifests() {
        if name == "jeton-store" {
            continue;
        }
        let named = dependencies(&manifest);
        let found: Vec<_> = DATABASES
            .iter()
            .filter(|database| named.contains(**database))
            .collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
}

#[test]
fn no_crate_has_cargo_features_and_all_share_the_lints() {
    for (name, manifest) in manifests() {
        assert!(
            manifest.get("features").is_none(),
            "{name} has cargo features: there is one build to test"
        );
        assert_eq!(
            manifest
                .get("lints")
                .and_then(|lints| lints.get("workspace")),
            Some(&Value::Boolean(true)),
            "{name} does not take the lints of the workspace"
        );
    }
}

/// No clock (nor a type that holds one), no luck of their own, no way out.
#[test]
fn the_inner_crates_ask_no_clock_and_open_nothing() {
    const ABSENT: [&str; 12] = [
        "SystemTime",
        "Instant",
        "TcpListener",
        "TcpStream",
        "UdpSocket",
        "UnixStream",
        "ToSocketAddrs",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "async fn",
    ];
    let mut wrong = Vec::new();
    for folder in ["token/src", "protocol/src"] {
        for path in rust_files(&crates().join(folder)) {
            let code = code_only(&read(&path));
            for (number, line) in code.lines().enumerate() {
                wrong.extend(
                    ABSENT
                        .iter()
                        .filter(|word| has_word(line, word))
                        .map(|word| format!("{}:{}: {word}", shown(&path), number + 1)),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One door out. `jeton bench` and `jeton healthcheck` are clients of a server, not part of one; the store has its database.
#[test]
fn nothing_but_the_door_opens_a_connection() {
    const CLIENTS: [&str; 3] = ["outbound", "bench", "command/healthcheck.rs"];
    const OPENS: [&str; 7] = [
        "TcpStream::connect",
        "connect_timeout",
        "lookup_host",
        "to_socket_addrs",
        "ToSocketAddrs",
        "TlsConnector",
        "client::conn",
    ];
    let server = crates().join("server/src");
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in rust_files(&server) {
        let code = code_only(&read(&path));
        let inside = path.strip_prefix(&server).unwrap();
        for word in OPENS.iter().filter(|word| code.contains(**word)) {
            match CLIENTS.iter().find(|client| inside.starts_with(client)) {
                Some(client) => drop(seen.insert(*client)),
                None => wrong.push(format!("{}: {word}", shown(&path))),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        seen,
        CLIENTS.into(),
        "those that are excepted still need it"
    );
}

#[test]
fn sql_is_written_in_the_store_only() {
    let mut wrong = Vec::new();
    let mut seen_in_the_store = 0;
    for path in source_files() {
        for (line, text) in string_literals(&read(&path)) {
            if !is_sql(&text) {
                continue;
            }
            if path.starts_with(crates().join("store/src")) {
                seen_in_the_store += 1;
            } else {
                wrong.push(format!("{}:{line}: {text}", shown(&path)));
            }
        }
    }
    assert!(seen_in_the_store > 10, "the store's own SQL is not seen");
    assert!(
        wrong.is_empty(),
        "SQL outside crates/store/src:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    let mut wrong = Vec::new();
    for path in source_files() {
        let lines = lines_of_code(&read(&path));
        if lines > MOST_LINES_OF_CODE {
            wrong.push(format!("{}: {lines}", shown(&path)));
        }
    }
    assert!(wrong.is_empty(), "too long: {}", wrong.join(", "));
}

#[test]
fn every_trait_of_ours_has_two_implementations() {
    let sources: Vec<String> = source_files()
        .iter()
        .map(|path| code_only(&read(path)))
        .collect();
    let lines = || sources.iter().flat_map(|code| code.lines());
    let traits = lines().filter_map(|line| {
        let (before, name) = line.split_once("trait ")?;
        let declared = before.trim_start().is_empty() || before.trim_start().starts_with("pub");
        let end = name.find(|c: char| !c.is_alphanumeric())?;
        declared.then(|| &name[..end])
    });
    for name in traits {
        let implementations = lines()
            .filter(|line| line.contains("impl") && line.contains(" for ") && has_word(line, name))
            .count();
        assert!(
            implementations >= 2,
            "the trait {name} has {implementations} implementations"
        );
    }
}

#[test]
fn no_test_is_left_out() {
    let mut wrong = Vec::new();
    for folder in fs::read_dir(crates()).unwrap() {
        for part in ["src", "tests"] {
            let path = folder.as_ref().unwrap().path().join(part);
            let files = if path.is_dir() {
                rust_files(&path)
            } else {
                Vec::new()
            };
            wrong.extend(
                files
                    .into_iter()
                    .filter(|file| has_word(&code_only(&read(file)), "ignore"))
                    .map(|file| shown(&file)),
            );
        }
    }
    assert!(wrong.is_empty(), "ignored tests in {}", wrong.join(", "));
}

#[test]
fn the_guides_stay_short_enough_to_be_read() {
    for (name, most) in [("ARCHITECTURE.md", 250), ("CONTRIBUTING.md", 300)] {
        let lines = read(&root().join(name)).lines().count();
        assert!(
            (1..=most).contains(&lines),
            "{name} has {lines} lines, at most {most} are wanted"
        );
    }
}

/// The rules above are only as good as the reader under them.
mod the_reader {
    use super::{code_only, is_sql, lines_of_code, string_literals};

    #[test]
    fn tells_code_from_comments_and_texts() {
        let source = "let a = \"SystemTime // \\\" x\"; // SystemTime\n/* a /* b */ SystemTime */ let c = '\"'; let d: &'a str = r#\"x\"y\"#;";
        let code = code_only(source);
        assert!(!code.contains("SystemTime") && !code.contains('x'));
        assert!(code.contains("let c") && code.contains("&'a str"));
        assert_eq!(code.lines().count(), 2);
        let texts: Vec<_> = string_literals(source)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts, ["SystemTime // \\\" x", "x\"y"]);
    }

    #[test]
    fn knows_sql_from_prose() {
        for sql in [
            "SELECT 1",
            "\n  insert into grants (id) values ($id)",
            "UPDATE grants\n SET state = 1",
            "WITH a AS (SELECT 1) SELECT",
            "PRAGMA journal_mode = WAL",
        ] {
            assert!(is_sql(sql), "{sql}");
        }
        for prose in [
            "select a user from the list",
            "Update your client",
            "Delete the cookie",
            "with as",
        ] {
            assert!(!is_sql(prose), "{prose}");
        }
    }

    #[test]
    fn counts_neither_tests_nor_comments() {
        let source = "//! About.\n\nfn a() {\n    b()\n}\n\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\nfn d() {}\n";
        assert_eq!(lines_of_code(source), 4);
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn root() -> PathBuf {
    crates().join("..")
}

// SEC-445, SEC-452
#[test]
fn release_builds_check_for_overflow_and_unwind_and_no_crate_of_ours_is_unsafe() {
    let workspace: Value = toml::from_str(&read(&root().join("Cargo.toml"))).expect("TOML");
    let release = &workspace["profile"]["release"];
    assert_eq!(release["overflow-checks"].as_bool(), Some(true));
    assert!(
        release.get("panic").is_none(),
        "a panic is caught, see listener.rs"
    );
    let unsafe_code = &workspace["workspace"]["lints"]["rust"]["unsafe_code"];
    assert_eq!(unsafe_code.as_str(), Some("forbid"));
}

fn shown(path: &Path) -> String {
    path.strip_prefix(crates())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifests() -> BTreeMap<String, Value> {
    let folders = fs::read_dir(crates()).unwrap();
    let manifests = folders.map(|folder| folder.unwrap().path().join("Cargo.toml"));
    manifests
        .map(|path| {
            let manifest: Value = toml::from_str(&read(&path)).unwrap();
            let name = manifest["package"]["name"].as_str().unwrap().to_owned();
            (name, manifest)
        })
        .collect()
}

/// All packages a manifest names: for building, for tests, for some targets only, and under another name.
fn dependencies(manifest: &Value) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let targets = manifest.get("target").and_then(Value::as_table);
    let mut places = vec![manifest];
    places.extend(targets.into_iter().flat_map(|table| table.values()));
    for place in places {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = place.get(kind).and_then(Value::as_table) else {
                continue;
            };
            for (name, how) in table {
                let package = how
                    .get("package")
                    .and_then(Value::as_str)
                    .or_else(|| ours_by_path(how));
                named.insert(package.unwrap_or(name).to_owned());
            }
        }
    }
    named
}

fn ours_by_path(how: &Value) -> Option<&'static str> {
    let path = how.get("path")?.as_str()?;
    match path.rsplit('/').next()? {
        "token" => Some("jeton-token"),
        "protocol" => Some("jeton-protocol"),
        "store" => Some("jeton-store"),
        "resource" => Some("jeton-resource"),
        "server" => Some("jeton"),
        _ => None,
    }
}

fn lock_graph() -> BTreeMap<String, BTreeSet<String>> {
    let lock: Value = toml::from_str(&read(&root().join("Cargo.lock"))).unwrap();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let needs = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        // A dependency is written "name" or "name version".
        let needs = needs.filter_map(|need| need.as_str()?.split(' ').next().map(str::to_owned));
        graph
            .entry(package["name"].as_str().unwrap().to_owned())
            .or_default()
            .extend(needs);
    }
    graph
}

fn closure<'a>(graph: &'a BTreeMap<String, BTreeSet<String>>, root: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(name) = waiting.pop() {
        if reached.insert(name) {
            waiting.extend(graph.get(name).into_iter().flatten().map(String::as_str));
        }
    }
    reached
}

fn source_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in fs::read_dir(crates()).unwrap() {
        files.extend(rust_files(&folder.unwrap().path().join("src")));
    }
    assert!(files.len() > 50, "the sources are not found");
    files
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_a_name)
            && !line[at + word.len()..].starts_with(part_of_a_name)
    })
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(400).collect();
    let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    let later = |word: &str| upper.iter().skip(1).any(|found| found == word);
    let (first, second) = (
        upper.first().map_or("", String::as_str),
        upper.get(1).map_or("", String::as_str),
    );
    let shouted = words
        .first()
        .is_some_and(|word| word.len() > 3 && !word.contains(|c: char| !c.is_ascii_uppercase()));
    match first {
        "SELECT" => shouted,
        "INSERT" => second == "INTO",
        "DELETE" => second == "FROM",
        "UPDATE" => later("SET") && (shouted || text.contains('$')),
        "WITH" => later("AS") && later("SELECT") || later("(SELECT"),
        "CREATE" | "ALTER" | "DROP" => {
            matches!(
                second,
                "TABLE" | "INDEX" | "UNIQUE" | "TEMPORARY" | "VIEW" | "TRIGGER"
            )
        }
        "PRAGMA" | "VACUUM" | "SAVEPOINT" | "LISTEN" | "NOTIFY" => shouted,
        _ => false,
    }
}

/// Lines that hold code, up to the test module: neither blank nor comment only.
fn lines_of_code(source: &str) -> usize {
    let kept = source
        .split_once("#[cfg(test)]\nmod ")
        .map_or(source, |(before, _)| before);
    let after = kept.len();
    let rest = &source[after..];
    let beyond = rest.find("\n}\n").map_or("", |end| &rest[end + 3..]);
    let count = |text: &str| {
        let mut lines = vec![false; text.lines().count() + 1];
        pieces(text, |piece, line, text| {
            if piece == Piece::Comment {
                return;
            }
            for (offset, part) in text.split('\n').enumerate() {
                if !part.trim().is_empty() {
                    lines[line - 1 + offset] = true;
                }
            }
        });
        lines.iter().filter(|used| **used).count()
    };
    count(kept) + count(beyond)
}

fn code_only(source: &str) -> String {
    let mut code = String::new();
    pieces(source, |piece, _, text| match piece {
        Piece::Code => code.push_str(text),
        Piece::Comment | Piece::Text => code.extend(text.chars().filter(|c| *c == '\n')),
    });
    code
}

fn string_literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    pieces(source, |piece, line, text| {
        if piece == Piece::Text {
            let inside = text.trim_start_matches(['b', 'c', 'r', '#']);
            let inside = inside.trim_end_matches('#');
            let inside = inside.strip_prefix('"').unwrap_or(inside);
            found.push((line, inside.strip_suffix('"').unwrap_or(inside).to_owned()));
        }
    });
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Text,
}

/// Cuts Rust source into code, comments and string literals, and tells the line on which each begins.
fn pieces(source: &str, mut visit: impl FnMut(Piece, usize, &str)) {
    let (mut rest, mut line) = (source, 1);
    while !rest.is_empty() {
        let (piece, length) = next_piece(rest);
        let (text, after) = rest.split_at(length);
        visit(piece, line, text);
        line += text.matches('\n').count();
        rest = after;
    }
}

fn next_piece(rest: &str) -> (Piece, usize) {
    if rest.starts_with("//") {
        return (Piece::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Piece::Comment, block_comment(rest));
    }
    let prefix = rest.len() - rest.trim_start_matches(['b', 'c', 'r']).len();
    let hashes = rest[prefix..].len() - rest[prefix..].trim_start_matches('#').len();
    let raw = prefix > 0 && rest[..prefix].ends_with('r');
    if prefix <= 2 && (raw || hashes == 0) && rest[prefix + hashes..].starts_with('"') {
        let opened = prefix + hashes + 1;
        return (
            Piece::Text,
            opened + quoted(&rest[opened..], raw.then_some(hashes)),
        );
    }
    if rest.starts_with('\'') {
        return (Piece::Code, character(rest));
    }
    // A name goes as a whole, so that a `b` or an `r` inside it begins no literal.
    let name = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let one = rest.chars().next().map_or(1, char::len_utf8);
    (Piece::Code, name.max(one))
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of the rest of a string literal, its closing quote and hashes included.
fn quoted(inside: &str, raw_hashes: Option<usize>) -> usize {
    if let Some(hashes) = raw_hashes {
        let end = format!("\"{}", "#".repeat(hashes));
        return inside.find(&end).map_or(inside.len(), |at| at + end.len());
    }
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    inside.len()
}

/// The length of a character literal, or of the quote that begins a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    let Some((_, first)) = chars.next() else {
        return rest.len();
    };
    if first == '\\' {
        let end = rest[3.min(rest.len())..].find('\'');
        return end.map_or(rest.len(), |at| at + 4);
    }
    match chars.next() {
        Some((at, '\'')) => at + 1,
        Some(_) | None => 1,
    }
}
