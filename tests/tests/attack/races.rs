//! Many threads and processes at once.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tool_contract::Runtime;
use tool_contract::ledger::{Ledger, MemoryLedger};

use crate::stage::{Folder, block_on, charge, effects, in_file};

/// Calls a few keys from many tasks on several runtimes and threads.
fn race(runtimes: Vec<Runtime>, name: &str) {
    const KEYS: usize = 8;
    let threads: Vec<_> = runtimes
        .into_iter()
        .enumerate()
        .map(|(thread, runtime)| {
            let name = name.to_owned();
            std::thread::spawn(move || {
                block_on(async {
                    let calls: Vec<_> = (0..KEYS * 40)
                        .map(|call| {
                            let order = format!("{name}/{}", (call + thread) % KEYS);
                            tokio::spawn(charge(order.clone()).key(order).call(&runtime))
                        })
                        .collect();
                    let mut ran = 0;
                    for call in calls {
                        let done = call.await.unwrap().unwrap();
                        assert_eq!(*done, 1);
                        ran += u32::from(!done.replayed());
                    }
                    ran
                })
            })
        })
        .collect();
    let ran: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(ran as usize, KEYS);
    for key in 0..KEYS {
        assert_eq!(effects(&format!("{name}/{key}")), 1);
    }
}

#[test]
fn of_many_threads_on_one_ledger_one_runs_each_key() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::new());
    let memory =
        (0..4).map(|_| Runtime::builder().shared_ledger(Arc::clone(&ledger)).build().unwrap());
    race(memory.collect(), "race/memory");
    let folder = Folder::new();
    let files = (0..4).map(|_| block_on(in_file(&folder.ledger())));
    race(files.collect(), "race/file");
}

const WORKER: &str = "TOOL_CONTRACT_ATTACK_WORKER";

/// Makes calls until all are done; what it does counts only if the environment
/// names a folder.
#[test]
fn worker() {
    let Some(folder) = std::env::var_os(WORKER) else { return };
    let folder = PathBuf::from(folder);
    block_on(async {
        let runtime = in_file(&folder.join("ledger.db")).await;
        for key in 0..40 {
            let order = format!("process/{key}");
            let done = charge(order.clone()).key(&order).call(&runtime).await.unwrap();
            if !done.replayed() {
                let mut file = std::fs::OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(folder.join("ran"))
                    .unwrap();
                writeln!(file, "{order}").unwrap();
            }
        }
    });
}

fn start_worker(folder: &Folder) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "races::worker"])
        .env(WORKER, &folder.0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn of_many_processes_on_one_file_one_runs_each_key() {
    let folder = Folder::new();
    let mut workers: Vec<_> = (0..4).map(|_| start_worker(&folder)).collect();
    for worker in &mut workers {
        assert!(worker.wait().unwrap().success());
    }
    let ran = std::fs::read_to_string(folder.0.join("ran")).unwrap();
    let mut lines: Vec<_> = ran.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((ran.lines().count(), lines.len()), (40, 40));
}
