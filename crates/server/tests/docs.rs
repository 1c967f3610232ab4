//! What the documents say is true: commands print what stands below them, files and functions that are named exist, and
//! `docs/specs.md` is what the rules and tests of this tree make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jeton_protocol::refusal::Rule;

// S76, S16
#[test]
fn the_readme_runs_as_written() {
    let server = Server::start("readme");
    run_page("README.md", &server.folder, Some(&server));
}

// S76
#[test]
fn getting_started_runs_as_written() {
    let server = Server::start("getting-started");
    run_page(
        "docs/guide/getting-started.md",
        &server.folder,
        Some(&server),
    );
}

// S10, S16, S40, S41
#[test]
fn every_grant_of_the_guide_runs_as_written() {
    let server = Server::start("grants");
    run_page("docs/guide/grants.md", &server.folder, Some(&server));
}

// P-205, P-223, P-224, S38
#[test]
fn binding_tokens_to_a_key_runs_as_written() {
    let server = Server::start("sender-constraint");
    run_page(
        "docs/guide/sender-constraint.md",
        &server.folder,
        Some(&server),
    );
}

// S03
#[test]
fn the_guide_says_that_oauth_1_is_never_supported_and_where_to_go() {
    let guide = std::fs::read_to_string(root().join("docs/guide/grants.md")).expect("the guide");
    let said = guide
        .split("RFC 5849")
        .nth(1)
        .expect("a word about OAuth 1.0");
    assert!(said.contains("will not be"), "{said}");
}

// S21
#[test]
fn pushed_requests_run_as_written() {
    let server = Server::start("pushed-requests");
    run_page(
        "docs/guide/pushed-requests.md",
        &server.folder,
        Some(&server),
    );
}

#[test]
fn the_operators_commands_run_as_written() {
    let folder = Folder::new("operating");
    run_page("docs/guide/operating.md", &folder, None);
}

// SEC-431
#[test]
fn the_audit_trail_of_the_guide_is_proven_as_written() {
    let folder = Folder::new("audit");
    run_page("docs/guide/audit.md", &folder, None);
}

#[test]
fn the_line_that_dev_prints_works_as_printed() {
    let server = Server::start("try");
    let line = server
        .banner
        .lines()
        .find_map(|line| line.strip_prefix(" try "));
    let line = line.expect("the banner has a line to try").trim();
    let output = shell(&server.folder)
        .arg("-c")
        .arg(line)
        .output()
        .expect("sh");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{line}: {}", output.status);
    let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(
        answer["access_token"]
            .as_str()
            .is_some_and(|token| token.starts_with("jta_")),
        "{text}"
    );
    assert_eq!(answer["token_type"], "Bearer");
}

#[test]
fn the_readme_shows_what_dev_prints() {
    let server = Server::start("banner");
    let shown = server.as_documented(&server.banner);
    let readme = read(&root().join("README.md"));
    assert!(
        readme.contains(shown.trim_end()),
        "README.md has to show:\n{shown}"
    );
}

/// A path in backticks is a file of this tree; `file.rs:name` is something that file defines.
#[test]
fn every_file_and_name_the_documents_mention_exists() {
    let files = tree();
    let mut wrong = Vec::new();
    for page in pages() {
        let text = read(&page);
        let prose: Vec<&str> = text.split("\n```").step_by(2).collect();
        let prose = prose.concat();
        for quoted in prose.split('`').skip(1).step_by(2) {
            let (path, name) = quoted
                .split_once(".rs:")
                .map_or((quoted.to_owned(), None), |(stem, name)| {
                    (format!("{stem}.rs"), Some(name))
                });
            let name = name.map(|name| {
                let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':';
                name.split(ends).next().unwrap_or_default()
            });
            if !is_path(&path) {
                continue;
            }
            let found: Vec<&PathBuf> = files.iter().filter(|file| file.ends_with(&path)).collect();
            let defined = |name: &str| {
                found
                    .iter()
                    .any(|file| defines(&read(&root().join(file)), name))
            };
            if found.is_empty() || name.is_some_and(|name| !defined(name)) {
                wrong.push(format!("{}: `{quoted}`", shown(&page)));
            }
        }
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = target.split('#').next().unwrap_or_default();
            let is_link = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            if is_link
                && !page
                    .parent()
                    .is_some_and(|folder| folder.join(file).exists())
            {
                wrong.push(format!("{}: ({target})", shown(&page)));
            }
        }
    }
    assert!(wrong.is_empty(), "not there:\n{}", wrong.join("\n"));
}

