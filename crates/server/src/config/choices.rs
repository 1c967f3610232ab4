//! The settings that are one of a few words.

use jeton_protocol::tenant::TokenFormat;
use jeton_protocol::trusted_preset::Preset;
use jeton_token::algorithm::SignatureAlgorithm;
use serde_json::json;

use super::value::{Setting, Shape, Value, quoted};

/// Makes an enum a setting: each word of the configuration and the variant it chooses.
macro_rules! words {
    ($Type:ident { $( $word:literal = $Variant:ident ),* $(,)? }) => {
        impl Setting for $Type {
            fn shape() -> Shape {
                let words = [$($word),*];
                Shape { words: one_of(&words), schema: json!({"enum": words}) }
            }

            fn parse(value: &Value) -> Result<Self, String> {
                let wanted = one_of(&[$($word),*]);
                match value.text(&wanted)? {
                    $($word => Ok(Self::$Variant),)*
                    other => Err(format!("is {other:?}; write {wanted}")),
                }
            }

            fn shown(&self) -> String {
                let words = [$(($word, Self::$Variant)),*];
                let word = words.iter().find(|(_, variant)| variant == self);
                word.map_or_else(String::new, |(word, _)| quoted(word))
            }
        }
    };
}

words!(TokenFormat { "opaque" = Opaque, "jwt" = Jwt });
words!(SignatureAlgorithm { "ES256" = Es256, "EdDSA" = EdDsa, "RS256" = Rs256, "PS256" = Ps256 });
words!(Preset {
    "github" = Github,
    "gitlab" = Gitlab,
    "kubernetes" = Kubernetes,
    "spiffe" = Spiffe,
});
words!(LogFormat { "text" = Text, "json" = Json });
words!(LogLevel {
    "error" = Error,
    "warn" = Warn,
    "info" = Info,
    "debug" = Debug,
    "trace" = Trace,
});

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important log lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Faults only.
    Error,
    /// Faults and what may become one.
    Warn,
    /// One line a decision.
    Info,
    /// The checks behind a decision.
    Debug,
    /// Everything.
    Trace,
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some(_) | None => quoted.join(""),
    }
}
