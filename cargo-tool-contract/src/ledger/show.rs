//! `ledger show`: all that is known of an operation.

use std::fmt::Write as _;

use serde::Serialize;
use tool_contract_runtime::ledger::{ApprovalRecord, Event, LedgerError, Record, State};
use tool_contract_runtime::saga::Story;
use tool_contract_spec::duration;
use tool_contract_spec::key::OperationId;
use tool_contract_spec::saga::Ended;

use super::next::{self, Next};
use super::part::Part;
use super::view::{self, Happening, Line, Stored, Times};
use super::{stand, terms, verify};
use crate::End;
use crate::args::Show;
use crate::operator::text::plain;
use crate::operator::{Desk, Kind, Problem, find, time};
use crate::report::counted;

#[derive(Debug, Serialize)]
struct Document<'r> {
    #[serde(flatten)]
    line: Line<'r>,
    arguments: Stored,
    result: Option<Stored>,
    cause: Option<&'r str>,
    #[serde(flatten)]
    times: Times,
    downstream_key: String,
    correlation_id: Option<&'r str>,
    created_at: String,
    changed_at: String,
    terms: view::Terms,
    approval_request: Option<view::Request<'r>>,
    history: Vec<Happening<'r>>,
    broken: Option<&'r str>,
    next: &'r [Next],
}

/// An operation with all that belongs to it.
struct Shown<'r> {
    desk: &'r Desk,
    id: &'r OperationId,
    record: &'r Record,
    /// The record as the next step will find it.
    stands: Record,
    history: &'r [Event],
    broken: Option<String>,
    next: Vec<Next>,
}

pub(super) async fn run(desk: &Desk, args: &Show) -> Result<End, Problem> {
    let (id, _) = find::one(desk, &args.key, &args.among).await?;
    let history = match desk.ledger.history(id.clone()).await {
        // What is wrong with it, `fault` says.
        Err(LedgerError::Corrupt(_)) => Vec::new(),
        history => history?,
    };
    // The record after its history, so that it is not older.
    let Some(record) = desk.ledger.find(id.clone()).await? else {
        return Err(Problem::new(Kind::NotFound, format!("the ledger knows {id} no more")));
    };
    let fault = verify::fault(desk, &id, record.clone()).await?;
    let stands = stand::at(&record, desk.now);
    let next = if record.terms.saga && stands.state.name().is_escalated() {
        let story = Story::read(&*desk.ledger, id.clone(), record.clone()).await?;
        next::of_saga(desk, &story).await?
    } else {
        let part = Part::of(desk, &id).await?;
        next::steps(desk, &id, &stands, part, args.among.no_tenant)
    };
    let shown = Shown {
        desk,
        id: &id,
        record: &record,
        next,
        stands,
        history: &history,
        broken: fault.map(|fault| fault.problem),
    };
    desk.say(&shown.document(), || shown.told())?;
    Ok(if shown.broken.is_some() { End::Broken } else { End::Fine })
}

