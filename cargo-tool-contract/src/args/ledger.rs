//! `ledger`, on the command line.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand};
use tool_contract_runtime::ledger::{Query, StateName};
use tool_contract_spec::key::{IdempotencyKey, MalformedKey, OperationId, Tenant};
use tool_contract_spec::rulebook::suggest;

use crate::operator::name;

const HELP: &str = "\
The ledger is --ledger URL, or else the environment's TOOL_CONTRACT_LEDGER: `sqlite:PATH` or \
a plain path, `postgres://…`, `redis://…`. A ledger that is not there is never made.

With --json, standard output is one JSON document, times as in 2026-11-22T03:01:04.000Z:
  ls       {operations: [{tenant, tool, key, state, stands, since, attempts, escalation, \
approval}], next}; `state` is as recorded, `stands` as the next step will find it; `next` is for \
--after, or null
  show     one such operation with {result, arguments, cause, believed_from, lease_until, \
not_before, expires_at, downstream_key, correlation_id, created_at, changed_at, terms, \
approval_request, history: [{seq, at, kind, fence, detail, attempts}], broken, next}; `attempts` lists \
{number, began_at, took_ms, class, error, decided}; time spans as 30s; `broken` is null where the history verifies; `next` lists {when, command}
  verify   {checked, broken: [{tenant, tool, key, event, problem}]}
  resolve, reopen  {tenant, tool, key, before, state, by, why}
  prune    {moved, more}
What went wrong is told on standard error, with --json as {error: {kind, message, help, state, \
wait_ms}}, `kind` being usage, ledger, output, not_found, ambiguous, too_early, wrong_state or \
unconfirmed. Wrong usage that is noticed before a command begins is told in words.

Exit codes: 0 fine; 1 a finding: a broken history, a word that was refused, a key that is not \
there; 2 wrong usage, a ledger that cannot be used, or output that cannot be written.";

#[derive(Debug, Arguments)]
#[command(after_long_help = HELP)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    pub(crate) command: LedgerCommand,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// Which ledger, and how to speak.
#[derive(Debug, Arguments)]
pub(crate) struct Access {
    /// The ledger: `sqlite:PATH`, a plain path, `postgres://…` or `redis://…`
    /// [default: the environment's `TOOL_CONTRACT_LEDGER`]
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) ledger: Option<String>,
    /// The schema in `PostgreSQL`, or what the keys in Redis begin with
    /// [default: as programs do, where they say nothing else]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) namespace: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

const QUEUE: &str = "\
What rests here until a person says what happened, gives it up, or lets it run again: outcomes \
that are unknown, and keys that have had all their attempts; failed compensations are among them. A \
key that might be tried once and failed without effect is not: its caller knows all that there is; nor \
is a saga that waits for nothing but steps that are listed.

The ledger is named as for `ledger`. With --json, `ls` prints {escalations: [{escalation, tenant, \
tool, key, state, since, attempts, max_total, cause, arguments}], next}; `show` and `resolve` print \
what `ledger show` and `ledger resolve` do, which take an escalation's id, too.";

/// What waits for a person's word.
#[derive(Debug, Arguments)]
#[command(after_long_help = QUEUE)]
pub(crate) struct Escalations {
    #[command(subcommand)]
    pub(crate) command: EscalationsCommand,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EscalationsCommand {
    /// List what waits, and why
    Ls(Page),
    /// Show the whole story of one, and what would resolve it
    Show(Show),
    /// Say whether it happened, or give it up
    Resolve(Resolve),
}

/// Which of all that could be listed.
#[derive(Debug, Arguments)]
pub(crate) struct Page {
    /// Those of this tool
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    /// Those of this tenant
    #[arg(long, value_name = "NAME", value_parser = tenant)]
    pub(crate) tenant: Option<Tenant>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50", value_parser = most())]
    pub(crate) limit: u16,
    /// Those after this operation: `TOOL/KEY` or `@TENANT/TOOL/KEY`
    #[arg(long, value_name = "OPERATION", value_parser = name::read)]
    pub(crate) after: Option<OperationId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// List operations; with --attention, those that wait for a person
    Ls(List),
    /// Show all that is known of an operation, and what would resolve it
    Show(Show),
    /// Check that histories are as they were written
    Verify(Verify),
    /// Say whether an operation happened of which that is not known, or give it up
    Resolve(Resolve),
    /// Let a finished operation run again, though it may then happen again
    Reopen(Reopen),
    /// Move what is known of expired keys out of the way
    Prune(Prune),
}

#[derive(Debug, Arguments)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) page: Page,
    /// Those in this state; one whose lease ran out unseen is unknown
    #[arg(long, value_parser = state)]
    pub(crate) state: Option<StateName>,
    /// Those that wait for a person: unknown, without attempts, or awaiting approval
    #[arg(long, conflicts_with_all = ["state", "after"])]
    pub(crate) attention: bool,
}

