//! What the code of a package says: its own contract test, run by cargo.
//!
//! `tool_contract::contract!()` leaves a test in the crate that knows every
//! tool that is linked, with the schemas that only a running program has. Its
//! environment tells it what to do with them.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use crate::Stop;
use crate::project::{Package, cargo, no_cargo};

/// The name of the test, as a filter.
const TEST: &str = "tool_contract_is_current";

/// What the test is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Write the contract file.
    Overwrite,
    /// Write what the file would be to another place.
    Report,
}

/// Has the code write the contract file of its package.
pub(crate) fn overwrite(package: &Package) -> Result<(), Stop> {
    run(package, Task::Overwrite)
}

/// The contract file as the code would write it.
pub(crate) fn reported(package: &Package) -> Result<String, Stop> {
    let path = report_path(package);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .map_err(|error| format!("error: cannot create {}: {error}", directory.display()))?;
    }
    // What an earlier run left must not pass for the answer of this one.
    let _ = fs::remove_file(&path);
    run(package, Task::Report)?;
    fs::read_to_string(&path).map_err(|_| without_contract(package))
}

fn report_path(package: &Package) -> PathBuf {
    package.target_directory.join("tool-contract").join(format!("{}.yaml", package.name))
}

fn run(package: &Package, task: Task) -> Result<(), Stop> {
    if package.targets.is_empty() {
        return Err(without_contract(package));
    }
    let mut command = cargo("test");
    command
        .arg("--quiet")
        .arg("--manifest-path")
        .arg(&package.manifest)
        .args(["-p", &package.name]);
    command.args(&package.targets).arg(TEST).stderr(Stdio::inherit());
    match task {
        Task::Overwrite => {
            command.env("TOOL_CONTRACT", "overwrite").env_remove("TOOL_CONTRACT_REPORT")
        }
        Task::Report => {
            command.env("TOOL_CONTRACT", "report").env("TOOL_CONTRACT_REPORT", report_path(package))
        }
    };
    let output = command.output().map_err(|error| no_cargo(&error))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!(
            "{said}\nerror: the contract of `{}` could not be taken from its code",
            package.name
        ));
    }
    if passed(&said) == 0 { Err(without_contract(package)) } else { Ok(()) }
}

/// How many tests passed, by the last lines of each test binary.
fn passed(said: &str) -> usize {
    let counts = said
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed"));
    counts.filter_map(|(count, _)| count.parse::<usize>().ok()).sum()
}

fn without_contract(package: &Package) -> Stop {
    format!(
        "error: nothing in `{}` says that its contract binds\n  = help: write `tool_contract::contract!();` once, \
         beside its tools, in `lib.rs` or `main.rs`",
        package.name
    )
}

#[cfg(test)]
mod tests {
    use super::passed;

    #[test]
    fn the_tests_of_every_binary_are_counted() {
        let said = "\nrunning 1 test\n.\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n\n\
                    running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n";
        assert_eq!(passed(said), 1);
        assert_eq!(passed("running 0 tests\n"), 0);
    }
}