impl Shown<'_> {
    fn document(&self) -> Document<'_> {
        let record = self.record;
        Document {
            line: Line::of(self.id, record, self.desk.now),
            arguments: Stored::of(&record.arguments),
            result: view::result(record, self.history).map(Stored::of),
            cause: self.cause(),
            times: Times::of(&self.stands.state),
            downstream_key: self.id.downstream_key(),
            correlation_id: record.correlation_id.as_deref(),
            created_at: time::iso(record.created_at),
            changed_at: time::iso(record.changed_at),
            terms: view::Terms::of(&record.terms),
            approval_request: record.approval.as_deref().map(view::Request::of),
            history: self.history.iter().map(Happening::of).collect(),
            broken: self.broken.as_deref(),
            next: &self.next,
        }
    }

    fn cause(&self) -> Option<&str> {
        match &self.stands.state {
            State::Unknown(unknown) | State::Reconciling { unknown, .. } => Some(&unknown.cause),
            _ => None,
        }
    }

    fn told(&self) -> String {
        let mut out = format!("{}: {}\n\n", plain(&self.id.to_string()), self.meaning());
        for (name, value) in self.fields() {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "  {name:<12}{}", plain(&value));
        }
        out.push_str("\nTerms\n");
        for word in terms::words(&self.record.terms) {
            let _ = writeln!(out, "  {word}");
        }
        out.push_str(&self.timeline());
        let _ = write!(out, "\nNext\n{}", next::told(&self.next));
        out
    }

    fn meaning(&self) -> &'static str {
        match &self.stands.state {
            State::AwaitingApproval => "a person has been asked",
            State::Approved => "approved, and not run yet",
            State::Denied { .. } => "a person refused it",
            State::Running { .. } => "a call holds it",
            State::Released { .. } => "nothing happened",
            State::Exhausted { .. } if stand::has_failed_for_good(&self.stands) => {
                "nothing happened, and it failed for good"
            }
            State::Exhausted { .. } => "nothing happened, and it has had all its attempts",
            State::Abandoned { .. } => "a person gave it up",
            State::Succeeded { .. } if stand::came_to(&self.stands) == Some(Ended::Undone) => {
                "it failed, and what had happened of it was undone"
            }
            State::Succeeded { .. } => "it happened",
            State::Unknown(_) if self.record.terms.saga => {
                "it goes no further for now; what it did stands"
            }
            State::Unknown(_) => "it may have happened",
            State::Reconciling { .. } => "it may have happened, and somebody is finding out",
            State::Expired => "its key was used, and is past its ttl",
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let (record, id, now) = (self.record, self.id, self.desk.now);
        let mut fields = vec![("tool", id.tool.to_string()), ("key", id.key.to_string())];
        let mut more =
            |name, value: Option<String>| fields.extend(value.map(|value| (name, value)));
        more("tenant", id.tenant.as_ref().map(ToString::to_string));
        let since = time::both(stand::since(record, now), now);
        more("state", Some(format!("{} since {since}", stand::word(record, now))));
        more("cause", self.cause().map(ToOwned::to_owned));
        more("escalation", self.record.escalation.as_ref().map(ToString::to_string));
        more(
            "attempts",
            (!record.terms.saga)
                .then(|| format!("{} of {}", record.attempts, record.terms.max_total)),
        );
        more("arguments", Some(record.arguments.to_string()));
        more("result", view::result(record, self.history).map(ToOwned::to_owned));
        if let State::Abandoned { no, .. } = &record.state {
            more("given up", Some(format!("by {}: {}", no.by, no.why)));
        }
        more("approval", record.approval.as_ref().map(|approval| self.approval(approval)));
        more("sent as", Some(id.downstream_key()));
        more("correlation", record.correlation_id.as_ref().map(ToString::to_string));
        more("first seen", Some(time::both(record.created_at, now)));
        more("until", self.until());
        fields
    }

    /// When time alone ends this state.
    fn until(&self) -> Option<String> {
        match &self.stands.state {
            State::Succeeded { expires_at, .. }
            | State::Denied { expires_at }
            | State::Abandoned { expires_at, .. } => {
                Some(format!("{}: then its ttl is over", time::both(*expires_at, self.desk.now)))
            }
            _ => None,
        }
    }

    fn approval(&self, approval: &ApprovalRecord) -> String {
        let now = self.desk.now;
        let by = approval.requested_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let granted: Vec<String> = approval
            .grants
            .iter()
            .map(|grant| format!("{} at {}", grant.by, time::utc(grant.at)))
            .collect();
        let said = format!("yes from {}", granted.join(" and "));
        let denied = approval.denied.as_ref();
        let denied = denied.map(|no| format!("; refused by {}: {}", no.by, no.why));
        format!(
            "{} asked{by} {}; {} must agree, {}{}; good until {}",
            approval.id,
            time::both(approval.requested_at, now),
            approval.quorum,
            if granted.is_empty() { "nobody did".to_owned() } else { said },
            denied.unwrap_or_default(),
            time::both(approval.expires_at, now)
        )
    }

    fn timeline(&self) -> String {
        let events = counted(self.history.len(), "event", "events");
        let verified = match &self.broken {
            None => "verified".to_owned(),
            Some(problem) => format!("BROKEN: {}", plain(problem)),
        };
        let mut out = format!("\nHistory: {events}, {verified}\n");
        for event in self.history {
            let attempts = event.attempts();
            let detail = event.detail.as_deref().filter(|_| attempts.is_empty()).unwrap_or("");
            let line = format!(
                "  {:>3}  {}  {:<22}  {}",
                event.seq,
                time::utc(event.at),
                event.kind.as_str(),
                plain(detail)
            );
            let _ = writeln!(out, "{}", line.trim_end());
            for attempt in attempts {
                let took = duration::passed(attempt.took);
                let error = plain(&attempt.error);
                let _ = writeln!(
                    out,
                    "       attempt {}, {took}: {}: {error}",
                    attempt.number, attempt.class
                );
                if !attempt.decided.is_empty() {
                    let _ = writeln!(out, "         → {}", plain(&attempt.decided));
                }
            }
        }
        out
    }
}
