//! What a command has to say, for people and for programs.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use jeton_token::timestamp::Timestamp;
use serde_json::{Value as Json, json};

/// The outcome of a command that could be carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For people; several lines without the last line end.
    pub text: String,
    /// The same for programs.
    pub json: Json,
    /// Whether everything is as it should be; decides between exit codes 0 and 1.
    pub good: bool,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Exit code 1: the command was understood, and refused or not possible.
    Refused(String),
    /// Exit code 2: the options or the configuration make no sense.
    Usage(String),
}

impl Answer {
    /// The outcome of a command that did what was asked.
    pub fn done(text: impl Into<String>, json: Json) -> Self {
        Self {
            text: text.into(),
            json,
            good: true,
        }
    }

    /// One row for each object of a list, with the members called `columns`, aligned.
    pub fn rows(columns: &[&str], rows: Vec<Json>) -> Self {
        let mut cells: Vec<Vec<String>> = vec![
            columns
                .iter()
                .map(|name| name.to_uppercase().replace('_', " "))
                .collect(),
        ];
        cells.extend(
            rows.iter()
                .map(|row| columns.iter().map(|name| cell(&row[*name])).collect()),
        );
        let width = |at: usize| {
            let column = cells.iter().filter_map(|row| row.get(at));
            column.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns.len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let padded = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let text = cells.iter().map(line).collect::<Vec<_>>().join("\n");
        Self::done(text, Json::Array(rows))
    }

    /// One line for each member of an object.
    pub fn members(object: Json) -> Self {
        let lines = object.as_object().into_iter().flatten();
        let lines: Vec<String> = lines
            .map(|(name, value)| format!("{name:<28} {}", cell(value)))
            .collect();
        Self::done(lines.join("\n"), object)
    }

    pub(super) fn print(&self, as_json: bool) -> ExitCode {
        let pretty = || serde_json::to_string_pretty(&self.json).unwrap_or_default();
        let text = if as_json { pretty() } else { self.text.clone() };
        // Whoever reads may have gone away, as `head` does; that is no failure of the command.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        if self.good {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        }
    }
}

fn cell(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(members) => members.iter().map(cell).collect::<Vec<_>>().join(" "),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => value.to_string(),
    }
}

impl Failure {
    /// A refusal, exit code 1.
    pub fn refused(why: impl Display) -> Self {
        Self::Refused(why.to_string())
    }

    /// Wrong usage or configuration, exit code 2.
    pub fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    /// Prints to standard error; for programs as one object with a message for each line.
    pub(super) fn print(&self, as_json: bool) -> ExitCode {
        let (kind, why, code) = match self {
            Self::Refused(why) => ("refused", why, 1),
            Self::Usage(why) => ("usage", why, 2),
        };
        let mut error = std::io::stderr();
        if as_json {
            let messages: Vec<&str> = why.lines().collect();
            let object = json!({"error": kind, "messages": messages, "exit_code": code});
            let _ = writeln!(error, "{object:#}");
        } else {
            for line in why.lines() {
                let _ = writeln!(error, "jeton: {line}");
            }
        }
        ExitCode::from(code)
    }
}

/// A point in time as people write it: `2026-11-20T13:32:17Z`. (RFC 3339)
pub(super) fn written(time: Timestamp) -> Json {
    json!(format!("{}Z", clock(time)))
}

/// As [`written`], with the milliseconds: for instants that are compared.
pub(super) fn instant(time: Timestamp) -> Json {
    let millis = time.millis().rem_euclid(1000);
    json!(format!("{}.{millis:03}Z", clock(time)))
}

fn clock(time: Timestamp) -> String {
    let seconds = u64::try_from(time.seconds()).unwrap_or(0);
    let (year, month, date) = civil(seconds / 86_400);
    let clock = seconds % 86_400;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}")
}

/// A day (its beginning) or a point in time, as [`written`] writes it.
pub(super) fn read_time(text: &str) -> Option<jeton_token::timestamp::Timestamp> {
    let (day, clock) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let numbers = |text: &str, between: char| -> Option<Vec<i64>> {
        text.split(between).map(|part| part.parse().ok()).collect()
    };
    let day = numbers(day, '-').filter(|parts| parts.len() == 3)?;
    let clock = numbers(clock.strip_suffix('Z')?, ':').filter(|parts| parts.len() == 3)?;
    let fits = (1..=12).contains(&day[1]) && (1970..=9999).contains(&day[0]);
    let of_clock = (0..24).contains(&clock[0]) && clock[1..].iter().all(|it| (0..60).contains(it));
    if !fits || !of_clock {
        return None;
    }
    // March is the first month, so that the day that comes and goes is the last one of its year.
    let (month, year) = ((day[1] + 9) % 12, day[0] - i64::from(day[1] < 3));
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day[2] - 1;
    let seconds = (days - 719_468) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2];
    let time = jeton_token::timestamp::Timestamp::from_seconds(seconds);
    let written_again = written(time);
    let same = written_again
        .as_str()
        .is_some_and(|again| text.get(..10).is_some_and(|day| again.starts_with(day)));
    same.then_some(time)
}

/// Year, month and day of a day counted from 1970-01-01, by the proleptic Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, date)
}
