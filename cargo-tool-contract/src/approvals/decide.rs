//! `approvals grant` and `deny`: a person signs.

use std::sync::Arc;

use serde::Serialize;
use tool_contract_runtime::approval::{ApprovalError, Approver, Approvers};
use tool_contract_runtime::ledger::{ApprovalVerdict, Decided, Decision, Trust};
use tool_contract_spec::operation::OperationHash;

use super::find::{self, Asked};
use super::show::told;
use super::standing::Standing;
use super::{key, view};
use crate::End;
use crate::args::{Deny, Grant, Hand, Request};
use crate::operator::word::WHY;
use crate::operator::{Desk, Kind, Problem, confirm, text, time};
use crate::report::complain;

#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    line: view::Line<'a>,
    operation_hash: OperationHash,
    by: &'a str,
    verdict: &'static str,
    until: Option<String>,
    why: Option<&'a str>,
    missing: Option<u32>,
}

pub(super) async fn grant(desk: &Desk, args: &Grant) -> Result<End, Problem> {
    let asked = find::one(desk, &args.request.request).await?;
    let ttl = asked.record.terms.confirm.map_or(Approver::LONGEST, |(ttl, _)| ttl);
    let within = args.within.map_or(ttl.min(Approver::LONGEST), |within| within.min(ttl));
    let verdict = ApprovalVerdict::Grant { until: desk.now.after(within) };
    decide(desk, &args.request, &args.hand, asked, verdict).await
}

pub(super) async fn deny(desk: &Desk, args: &Deny) -> Result<End, Problem> {
    let why = args.why.trim();
    if why.is_empty() || why == WHY {
        return Err(Problem::new(
            Kind::Usage,
            "`--why` gives no reason; nothing was changed".into(),
        )
        .help("write what who asked has to know; it goes on record"));
    }
    let asked = find::one(desk, &args.request.request).await?;
    let verdict = ApprovalVerdict::Deny { why: why.into() };
    decide(desk, &args.request, &args.hand, asked, verdict).await
}

async fn decide(
    desk: &Desk,
    request: &Request,
    hand: &Hand,
    asked: Asked,
    verdict: ApprovalVerdict,
) -> Result<End, Problem> {
    let approvers = key::approvers(&request.trusted)?;
    is_open(desk, &asked, approvers.as_ref()).await?;
    let name = hand.name.trim();
    let approver = Approver::new(name, key::of(name, &hand.key, approvers.as_ref())?);
    let trust = approvers.map(Approvers::into_trust);
    let signed = approver.sign(&asked.id, &asked.record, verdict).map_err(|why| refused(&why))?;
    // Whom programs do not trust is told so before anything is on record.
    let counting = trust.clone().unwrap_or_else(|| signed.trust.clone());
    let decision = Decision { trust: counting, ..signed };
    if !desk.is_for_programs() {
        complain(told(&asked, desk, trust.as_ref()).trim_end());
        complain(&text::plain(&meant(&decision, desk)));
    }
    if !hand.yes {
        confirm(asked.id.key.as_str())?;
    }
    let decided = desk.ledger.decide_approval(decision.clone()).await?;
    if let Decided::Refused(undecided) = &decided {
        let by = Arc::clone(&decision.by);
        return Err(refused(&ApprovalError::undecided(undecided, decision.request, by)));
    }
    let document = document(&asked, desk, trust.as_ref(), &decision, &decided);
    desk.say(&document, || text::plain(&said(&asked, desk, &decision, &decided)))?;
    Ok(End::Fine)
}

/// Refuses what nobody can decide any more, before anybody reads what it was for. Who
/// does not know whether a no counts may sign all the same.
async fn is_open(desk: &Desk, asked: &Asked, approvers: Option<&Approvers>) -> Result<(), Problem> {
    let trust = approvers.cloned().map(Approvers::into_trust);
    let Asked { id, record, approval } = asked;
    match Standing::of(asked, desk, trust.as_ref()) {
        Standing::Waits | Standing::Approved => Ok(()),
        Standing::Refused if trust.is_none() => Ok(()),
        standing => Err(standing.gone(desk, id, record, &approval.id).await?),
    }
}

/// What is about to be signed.
fn meant(decision: &Decision, desk: &Desk) -> String {
    match &decision.verdict {
        ApprovalVerdict::Grant { until } => format!(
            "  {} signs: it may run once, until {}",
            decision.by,
            time::both(*until, desk.now)
        ),
        ApprovalVerdict::Deny { why } => {
            format!("  {} signs: it may not run: {why}", decision.by)
        }
    }
}

fn document<'a>(
    asked: &'a Asked,
    desk: &Desk,
    trust: Option<&Trust>,
    decision: &'a Decision,
    decided: &Decided,
) -> Document<'a> {
    let (verdict, until, why) = match &decision.verdict {
        ApprovalVerdict::Grant { until } => ("grant", Some(time::iso(*until)), None),
        ApprovalVerdict::Deny { why } => ("deny", None, Some(&**why)),
    };
    Document {
        line: view::Line::of(asked, desk, trust),
        operation_hash: asked.record.hash,
        by: &decision.by,
        verdict,
        until,
        why,
        missing: match decided {
            Decided::Granted { .. } => Some(0),
            Decided::Pending { missing } => Some(*missing),
            _ => None,
        },
    }
}

/// What came of it.
fn said(asked: &Asked, desk: &Desk, decision: &Decision, decided: &Decided) -> String {
    let (request, by) = (&decision.request, &decision.by);
    match decided {
        Decided::Granted { expires_at } => format!(
            "{request}: granted by {by}; the call runs when it is made again, until {}",
            time::both(*expires_at, desk.now)
        ),
        Decided::Pending { missing } => {
            format!("{request}: granted by {by}; {missing} more must agree")
        }
        Decided::Recorded => format!(
            "{request}: signed by {by}, and on record until {}; {}",
            time::both(asked.approval.expires_at, desk.now),
            key::UNTOLD
        ),
        Decided::Denied | Decided::Refused(_) => format!("{request}: refused by {by}"),
    }
}

/// A decision that does not count; nothing was changed.
fn refused(error: &ApprovalError) -> Problem {
    let kind = match error {
        ApprovalError::Gone { .. } | ApprovalError::NothingToDecide => Kind::NotFound,
        ApprovalError::Ledger(_) => Kind::Ledger,
        _ => Kind::WrongState,
    };
    let what = match error {
        // It is no program that is spoken to.
        ApprovalError::Gone { request } => format!("{request} stands no more"),
        error => error.to_string(),
    };
    let problem = Problem::new(kind, format!("{what}; nothing was changed"));
    match error {
        ApprovalError::Unproven { .. } => {
            problem.help("is your line, as `approvals keygen` printed it, among the approvers?")
        }
        _ => problem,
    }
}
