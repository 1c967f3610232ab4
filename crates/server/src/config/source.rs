//! Where a value came from.

use std::fmt;
use std::path::PathBuf;

/// The place that decided a value, in the words an operator would use to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of the configuration file; lines and columns count from 1.
    File {
        /// The file as it was named.
        path: PathBuf,
        /// The line of the key or value.
        line: usize,
        /// The column of the key or value, in characters.
        column: usize,
    },
    /// A credential systemd handed over in `$CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A file named by an environment variable that ends in `_FILE`.
    EnvironmentFile {
        /// The variable.
        variable: String,
        /// The file it names.
        path: PathBuf,
    },
    /// A command line flag, as written.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Credential(path) => write!(f, "credential {}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::EnvironmentFile { variable, path } => {
                write!(f, "file {} named by {variable}", path.display())
            }
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}
