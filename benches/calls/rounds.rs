//! Cases that are measured in turn, round after round.
//!
//! On a machine that does other things too, two figures can be compared only
//! if they were taken side by side. So each round runs every case once, each
//! round begins with another one, and what is said of two cases is the median
//! of what each round says of them.

use std::time::{Duration, Instant};

/// How a batch of calls is timed; what is made ready before is not.
type Batch<'a> = Box<dyn FnMut() -> Duration + 'a>;

/// Cases, each with the calls of one batch.
#[derive(Default)]
pub(crate) struct Rounds<'a> {
    cases: Vec<(&'static str, u32, Batch<'a>)>,
}

impl<'a> Rounds<'a> {
    /// Adds a case: `batch` makes `calls` calls and says how long they took.
    pub(crate) fn case(
        mut self,
        name: &'static str,
        calls: u32,
        batch: impl FnMut() -> Duration + 'a,
    ) -> Self {
        self.cases.push((name, calls, Box::new(batch)));
        self
    }

    /// Runs every case once in each round, after one round that does not count.
    pub(crate) fn run(mut self, rounds: usize) -> Figures {
        let count = self.cases.len();
        let mut figures: Vec<_> =
            self.cases.iter().map(|(name, ..)| (*name, Vec::with_capacity(rounds))).collect();
        for round in 0..=rounds {
            for turn in 0..count {
                let at = (round + turn) % count;
                let (_, calls, batch) = &mut self.cases[at];
                let nanos = batch().as_secs_f64() * 1e9 / f64::from(*calls);
                if round > 0 {
                    figures[at].1.push(nanos);
                }
            }
        }
        Figures(figures)
    }
}

/// The time that `work` takes.
pub(crate) fn timed<R>(work: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    drop(std::hint::black_box(result));
    took
}

/// Nanoseconds a call, of each case in each round.
pub(crate) struct Figures(Vec<(&'static str, Vec<f64>)>);

impl Figures {
    /// Nanoseconds a call at the median.
    pub(crate) fn median(&self, case: &str) -> f64 {
        median(self.of(case).to_vec())
    }

    /// How many times as long as `base` a call of `case` takes.
    pub(crate) fn ratio(&self, case: &str, base: &str) -> f64 {
        self.compared(case, base, |case, base| case / base)
    }

    /// Nanoseconds that a call of `case` takes above one of `base`.
    pub(crate) fn above(&self, case: &str, base: &str) -> f64 {
        self.compared(case, base, |case, base| case - base)
    }

    /// Prints a table: each case, its time, and what it is to `base`.
    pub(crate) fn print(&self, title: &str, base: &str) {
        println!("\n| {title} | median | to the {base} |\n|---|---:|---:|");
        for (case, _) in &self.0 {
            println!("| {case} | {} | {:.2} |", span(self.median(case)), self.ratio(case, base));
        }
    }

    fn compared(&self, case: &str, base: &str, compare: impl Fn(f64, f64) -> f64) -> f64 {
        median(
            self.of(case)
                .iter()
                .zip(self.of(base))
                .map(|(case, base)| compare(*case, *base))
                .collect(),
        )
    }

    fn of(&self, case: &str) -> &[f64] {
        let found = self.0.iter().find(|(name, _)| *name == case);
        found.map_or_else(|| panic!("there is no case `{case}`"), |(_, figures)| &**figures)
    }
}

/// One line of the summary: what was aimed at, and what came of it.
pub(crate) fn aim(what: &str, reached: f64, aim: f64, unit: &str) {
    let word = if reached <= aim { "reached" } else { "MISSED" };
    println!("- {what}: {reached:.2}{unit}, aim {aim}{unit}: {word}");
}

fn span(nanos: f64) -> String {
    if nanos < 1e3 { format!("{nanos:.0} ns") } else { format!("{:.2} µs", nanos / 1e3) }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
