//! `tool-contract`

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_tool_contract::run("tool-contract")
}
