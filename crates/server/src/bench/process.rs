//! What the kernel says about the server's process: CPU time and memory (proc(5)).

use std::fs;
use std::time::Duration;

/// `USER_HZ`: the unit of times in `/proc`, the same on every Linux port in use.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time the process has used, in user and kernel mode.
///
/// The scheduler's exact count of every thread is preferred; where the kernel keeps none, ticks of 10 ms have to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuTime {
    threads: Vec<(u32, Duration)>,
    ticks: Duration,
}

impl CpuTime {
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self {
            threads: threads(pid),
            ticks: ticks(&stat)?,
        })
    }

    /// What was used since `earlier`. A thread that has ended in between is only in the ticks, hence the larger of both.
    pub fn since(&self, earlier: &Self) -> Duration {
        let exact: Duration = self
            .threads
            .iter()
            .map(|(thread, now)| {
                let before = earlier.threads.iter().find(|(known, _)| known == thread);
                now.saturating_sub(before.map_or(Duration::ZERO, |(_, time)| *time))
            })
            .sum();
        let ticks = self.ticks.saturating_sub(earlier.ticks);
        let tick = Duration::from_millis(1000 / TICKS_PER_SECOND);
        if exact.is_zero() || ticks > exact + tick * 2 {
            ticks
        } else {
            exact
        }
    }
}

/// Memory of the process that is in RAM.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    resident(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn threads(pid: u32) -> Vec<(u32, Duration)> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let thread = entry.file_name().to_str()?.parse().ok()?;
            let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
            Some((thread, on_cpu(&text)?))
        })
        .collect()
}

/// The first figure of `schedstat`: nanoseconds on a CPU.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    let nanoseconds = schedstat.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Fields 14 and 15 of `stat`. The second field is the program's name in parentheses and may hold anything.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let kernel: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + kernel) * (1000 / TICKS_PER_SECOND),
    ))
}

fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_after_a_name_that_holds_a_parenthesis() {
        let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 99";
        assert_eq!(ticks(stat), Some(Duration::from_secs(3)));
        assert_eq!(ticks("42 (a"), None);
    }

    #[test]
    fn time_on_a_cpu_is_the_first_figure_of_schedstat() {
        assert_eq!(on_cpu("51208 7 1\n"), Some(Duration::from_nanos(51208)));
        assert_eq!(on_cpu("\n"), None);
    }

    #[test]
    fn resident_memory_is_in_kibibytes() {
        assert_eq!(
            resident("VmPeak:\t  900 kB\nVmRSS:\t  25 kB\n"),
            Some(25 * 1024)
        );
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn a_thread_that_began_in_between_counts_and_one_that_ended_falls_back_to_ticks() {
        let ms = Duration::from_millis;
        let before = CpuTime {
            threads: vec![(1, ms(100)), (2, ms(500))],
            ticks: ms(600),
        };
        let begun = CpuTime {
            threads: vec![(1, ms(150)), (2, ms(510)), (3, ms(7))],
            ticks: ms(660),
        };
        assert_eq!(begun.since(&before), ms(67));
        let ended = CpuTime {
            threads: vec![(1, ms(150))],
            ticks: ms(1600),
        };
        assert_eq!(ended.since(&before), ms(1000));
    }

    #[test]
    fn this_very_process_has_memory_and_uses_time() {
        let pid = std::process::id();
        assert!(resident_bytes(pid).unwrap() > 100_000);
        let before = CpuTime::of(pid).unwrap();
        let mut spun = 0_u64;
        while CpuTime::of(pid).unwrap().since(&before) < Duration::from_millis(20) {
            spun = std::hint::black_box(spun + 1);
        }
        assert!(spun > 0);
    }
}