pub(super) fn most() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=i64::try_from(Query::MOST).unwrap_or(i64::MAX))
}

/// Among which operations a key is looked for.
#[derive(Debug, Default, Arguments)]
pub(crate) struct Among {
    /// The tool, where several have the key
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    /// The tenant, where several have the key
    #[arg(long, value_name = "NAME", value_parser = tenant)]
    pub(crate) tenant: Option<Tenant>,
    /// The operation that belongs to no tenant
    #[arg(long, conflicts_with = "tenant")]
    pub(crate) no_tenant: bool,
}

#[derive(Debug, Arguments)]
pub(crate) struct Show {
    /// The operation's key, or the id of its escalation
    #[arg(value_parser = key)]
    pub(crate) key: IdempotencyKey,
    #[command(flatten)]
    pub(crate) among: Among,
}

#[derive(Debug, Arguments)]
pub(crate) struct Verify {
    /// The operation's key; without one, every history is checked
    #[arg(value_parser = key)]
    pub(crate) key: Option<IdempotencyKey>,
    #[command(flatten)]
    pub(crate) among: Among,
}

/// Whose word it is.
#[derive(Debug, Arguments)]
pub(crate) struct Word {
    /// Who says so, for the record [default: the environment's USER, or LOGNAME]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

#[derive(Debug, Arguments)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["happened", "did_not_happen", "abandon"]))]
pub(crate) struct Resolve {
    /// The operation's key, or the id of its escalation
    #[arg(value_parser = key)]
    pub(crate) key: IdempotencyKey,
    #[command(flatten)]
    pub(crate) among: Among,
    /// It happened, and this is its result, as JSON: what its callers get
    #[arg(long, value_name = "RESULT", allow_hyphen_values = true)]
    pub(crate) happened: Option<String>,
    /// It did not happen: the next call with this key runs it
    #[arg(long)]
    pub(crate) did_not_happen: bool,
    /// Nobody cares any more whether it happened: it never runs again, and its
    /// callers are told so, by whom and why
    #[arg(long)]
    pub(crate) abandon: bool,
    /// The process that held it is known to be dead, so there is nothing to wait
    /// for. Where it is merely slow, what it still does comes on top of what the
    /// next call does
    #[arg(long, conflicts_with_all = ["happened", "abandon"])]
    pub(crate) holder_is_dead: bool,
    /// The contract file whose output schema the result has to fit
    #[arg(long, value_name = "FILE", conflicts_with_all = ["did_not_happen", "abandon"])]
    pub(crate) contract: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) word: Word,
}

#[derive(Debug, Arguments)]
pub(crate) struct Reopen {
    /// The operation's key, or the id of its escalation
    #[arg(value_parser = key)]
    pub(crate) key: IdempotencyKey,
    #[command(flatten)]
    pub(crate) among: Among,
    #[command(flatten)]
    pub(crate) word: Word,
    /// Do not ask: its effect may happen again, and that is meant
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Arguments)]
pub(crate) struct Prune {
    /// Move at most so many keys [default: all that are past their ttl]
    #[arg(long, value_name = "N")]
    pub(crate) most: Option<usize>,
}

fn key(text: &str) -> Result<IdempotencyKey, MalformedKey> {
    IdempotencyKey::new(text)
}

fn tenant(text: &str) -> Result<Tenant, MalformedKey> {
    Tenant::new(text)
}

fn state(text: &str) -> Result<StateName, String> {
    let words = StateName::ALL.map(StateName::as_str);
    StateName::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
        suggest::likely(text, words).map_or_else(
            || format!("it is one of {}", words.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        )
    })
}
