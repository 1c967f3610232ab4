//! `jeton check`: configuration, database, key file and certificate, each with its own line.

use std::path::Path;
use std::sync::Arc;

use jeton_protocol::tenant::TenantId;
use jeton_store::keys::StoredKey;
use jeton_token::entropy::Entropy;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde_json::{Value as Json, json};

use super::desk::Desk;
use super::{Answer, Failure, load};
use crate::config::{Config, Source, Sources, TlsFiles};
use crate::keys::Kek;
use crate::outbound;

/// What to check.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton check --config /etc/jeton/jeton.toml

It only looks: nothing is made, changed or brought up to date. A schema that is not up to date is
no failure, since jeton serve migrates it. Exit codes: 0 when every line is ok, 1 when one is
FAILED, 2 when the configuration makes no sense.")]
pub struct Options {}

/// One line of the report.
struct Finding {
    subject: &'static str,
    outcome: Result<String, String>,
}

/// Good when everything is; a configuration with problems is wrong usage.
pub(super) fn run(sources: &Sources) -> Result<Answer, Failure> {
    let config = load(sources)?;
    let mut findings = vec![Finding {
        subject: "configuration",
        outcome: Ok(described(&config)),
    }];
    let (database, desk) = database(sources)?;
    findings.push(Finding {
        subject: "database",
        outcome: database,
    });
    let outcome = encryption_key(&config.encryption_key_file, desk);
    findings.push(Finding {
        subject: "encryption key",
        outcome,
    });
    if let Some(files) = &config.tls {
        findings.push(Finding {
            subject: "certificate",
            outcome: certificate(files),
        });
    }
    if !config.outbound.ca.is_empty() {
        let certificates = outbound::read_authorities(&config.outbound.ca);
        findings.push(Finding {
            subject: "outbound.ca",
            outcome: certificates.map(|found| format!("{} authorities", found.len())),
        });
    }
    Ok(report(&findings, &config.warnings()))
}

fn report(findings: &[Finding], warnings: &[String]) -> Answer {
    let line = |finding: &Finding| match &finding.outcome {
        Ok(told) => format!("ok      {:<15} {told}", finding.subject),
        Err(wrong) => format!("FAILED  {:<15} {wrong}", finding.subject),
    };
    let object = |finding: &Finding| -> Json {
        let (Ok(told) | Err(told)) = &finding.outcome;
        json!({"subject": finding.subject, "good": finding.outcome.is_ok(), "told": told})
    };
    let warned = |told: &String| format!("WARNING {:<15} {told}", "configuration");
    let lines = findings.iter().map(line);
    let objects = findings.iter().map(object);
    let warned_object =
        |told: &String| json!({"subject": "configuration", "good": true, "warning": told});
    Answer {
        text: lines
            .chain(warnings.iter().map(warned))
            .collect::<Vec<_>>()
            .join("\n"),
        json: objects.chain(warnings.iter().map(warned_object)).collect(),
        good: findings.iter().all(|finding| finding.outcome.is_ok()),
    }
}

fn described(config: &Config) -> String {
    let set = config
        .explained()
        .iter()
        .filter(|it| it.source != Source::Default)
        .count();
    format!("issuer {}, {set} keys set", config.issuer)
}

/// Whether the database answers; opened, if it is there.
fn database(sources: &Sources) -> Result<(Result<String, String>, Option<Desk>), Failure> {
    let config = load(sources)?;
    let shown = config.database.url.redacted();
    if let Some(file) = config.database.url.file()
        && file.metadata().map_or(true, |found| found.len() == 0)
    {
        return Ok((will_be_made(file), None));
    }
    Ok(match Desk::look(config) {
        Ok((desk, schema)) if schema.is_current() => {
            let told = format!("{shown} answers, schema up to date");
            (Ok(told), Some(desk))
        }
        Ok((_, schema)) => {
            let (done, known) = (schema.done, schema.known);
            let told = format!(
                "{shown} answers, needs migration from step {done} to step {known} (jeton serve does it)"
            );
            (Ok(told), None)
        }
        Err(Failure::Refused(why) | Failure::Usage(why)) => {
            // The line begins with the word already.
            let why = why.strip_prefix("database ").unwrap_or(&why).to_owned();
            (Err(why), None)
        }
    })
}

/// Whether the key is that of the database.
fn encryption_key(file: &Path, desk: Option<Desk>) -> Result<String, String> {
    let Some(mut desk) = desk.filter(|desk| file.exists() || holds_keys(desk)) else {
        if !file.exists() {
            return will_be_made(file);
        }
        let mut entropy = Entropy::from_os();
        Kek::from_file(file, &mut entropy).map_err(|error| error.to_string())?;
        return Ok(format!("{} can be read", file.display()));
    };
    match desk.kek() {
        Ok(kek) => every_key(&kek, &desk)
            .map(|()| format!("{} opens the keys of the database", file.display())),
        Err(Failure::Refused(why) | Failure::Usage(why)) => Err(why),
    }
}

/// One damaged key does not stop a server, so it is told here.
fn every_key(kek: &Kek, desk: &Desk) -> Result<(), String> {
    let tenant = TenantId::default_tenant();
    let keys = desk.wait(desk.store.keys(&tenant));
    let Ok(keys) = keys else { return Ok(()) };
    let now = desk.ambient.now;
    let accepted = |key: &&StoredKey| key.expires_at.is_none_or(|end| now < end);
    for key in keys.iter().filter(accepted) {
        kek.open_key(&tenant, key).map_err(|error| {
            format!("{error}; restore its row from a backup, or jeton key revoke it")
        })?;
    }
    Ok(())
}

fn holds_keys(desk: &Desk) -> bool {
    let keys = desk.wait(desk.store.keys(&TenantId::default_tenant()));
    keys.is_ok_and(|keys| !keys.is_empty())
}

/// A file that does not exist yet is fine where it can be made.
fn will_be_made(file: &Path) -> Result<String, String> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            Ok(format!("{} will be made on first start", file.display()))
        }
        Ok(_) => Err(format!("{} is not a folder", folder.display())),
        Err(error) => Err(format!("{}: {error}", folder.display())),
    }
}

/// Whether both files can be read and belong together.
fn certificate(files: &TlsFiles) -> Result<String, String> {
    let of = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| of(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(of(&files.certificate, &"holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| of(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = chain.len();
    CertifiedKey::from_der(chain, key, &provider)
        .map_err(|error| format!("certificate and key do not fit: {error}"))?;
    Ok(format!(
        "{} holds {certificates}, the key fits",
        files.certificate.display()
    ))
}
