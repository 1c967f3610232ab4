//! What `jeton bench` can be asked for.

use super::fixture::BenchFixture;
use super::operation::Operation;
use super::trouble::Trouble;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Measure requests per second, CPU, latency, memory and start-up of a server
#[derive(Clone, Debug, Args)]
pub struct BenchOptions {
    /// Measure the server at this issuer. Without it, a `jeton dev` with a fresh SQLite database is started and measured
    #[arg(long, value_name = "URL")]
    pub issuer: Option<Url>,

    /// Process of a server that is already running, for its CPU time and memory
    #[arg(
        long,
        value_name = "PID",
        requires = "issuer",
        conflicts_with = "command"
    )]
    pub pid: Option<u32>,

    /// JSON file naming the clients and the user to measure with; without it, those of `jeton dev --seed bench`
    #[arg(long, value_name = "FILE")]
    pub fixture: Option<PathBuf>,

    /// Operations to measure; all of them when none is named
    #[arg(long = "operation", value_name = "NAME", value_delimiter = ',')]
    pub operations: Vec<Operation>,

    /// Numbers of connections
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    pub connections: Vec<usize>,

    /// Seconds to measure for each operation and number of connections
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub seconds: f64,

    /// Seconds of load before measuring
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    pub warm_up: f64,

    /// How often to measure everything; medians are shown
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,

    /// Cores for the server that is started, as `taskset` takes them
    #[arg(long, value_name = "LIST")]
    pub server_cores: Option<String>,

    /// Cores for the load generator, as `taskset` takes them
    #[arg(long, value_name = "LIST")]
    pub client_cores: Option<String>,

    /// Where the database of the started server lies; only a disk shows what durability costs
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,

    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,

    /// Another server to start and measure, after `--`; needs --issuer
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl BenchOptions {
    /// Refuses what no measurement could be made with.
    pub fn check(&self) -> Result<(), Trouble> {
        let positive = |seconds: f64| seconds.is_finite() && seconds > 0.0;
        if !positive(self.seconds) || !positive(self.warm_up) {
            return Err(Trouble::new("--seconds and --warm-up must be above 0"));
        }
        if self.rounds == 0 || self.connections.contains(&0) {
            return Err(Trouble::new("--rounds and --connections must be above 0"));
        }
        if self.issuer.is_none() && !self.command.is_empty() {
            return Err(Trouble::new(
                "a command to start needs --issuer, where it will answer",
            ));
        }
        Ok(())
    }

    pub fn measured_time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    pub fn warm_up_time(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up)
    }

    /// What was asked for; of everything, what the fixture has a client for.
    pub fn chosen_operations(&self, fixture: &BenchFixture) -> Vec<Operation> {
        if self.operations.is_empty() {
            Operation::value_variants()
                .iter()
                .copied()
                .filter(|operation| fixture.serves(*operation))
                .collect()
        } else {
            self.operations.clone()
        }
    }
}
