//! `jeton dev`: a whole world on loopback in one command. Seeded, explained, and not for production.

use super::desk::location_of;
use super::serve::{log, runtime, threads};
use super::{Answer, Failure};
use crate::ambient::{Ambient, Clock, Luck};
use crate::app::{Development, Settings};
use crate::config::{DatabaseUrl, HostPort, LogFormat, LogLevel};
use crate::demo::seed::{self, Seed};
use crate::demo::{DemoClient, DemoPerson, api};
use crate::http::listener::Listening;
use crate::http::pace::Patience;
use crate::keys::Kek;
use crate::outbound;
use crate::passwords::Cost;
use crate::start::{self, Plan, StartError};
use crate::throttle::Rates;
use jeton_protocol::scope::ScopeDefinition;
use jeton_protocol::tenant::{Issuer, Policy, Tenant, TenantId};
use jeton_store::{Location, Options as StoreOptions, Store};
use jeton_token::entropy::Entropy;
use jeton_token::secret::Secret;
use jeton_token::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Serves a seeded world on loopback, to try and to test against. Not for production.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jeton dev\n  jeton dev --address 127.0.0.1:9100 --issuer http://localhost:9100/tests"
)]
pub struct Options {
    /// Where to listen; only a loopback address is accepted. Port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "ADDRESS")]
    address: SocketAddr,
    /// The issuer; by default http://localhost with the port
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Keeps the database: a file such as sqlite:dev.db, or postgres://…; by default it ends with the process
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Which people and clients there are
    #[arg(long, value_enum, default_value_t = World::Demo)]
    seed: World,
    /// A host and port, such as localhost:3000, from which keys and logos of clients may be fetched; on loopback without
    /// TLS too. May be repeated
    #[arg(long = "outbound-allow", value_name = "HOST:PORT")]
    outbound_allow: Vec<String>,
    /// A PEM file of a certificate authority to trust for that; may be repeated
    #[arg(long = "outbound-ca", value_name = "FILE")]
    outbound_ca: Vec<PathBuf>,
    /// Does not keep the trace of requests, which costs time
    #[arg(long)]
    no_trace: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum World {
    Demo,
    /// The demo world and the clients of `jeton bench`; leaves the trace out
    Bench,
}

pub fn run(options: &Options) -> Result<Answer, Failure> {
    if !options.address.ip().is_loopback() {
        return Err(Failure::usage(
            "--address must be a loopback address: the passwords of `dev` are public",
        ));
    }
    log(LogFormat::Text, LogLevel::Warn);
    let database = options
        .database
        .as_deref()
        .map(parse_database)
        .transpose()?;
    let outbound = outbound(options)?;
    runtime()?
        .block_on(dev(options, database, outbound))
        .map_err(Failure::refused)?;
    Ok(Answer::done(
        "stopped",
        serde_json::json!({ "stopped": true }),
    ))
}

fn parse_database(text: &str) -> Result<DatabaseUrl, Failure> {
    DatabaseUrl::from_text(text).map_err(|wrong| Failure::usage(format!("--database {wrong}")))
}

fn outbound(options: &Options) -> Result<outbound::Settings, Failure> {
    for text in &options.outbound_allow {
        HostPort::from_text(text)
            .map_err(|wrong| Failure::usage(format!("--outbound-allow {wrong}")))?;
    }
    Ok(outbound::Settings {
        allow: options.outbound_allow.clone(),
        authorities: options.outbound_ca.clone(),
        plain_loopback: true,
        ..outbound::Settings::default()
    })
}

async fn dev(
    options: &Options,
    database: Option<DatabaseUrl>,
    outbound: outbound::Settings,
) -> Result<(), StartError> {
    let socket = start::bind(options.address)?;
    let address = socket
        .local_addr()
        .map_err(|error| StartError::Listen(options.address, error))?;
    let issuer = options
        .issuer
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let issuer = Issuer::parse(&issuer).ok_or_else(|| StartError::Issuer(issuer.clone()))?;
    let clock = Clock::System;
    let store = open(database.as_ref(), clock.now())?;
    let luck = Luck::OperatingSystem;
    let mut ambient = Ambient::new(&clock, &luck);
    let kek = development_kek(database.as_ref(), &mut ambient.entropy)?;
    let tenant = tenant(&issuer);
    start::settle_tenant(&store, &tenant, &mut ambient).await?;
    let seed = if options.seed == World::Bench {
        Seed::Bench
    } else {
        Seed::Demo
    };
    let (clients, users) = seed::sow(&store, &issuer, seed, &mut ambient).await?;
    ambient.end();
    let banner = banner(&issuer, database.as_ref(), &clients, &users);
    let traces = !options.no_trace && seed == Seed::Demo;
    let plan = Plan {
        store,
        kek,
        tenant,
        settings: Settings {
            outbound,
            ..settings(issuer, Development { clients, users }, traces)
        },
        password_threads: threads(None),
        password_cost: Cost::default(),
        clock,
        luck,
    };
    let app = plan.build().await?;
    print(&banner);
    start::run(
        app,
        vec![Listening {
            socket,
            tls: None,
            management: false,
            patience: Patience::default(),
        }],
    )
    .await;
    Ok(())
}

fn open(database: Option<&DatabaseUrl>, now: Timestamp) -> Result<Store, StartError> {
    let location = database.map_or(Location::SqliteMemory, location_of);
    let address = || database.map(DatabaseUrl::redacted).unwrap_or_default();
    let store = Store::open(&location, StoreOptions::default(), now)
        .map_err(|error| StartError::Database(address(), error))?;
    store.lock_exclusive()?;
    Ok(store)
}

fn settings(issuer: Issuer, development: Development, traces: bool) -> Settings {
    Settings {
        per_ip_connections: 4096,
        rates: Rates::new([5, 1000, 100, 0, 0]),
        development: Some(development),
        traces,
        ..Settings::new(issuer)
    }
}

fn tenant(issuer: &Issuer) -> Tenant {
    let photos = ScopeDefinition {
        description: Some("See your photos".to_owned()),
        hidden: false,
    };
    Tenant {
        id: TenantId::default_tenant(),
        issuer: issuer.clone(),
        name: Some("Jeton dev".to_owned()),
        policy: Policy {
            scopes: BTreeMap::from([("photos:read".to_owned(), photos)]),
            ..Policy::default()
        },
    }
}

/// A kept database needs a kept key beside it; another one needs none.
fn development_kek(
    database: Option<&DatabaseUrl>,
    entropy: &mut Entropy,
) -> Result<Kek, StartError> {
    let kek = match database {
        None => Kek::new(&Secret::random(entropy)),
        Some(DatabaseUrl::Sqlite(path)) => Kek::from_file(&path.with_extension("key"), entropy),
        Some(DatabaseUrl::Postgres(_)) => Kek::from_file(&PathBuf::from("jeton-dev.key"), entropy),
    };
    kek.map_err(|error| StartError::Keys(error.to_string()))
}

fn banner(
    issuer: &Issuer,
    database: Option<&DatabaseUrl>,
    clients: &[DemoClient],
    users: &[DemoPerson],
) -> String {
    let kept = database.map_or_else(
        || "a database that ends with the process".to_owned(),
        DatabaseUrl::redacted,
    );
    let people: Vec<String> = users
        .iter()
        .map(|user| format!("{} / {}", user.username, user.password))
        .collect();
    let mut text =
        format!("jeton dev  {kept}, http on loopback, seeded users: NOT for production\n");
    let mut line = |label: &str, value: &str| text.push_str(&format!(" {label:<9} {value}\n"));
    line("issuer", issuer.as_str());
    line(
        "discovery",
        &issuer.join("/.well-known/openid-configuration"),
    );
    line("users", &people.join("   "));
    for (number, client) in clients.iter().enumerate() {
        line(
            if number == 0 { "clients" } else { "" },
            &format!("{:<10} {}", client.id, client.about),
        );
    }
    line("secrets", "demo-web-secret   demo-job-secret");
    line(
        "api",
        &format!("{}  a protected sample resource", issuer.join(api::PATH)),
    );
    line("try", &seed::job_command(issuer));
    line(
        "trace",
        &format!(
            "every request is explained at {}",
            issuer.join("/dev/trace")
        ),
    );
    text
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        tracing::debug!("nobody reads what is printed");
    }
}
