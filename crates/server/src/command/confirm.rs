//! Asking whether something that cannot be undone is meant.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::Failure;

/// Whether to ask.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Confirmation {
    /// Does not ask whether it is meant; needed where no terminal is
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Goes on only when the operator said so; `what` ends the question "Do you want to …?".
    pub fn ask(&self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(Failure::usage(format!(
                "there is nobody to ask whether to {what}; add --yes"
            )));
        }
        let failed = |error| Failure::refused(format!("cannot ask: {error}"));
        eprint!("This cannot be undone. Do you want to {what}? Type yes: ");
        std::io::stderr().flush().map_err(failed)?;
        let mut line = String::new();
        input.lock().read_line(&mut line).map_err(failed)?;
        if line.trim() == "yes" {
            Ok(())
        } else {
            Err(Failure::refused("nothing was done"))
        }
    }
}
