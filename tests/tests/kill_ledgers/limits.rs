//! Limits hold to the last unit: four processes draw from them at once, all of
//! them and the server are killed in the middle, and four others go on.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tool_contract::ledger::{Fence, Ledger, Query};
use tool_contract_tests::shared::{World, open};

use super::place::Place;

/// What `limit_worker` declares, of each of its tools; of the last by a budget.
const LIMIT: usize = 60;

const TOOLS: [&str; 3] = ["counted", "rated", "spent"];

struct Site {
    place: Place,
    folder: TempDir,
    /// The next key that nobody was called under.
    next: u64,
}

impl Site {
    /// Four processes, each with so many keys of its own.
    fn four(&mut self, calls: u64) -> Vec<Child> {
        let starts = (0..4).map(|number| self.next + number * calls).collect::<Vec<_>>();
        self.next += 4 * calls;
        starts.into_iter().map(|first| self.start(first, calls)).collect()
    }

    fn start(&self, first: u64, calls: u64) -> Child {
        Command::new(env!("CARGO_BIN_EXE_limit_worker"))
            .arg(self.place.address())
            .arg(self.folder.path())
            .args([first.to_string(), calls.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Who was let through: each leaves a record, and nobody else does.
    async fn claimed(&self, ledger: &dyn Ledger, tool: &str) -> usize {
        let query = Query { tool: Some(tool.to_owned()), ..Query::default() };
        let listed = ledger.list(query).await.unwrap();
        assert!(listed.iter().all(|(_, record)| record.fence > Fence::NONE));
        listed.len()
    }

    fn acts(&self, tool: &str) -> usize {
        World::new(self.folder.path()).acts(tool).unwrap().len()
    }
}

/// Hears all of them out.
fn said(processes: Vec<Child>) -> Vec<String> {
    let outputs = processes.into_iter().map(|mut process| {
        // It would end with its input.
        let input = process.stdin.take();
        let output = process.wait_with_output().unwrap();
        drop(input);
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    outputs.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn count(said: &[String], word: &str, tool: &str) -> usize {
    said.iter().filter(|line| line.starts_with(&format!("{word} {tool} "))).count()
}

/// Kills (SIGKILL) all of them once the first has said a few words.
fn kill_in_the_middle(mut processes: Vec<Child>) {
    let lines = processes[0].stdout.take().unwrap();
    assert_eq!(BufReader::new(lines).lines().take(6).count(), 6);
    for process in &mut processes {
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

async fn check(place: Place) {
    let mut site = Site { place, folder: TempDir::new().unwrap(), next: 0 };
    // Those who have room all run.
    let begun = said(site.four(4));
    for tool in TOOLS {
        assert_eq!(count(&begun, "ran", tool), 16, "{tool}: {begun:?}");
    }
    let four = site.four(100);
    kill_in_the_middle(four);
    site.place.kill_server();
    // What is left goes to those who come now, and then there is no more.
    let after = said(site.four(40));
    site.place.kill_server();
    let late = said(site.four(4));
    let ledger = open(&site.place.address()).await.unwrap();
    for tool in TOOLS {
        assert_eq!(site.claimed(&*ledger, tool).await, LIMIT, "{tool}");
        assert!(site.acts(tool) <= LIMIT, "{tool}");
        let ran = count(&after, "ran", tool);
        assert_eq!(ran + count(&after, "limited", tool), 160, "{tool}: {after:?}");
        assert_eq!(count(&late, "limited", tool), 16, "{tool}: {late:?}");
    }
    // A replay costs nothing: who ran is answered, whoever asks.
    let again = said(vec![site.start(0, 16)]);
    for tool in TOOLS {
        assert_eq!(count(&again, "replayed", tool), 16, "{tool}: {again:?}");
        assert_eq!(site.claimed(&*ledger, tool).await, LIMIT, "{tool}");
    }
}

/// So many at a time: of what was written down as it began and ended, no more
/// than three overlap, though eight callers in each of four processes try.
fn check_at_a_time(place: Place) {
    let (most, said) = most_at_a_time(place);
    assert!(most <= 3, "{most} ran at a time");
    // It was tried.
    assert!(count(&said, "limited", "few") > 0, "{said:?}");
    assert_eq!(count(&said, "limited", "few") + count(&said, "ran", "few"), 200);
}

fn most_at_a_time(place: Place) -> (u32, Vec<String>) {
    let mut site = Site { place, folder: TempDir::new().unwrap(), next: 0 };
    let said = said(site.four(50));
    let (mut running, mut most) = (0, 0);
    for (begins, _) in World::new(site.folder.path()).acts("few").unwrap() {
        running = if begins == 1 { running + 1 } else { running - 1 };
        most = most.max(running);
    }
    assert_eq!(running, 0, "{said:?}");
    (most, said)
}

#[test]
fn on_sqlite_so_many_run_at_a_time_across_four_processes() {
    check_at_a_time(Place::sqlite());
}

#[test]
fn on_redis_so_many_run_at_a_time_across_four_processes() {
    let Some(place) = Place::redis() else { return };
    check_at_a_time(place);
}

#[test]
fn on_postgres_so_many_run_at_a_time_across_four_processes() {
    let Some(place) = Place::postgres() else { return };
    check_at_a_time(place);
}

#[tokio::test]
async fn on_sqlite_a_limit_holds_across_four_processes() {
    check(Place::sqlite()).await;
}

#[tokio::test]
async fn on_redis_a_limit_holds_across_four_processes() {
    let Some(place) = Place::redis() else { return };
    check(place).await;
}

#[tokio::test]
async fn on_postgres_a_limit_holds_across_four_processes() {
    let Some(place) = Place::postgres() else { return };
    check(place).await;
}

/// Where processes share no ledger the same run finds too many: the counter
/// counts.
#[test]
fn the_counter_finds_too_many_where_no_ledger_is_shared() {
    let mut site = Site { place: Place::Memory, folder: TempDir::new().unwrap(), next: 0 };
    let said = said(site.four(40));
    for tool in ["counted", "spent"] {
        assert_eq!(count(&said, "ran", tool), 160, "{tool}");
    }
    assert!(most_at_a_time(Place::Memory).0 > 3);
}
