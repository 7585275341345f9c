//! `check`: a contract file by itself, or against the code.

use std::path::Path;

use tool_contract_spec::document::{self, Document, Emitted, Entry, Position};
use tool_contract_spec::rulebook::Finding;

use crate::args::Check;
use crate::project::Package;
use crate::report::Report;
use crate::{End, Stop, code, file};

pub(crate) fn run(args: &Check) -> Result<End, Stop> {
    let Some(path) = &args.file else { return against_code(args) };
    let text = file::text(path)?;
    let Some(document) = read(&text, path, args)? else { return Ok(End::Unreadable) };
    let report = Report { path, text: &text, tools: document.entries.len(), findings: &document.findings };
    Ok(report.print(args.json, args.strict))
}

/// The contract in a text; `None` if it was said as JSON that there is none.
fn read(text: &str, path: &Path, args: &Check) -> Result<Option<Document>, Stop> {
    if !args.json {
        return file::parse(text, path).map(Some);
    }
    match document::read(text) {
        Ok(document) => Ok(Some(document)),
        Err(unreadable) => {
            crate::report::print_unreadable(&unreadable, path);
            Ok(None)
        }
    }
}

fn against_code(args: &Check) -> Result<End, Stop> {
    let package = Package::find(&args.project)?;
    let path = package.contract.as_path();
    if !path.exists() {
        return Err(format!("error: there is no {}\n  = help: `cargo tool-contract emit` writes it", path.display()));
    }
    let text = file::text(path)?;
    let Some(mut document) = read(&text, path, args)? else { return Ok(End::Unreadable) };
    let code = code::reported(&package)?;
    document.findings.extend(drift(&file::parse(&code, path)?, &document));
    document.findings.sort_by_key(|finding| finding.at);
    let report = Report { path, text: &text, tools: document.entries.len(), findings: &document.findings };
    Ok(report.print(args.json, args.strict))
}

/// Where code and file differ, at places of the file.
fn drift(code: &Document, file: &Document) -> Vec<Finding<Position>> {
    let mut findings = Vec::new();
    for tool in &code.entries {
        match file.entry(tool.name()) {
            Some(entry) => findings.extend(entry_drift(tool, entry)),
            None => findings.push(document::only_in_code(tool.name(), Position::START)),
        }
    }
    let gone = file.entries.iter().filter(|entry| code.entry(entry.name()).is_none());
    findings.extend(gone.map(|entry| document::only_in_file(entry.name(), entry.draft.at)));
    findings
}

fn entry_drift(code: &Entry, file: &Entry) -> Vec<Finding<Position>> {
    let Some(code) = emitted(code) else { return Vec::new() };
    let mut differences = document::compare(&code.contract, file);
    differences.extend(document::compare_schemas(&code, file));
    let finding = |difference| document::disagreement(file.name(), &difference, file.place_of(difference.field));
    differences.into_iter().map(finding).collect()
}

/// What the code emitted, from the entry that it was read back to.
fn emitted(entry: &Entry) -> Option<Emitted> {
    Some(Emitted {
        contract: entry.contract.clone()?,
        arguments_schema: entry.schemas.arguments.clone()?,
        output_schema: entry.schemas.output.clone()?,
    })
}
