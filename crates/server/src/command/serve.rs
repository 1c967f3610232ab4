//! `jeton serve`: the server as configured.

use super::desk::location;
use super::{Answer, Failure};
use crate::ambient::{Clock, Luck};
use crate::app::Settings;
use crate::config::{Config, Limits, LogFormat, LogLevel, Outbound, Paths};
use crate::http::listener::Listening;
use crate::http::pace::Patience;
use crate::http::routes::Endpoint;
use crate::http::tls::Tls;
use crate::keys::Kek;
use crate::outbound;
use crate::passwords::Cost;
use crate::start::{self, Plan, StartError};
use crate::throttle::Rates;
use jeton_store::{Options as StoreOptions, Store};
use jeton_token::entropy::Entropy;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;

/// Serves until it is told to stop.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  jeton serve --config /etc/jeton/jeton.toml
  jeton serve --set log.level=debug

It stops on SIGTERM or Ctrl-C, after the requests that run have been answered, 20 seconds at most.")]
pub struct Options {}

pub fn run(_: &Options, config: &Config) -> Result<Answer, Failure> {
    log(config.log.format, config.log.level);
    let runtime = runtime()?;
    runtime.block_on(serve(config)).map_err(Failure::refused)?;
    Ok(Answer::done(
        "stopped",
        serde_json::json!({ "stopped": true }),
    ))
}

async fn serve(config: &Config) -> Result<(), StartError> {
    let clock = Clock::System;
    let tls = match &config.tls {
        None => None,
        Some(files) => Some(Arc::new(Tls::open(&files.certificate, &files.key)?)),
    };
    let options = StoreOptions {
        connections: config.database.connections as usize,
        longest_access_token: Duration::from_secs(24 * 60 * 60),
        ..StoreOptions::default()
    };
    let address = || config.database.url.redacted();
    let store = Store::open(&location(config), options, clock.now())
        .map_err(|error| StartError::Database(address(), error))?;
    store.lock_exclusive()?;
    let mut entropy = Entropy::from_os();
    let kek = Kek::of_database(config.kek_files(), &store, &mut entropy).await;
    let kek = kek.map_err(|error| StartError::Keys(error.to_string()))?;
    let plan = Plan {
        store,
        kek,
        tenant: config.tenant(),
        settings: settings(config),
        password_threads: threads(config.passwords.threads),
        password_cost: Cost {
            memory_kib: config.passwords.memory_mib.saturating_mul(1024),
            iterations: config.passwords.iterations,
            lanes: config.passwords.lanes,
        },
        clock,
        luck: Luck::OperatingSystem,
    };
    let app = plan.build().await?;
    let mut listeners = vec![Listening {
        socket: start::bind(config.listen.address)?,
        tls,
        management: false,
        patience: Patience::default(),
    }];
    if let Some(address) = config.listen.management {
        listeners.push(Listening {
            socket: start::bind(address)?,
            tls: None,
            management: true,
            patience: Patience::default(),
        });
    }
    for warning in config.warnings() {
        tracing::warn!(event = "configuration.warning", "{warning}");
    }
    tracing::info!(event = "serving", issuer = %config.issuer, address = %config.listen.address);
    start::run(app, listeners).await;
    Ok(())
}

fn settings(config: &Config) -> Settings {
    Settings {
        trusted_proxies: config.listen.trusted_proxies.clone(),
        aliases: aliases(&config.paths),
        per_ip_connections: config.listen.per_ip_connections as usize,
        body_limit: config.limits.body_bytes as usize,
        rates: rates(&config.limits),
        rotation: Some((config.rotation.period, config.rotation.lead)),
        audit_keep: Some(config.audit.keep),
        outbound: outbound(&config.outbound),
        ..Settings::new(config.issuer.clone())
    }
}

fn outbound(outbound: &Outbound) -> outbound::Settings {
    let allow = outbound.allow.iter();
    outbound::Settings {
        allow: allow.map(|it| it.as_str().to_owned()).collect(),
        ports: outbound.ports.iter().map(|port| port.get()).collect(),
        authorities: outbound.ca.clone(),
        ..outbound::Settings::default()
    }
}

fn rates(limits: &Limits) -> Rates {
    Rates::new([
        limits.sign_in_failures_per_account,
        limits.sign_ins_per_address,
        limits.client_failures,
        limits.token_requests_per_client,
        limits.introspections_per_client,
    ])
    .pushed(limits.pushed_requests_per_client)
}

fn aliases(paths: &Paths) -> Vec<(String, Endpoint)> {
    [
        (&paths.authorize, Endpoint::Authorize),
        (&paths.par, Endpoint::PushedRequest),
        (&paths.token, Endpoint::Token),
        (&paths.revoke, Endpoint::Revoke),
        (&paths.introspect, Endpoint::Introspect),
        (&paths.userinfo, Endpoint::Userinfo),
    ]
    .into_iter()
    .flat_map(|(paths, endpoint)| {
        paths
            .iter()
            .map(move |path| (path.as_str().to_owned(), endpoint))
    })
    .collect()
}

pub(super) fn threads(asked: Option<u32>) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.map_or(cores, |asked| asked as usize)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))
}

pub(super) fn log(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}
