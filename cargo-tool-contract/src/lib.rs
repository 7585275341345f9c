//! The command line of `tool-contract`: the contracts of tools, and the ledgers
//! that their operations are on.
//!
//! Two programs run it: `cargo tool-contract`, and `tool-contract` for machines
//! without cargo.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::{CommandFactory as _, FromArgMatches as _};

mod approvals;
mod args;
mod check;
mod code;
mod decide;
mod emit;
mod explain;
mod file;
mod ledger;
mod operator;
mod project;
mod report;
mod sagas;

use args::{Args, Command};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing that fails: advice and warnings included.
    Fine,
    /// There is a finding: a rule that denies is broken, with `--strict` any
    /// rule; a history is broken; a person's word was refused.
    Broken,
    /// The input cannot be read, and that is said already.
    Unreadable,
}

/// Why a command could not do its work: what to print, and then exit with 2.
type Stop = String;

/// How this program is called.
static CALLED: OnceLock<&str> = OnceLock::new();

/// What to write before a command of this program.
fn called() -> &'static str {
    CALLED.get().copied().unwrap_or("tool-contract")
}

/// Runs what the arguments of this process say, as the program that is `called`
/// so.
#[must_use]
pub fn run(called: &'static str) -> ExitCode {
    let called = CALLED.get_or_init(|| called);
    let parser = Args::command().bin_name(*called);
    let parsed = parser.try_get_matches_from(without_cargo(std::env::args_os()));
    let args = match parsed.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    let ended = match args.command {
        Command::Check(args) => check::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Ledger(args) => Ok(ledger::run(&args)),
        Command::Escalations(args) => Ok(ledger::escalations(&args)),
        Command::Approvals(args) => Ok(approvals::run(&args)),
        Command::Sagas(args) => Ok(sagas::run(&args)),
    };
    match ended {
        Ok(End::Fine) => ExitCode::SUCCESS,
        Ok(End::Broken) => ExitCode::from(1),
        Ok(End::Unreadable) => ExitCode::from(2),
        Err(stop) => {
            report::complain(&stop);
            ExitCode::from(2)
        }
    }
}

/// Cargo passes the subcommand's own name on; a direct call need not have it.
fn without_cargo(mut args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let program = args.next();
    let first = args.next().filter(|first| first != "tool-contract");
    program.into_iter().chain(first).chain(args).collect()
}
