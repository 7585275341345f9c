//! `check`: a contract file by itself, or against the code.

use std::path::Path;

use tool_contract_spec::document::{self, Document, Emitted, Entry, Position};
use tool_contract_spec::rulebook::Finding;

use crate::args::Check;
use crate::project::Package;
use crate::report::Report;
use crate::{End, Stop, called, code, file};

pub(crate) fn run(args: &Check) -> Result<End, Stop> {
    let Some(path) = &args.file else { return against_code(args) };
    let text = file::text(path)?;
    let Some(document) = read(&text, path, args)? else { return Ok(End::Unreadable) };
    let report =
        Report { path, text: &text, tools: document.entries.len(), findings: &document.findings };
    report.print(args.json, args.strict)
}

/// The contract in a text; `None` if it was said as JSON that there is none.
fn read(text: &str, path: &Path, args: &Check) -> Result<Option<Document>, Stop> {
    if !args.json {
        return file::parse(text, path).map(Some);
    }
    match document::read(text) {
        Ok(document) => Ok(Some(document)),
        Err(unreadable) => {
            crate::report::print_unreadable(&unreadable, path)?;
            Ok(None)
        }
    }
}

fn against_code(args: &Check) -> Result<End, Stop> {
    let package = Package::find(&args.project)?;
    let path = package.contract.as_path();
    if !path.exists() {
        return Err(format!(
            "error: there is no {}\n  = help: `{} emit` writes it",
            path.display(),
            called()
        ));
    }
    let text = file::text(path)?;
    let Some(mut document) = read(&text, path, args)? else { return Ok(End::Unreadable) };
    let reported = document::read(&code::reported(&package)?).map_err(|_| foreign(&package))?;
    let more = unseen(&reported, &document);
    let code: Option<Vec<Emitted>> = reported.entries.into_iter().map(tool).collect();
    let drift = document::drift(&code.ok_or_else(|| foreign(&package))?, &document);
    document.findings.extend(drift.into_iter().chain(more));
    document.findings.sort_by_key(|finding| finding.at);
    let report =
        Report { path, text: &text, tools: document.entries.len(), findings: &document.findings };
    report.print(args.json, args.strict)
}

/// The code's answer makes no sense to this version.
fn foreign(package: &Package) -> Stop {
    let name = &package.name;
    format!(
        "error: what `{name}` says of its tools is no contract; is its `tool-contract` of another version?"
    )
}

/// What only the code shows: a file may leave schemas and descriptions out.
fn unseen(code: &Document, file: &Document) -> Vec<Finding<Position>> {
    let seen = |finding: &&Finding<Position>| {
        file.findings
            .iter()
            .any(|other| (other.code, &other.message) == (finding.code, &finding.message))
    };
    let moved = |finding: &Finding<Position>| {
        let tool = code.entries.iter().rev().find(|entry| entry.draft.at <= finding.at)?;
        let at = file.entry(tool.name())?.draft.at;
        Some(Finding { at, ..finding.clone() })
    };
    code.findings.iter().filter(|finding| !seen(finding)).filter_map(moved).collect()
}

/// What the code emitted, from the entry that it was reported in.
fn tool(entry: Entry) -> Option<Emitted> {
    Some(Emitted {
        contract: entry.contract?,
        arguments_schema: entry.schemas.arguments?,
        output_schema: entry.schemas.output?,
    })
}
