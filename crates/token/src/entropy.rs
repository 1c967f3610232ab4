//! Luck as a value. The only file that may ask the operating system for randomness.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroize;

const BLOCK: usize = 512;

/// A stream of random bytes. Draws come from a block that is wiped as it is used, so small draws are cheap.
pub struct Entropy {
    source: Source,
    block: [u8; BLOCK],
    used: usize,
}

enum Source {
    System,
    Seeded { seed: u64, counter: u64 },
}

impl Entropy {
    /// Randomness of the operating system. Nothing is drawn before the first use.
    pub fn from_os() -> Self {
        Self::over(Source::System)
    }

    /// A repeatable stream for tests: equal seeds give equal bytes. Never for anything that must not be guessed.
    pub fn seeded(seed: u64) -> Self {
        Self::over(Source::Seeded { seed, counter: 0 })
    }

    fn over(source: Source) -> Self {
        Self {
            source,
            block: [0; BLOCK],
            used: BLOCK,
        }
    }

    pub fn fill(&mut self, out: &mut [u8]) {
        let mut rest = out;
        while !rest.is_empty() {
            if self.used >= BLOCK {
                self.source.fill(&mut self.block);
                self.used = 0;
            }
            let fresh = self.block.get_mut(self.used..).unwrap_or_default();
            let count = rest.len().min(fresh.len());
            let (now, later) = rest.split_at_mut(count);
            for (to, from) in now.iter_mut().zip(fresh) {
                *to = std::mem::take(from);
            }
            self.used += count;
            rest = later;
        }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

impl Source {
    fn fill(&mut self, block: &mut [u8; BLOCK]) {
        match self {
            Self::System => from_system(block),
            Self::Seeded { seed, counter } => {
                for chunk in block.chunks_mut(32) {
                    let mut digest = Context::new(&SHA256);
                    digest.update(&seed.to_be_bytes());
                    digest.update(&counter.to_be_bytes());
                    chunk.copy_from_slice(digest.finish().as_ref());
                    *counter = counter.wrapping_add(1);
                }
            }
        }
    }
}

/// Stops the request when the system has no randomness: there is no safe value to go on with (SEC-418).
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that owns the random source"
)]
fn from_system(block: &mut [u8; BLOCK]) {
    if aws_lc_rs::rand::fill(block).is_err() {
        panic!("the operating system gave no random bytes");
    }
}

impl Drop for Entropy {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}
