//! Collects what was written in the file, in credentials, in the environment and in flags.
//!
//! Later sources replace earlier ones key by key. Types are not looked at here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::given::Given;
use super::key::Key;
use super::problem::{ConfigProblem, did_you_mean};
use super::raw::TABLES;
use super::source::Source;
use super::value::Value;

/// What a configuration is read from, lowest to highest: the file, the environment, flags.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file to read; when not given, `JETON_CONFIG`, then `jeton.toml` if it exists.
    pub file: Option<PathBuf>,
    /// The environment: names and values.
    pub environment: Vec<(OsString, OsString)>,
    /// `KEY=VALUE` as given to `--set`.
    pub flags: Vec<String>,
    /// Whether `jeton.toml` in the working directory is read when no file is named.
    pub usual_file: bool,
}

impl Sources {
    /// The sources of this process. The only place that reads the environment.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<String>) -> Self {
        Self {
            file,
            environment: std::env::vars_os().collect(),
            flags,
            usual_file: true,
        }
    }

    fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value)
    }

    /// The file to read. One that was named must exist; `jeton.toml` need not.
    pub fn config_file(&self) -> Option<PathBuf> {
        let usual = PathBuf::from("jeton.toml");
        let usual = || Some(usual).filter(|path| self.usual_file && path.exists());
        let named = self
            .variable("JETON_CONFIG")
            .filter(|path| !path.is_empty());
        self.file
            .clone()
            .or_else(|| named.map(PathBuf::from))
            .or_else(usual)
    }
}

/// Reads every source; unknown keys and unreadable files become problems.
pub(super) fn gather(sources: &Sources) -> Given {
    let mut given = Given::default();
    if let Some(path) = sources.config_file() {
        read_file(&mut given, &path);
    }
    if let Some(directory) = sources.variable("CREDENTIALS_DIRECTORY") {
        read_credentials(&mut given, Path::new(directory));
    }
    read_environment(&mut given, sources);
    read_flags(&mut given, &sources.flags);
    given
}

fn read_file(given: &mut Given, path: &Path) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            given
                .problems
                .push(ConfigProblem::new(Source::Default, message));
            return;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    let place = |offset: usize| place(path, &text, offset);
    for error in &errors {
        let source = place(error.span().map_or(0, |span| span.start));
        given
            .problems
            .push(ConfigProblem::new(source, error.message()));
    }
    if errors.is_empty() {
        read_table(given, &mut Vec::new(), table.get_ref(), &place);
    }
}

/// The line and column of a byte offset.
fn place(path: &Path, text: &str, offset: usize) -> Source {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Source::File {
        path: path.to_owned(),
        line,
        column,
    }
}

fn read_table(
    given: &mut Given,
    above: &mut Vec<String>,
    table: &DeTable<'_>,
    place: &dyn Fn(usize) -> Source,
) {
    for (name, value) in table {
        above.push(name.get_ref().to_string());
        let path = join(above);
        let at_key = || place(name.span().start);
        match (find(above), value.get_ref()) {
            (Found::Key, _) => {
                let source = place(value.span().start);
                given
                    .values
                    .insert(path, (value_of(value.get_ref()), source));
            }
            (Found::Table, DeValue::Table(inner)) => {
                given.tables.push((above.clone(), at_key()));
                read_table(given, above, inner, place);
            }
            (Found::Table, _) => {
                let message = format!("{path} is a table; write [{path}] and its keys below");
                given.problems.push(ConfigProblem::new(at_key(), message));
            }
            (Found::Nothing, _) => given
                .problems
                .push(ConfigProblem::new(at_key(), unknown(above))),
        }
        above.pop();
    }
}

enum Found {
    Key,
    Table,
    Nothing,
}

/// What the declarations say of a path; `NAME` in a declaration matches any part.
fn find(path: &[String]) -> Found {
    let mut found = Found::Nothing;
    for key in keys() {
        let parts: Vec<&str> = key.name.split('.').collect();
        let mut pairs = parts.iter().zip(path);
        if parts.len() >= path.len() && pairs.all(|(part, it)| *part == "NAME" || part == it) {
            if parts.len() == path.len() {
                return Found::Key;
            }
            found = Found::Table;
        }
    }
    found
}

pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    TABLES.iter().flat_map(|table| table.keys)
}

fn unknown(parts: &[String]) -> String {
    let tables = TABLES
        .iter()
        .map(|table| table.prefix.trim_end_matches('.'));
    let names: Vec<String> = keys()
        .map(|key| key.name)
        .chain(tables.filter(|name| !name.is_empty()))
        .map(|name| fill(name, parts))
        .collect();
    let path = join(parts);
    let near = did_you_mean(&path, names.iter().map(String::as_str));
    format!("unknown key {path}{near}")
}

/// A declared name with its free part taken from `parts`, where they have one.
fn fill(name: &str, parts: &[String]) -> String {
    let chosen = |(at, part): (usize, &str)| match parts.get(at) {
        Some(it) if part == "NAME" => it.clone(),
        Some(_) | None => part.to_owned(),
    };
    join(&name.split('.').enumerate().map(chosen).collect::<Vec<_>>())
}

/// A path as TOML writes it.
pub(super) fn join(parts: &[String]) -> String {
    let bare = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let written = |part: &String| {
        if bare(part) {
            part.clone()
        } else {
            format!("{part:?}")
        }
    };
    parts.iter().map(written).collect::<Vec<_>>().join(".")
}

