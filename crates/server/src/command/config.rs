//! `jeton config`: explains, shows and documents the configuration.

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::{Answer, Failure, load};
use crate::config::{Explained, Sources, explain, reference, schema};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Tells what a key is set to, where that was written, its default and its meaning
    #[command(after_help = "Example:\n  jeton config explain lifetimes.access_token")]
    Explain {
        /// The key, such as listen.address
        key: String,
    },
    /// Lists every key with its value and where it was set; secrets are hidden
    #[command(after_help = "Example:\n  jeton config show --json")]
    Show,
    /// Prints the reference of all keys as Markdown
    #[command(after_help = "Example:\n  jeton config reference")]
    Reference,
    /// Prints the JSON Schema of jeton.toml, for editors
    #[command(after_help = "Example:\n  jeton config schema")]
    Schema,
}

/// Answers from the configuration and its declarations; the last two need no configuration.
pub(super) fn run(command: &ConfigCommand, sources: &Sources) -> Result<Answer, Failure> {
    match command {
        ConfigCommand::Explain { key } => {
            let config = load(sources)?;
            let text = explain(&config, key).map_err(Failure::usage)?;
            let of_key = |it: &&Explained| it.path == *key || it.key.name == key;
            let found = config.explained().iter().filter(of_key).map(object);
            Ok(Answer::done(text, Json::Array(found.collect())))
        }
        ConfigCommand::Show => {
            let config = load(sources)?;
            let rows = config.explained().iter().map(object).collect();
            Ok(Answer::rows(&["key", "value", "source"], rows))
        }
        ConfigCommand::Reference => Ok(Answer::done(reference(), json!(reference()))),
        ConfigCommand::Schema => {
            let schema = schema();
            let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
            Ok(Answer::done(text, schema))
        }
    }
}

fn object(it: &Explained) -> Json {
    json!({
        "key": it.path,
        "value": it.shown,
        "source": it.source.to_string(),
        "default": (it.key.shown_default)(),
        "description": it.key.doc_lines().collect::<Vec<_>>().join(" "),
    })
}
