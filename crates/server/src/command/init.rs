//! `jeton init`: a first `jeton.toml`.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Answer, Failure};
use crate::config::{Config, Sources, template};

/// Where and for which issuer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton init --issuer https://auth.example.org --output jeton.toml

The file names every key with its default, commented out. It is never overwritten.")]
pub struct Options {
    /// The public address of the server
    #[arg(long, value_name = "URL", default_value = "http://localhost:9000")]
    issuer: String,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "jeton.toml")]
    output: PathBuf,
}

/// Writes the file, if there is none and the issuer can be one.
pub(super) fn run(options: &Options) -> Result<Answer, Failure> {
    let flags = vec![format!("issuer={}", options.issuer)];
    let alone = Sources {
        flags,
        ..Sources::default()
    };
    if let Err(problems) = Config::load(&alone) {
        let lines: Vec<String> = problems.iter().map(|it| it.message.clone()).collect();
        return Err(Failure::usage(lines.join("\n")));
    }
    let shown = options.output.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&options.output)
        .map_err(|error| unmade(&options.output, &error))?;
    file.write_all(template(&options.issuer).as_bytes())
        .map_err(|error| Failure::refused(format!("cannot write {shown}: {error}")))?;
    let text = format!(
        "wrote {shown}\nnext: jeton check, jeton user add NAME --admin, jeton client add, jeton serve"
    );
    Ok(Answer::done(
        text,
        json!({"file": options.output, "issuer": options.issuer}),
    ))
}

fn unmade(path: &Path, error: &Error) -> Failure {
    let shown = path.display();
    Failure::refused(if error.kind() == ErrorKind::AlreadyExists {
        format!(
            "{shown} exists already and was left as it is\n\
             to go on with it: edit it, then jeton check and jeton serve; to write another file: --output FILE"
        )
    } else {
        format!("cannot make {shown}: {error}")
    })
}
