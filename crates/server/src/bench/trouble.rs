//! Why a measurement could not be made. A wrong answer under load is not here: it is counted and shown with the figures.

use super::start::Started;
use std::fmt;

#[derive(Debug)]
pub struct Trouble(String);

impl Trouble {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Adds what was being done when it happened.
    pub fn during(self, doing: &str) -> Self {
        Self(format!("{doing}: {}", self.0))
    }

    pub fn with_output_of(self, server: &Started<'_>) -> Self {
        match server.last_words() {
            words if words.is_empty() => self,
            words => Self(format!("{}\nThe server's last words:\n{words}", self.0)),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
