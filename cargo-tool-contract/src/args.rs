//! What can be written on the command line.

mod approvals;
mod ledger;
mod sagas;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Arguments, Parser, Subcommand};
use tool_contract_spec::duration;
use tool_contract_spec::outcome::OutcomeClass;
use tool_contract_spec::rulebook::Code;

pub(crate) use approvals::{
    Approvals, ApprovalsCommand, Deny, Grant, Hand, Keygen, Request, Requests, Trusted,
};
pub(crate) use ledger::{
    Access, Among, Escalations, EscalationsCommand, Ledger, LedgerCommand, List, Page, Prune,
    Reopen, Resolve, Show, Verify, Word,
};
pub(crate) use sagas::{SagaList, Sagas, SagasCommand};

/// Emit, check and explain the contracts of tools; look after their ledgers.
#[derive(Debug, Parser)]
#[command(name = "tool-contract", version)]
#[command(
    after_help = "Exit codes: 0 fine, advice and warnings included; 1 a finding: a rule that denies is broken, with --strict any rule; \
                        in a ledger, a broken history, a word that was refused, a key that is not there; 2 wrong usage, unreadable input, or output that cannot be written."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a contract file; without one, this project's file against its code
    Check(Check),
    /// Write this project's contract file from its code
    Emit(Emit),
    /// Print the page of a rule; without a code, list the rules
    Explain(Explain),
    /// Print what follows from an outcome, and the row of the matrix that says so
    Decide(Decide),
    /// Look into a ledger, and say what happened where nobody knows
    Ledger(Ledger),
    /// Go through what only a person's word moves on
    Escalations(Escalations),
    /// Agree, as one of the people whom programs trust, to what cannot be undone
    Approvals(Approvals),
    /// Look at sagas: what each did, in which order, and what it waits for
    Sagas(Sagas),
}

#[derive(Debug, Arguments)]
pub(crate) struct Check {
    /// The contract file to check by itself, without code
    #[arg(conflicts_with_all = ["package", "manifest_path"])]
    pub(crate) file: Option<PathBuf>,
    /// Fail on warnings and advice too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) project: Project,
}

#[derive(Debug, Arguments)]
pub(crate) struct Emit {
    #[command(flatten)]
    pub(crate) project: Project,
}

#[derive(Debug, Arguments)]
pub(crate) struct Explain {
    /// The code of a rule, such as TC0004
    pub(crate) code: Option<Code>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Decide {
    /// The contract file; without one, this project's
    #[arg(conflicts_with_all = ["package", "manifest_path"])]
    pub(crate) file: Option<PathBuf>,
    /// The tool whose policy decides
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: String,
    /// How the attempt ended: `success`, `validation_failure`,
    /// `permission_denied`, `permanent_failure`, `side_effect_unknown`,
    /// `retryable_failure`, or a cause of that: `rate_limited`, `unavailable`,
    /// `lock_timeout`, `network`, `other`
    #[arg(long, value_name = "CLASS")]
    pub(crate) outcome: OutcomeClass,
    /// The number of the attempt within its call, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempt: u32,
    /// Attempts under this key, over all calls [default: as --attempt]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) total: Option<u32>,
    /// Time since the call's first attempt began
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "0s")]
    pub(crate) elapsed: Duration,
    /// Time until the call's deadline [default: no deadline]
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) remaining: Option<Duration>,
    /// An earlier attempt under this key may have happened
    #[arg(long)]
    pub(crate) in_doubt: bool,
    /// The delay that the other side asked for
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) retry_after: Option<Duration>,
    #[command(flatten)]
    pub(crate) project: Project,
}

/// Which project.
#[derive(Debug, Arguments)]
pub(crate) struct Project {
    /// The package [default: that of this directory]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Option<String>,
    /// The Cargo.toml of the package or its workspace
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
}
