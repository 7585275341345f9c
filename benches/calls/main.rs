//! What a guarded call costs, beside what any guard has to do.
//!
//! ```sh
//! cargo bench -p tool-contract-benches --bench calls            # all of it
//! cargo bench -p tool-contract-benches --bench calls -- memory  # or one part
//! cargo bench -p tool-contract-benches --bench calls -- full    # a full ledger
//! ```
//!
//! Callers run on a tokio `current_thread` runtime, one `block_on` for each
//! batch. What a call is given, its key and its arguments, is made before.

#![allow(clippy::expect_used, reason = "what cannot be prepared ends the benchmark")]

mod floor;
mod full;
mod hash;
mod limits;
mod memory;
mod postgres;
mod redis;
mod rounds;
mod saga;
mod sqlite;
mod tools;
mod two;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // cargo adds `--bench`.
    let wanted: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let [word, file] = &*wanted
        && word == two::WRITER
    {
        return two::writer(file.as_ref());
    }
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|word| word == part);
    if is_wanted("memory") {
        memory::run()?;
    }
    if is_wanted("sqlite") {
        sqlite::run()?;
        two::run()?;
    }
    // It fills a file first, so it is made only when asked for.
    if wanted.iter().any(|word| word == "full") {
        full::run()?;
    }
    if is_wanted("postgres") {
        postgres::run()?;
    }
    if is_wanted("redis") {
        redis::run()?;
    }
    if is_wanted("saga") {
        saga::run()?;
    }
    if is_wanted("limits") {
        limits::run()?;
    }
    if is_wanted("hash") {
        hash::run();
    }
    Ok(())
}
