//! `decide`: what follows from an outcome.

use std::path::Path;

use tool_contract_spec::decide::{self, NextStep, Progress};
use tool_contract_spec::document::{Document, Position};
use tool_contract_spec::duration;
use tool_contract_spec::outcome::Outcome;
use tool_contract_spec::policy::Policy;
use tool_contract_spec::rulebook::{Finding, Level, suggest};

use crate::args::Decide;
use crate::project::Package;
use crate::report::{Report, say};
use crate::{End, Stop, file};

pub(crate) fn run(args: &Decide) -> Result<End, Stop> {
    let path = match &args.file {
        Some(path) => path.clone(),
        None => Package::find(&args.project)?.contract,
    };
    let text = file::text(&path)?;
    let document = file::parse(&text, &path)?;
    match policy(&document, &args.tool, &path)? {
        Some(policy) => {
            say(&decided(policy, args))?;
            Ok(End::Fine)
        }
        None => refused(&document, &text, &path),
    }
}

/// The policy of a tool; `None` if its entry breaks a rule.
fn policy<'d>(document: &'d Document, tool: &str, path: &Path) -> Result<Option<&'d Policy>, Stop> {
    let Some(entry) = document.entry(tool) else {
        let names: Vec<&str> =
            document.entries.iter().map(tool_contract_spec::document::Entry::name).collect();
        let hint = suggest::likely(tool, names.iter().copied()).map_or_else(
            || format!("it has {}", names.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        return Err(format!("error: {} has no tool `{tool}`; {hint}", path.display()));
    };
    Ok(entry.contract.as_ref().map(|contract| &contract.policy))
}

/// A policy that breaks a rule decides nothing: the findings that say so.
fn refused(document: &Document, text: &str, path: &Path) -> Result<End, Stop> {
    let denied = document.findings.iter().filter(|finding| finding.level == Level::Deny);
    let findings: Vec<Finding<Position>> = denied.cloned().collect();
    Report { path, text, tools: document.entries.len(), findings: &findings }.print(false, false)
}

fn decided(policy: &Policy, args: &Decide) -> String {
    let outcome = Outcome::new(args.outcome).with_retry_after(args.retry_after);
    let progress = Progress {
        attempt: args.attempt,
        total: args.total.unwrap_or(args.attempt).max(args.attempt),
        elapsed: args.elapsed,
        remaining: args.remaining,
        in_doubt: args.in_doubt,
    };
    let decision = decide::decide(policy, outcome, progress);
    format!("{}\nby the row: {}", step(decision.step), decision.row.as_str())
}

fn step(step: NextStep) -> String {
    match step {
        NextStep::Continue => "continue: record the result".to_owned(),
        NextStep::Stop => "stop: nothing happened, and the call ends".to_owned(),
        NextStep::RetryAfter { floor, ceiling } if floor == ceiling => {
            format!("retry after {}", duration::format(floor))
        }
        NextStep::RetryAfter { floor, ceiling } => {
            format!("retry after {} to {}", duration::format(floor), duration::format(ceiling))
        }
        NextStep::Reconcile => {
            "reconcile: it may have happened, and the reconcile function finds out".to_owned()
        }
        NextStep::Escalate => "escalate: it may have happened, and a person finds out".to_owned(),
    }
}