pub(super) fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or(Value::Other("a number too large"), Value::Integer),
        DeValue::Boolean(it) => Value::Boolean(*it),
        DeValue::Array(members) => {
            Value::List(members.iter().map(Spanned::get_ref).map(value_of).collect())
        }
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Table(_) => Value::Other("a table"),
    }
}

fn read_credentials(given: &mut Given, directory: &Path) {
    for key in keys().filter(|key| key.variable().is_some()) {
        let path = directory.join(key.name);
        if path.is_file() {
            let source = Source::Credential(path.clone());
            read_from(given, key, &path, source);
        }
    }
}

/// Takes the content of a file as the value of `key`, or its path when the value is a file.
fn read_from(given: &mut Given, key: &Key, path: &Path, source: Source) {
    if key.is_a_file {
        let value = Value::Loose(path.to_string_lossy().into_owned());
        given.values.insert(key.name.to_owned(), (value, source));
        return;
    }
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let value = Value::Loose(text.trim_end_matches(['\r', '\n']).to_owned());
            given.values.insert(key.name.to_owned(), (value, source));
        }
        Err(error) => given
            .problems
            .push(ConfigProblem::new(source, error.to_string())),
    }
}

fn read_environment(given: &mut Given, sources: &Sources) {
    for (name, value) in &sources.environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("JETON_")) else {
            continue;
        };
        if name == "JETON_CONFIG" {
            continue;
        }
        let source = Source::Environment(name.to_owned());
        let Some(value) = value.to_str() else {
            given
                .problems
                .push(ConfigProblem::new(source, "is not UTF-8"));
            continue;
        };
        let named = |name: &str| keys().find(|key| key.variable().as_deref() == Some(name));
        if let Some(key) = named(name) {
            given.values.insert(
                key.name.to_owned(),
                (Value::Loose(value.to_owned()), source),
            );
        } else if let Some(key) = name.strip_suffix("_FILE").and_then(named) {
            if let Err(message) = read_named_file(given, key, name, sources) {
                given.problems.push(ConfigProblem::new(source, message));
            }
        } else {
            given
                .problems
                .push(ConfigProblem::new(source, unknown_variable(name)));
        }
    }
}

fn read_named_file(
    given: &mut Given,
    key: &Key,
    variable: &str,
    sources: &Sources,
) -> Result<(), String> {
    let plain = variable.trim_end_matches("_FILE");
    if key.is_a_file {
        return Err(format!("{} is a path already; set {plain}", key.name));
    }
    if sources.variable(plain).is_some() {
        return Err(format!("{plain} is set as well; keep one of them"));
    }
    let path = PathBuf::from(sources.variable(variable).cloned().unwrap_or_default());
    if !path.is_file() {
        return Err(format!("{} is not a readable file", path.display()));
    }
    let source = Source::EnvironmentFile {
        variable: variable.to_owned(),
        path: path.clone(),
    };
    read_from(given, key, &path, source);
    Ok(())
}

fn unknown_variable(name: &str) -> String {
    let rest = name.trim_start_matches("JETON_");
    let from_kubernetes = rest == "PORT"
        || rest.starts_with("SERVICE_HOST")
        || rest.starts_with("SERVICE_PORT")
        || (rest.starts_with("PORT_") && (rest.contains("_TCP") || rest.contains("_UDP")));
    if from_kubernetes {
        return "is a Kubernetes service link, not a setting; set enableServiceLinks: false in \
                the pod, or name the service differently"
            .to_owned();
    }
    let names: Vec<String> = keys().filter_map(Key::variable).collect();
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let hint = if near.is_empty() && !rest.contains("__") {
        "; levels are separated by two underscores"
    } else {
        ""
    };
    format!("unknown setting{near}{hint}")
}

fn read_flags(given: &mut Given, flags: &[String]) {
    for flag in flags {
        let Some((name, value)) = flag.split_once('=') else {
            let source = Source::Flag(format!("--set {flag}"));
            given
                .problems
                .push(ConfigProblem::new(source, "write --set KEY=VALUE"));
            continue;
        };
        let source = Source::Flag(format!("--set {name}"));
        let parts = split(name);
        let path = join(&parts);
        match find(&parts) {
            Found::Key => {
                let table = parts
                    .split_last()
                    .map(|(_, above)| above.to_vec())
                    .unwrap_or_default();
                given.tables.push((table, source.clone()));
                given
                    .values
                    .insert(path, (Value::Loose(value.to_owned()), source));
            }
            Found::Table => {
                given
                    .problems
                    .push(ConfigProblem::new(source, format!("{path} is a table")));
            }
            Found::Nothing => given
                .problems
                .push(ConfigProblem::new(source, unknown(&parts))),
        }
    }
}

/// The parts of a dotted key; a quoted part may hold dots.
fn split(name: &str) -> Vec<String> {
    let text = format!("{name} = 0");
    let mut parts = Vec::new();
    let Ok(table) = DeTable::parse(&text) else {
        return vec![name.to_owned()];
    };
    let mut level = table.get_ref();
    while let Some((part, value)) = level.iter().next() {
        parts.push(part.get_ref().to_string());
        let Some(inner) = value.get_ref().as_table() else {
            break;
        };
        level = inner;
    }
    parts
}
