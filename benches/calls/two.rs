//! Two processes that write to one file: how long a call takes at worst.

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tool_contract::Runtime;
use tool_contract::ledger::SqliteLedger;

use crate::rounds::aim;
use crate::sqlite::{Folder, keys, write};
use crate::tools::ChargeCard;

/// What the other process is told to be.
pub(crate) const WRITER: &str = "writer";

const CALLS: u32 = 4_000;

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let file = folder.path().join("shared.db");
    let mut alone = calls(&file, "alone")?;
    let mut other = Command::new(std::env::current_exe()?)
        .args([WRITER.as_ref(), file.as_os_str()])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut beside = calls(&file, "beside")?;
    other.kill()?;
    other.wait()?;
    println!("\n| one fresh call on SQLite | median | p99 | longest |\n|---|---:|---:|---:|");
    for (name, spans) in [("alone", &mut alone), ("beside a process that writes", &mut beside)] {
        spans.sort();
        let [median, p99, longest] = [50, 99, 100].map(|percent| percentile(spans, percent));
        println!("| {name} | {median:.2} ms | {p99:.2} ms | {longest:.2} ms |");
    }
    println!();
    aim("p99 of a call beside a process that writes", percentile(&beside, 99), 50.0, " ms");
    Ok(())
}

/// Writes to the file until whoever started it ends.
pub(crate) fn writer(file: &Path) -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let runtime = open(&tokio, file)?;
    for batch in 0.. {
        tokio.block_on(write(&runtime, keys("other", batch, 100)));
    }
    Ok(())
}

fn calls(file: &Path, kind: &str) -> Result<Vec<Duration>, Box<dyn Error>> {
    let tokio = Builder::new_current_thread().enable_all().build()?;
    let runtime = open(&tokio, file)?;
    let spans = keys(kind, 0, CALLS).into_iter().map(|key| {
        let begun = Instant::now();
        tokio.block_on(write(&runtime, vec![key]));
        begun.elapsed()
    });
    Ok(spans.collect())
}

fn open(tokio: &tokio::runtime::Runtime, file: &Path) -> Result<Runtime, Box<dyn Error>> {
    let ledger = tokio.block_on(SqliteLedger::open(file))?;
    Ok(Runtime::builder().ledger(ledger).tool::<ChargeCard>().build()?)
}

/// In milliseconds, of spans in their order.
fn percentile(spans: &[Duration], percent: usize) -> f64 {
    let last = spans.len().saturating_sub(1);
    spans[(spans.len() * percent / 100).min(last)].as_secs_f64() * 1e3
}
