//! `jeton check`: configuration, database, key file and certificate, each with its own line.

use std::path::Path;
use std::sync::Arc;

use jeton_protocol::tenant::TenantId;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde_json::{Value as Json, json};

use super::desk::Desk;
use super::{Answer, Failure, load};
use crate::ambient::{Ambient, Clock, Luck};
use crate::config::{Config, Source, Sources, TlsFiles};
use crate::keys::Kek;

/// What to check.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  jeton check --config /etc/jeton/jeton.toml

Like every command that opens the database, it brings the schema up to date. It makes neither a
database nor a key file.")]
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
    let (database, holds_keys) = database(&config, sources);
    findings.push(Finding {
        subject: "database",
        outcome: database,
    });
    let outcome = encryption_key(&config.encryption_key_file, holds_keys);
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
    Ok(report(&findings))
}

fn report(findings: &[Finding]) -> Answer {
    let line = |finding: &Finding| match &finding.outcome {
        Ok(told) => format!("ok      {:<15} {told}", finding.subject),
        Err(wrong) => format!("FAILED  {:<15} {wrong}", finding.subject),
    };
    let object = |finding: &Finding| -> Json {
        let (Ok(told) | Err(told)) = &finding.outcome;
        json!({"subject": finding.subject, "good": finding.outcome.is_ok(), "told": told})
    };
    Answer {
        text: findings.iter().map(line).collect::<Vec<_>>().join("\n"),
        json: findings.iter().map(object).collect(),
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

/// Whether the database answers, and whether it holds keys already.
fn database(config: &Config, sources: &Sources) -> (Result<String, String>, bool) {
    let shown = config.database.url.redacted();
    if let Some(file) = config.database.url.file()
        && !file.exists()
    {
        return (will_be_made(file), false);
    }
    let keys = Desk::open(sources)
        .and_then(|desk| desk.wait(desk.store.keys(&TenantId::default_tenant())));
    match keys {
        Ok(keys) => (
            Ok(format!("{shown} answers, schema up to date")),
            !keys.is_empty(),
        ),
        Err(Failure::Refused(why) | Failure::Usage(why)) => (Err(why), false),
    }
}

fn encryption_key(file: &Path, needed: bool) -> Result<String, String> {
    match (file.exists(), needed) {
        (true, _) => {
            let mut ambient = Ambient::new(&Clock::System, &Luck::OperatingSystem);
            Kek::from_file(file, &mut ambient.entropy).map_err(|error| error.to_string())?;
            Ok(format!("{} can be used", file.display()))
        }
        (false, true) => Err(format!(
            "{} is missing, but the database holds keys that only it opens",
            file.display()
        )),
        (false, false) => will_be_made(file),
    }
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
