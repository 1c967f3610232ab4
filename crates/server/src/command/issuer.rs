//! `jeton issuer`: shows whom the configuration trusts, and tries a token against the rules without issuing anything.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Subcommand;
use jeton_protocol::refusal::{Noted, Refusal};
use jeton_protocol::trusted_issuer::{Condition, MappingRule, Trial, TrustedIssuer, try_out};
use jeton_token::jws::MAX_LENGTH;
use serde_json::{Value as Json, json};

use super::{Answer, Failure, load};
use crate::ambient::Clock;
use crate::config::{Config, Sources};

/// What to do with trusted issuers. They are declared in the configuration.
#[derive(Debug, Subcommand)]
pub enum IssuerCommand {
    /// Lists the trusted issuers of the configuration
    #[command(after_help = "Example:\n  jeton issuer list")]
    List,
    /// Shows one, with its keys and rules
    #[command(after_help = "Example:\n  jeton issuer show github --json")]
    Show {
        /// Its name in the configuration
        name: String,
    },
    /// Tells which rule a token would meet, and for each other one the first condition that fails
    #[command(after_help = "\
Examples:
  jeton issuer test --file token.jwt
  jeton issuer test --json

Nothing is issued and nothing is spent. Exit code 0 means that the token would be taken, if the
client may use the grant and the token was not used before.")]
    Test(TestOptions),
}

/// The token to try.
#[derive(Debug, clap::Args)]
pub struct TestOptions {
    /// The file with the token; - or nothing is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

/// Answers from the configuration alone; the database is not opened.
pub(super) fn run(command: IssuerCommand, sources: &Sources) -> Result<Answer, Failure> {
    let config = load(sources)?;
    match command {
        IssuerCommand::List => {
            let columns = ["name", "issuer", "keys", "rules"];
            let rows = config.trusted_issuers.iter().map(listed).collect();
            Ok(Answer::rows(&columns, rows))
        }
        IssuerCommand::Show { name } => show(&name, &config),
        IssuerCommand::Test(options) => test(&options, &config),
    }
}

fn listed(issuer: &TrustedIssuer) -> Json {
    let rules: Vec<_> = issuer.rules.iter().map(|rule| rule.name.as_str()).collect();
    json!({
        "name": issuer.name,
        "issuer": issuer.issuer,
        "keys": issuer.keys.keys().len(),
        "rules": rules,
    })
}

fn show(name: &str, config: &Config) -> Result<Answer, Failure> {
    let found = config.trusted_issuers.iter().find(|it| it.name == name);
    let told = || Failure::refused(format!("there is no trusted issuer called {name}"));
    let issuer = found.ok_or_else(told)?;
    let rules: Vec<_> = issuer.rules.iter().map(shown).collect();
    Ok(Answer::members(json!({
        "name": issuer.name,
        "issuer": issuer.issuer,
        "algorithms": issuer.algorithms.iter().map(|it| it.name()).collect::<Vec<_>>(),
        "audiences": issuer.accepted_audiences(&config.tenant()),
        "longest_life_seconds": issuer.longest_life.as_secs(),
        "reusable": issuer.reusable,
        "keys": issuer.keys.keys().iter().map(|key| key.kid()).collect::<Vec<_>>(),
        "rules": rules,
    })))
}

fn shown(rule: &MappingRule) -> Json {
    let when = rule
        .when
        .iter()
        .map(|it| format!("{}={}", it.claim, it.value));
    json!({
        "rule": rule.name,
        "when": when.collect::<Vec<_>>(),
        "client": rule.client,
        "user": rule.user,
        "scope": rule.scope,
    })
}

fn test(options: &TestOptions, config: &Config) -> Result<Answer, Failure> {
    let token = token(options)?;
    let tenant = config.tenant();
    match try_out(token.trim(), &tenant, Clock::System.now()) {
        Ok(trial) => Ok(judged(&trial)),
        Err(refusal) => Ok(Answer {
            text: refused(&refusal),
            json: json!({ "issuer": null, "refused": reason(&refusal), "rules": [] }),
            good: false,
        }),
    }
}

fn token(options: &TestOptions) -> Result<String, Failure> {
    let mut text = String::new();
    let limit = MAX_LENGTH as u64 + 1024;
    let read = if options.file.as_os_str() == "-" {
        std::io::stdin().take(limit).read_to_string(&mut text)
    } else {
        std::fs::File::open(&options.file)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
    };
    let told = |error| Failure::usage(format!("{}: {error}", options.file.display()));
    read.map_err(told).map(|_| text)
}

fn judged(trial: &Trial<'_>) -> Answer {
    let mut lines = vec![format!(
        "issuer {} ({})",
        trial.issuer.name, trial.issuer.issuer
    )];
    lines.extend(trial.refused.as_ref().map(refused));
    let mut rules = Vec::new();
    for (rule, failure) in &trial.rules {
        lines.push(line(rule, failure.as_ref()));
        let mut json = shown(rule);
        json["matches"] = json!(failure.is_none());
        if let Some((condition, noted)) = failure {
            json["claim"] = json!(condition.claim);
            json["expected"] = json!(noted.expected);
            json["found"] = json!(noted.found);
        }
        rules.push(json);
    }
    if trial.rules.is_empty() {
        lines.push("no rules".to_owned());
    }
    let matched = trial.rules.iter().any(|(_, failure)| failure.is_none());
    Answer {
        text: lines.join("\n"),
        json: json!({
            "issuer": trial.issuer.name,
            "refused": trial.refused.as_ref().map(reason),
            "rules": rules,
        }),
        good: matched && trial.refused.is_none(),
    }
}

fn line(rule: &MappingRule, failure: Option<&(&Condition, Noted)>) -> String {
    match failure {
        None => {
            let user = rule.user.as_ref().map(|user| format!(" for {user}"));
            let (user, scope) = (user.unwrap_or_default(), rule.scope.to_string());
            format!(
                "rule {}: matches; client {}{user}, scope {scope:?}",
                rule.name, rule.client
            )
        }
        Some((condition, noted)) => format!(
            "rule {}: {} is {:?}, wanted {:?}",
            rule.name, condition.claim, noted.found, noted.expected
        ),
    }
}

fn refused(refusal: &Refusal) -> String {
    let rule = refusal.rule;
    let noted = &refusal.noted;
    format!(
        "refused: {} ({})\n  wanted {}\n  found  {}\n  {}",
        rule.cause, rule.clause, noted.expected, noted.found, rule.fix
    )
}

fn reason(refusal: &Refusal) -> Json {
    json!({
        "cause": refusal.rule.cause,
        "expected": refusal.noted.expected,
        "found": refusal.noted.found,
        "fix": refusal.rule.fix,
    })
}
