//! Latencies counted in buckets of about one percent, so that a long run needs no more memory than a short one; medians of rounds.

/// Buckets a power of two is cut into.
const STEPS: usize = 64;
const STEP_BITS: u32 = 6;

/// Counts of latencies in nanoseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self {
            counts: vec![0; STEPS * (65 - STEP_BITS as usize)],
            total: 0,
        }
    }

    pub fn add(&mut self, nanoseconds: u64) {
        if let Some(count) = self.counts.get_mut(bucket(nanoseconds)) {
            *count += 1;
            self.total += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    /// The latency that `share` (0 to 1) of the requests did not exceed, to the end of its bucket. None when nothing was counted.
    pub fn percentile(&self, share: f64) -> Option<u64> {
        let rank = ((share * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(end_of(index));
            }
        }
        None
    }
}

/// Below 64 every value has its bucket; above, each power of two has 64.
fn bucket(nanoseconds: u64) -> usize {
    let power = nanoseconds.max(1).ilog2();
    if power < STEP_BITS {
        return nanoseconds as usize;
    }
    let shift = power - STEP_BITS;
    let step = (nanoseconds >> shift) as usize - STEPS;
    STEPS * (shift as usize + 1) + step
}

fn end_of(index: usize) -> u64 {
    if index < STEPS {
        return index as u64;
    }
    let shift = index / STEPS - 1;
    let first = ((STEPS + index % STEPS) as u64) << shift;
    first + ((1 << shift) - 1)
}

/// The middle of the values, or the mean of the two middle ones. None of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_two_percent_above_the_exact_one() {
        let mut histogram = Histogram::new();
        for micros in 1..=1000_u64 {
            histogram.add(micros * 1000);
        }
        for (share, exact) in [(0.5, 500_000.0), (0.99, 990_000.0), (1.0, 1_000_000.0)] {
            let found = histogram.percentile(share).unwrap() as f64;
            assert!(found >= exact && found <= exact * 1.02, "{share}: {found}");
        }
    }

    #[test]
    fn every_value_lies_within_its_bucket_and_buckets_do_not_overlap() {
        let mut last = None;
        for power in 0..64 {
            for value in [1_u64 << power, (1 << power) + (1 << power) / 3] {
                let index = bucket(value);
                assert!(end_of(index) >= value);
                assert!(index == 0 || end_of(index - 1) < value, "{value}");
                assert!(last.is_none_or(|last| last <= index));
                last = Some(index);
            }
        }
        let mut histogram = Histogram::new();
        histogram.add(u64::MAX);
        assert_eq!(histogram.percentile(1.0), Some(u64::MAX));
    }

    #[test]
    fn nothing_counted_has_no_percentile_and_merging_adds() {
        let mut all = Histogram::new();
        assert_eq!(all.percentile(0.5), None);
        let mut one = Histogram::new();
        one.add(7);
        all.merge(&one);
        all.merge(&one);
        assert_eq!(all.total, 2);
        assert_eq!(all.percentile(0.5), Some(7));
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
