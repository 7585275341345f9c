//! `approvals`, on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Arguments, Subcommand};
use tool_contract_runtime::ledger::ApprovalId;
use tool_contract_spec::duration;

use super::Access;
use super::ledger::most;

const HELP: &str = "\
A call of a destructive tool waits for people, other than who asked for it. Each signs with a key \
of their own; programs hold the public halves, so nobody who can merely write the ledger can agree \
in their name.

The ledger is named as for `ledger`. With --json, standard output is one JSON document:
  keygen       {name, public, line, file}
  ls           {requests: [{request, tenant, tool, key, requested_by, requested_at, expires_at, \
quorum, signed, agreed, state, stands}], more}; `signed` is how many yeses are on record, `agreed` how many count; \
`state` is the call's as recorded, `stands` is waits, approved, refused, expired or used
  show         one such request with {arguments, ignored, recorded, operation_hash, is_altered, \
grants: [{by, at, until, signed, counts, void}], denied, next}; `arguments` is what the hash is of, `ignored` what else a \
yes is for, `void` why a yes does not count, `next` lists {when, command}
  grant, deny  one such request with {operation_hash, by, verdict, until, why, missing}
`agreed`, `counts` and `missing` are null without --approvers.
What went wrong is told as by `ledger`.

Exit codes: 0 fine; 1 a decision that was refused, a request that is not there; 2 wrong usage, a \
ledger or a key that cannot be used, or output that cannot be written.";

#[derive(Debug, Arguments)]
#[command(after_long_help = HELP)]
pub(crate) struct Approvals {
    #[command(subcommand)]
    pub(crate) command: ApprovalsCommand,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ApprovalsCommand {
    /// Make a key for a person, and print the public line for programs
    Keygen(Keygen),
    /// List the calls that wait for people
    Ls(Requests),
    /// Show what would run, who asked, and who agreed so far
    Show(Request),
    /// Agree to a call
    Grant(Grant),
    /// Refuse a call, granted or not: it counts until the call has begun
    Deny(Deny),
}

#[derive(Debug, Arguments)]
pub(crate) struct Keygen {
    /// Whose key it is: the name that programs know
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: String,
    /// The file for the private key; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Whom programs trust.
#[derive(Debug, Arguments)]
pub(crate) struct Trusted {
    /// The public lines of the people whom programs trust: only by them can it be told
    /// who counts [default: the environment's `TOOL_CONTRACT_APPROVERS`]
    #[arg(long, value_name = "FILE")]
    pub(crate) approvers: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Requests {
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50", value_parser = most())]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
}

#[derive(Debug, Arguments)]
pub(crate) struct Request {
    /// The request, as `approvals ls` and the call's answer name it: `apr_…`
    #[arg(value_parser = request)]
    pub(crate) request: ApprovalId,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
}

/// Who signs.
#[derive(Debug, Arguments)]
pub(crate) struct Hand {
    /// Who you are: the name that programs know
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: String,
    /// The file with your private key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Do not ask: what is signed was looked at before
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Arguments)]
pub(crate) struct Grant {
    #[command(flatten)]
    pub(crate) request: Request,
    #[command(flatten)]
    pub(crate) hand: Hand,
    /// For how long the call may be made, where that is less than its contract lets
    /// it [default: as the contract says, and a day at most]
    #[arg(long = "for", value_name = "TIME", value_parser = duration::parse)]
    pub(crate) within: Option<Duration>,
}

#[derive(Debug, Arguments)]
pub(crate) struct Deny {
    #[command(flatten)]
    pub(crate) request: Request,
    #[command(flatten)]
    pub(crate) hand: Hand,
    /// Why, for who asked
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

fn request(text: &str) -> Result<ApprovalId, &'static str> {
    let name = text.strip_prefix("apr_").unwrap_or_default();
    let is_name = name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
    if name.is_empty() || !is_name {
        return Err("a request is called `apr_…`; `approvals ls` lists those that wait");
    }
    Ok(ApprovalId(text.into()))
}
