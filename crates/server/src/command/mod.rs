//! The command line: one tree of commands, one file a command.
//!
//! A command reads its options, asks the store or the configuration, and answers with text and JSON;
//! printing and exit codes are decided here alone. What HTTP does has no place here.

mod admin;
mod answer;
mod audit;
mod check;
mod client;
mod completions;
mod config;
mod confirm;
mod desk;
mod dev;
mod grant;
mod healthcheck;
mod init;
mod key;
mod serve;
mod session;
mod tenant;
mod user;

pub use answer::{Answer, Failure};

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::bench::{self, BenchOptions};
use crate::config::{Config, Sources};

/// An OAuth 2.x and OpenID Connect authorization server in one binary.
#[derive(Debug, Parser)]
#[command(name = "jeton", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct CommandLine {
    /// The configuration file [default: JETON_CONFIG, else jeton.toml if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one key of the configuration, stronger than file and environment; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Answers with JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed; standard error says why
  2  wrong usage or configuration; nothing of what was asked was done

With --json the answer is JSON on standard output, and an error is JSON on standard error. Durations
are a number and s, m, h or d, such as 15m; times are UTC.

Examples:
  jeton init --issuer https://auth.example.org
  jeton client add --redirect-uri https://app.example.org/callback
  jeton serve";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a seeded world on loopback, to try and to test against
    Dev(dev::Options),
    /// Serves as configured
    Serve(serve::Options),
    /// Writes a first jeton.toml with every key and its default
    Init(init::Options),
    /// Checks configuration, database, keys and certificates, and reports each
    Check(check::Options),
    /// Explains, shows and documents the configuration
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Adds, lists and changes clients
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Adds, lists and changes users
    #[command(subcommand)]
    User(user::UserCommand),
    /// Lists, shows and revokes what users allowed clients
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Lists and ends sessions
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Lets an administrator in
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Lists, rotates and retires keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Shows, proves and exports the audit trail
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Adds, lists and changes tenants
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Asks a running server whether it is ready; for containers without curl
    Healthcheck(healthcheck::Options),
    /// Prints a script with which a shell completes commands and options
    Completions(completions::Options),
    /// Measures requests per second, CPU, latency, memory and start-up of a server
    #[command(after_help = "Example:\n  jeton bench --connections 16 --seconds 2")]
    Bench(Box<BenchOptions>),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let asked_for_json = std::env::args_os().any(|word| word == "--json");
    match CommandLine::try_parse() {
        Ok(line) => line
            .run()
            .unwrap_or_else(|failure| failure.print(asked_for_json)),
        Err(error) if asked_for_json && error.use_stderr() => {
            let text = error.to_string();
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let lines: Vec<&str> = lines
                .map(|line| line.trim_start_matches("error: "))
                .collect();
            Failure::usage(lines.join("\n")).print(true)
        }
        Err(error) => error.exit(),
    }
}

impl CommandLine {
    fn run(self) -> Result<ExitCode, Failure> {
        let sources = Sources::of_process(self.config, self.set);
        let answer = match self.command {
            Command::Dev(options) => dev::run(&options),
            Command::Serve(options) => serve::run(&options, &load(&sources)?),
            Command::Init(options) => init::run(&options),
            Command::Check(_) => check::run(&sources),
            Command::Config(command) => config::run(&command, &sources),
            Command::Completions(options) => completions::run(&options),
            Command::Client(command) => client::run(command, &sources),
            Command::User(command) => user::run(command, &sources),
            Command::Grant(command) => grant::run(command, &sources),
            Command::Session(command) => session::run(command, &sources),
            Command::Admin(command) => admin::run(command, &sources),
            Command::Key(command) => key::run(command, &sources),
            Command::Audit(command) => audit::run(command, &sources),
            Command::Tenant(command) => tenant::run(command, &sources),
            Command::Healthcheck(options) => healthcheck::run(&options, &load(&sources)?),
            // Prints while it measures, so it has nothing left to answer.
            Command::Bench(options) => return Ok(bench::run(*options)),
        };
        answer.map(|answer| answer.print(self.json))
    }
}

/// Loads the configuration, or fails with every problem in it.
fn load(sources: &Sources) -> Result<Config, Failure> {
    Config::load(sources).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::usage(lines.join("\n"))
    })
}