#[test]
fn the_list_of_specifications_is_what_the_rules_say() {
    let path = root().join("docs/specs.md");
    let wanted = specs();
    if of_environment("JETON_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("docs/specs.md can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/specs.md is stale; write it anew: JETON_WRITE_DOCS=1 cargo test -p jeton --test docs specifications"
    );
}

/// S05: each requirement of the practice names who must do it and the tests that prove it, and those tests exist.
#[test]
fn every_test_the_security_practice_names_exists() {
    let tests: BTreeSet<String> = tests_by_word().into_values().flatten().collect();
    let (mut rows, mut proven, mut wrong) = (0, 0, Vec::new());
    for line in read(&root().join("docs/rfc9700.md")).lines() {
        let is_row = line.starts_with("| ") && line.contains(|c: char| c.is_ascii_digit());
        if !is_row {
            continue;
        }
        rows += 1;
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [section, word, asked, who, proof] = cells.as_slice() else {
            wrong.push(format!("not five cells: {line}"));
            continue;
        };
        let is_section = section.split('.').all(|part| part.parse::<u32>().is_ok());
        let words = [
            "MUST",
            "MUST NOT",
            "SHOULD",
            "SHOULD NOT",
            "REQUIRED",
            "RECOMMENDED",
        ];
        let are_words = word.split(", ").all(|word| words.contains(&word));
        let parties = ["server", "client", "resource server", "operator"];
        let are_parties = who.split(", ").all(|party| parties.contains(&party));
        if !is_section || !are_words || !are_parties || asked.is_empty() {
            wrong.push(line.to_owned());
        }
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        let missing = named.iter().filter(|name| !tests.contains(**name));
        wrong.extend(missing.map(|name| format!("§{section}: no test {name}")));
        let reasons = ["'s duty", "not built", "not followed"];
        if named.is_empty() && !reasons.iter().any(|reason| proof.contains(reason)) {
            wrong.push(format!("§{section}: neither a test nor a reason: {proof}"));
        }
        proven += usize::from(!named.is_empty());
    }
    assert!(wrong.is_empty(), "docs/rfc9700.md:\n{}", wrong.join("\n"));
    assert!(rows > 80 && proven > 50, "{rows} rows, {proven} with tests");
}

#[expect(clippy::disallowed_methods, reason = "a test asks how it is run")]
fn of_environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// A decision about a dependency is written down: each direct one has its line, and no line outlives its dependency.
#[test]
fn every_dependency_has_its_reason() {
    let page = read(&root().join("docs/decisions/0010-dependencies.md"));
    let first_cell = |line: &str| {
        line.strip_prefix("| `")?
            .split('`')
            .next()
            .map(str::to_owned)
    };
    let explained: BTreeSet<String> = page.lines().filter_map(first_cell).collect();
    let mut named = BTreeSet::new();
    for manifest in tree().iter().filter(|file| file.ends_with("Cargo.toml")) {
        let manifest: toml::Value =
            toml::from_str(&read(&root().join(manifest))).expect("a manifest");
        for table in ["dependencies", "dev-dependencies"] {
            let direct = manifest.get(table).and_then(toml::Value::as_table);
            named.extend(direct.into_iter().flat_map(toml::Table::keys).cloned());
        }
    }
    named.retain(|name| name != "jeton" && !name.starts_with("jeton-"));
    let missing: Vec<_> = named.difference(&explained).collect();
    let stale: Vec<_> = explained.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "docs/decisions/0010-dependencies.md gives no reason for {missing:?}"
    );
    assert!(
        stale.is_empty(),
        "docs/decisions/0010-dependencies.md names {stale:?}, which no manifest does"
    );
}

