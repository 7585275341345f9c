//! `cargo tool-contract`: emit, check and explain the contracts of tools.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

mod args;
mod check;
mod code;
mod decide;
mod emit;
mod explain;
mod file;
mod project;
mod report;

use args::{Args, Command};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing that fails: advice and warnings included.
    Fine,
    /// A rule that denies is broken; with `--strict`, any rule.
    Broken,
    /// The input is no contract, and that is said already.
    Unreadable,
}

/// Why a command could not do its work: what to print, and then exit with 2.
type Stop = String;

fn main() -> ExitCode {
    let ended = match Args::parse_from(without_cargo(std::env::args_os())).command {
        Command::Check(args) => check::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Decide(args) => decide::run(&args),
    };
    match ended {
        Ok(End::Fine) => ExitCode::SUCCESS,
        Ok(End::Broken) => ExitCode::from(1),
        Ok(End::Unreadable) => ExitCode::from(2),
        Err(stop) => {
            eprintln!("{}", stop.trim_end());
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
