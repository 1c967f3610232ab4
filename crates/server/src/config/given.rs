//! The values gathered from every source, read one typed key at a time.

use std::collections::BTreeMap;

use super::key::Key;
use super::problem::ConfigProblem;
use super::source::Source;
use super::value::{Setting, Value};

/// Every value somebody wrote, the highest source of each key only; the tables they were in, by the
/// parts of their names; the problems so far.
#[derive(Debug, Default)]
pub struct Given {
    pub(super) values: BTreeMap<String, (Value, Source)>,
    pub(super) tables: Vec<(Vec<String>, Source)>,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) explained: Vec<Explained>,
}

/// A key as it was resolved, ready to be shown to the operator.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The key's full name; a free part stands as it was written.
    pub path: String,
    /// The value as TOML, secrets hidden.
    pub shown: String,
    /// Where the value came from.
    pub source: Source,
    /// The declaration.
    pub key: &'static Key,
}

impl Given {
    /// Reads the key at `path`, falling back to its default; problems are kept and answer `None`.
    pub(super) fn read<T: Setting>(&mut self, key: &'static Key, path: &str) -> Option<T> {
        let (value, source) = self.values.get(path).cloned().unwrap_or_else(|| {
            let value = key
                .default
                .map_or(Value::Absent, |text| Value::Loose(text.to_owned()));
            (value, Source::Default)
        });
        match T::parse(&value).and_then(|typed| within(typed, key)) {
            Ok(typed) => {
                let (path, shown) = (path.to_owned(), typed.shown());
                self.explained.push(Explained {
                    path,
                    shown,
                    source,
                    key,
                });
                Some(typed)
            }
            Err(wrong) => {
                self.problems
                    .push(ConfigProblem::new(source, format!("{path} {wrong}")));
                None
            }
        }
    }

    /// Where the value at `path` came from.
    pub(super) fn source(&self, path: &str) -> Source {
        self.values
            .get(path)
            .map_or(Source::Default, |(_, source)| source.clone())
    }

    /// Records a problem with the value at `path`.
    pub(super) fn refuse(&mut self, path: &str, message: impl Into<String>) {
        let problem = ConfigProblem::new(self.source(path), message);
        self.problems.push(problem);
    }
}

fn within<T: Setting>(typed: T, key: &Key) -> Result<T, String> {
    let Some((low, high)) = key.range else {
        return Ok(typed);
    };
    let limit = |text: &str| T::parse(&Value::Loose(text.to_owned()));
    let fits = typed.within(&limit(low)?, &limit(high)?);
    let told = || format!("is {}; allowed is {low} to {high}", typed.shown());
    if fits { Ok(typed) } else { Err(told()) }
}

/// The default of a key as TOML.
pub(super) fn shown_default<T: Setting>(default: Option<&str>) -> String {
    let value = default.map_or(Value::Absent, |text| Value::Loose(text.to_owned()));
    T::parse(&value).map_or_else(|_| "required".to_owned(), |typed| typed.shown())
}