/// The table of rules by the clause they enforce, with the tests that name them.
fn specs() -> String {
    let constants = constants();
    let tests = tests_by_word();
    let constant = |rule: &Rule| constants.get(rule.cause).map_or("", String::as_str);
    let rules: Vec<&Rule> = jeton::rules::all().collect();
    let tested = rules
        .iter()
        .filter(|rule| !tests_of(rule, constant(rule), &tests).is_empty())
        .count();
    let mut text = format!(
        "# Specifications, rules and tests\n\n\
         <!-- Generated: JETON_WRITE_DOCS=1 cargo test -p jeton --test docs specifications -->\n\n\
         Each rule that a request can break, under every clause it stands for. `cause` is the stable name in logs, in the\n\
         metrics and at `/errors/<cause>`; `error` is what the client is told. A test is listed when it names the cause or the\n\
         rule; other tests may cover a rule without naming it. There are {} rules; {tested} are named by a test.\n",
        rules.len()
    );
    let mut rows = Vec::new();
    for (place, rule) in rules.iter().enumerate() {
        for (specification, section) in clauses(rule.clause) {
            rows.push((
                rank(&specification),
                specification,
                numbers(&section),
                section,
                place,
                *rule,
            ));
        }
    }
    rows.sort_by(|a, b| (a.0, &a.1, &a.2, &a.3, a.4).cmp(&(b.0, &b.1, &b.2, &b.3, b.4)));
    let mut under = String::new();
    for (_, specification, _, section, _, rule) in rows {
        if specification != under {
            text += &heading(&specification);
            under = specification;
        }
        let tests: Vec<_> = tests_of(rule, constant(rule), &tests)
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let (name, cause, error, promise) =
            (constant(rule), rule.cause, rule.code.name(), rule.promise);
        let tests = tests.join("<br>");
        text += &format!(
            "| {section} | `{name}` | [{cause}](#{cause}) | `{error}` | {promise} | {tests} |\n"
        );
    }
    text + &advice(rules)
}

fn heading(specification: &str) -> String {
    let title = if specification == "SEC" {
        "Own security rules"
    } else {
        specification
    };
    format!(
        "\n## {title}\n\n| § | rule | cause | error | promise | tests |\n|---|---|---|---|---|---|\n"
    )
}

fn advice(mut rules: Vec<&Rule>) -> String {
    rules.sort_by_key(|rule| rule.cause);
    let mut text = "\n## What to do about each\n".to_owned();
    for rule in rules {
        let (cause, clause, fix) = (rule.cause, rule.clause, rule.fix);
        text += &format!("\n<a id=\"{cause}\"></a>**{cause}** ({clause}): {fix}.\n");
    }
    text
}

/// `RFC 6749 §3.3, §4.4.2` is two sections of one specification.
fn clauses(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut specification = String::new();
    for part in text.split(", ") {
        if part.starts_with("SEC-") {
            found.push(("SEC".to_owned(), part.to_owned()));
            continue;
        }
        let at = part.find('§').or_else(|| part.find("appendix"));
        let (named, section) = part.split_at(at.unwrap_or(part.len()));
        match named.trim() {
            "" => {}
            "Core" => specification = "OpenID Connect Core".to_owned(),
            other => specification = other.to_owned(),
        }
        let section = section.trim_start_matches('§').to_owned();
        found.push((specification.clone(), section));
    }
    found
}

fn rank(specification: &str) -> u8 {
    match specification {
        rfc if rfc.starts_with("RFC 6") => 0,
        rfc if rfc.starts_with("RFC") && rfc.len() == 8 => 1,
        rfc if rfc.starts_with("RFC") => 2,
        "SEC" => 5,
        draft if draft.starts_with("draft") => 4,
        _ => 3,
    }
}

fn numbers(section: &str) -> Vec<u32> {
    section
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// The name of each rule's constant, by its cause.
fn constants() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in rust_files(|path| path.components().any(|part| part.as_os_str() == "src")) {
        for line in read(&file).lines() {
            let Some((name, rest)) = line.trim().split_once(" = ") else {
                continue;
            };
            let cause = rest.split('"').nth(1);
            if let (true, Some(cause)) = (
                name.chars()
                    .all(|c| c.is_ascii_uppercase() || "_0123456789".contains(c)),
                cause,
            ) {
                found.insert(cause.to_owned(), name.to_owned());
            }
        }
    }
    found
}

