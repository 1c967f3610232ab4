//! `jeton bench`: a load generator that measures a server over real connections.
//!
//! It measures, it never judges: no goal and no verdict lives here. It knows OAuth only as a client does (endpoints come from the
//! discovery document), so it measures any server that is told which clients to use. The server is always another process;
//! nothing here may call into it.

#![expect(
    clippy::disallowed_methods,
    reason = "measuring time is what this module is for; nothing here decides about a token"
)]

mod browser;
mod cell;
mod cores;
mod fixture;
mod histogram;
mod lane;
mod operation;
mod options;
mod page;
mod process;
mod report;
mod request;
mod response;
mod start;
mod supply;
mod target;
mod trouble;

pub use fixture::{BenchClient, BenchFixture};
pub use operation::Operation;
pub use options::BenchOptions;

use cell::Cell;
use report::Report;
use start::{Started, Startup};
use std::process::ExitCode;
use target::Target;
use trouble::Trouble;

/// Runs the measurement and prints it. Fails when something could not be measured, and when any answer was wrong.
pub fn run(options: BenchOptions) -> ExitCode {
    match measured(&options) {
        Ok(report) => {
            if options.json {
                println!("{}", report.json());
            } else {
                print!("{}", report.table());
            }
            match report.errors() {
                0 => ExitCode::SUCCESS,
                errors => {
                    eprintln!(
                        "{errors} answers were wrong: these figures are not of a working server"
                    );
                    ExitCode::FAILURE
                }
            }
        }
        Err(trouble) => {
            eprintln!("jeton bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn measured(options: &BenchOptions) -> Result<Report, Trouble> {
    options.check()?;
    if let Some(cores) = &options.client_cores {
        cores::pin_self(cores)?;
    }
    let fixture = match &options.fixture {
        Some(file) => BenchFixture::read(file)?,
        None => BenchFixture::of_dev(),
    };
    let plan = start::Plan::of(options)?;
    let (server, startup) = match plan.as_ref().map(Started::again).transpose()? {
        Some((server, startup)) => (Some(server), Some(startup)),
        None => (None, None),
    };
    let issuer = server
        .as_ref()
        .map(Started::issuer)
        .or(options.issuer.as_ref())
        .ok_or_else(|| Trouble::new("no server to measure"))?
        .clone();
    let pid = server.as_ref().map(Started::pid).or(options.pid);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::new(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(cells(options, Target::new(issuer, pid, fixture), startup));
    match (outcome, server) {
        (Err(trouble), Some(server)) => Err(trouble.with_output_of(&server)),
        (outcome, _) => outcome,
    }
}

async fn cells(
    options: &BenchOptions,
    target: Target,
    startup: Option<Startup>,
) -> Result<Report, Trouble> {
    let mut target = target.discovered().await?;
    let idle_rss = target.pid().and_then(process::resident_bytes);
    let mut cells = Vec::new();
    let operations = options.chosen_operations(target.fixture());
    for operation in operations {
        for connections in &options.connections {
            cells.push(Cell::new(operation, *connections));
        }
    }
    for round in 1..=options.rounds {
        for cell in &mut cells {
            eprintln!(
                "round {round} of {}: {}, {} connections",
                options.rounds,
                cell.operation().name(),
                cell.connections()
            );
            cell.measure(&mut target, options).await?;
        }
    }
    Ok(Report::new(startup, idle_rss, cells))
}
