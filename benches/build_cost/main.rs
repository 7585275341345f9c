//! What a tool costs at build time.
//!
//! ```sh
//! cargo bench -p tool-contract-benches --bench build_cost          # all of it
//! cargo bench -p tool-contract-benches --bench build_cost -- tools # without the cold check
//! ```
//!
//! It writes crates that depend on this workspace by path, and times
//! `cargo check` of them, with the versions of this workspace's `Cargo.lock` and
//! without incremental compilation: once from an empty target directory, and
//! then, dependencies warm, with one tool and with a hundred in turn.

mod package;

use std::error::Error;
use std::time::Duration;

use package::{Folder, Package};

const ROUNDS: usize = 7;
const MANY: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds `--bench`.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    let folder = Folder::new()?;
    if is_wanted("cold") {
        let cold = folder.package("cold", 1, "cold-target")?.check()?;
        println!("- cold check of a crate with one tool: {:.1} s, aim 30 s", cold.as_secs_f64());
    }
    if is_wanted("tools") {
        let one = folder.package("one", 1, "target")?;
        let many = folder.package("many", MANY, "target")?;
        let (one, many) = compare(&one, &many)?;
        let each = (many - one) * 1e3 / f64::from(MANY - 1);
        println!("- check with one tool, dependencies warm: {one:.2} s");
        println!("- check with {MANY} tools, dependencies warm: {many:.2} s");
        println!("- each tool: {each:.1} ms, aim 25 ms");
    }
    Ok(())
}

/// The median seconds of a check of each, taken in turn.
fn compare(one: &Package, many: &Package) -> Result<(f64, f64), Box<dyn Error>> {
    one.check()?;
    many.check()?;
    let (mut of_one, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_one.push(one.check_again()?);
        of_many.push(many.check_again()?);
    }
    Ok((median(of_one), median(of_many)))
}

fn median(mut spans: Vec<Duration>) -> f64 {
    spans.sort();
    spans[spans.len() / 2].as_secs_f64()
}