/// Every word of every test, and the tests it stands in.
fn tests_by_word() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_test = |path: &Path| {
        path.components().any(|part| part.as_os_str() == "tests") && !path.ends_with("docs.rs")
    };
    for file in rust_files(is_test) {
        let text = read(&file);
        let (mut marked, mut test) = (false, None);
        for line in text.lines() {
            let is_mark = line.trim_start().starts_with("#[") && line.contains("test");
            let function = line
                .trim_start()
                .trim_start_matches("async ")
                .strip_prefix("fn ");
            if let Some(rest) = function {
                let name = rest.split(['(', '<']).next().unwrap_or_default().to_owned();
                test = marked.then_some(name);
                marked = false;
            }
            marked |= is_mark;
            for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                if let Some(test) = &test {
                    found
                        .entry(word.to_owned())
                        .or_default()
                        .insert(test.clone());
                }
            }
        }
    }
    found
}

fn tests_of<'a>(
    rule: &Rule,
    constant: &str,
    tests: &'a BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<&'a String> {
    // A cause that is an error name, or one common word, does not say which rule is meant.
    let by_cause =
        (rule.cause != rule.code.name() && rule.cause.contains('_')).then_some(rule.cause);
    by_cause
        .into_iter()
        .chain([constant])
        .filter_map(|word| tests.get(word))
        .flatten()
        .collect()
}

/// Runs every `sh` block of a page in one shell, as a reader at a terminal would, and compares what each prints with the
/// `text` block behind it. A block without one prints nothing.
fn run_page(page: &str, folder: &Folder, server: Option<&Server>) {
    let text = read(&root().join(page));
    let blocks = blocks(&text);
    assert!(!blocks.is_empty(), "{page} has no commands");
    let mut script = String::new();
    for (number, (commands, _)) in blocks.iter().enumerate() {
        let commands = server.map_or(commands.clone(), |server| server.as_running(commands));
        writeln!(script, "{commands}\nprintf '\\n@@ %s %s\\n' {number} $?").unwrap();
    }
    let script_file = folder.0.join("page.sh");
    fs::write(&script_file, script).expect("the script can be written");
    let output = shell(folder).arg(&script_file).output().expect("sh runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    let printed = server.map_or(printed.to_string(), |server| server.as_documented(&printed));
    let complaints = String::from_utf8_lossy(&output.stderr);
    let mut rest = printed.as_str();
    for (number, (commands, expected)) in blocks.iter().enumerate() {
        let (found, after) = rest
            .split_once(&format!("\n@@ {number} "))
            .unwrap_or_else(|| {
                panic!("{page}: the shell ended in:\n{commands}\n{rest}\n{complaints}");
            });
        let (status, after) = after.split_once('\n').unwrap_or((after, ""));
        assert_eq!(
            status, "0",
            "{page}: exit code of:\n{commands}\nprinted:\n{found}\n{complaints}"
        );
        let (found, expected) = (found.trim_end(), expected.trim_end());
        let alike = found.lines().count() == expected.lines().count()
            && found
                .lines()
                .zip(expected.lines())
                .all(|(found, expected)| fits(found, expected));
        assert!(
            alike,
            "{page}:\n{commands}\nprinted:\n{found}\nbut should have printed:\n{expected}\n{complaints}"
        );
        rest = after;
    }
}

/// The `sh` blocks of a page, each with the `text` block that follows it before the next one.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside: Option<&str> = None;
    for line in text.lines() {
        match (inside, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                if kind == "sh" {
                    found.push((String::new(), String::new()));
                }
                inside = Some(kind);
            }
            (Some(_), Some(_)) => inside = None,
            (Some("sh"), None) => found
                .last_mut()
                .into_iter()
                .for_each(|block| block.0 += &format!("{line}\n")),
            (Some("text"), None) => found
                .last_mut()
                .into_iter()
                .for_each(|block| block.1 += &format!("{line}\n")),
            (Some(_) | None, None) => {}
        }
    }
    found
}

/// Whether a line is the expected one, where `…` stands for at least one character.
fn fits(found: &str, expected: &str) -> bool {
    let mut pieces = expected.split('…');
    let Some(mut rest) = found.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(middle) = last.replace(piece) {
            let Some(at) = rest
                .char_indices()
                .skip(1)
                .find(|(at, _)| rest[*at..].starts_with(middle))
            else {
                return false;
            };
            rest = &rest[at.0 + middle.len()..];
        }
    }
    last.map_or(rest.is_empty(), |last| {
        rest.len() > last.len() && rest.ends_with(last)
    })
}

