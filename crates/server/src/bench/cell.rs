//! One cell of the table: an operation at a number of connections, measured once a round.

use super::histogram::median;
use super::lane::{Stretch, drive};
use super::operation::Operation;
use super::options::BenchOptions;
use super::supply;
use super::target::Target;
use super::trouble::Trouble;
use serde::Serialize;

/// Inputs for finding out how many inputs a measurement takes.
const PROBE: usize = 400;

/// More inputs than the last stretch needed, since a warmer server is faster.
const RESERVE: f64 = 1.2;

#[derive(Debug)]
pub struct Cell {
    operation: Operation,
    connections: usize,
    rounds: Vec<Sample>,
}

/// The figures of one round, or the medians of several. Latencies in microseconds, memory in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub requests: u64,
    pub errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    pub seconds: f64,
    pub cpu_seconds: Option<f64>,
    pub requests_per_second: f64,
    pub requests_per_cpu_second: Option<f64>,
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub resident: Option<f64>,
}

impl Cell {
    pub fn new(operation: Operation, connections: usize) -> Self {
        Self {
            operation,
            connections,
            rounds: Vec::new(),
        }
    }

    pub fn operation(&self) -> Operation {
        self.operation
    }

    pub fn connections(&self) -> usize {
        self.connections
    }

    pub fn rounds(&self) -> &[Sample] {
        &self.rounds
    }

    /// Warms up, then measures once.
    pub async fn measure(
        &mut self,
        target: &mut Target,
        options: &BenchOptions,
    ) -> Result<(), Trouble> {
        let stretch = if self.operation.spends_its_input() {
            self.spend(target, options).await?
        } else {
            self.repeat(target, options).await?
        };
        self.rounds.push(Sample::of(stretch));
        Ok(())
    }

    async fn repeat(
        &self,
        target: &mut Target,
        options: &BenchOptions,
    ) -> Result<Stretch, Trouble> {
        let lanes = supply::lanes(self.operation, self.connections, target).await?;
        let pid = target.pid();
        let (lanes, _) = drive(lanes, self.operation, options.warm_up_time(), pid).await?;
        let (_, stretch) = drive(lanes, self.operation, options.measured_time(), pid).await?;
        Ok(stretch)
    }

    /// Each stretch tells how many inputs the next one needs: probe, warm-up, measurement.
    async fn spend(&self, target: &mut Target, options: &BenchOptions) -> Result<Stretch, Trouble> {
        let (warm_up, measured) = (options.warm_up_time(), options.measured_time());
        let probe = self.stretch(PROBE, warm_up, target).await?;
        let warm = self
            .stretch(probe.inputs_for(options.warm_up), warm_up, target)
            .await?;
        self.stretch(warm.inputs_for(options.seconds), measured, target)
            .await
    }

    async fn stretch(
        &self,
        count: usize,
        time: std::time::Duration,
        target: &mut Target,
    ) -> Result<Stretch, Trouble> {
        let count = count.max(self.connections * 4);
        let lanes = supply::lanes_for_once(self.operation, self.connections, count, target).await?;
        let (_, stretch) = drive(lanes, self.operation, time, target.pid()).await?;
        Ok(stretch)
    }

    /// The median of every figure; requests and errors are of all rounds together.
    pub fn medians(&self) -> Sample {
        let of = |figure: fn(&Sample) -> Option<f64>| median(self.rounds.iter().filter_map(figure));
        Sample {
            requests: self.rounds.iter().map(|round| round.requests).sum(),
            errors: self.rounds.iter().map(|round| round.errors).sum(),
            first_error: self
                .rounds
                .iter()
                .find_map(|round| round.first_error.clone()),
            seconds: of(|round| Some(round.seconds)).unwrap_or_default(),
            cpu_seconds: of(|round| round.cpu_seconds),
            requests_per_second: of(|round| Some(round.requests_per_second)).unwrap_or_default(),
            requests_per_cpu_second: of(|round| round.requests_per_cpu_second),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            resident: of(|round| round.resident),
        }
    }
}

impl Stretch {
    fn inputs_for(&self, seconds: f64) -> usize {
        let rate = self.tally.requests as f64 / self.elapsed.as_secs_f64();
        (rate * seconds * RESERVE) as usize
    }
}

impl Sample {
    fn of(stretch: Stretch) -> Self {
        let tally = stretch.tally;
        let requests = tally.requests as f64;
        let micros = |share| {
            let nanoseconds = tally.latencies.percentile(share)?;
            Some(nanoseconds as f64 / 1000.0)
        };
        let cpu = stretch.cpu.map(|time| time.as_secs_f64());
        Self {
            requests: tally.requests,
            errors: tally.errors,
            seconds: stretch.elapsed.as_secs_f64(),
            cpu_seconds: cpu,
            requests_per_second: requests / stretch.elapsed.as_secs_f64(),
            requests_per_cpu_second: cpu.filter(|cpu| *cpu > 0.0).map(|cpu| requests / cpu),
            p50: micros(0.5),
            p99: micros(0.99),
            resident: stretch.resident.map(|bytes| bytes as f64),
            first_error: tally.first_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_each_figure_and_errors_of_all_rounds() {
        let sample = |rate: f64, errors| Sample {
            requests: 10,
            errors,
            first_error: (errors > 0).then(|| "status 500".to_owned()),
            seconds: 1.0,
            cpu_seconds: None,
            requests_per_second: rate,
            requests_per_cpu_second: None,
            p50: Some(rate * 2.0),
            p99: None,
            resident: None,
        };
        let cell = Cell {
            operation: Operation::Jwks,
            connections: 1,
            rounds: vec![sample(3.0, 0), sample(1.0, 2), sample(2.0, 0)],
        };
        let medians = cell.medians();
        assert_eq!(medians.requests_per_second, 2.0);
        assert_eq!(medians.p50, Some(4.0));
        assert_eq!((medians.requests, medians.errors), (30, 2));
        assert_eq!(medians.first_error.as_deref(), Some("status 500"));
        assert_eq!(medians.requests_per_cpu_second, None);
    }
}
