//! The figures as an aligned table, and as JSON.

use super::cell::{Cell, Sample};
use super::operation::Operation;
use super::start::Startup;
use serde::Serialize;

const COLUMNS: [&str; 8] = [
    "operation",
    "connections",
    "requests/s",
    "requests/CPU-s",
    "p50 ms",
    "p99 ms",
    "RSS MB",
    "errors",
];

#[derive(Debug, Serialize)]
pub struct Report {
    startup: Option<Startup>,
    /// Before any load, in bytes.
    idle_resident: Option<u64>,
    cells: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    operation: Operation,
    connections: usize,
    median: Sample,
    rounds: Vec<Sample>,
}

impl Report {
    pub fn new(startup: Option<Startup>, idle_resident: Option<u64>, cells: Vec<Cell>) -> Self {
        let row = |cell: Cell| Row {
            operation: cell.operation(),
            connections: cell.connections(),
            median: cell.medians(),
            rounds: cell.rounds().to_vec(),
        };
        Self {
            startup,
            idle_resident,
            cells: cells.into_iter().map(row).collect(),
        }
    }

    pub fn errors(&self) -> u64 {
        self.cells.iter().map(|row| row.median.errors).sum()
    }

    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }

    pub fn table(&self) -> String {
        let mut text = aligned(&self.lines());
        if let Some(startup) = &self.startup {
            text.push_str(&format!(
                "\nstart to first answer: {:.1} ms on a new database, {:.1} ms on an existing one\n",
                startup.first_milliseconds, startup.again_milliseconds
            ));
        }
        if let Some(idle) = self.idle_resident {
            text.push_str(&format!("RSS before load: {} MB\n", megabytes(idle as f64)));
        }
        for row in &self.cells {
            if let Some(error) = &row.median.first_error {
                text.push_str(&format!(
                    "\nERRORS in {} at {} connections, the first: {error}\n",
                    row.operation.name(),
                    row.connections
                ));
            }
        }
        text
    }

    fn lines(&self) -> Vec<[String; 8]> {
        let mut lines = vec![COLUMNS.map(str::to_owned)];
        for row in &self.cells {
            let figures = &row.median;
            let whole = |figure: f64| format!("{figure:.0}");
            let milliseconds = |micros: f64| format!("{:.3}", micros / 1000.0);
            let shown = |figure: Option<f64>, show: fn(f64) -> String| {
                figure.map_or_else(|| "-".to_owned(), show)
            };
            lines.push([
                row.operation.name(),
                row.connections.to_string(),
                whole(figures.requests_per_second),
                shown(figures.requests_per_cpu_second, whole),
                shown(figures.p50, milliseconds),
                shown(figures.p99, milliseconds),
                shown(figures.resident, megabytes),
                figures.errors.to_string(),
            ]);
        }
        lines
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.1}", bytes / 1e6)
}

/// The first column to the left, figures to the right.
fn aligned(lines: &[[String; 8]]) -> String {
    let mut widths = [0; 8];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.len().max(*width);
        }
    }
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            if column == 0 {
                text.push_str(&format!("{cell:<width$}"));
            } else {
                text.push_str(&format!("  {cell:>width$}"));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_an_unmeasured_figure_is_a_dash() {
        let report = Report {
            startup: Some(Startup {
                first_milliseconds: 80.04,
                again_milliseconds: 12.5,
            }),
            idle_resident: Some(21_000_000),
            cells: vec![Row {
                operation: Operation::ClientCredentialsOpaque,
                connections: 64,
                median: Sample {
                    requests: 1,
                    errors: 3,
                    first_error: Some("status 503: full".to_owned()),
                    seconds: 3.0,
                    cpu_seconds: None,
                    requests_per_second: 81_234.4,
                    requests_per_cpu_second: None,
                    p50: Some(780.0),
                    p99: Some(1500.4),
                    resident: Some(44_000_000.0),
                },
                rounds: Vec::new(),
            }],
        };
        let table = report.table();
        let mut lines = table.lines();
        let header = lines.next().unwrap();
        let row = lines.next().unwrap();
        assert_eq!(header.len(), row.len());
        assert_eq!(
            row.split_ascii_whitespace().collect::<Vec<_>>(),
            [
                "client-credentials-opaque",
                "64",
                "81234",
                "-",
                "0.780",
                "1.500",
                "44.0",
                "3"
            ]
        );
        assert!(table.contains("80.0 ms on a new database, 12.5 ms on an existing one"));
        assert!(table.contains("RSS before load: 21.0 MB"));
        assert!(table.contains(
            "ERRORS in client-credentials-opaque at 64 connections, the first: status 503: full"
        ));
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["cells"][0]["operation"], "client-credentials-opaque");
        assert_eq!(json["cells"][0]["median"]["errors"], 3);
        assert_eq!(report.errors(), 3);
    }
}
