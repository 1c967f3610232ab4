//! `jeton completions`: what a shell needs to complete commands and options.

use clap::CommandFactory as _;
use serde_json::json;

use super::{Answer, CommandLine, Failure};

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton completions bash

Write what is printed to where your shell looks:
  bash  ~/.local/share/bash-completion/completions/jeton
  zsh   _jeton in a folder of $fpath
  fish  ~/.config/fish/completions/jeton.fish")]
pub struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script; needs no configuration.
pub(super) fn run(options: &Options) -> Result<Answer, Failure> {
    let shell = match options.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CommandLine::command(), "jeton", &mut script);
    let script = String::from_utf8(script).map_err(Failure::refused)?;
    Ok(Answer::done(script.clone(), json!(script)))
}
