//! The contract file of a package against its tools: what the test that
//! `contract!` generates does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use tool_contract_spec::document::{Emitted, Position, drift, read, write};
use tool_contract_spec::rulebook::{Finding, Level};

use crate::registry::linked;

/// Says what the test is to do: nothing, `overwrite` or `report`.
const MODE: &str = "TOOL_CONTRACT";
/// Where `report` writes the document of the code.
const REPORT: &str = "TOOL_CONTRACT_REPORT";

/// Fails if the contract file and the code of `package` disagree; with
/// `TOOL_CONTRACT=overwrite` writes the file instead.
///
/// # Panics
/// With everything that differs; that is how a test fails.
pub fn contract_is_current(manifest_dir: &str, file: &str, package: &str) {
    let path = Path::new(manifest_dir).join(file);
    if let Err(why) = run(&path, &emitted(package)) {
        panic!("{why}");
    }
}

fn run(path: &Path, tools: &[Emitted]) -> Result<(), String> {
    match env::var(MODE).as_deref() {
        Ok("overwrite") => overwrite(path, &write(tools)),
        Ok("report") => {
            let report = env::var_os(REPORT).map(PathBuf::from);
            let report = report.ok_or_else(|| format!("{MODE}=report needs {REPORT}=<file>"))?;
            overwrite(&report, &write(tools))
        }
        Ok(other) => {
            Err(format!("{MODE}={other} means nothing; write {MODE}=overwrite, or leave it out"))
        }
        Err(_) => judge(path, tools),
    }
}

/// What the linked tools of `package` emit, by name.
fn emitted(package: &str) -> Vec<Emitted> {
    let tools = linked().into_iter().filter(|tool| tool.package() == package);
    let mut emitted: Vec<_> = tools
        .map(|tool| Emitted {
            contract: tool.contract().clone(),
            arguments_schema: tool.arguments_schema(),
            output_schema: tool.output_schema(),
        })
        .collect();
    emitted.sort_by(|a, b| a.contract.name.cmp(&b.contract.name));
    emitted
}

/// Writes a file whole or not at all, and only if that changes it.
fn overwrite(path: &Path, text: &str) -> Result<(), String> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let written: io::Result<()> = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|why| {
        fs::remove_file(&beside).ok();
        format!("{} could not be written: {why}", path.display())
    })
}

fn judge(path: &Path, tools: &[Emitted]) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|why| {
        format!(
            "{} could not be read: {why}; `{MODE}=overwrite cargo test` writes it from the code",
            path.display()
        )
    })?;
    let document = read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    let denied = document.findings.iter().filter(|finding| finding.level == Level::Deny);
    let findings: Vec<_> = denied.cloned().chain(drift(tools, &document)).collect();
    if findings.is_empty() { Ok(()) } else { Err(told(path, &findings)) }
}

fn told(path: &Path, findings: &[Finding<Position>]) -> String {
    let mut text = format!("{} is not what the code says:\n", path.display());
    for Finding { code, at, message, help, .. } in findings {
        let _ = write!(text, "\n{}:{at}: [{code}] {message}\n  help: {help}\n", path.display());
    }
    text
}
