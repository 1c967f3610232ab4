//! Reading a password from where nobody else sees it, and `jeton user password`.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::PathBuf;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;
use zeroize::Zeroizing;

use super::find;
use crate::command::desk::{Desk, TenantOption, changed};
use crate::command::{Answer, Failure};
use crate::passwords::{Cost, hash_now};

/// The user who gets a new password.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton user password alice
  jeton user password alice --password-file /run/secrets/alice")]
pub struct Options {
    /// The name the user signs in with
    username: String,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    tenant: TenantOption,
}

/// Where the password comes from; the terminal or standard input when no file is named.
#[derive(Debug, clap::Args)]
pub(super) struct PasswordSource {
    /// Reads the password from the first line of a file instead of asking
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

const SHORTEST: usize = 8;
/// Longer ones are refused, never cut. (SEC-052)
const LONGEST: u64 = 4096;

/// Sets the password.
pub(super) fn run(options: &Options, desk: &mut Desk) -> Result<Answer, Failure> {
    let tenant = options.tenant.find(desk)?;
    let user = find(&tenant, &options.username, desk)?;
    let hash = hash(&options.password, desk)?;
    let occasion = desk.occasion();
    let outcome = desk.wait(desk.store.set_password(&tenant, user.id, hash, occasion))?;
    changed(outcome, "user", &user.username)?;
    let text = format!(
        "set the password of {} and ended their sessions",
        user.username
    );
    Ok(Answer::done(
        text,
        json!({"username": user.username, "outcome": "password set"}),
    ))
}

/// Reads the password and hashes it at the configured cost.
pub(super) fn hash(source: &PasswordSource, desk: &mut Desk) -> Result<String, Failure> {
    let password = source.read()?;
    if password.chars().count() < SHORTEST {
        return Err(Failure::refused("a password has at least 8 characters"));
    }
    let costs = &desk.config.passwords;
    let cost = Cost {
        memory_kib: costs.memory_mib * 1024,
        iterations: costs.iterations,
        lanes: costs.lanes,
    };
    hash_now(cost, &password, &mut desk.ambient.entropy)
        .map_err(|error| Failure::refused(format!("cannot hash the password: {error}")))
}

impl PasswordSource {
    fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let Some(path) = &self.password_file else {
            let failed = |error| Failure::refused(format!("cannot read the password: {error}"));
            let input = std::io::stdin();
            return if input.is_terminal() {
                ask_twice()
            } else {
                first_line(&mut input.lock()).map_err(failed)
            };
        };
        let failed = |error| Failure::usage(format!("{}: {error}", path.display()));
        let file = std::fs::File::open(path).map_err(failed)?;
        first_line(&mut std::io::BufReader::new(file)).map_err(failed)
    }
}

fn ask_twice() -> Result<Zeroizing<String>, Failure> {
    let failed = |error| Failure::refused(format!("cannot ask for the password: {error}"));
    let first = ask("Password: ").map_err(failed)?;
    let second = ask("Once more: ").map_err(failed)?;
    if *first == *second {
        Ok(first)
    } else {
        Err(Failure::refused("the two differ"))
    }
}

/// Asks at the terminal without showing what is typed.
fn ask(prompt: &str) -> std::io::Result<Zeroizing<String>> {
    let input = std::io::stdin();
    let before = tcgetattr(&input)?;
    let mut hidden = before.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    tcsetattr(&input, OptionalActions::Flush, &hidden)?;
    let line = first_line(&mut input.lock());
    tcsetattr(&input, OptionalActions::Flush, &before)?;
    line
}

fn first_line(input: &mut impl BufRead) -> std::io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    input.take(LONGEST + 2).read_line(&mut line)?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    if length as u64 > LONGEST {
        return Err(std::io::Error::other("a password has at most 4096 bytes"));
    }
    line.truncate(length);
    Ok(line)
}