#[test]
fn the_reader_of_expected_lines_can_tell_a_difference() {
    assert!(fits("code=abc&state=x", "code=…&state=x"));
    assert!(fits("a1b2c", "a…b…c"));
    assert!(!fits("code=&state=x", "code=…&state=x"));
    assert!(!fits("code=abc&state=y", "code=…&state=x"));
    assert!(!fits("same", "sam"));
}

/// A shell that finds `jeton`, and none of the settings of whoever runs the tests.
fn shell(folder: &Folder) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_jeton"));
    let mut path = binary.parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(of_environment("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("PATH", path)
        .env("HOME", &folder.0)
        .current_dir(&folder.0);
    shell.stdin(Stdio::null());
    shell
}

/// `jeton dev` on a free port, for as long as the value lives.
struct Server {
    child: Child,
    banner: String,
    authority: String,
    folder: Folder,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        let mut child = Command::new(env!("CARGO_BIN_EXE_jeton"))
            .args(["dev", "--address", "127.0.0.1:0"])
            .current_dir(&folder.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("jeton starts");
        let mut banner = String::new();
        for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
            let line = line.expect("the banner is text");
            banner += &format!("{line}\n");
            if line.starts_with(" trace ") {
                break;
            }
        }
        let issuer = banner
            .lines()
            .find_map(|line| line.strip_prefix(" issuer "));
        let authority = issuer
            .and_then(|issuer| issuer.trim().strip_prefix("http://"))
            .unwrap_or_default()
            .to_owned();
        assert!(
            authority.starts_with("localhost:"),
            "no issuer in:\n{banner}"
        );
        Self {
            child,
            banner,
            authority,
            folder,
        }
    }

    /// The documents say port 9000.
    fn as_running(&self, text: &str) -> String {
        text.replace("localhost:9000", &self.authority)
    }

    fn as_documented(&self, text: &str) -> String {
        text.replace(&self.authority, "localhost:9000")
            .replace(&self.authority.replace(':', "%3A"), "localhost%3A9000")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of a test's own, with a limit on how long curl waits.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("jeton-docs-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder for the test");
        fs::write(path.join(".curlrc"), "max-time = 30\nnoproxy = \"*\"\n").expect("a file in it");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The pages a person wrote.
fn pages() -> Vec<PathBuf> {
    let is_page = |file: &PathBuf| {
        let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
            .iter()
            .any(|name| file == Path::new(name));
        top || file.starts_with("docs")
            && file.extension().is_some_and(|end| end == "md")
            && !file.ends_with("specs.md")
    };
    tree()
        .into_iter()
        .filter(is_page)
        .map(|file| root().join(file))
        .collect()
}

fn is_path(quoted: &str) -> bool {
    let end = quoted.rsplit_once('.').map_or("", |(_, end)| end);
    let known = ["rs", "md", "sql", "html", "ftl", "js", "css"].contains(&end);
    known
        && quoted
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_-.".contains(c))
}

fn defines(source: &str, name: &str) -> bool {
    let name = name.rsplit("::").next().unwrap_or(name);
    let kinds = ["fn", "struct", "enum", "static", "const", "trait", "mod"];
    kinds.iter().any(|kind| {
        let definition = format!("{kind} {name}");
        source.match_indices(&definition).any(|(start, found)| {
            let next = source[start + found.len()..].chars().next();
            next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_')
        })
    }) || source.contains(&format!("    {name} = "))
}

/// Every file of the tree, without what is built or installed.
fn tree() -> Vec<PathBuf> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() {
                if !["target", ".git", "node_modules", "screenshots"].contains(&name) {
                    folders.push(path);
                }
            } else {
                found.push(path.strip_prefix(&root).expect("below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn rust_files(wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let is_rust = |file: &PathBuf| {
        file.starts_with("crates") && file.extension().is_some_and(|end| end == "rs")
    };
    tree()
        .into_iter()
        .filter(is_rust)
        .filter(|file| wanted(file))
        .map(|file| root().join(file))
        .collect()
}
