//! Requests as programs read them. The names of the fields stay.

use serde::Serialize;
use tool_contract_runtime::ledger::{ApprovalRecord, Ballot, Grant, StateName, Trust};
use tool_contract_spec::operation::OperationHash;

use super::find::Asked;
use crate::ledger::view::Name;
use crate::operator::{Desk, time};

/// A request in a list.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    pub(super) request: &'a str,
    #[serde(flatten)]
    name: Name<'a>,
    requested_by: Option<&'a str>,
    requested_at: String,
    expires_at: String,
    quorum: u32,
    /// How many yeses are on record.
    signed: usize,
    agreed: Option<u32>,
}

impl<'a> Line<'a> {
    pub(super) fn of(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Self {
        let approval = &asked.approval;
        Self {
            request: &approval.id.0,
            name: Name::of(&asked.id),
            requested_by: approval.requested_by.as_deref(),
            requested_at: time::iso(approval.requested_at),
            expires_at: time::iso(approval.expires_at),
            quorum: approval.quorum,
            signed: approval.grants.len(),
            agreed: agreed(asked, desk, trust),
        }
    }
}

/// All that is known of a request.
#[derive(Debug, Serialize)]
pub(super) struct Document<'a> {
    #[serde(flatten)]
    line: Line<'a>,
    state: StateName,
    arguments: &'a str,
    ignored: Option<&'a str>,
    recorded: &'a str,
    operation_hash: OperationHash,
    is_altered: bool,
    grants: Vec<Said<'a>>,
    denied: Option<Said<'a>>,
}

/// What somebody said.
#[derive(Debug, Serialize)]
pub(super) struct Said<'a> {
    pub(super) by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    signed: bool,
    /// Whether programs that trust these people count it; `None` if it is not
    /// known whom they trust.
    counts: Option<bool>,
}

impl Said<'_> {
    /// In a word, behind a name.
    pub(super) const fn word(&self) -> &'static str {
        match (self.counts, self.signed) {
            (Some(true), _) => "",
            (Some(false), _) => " (DOES NOT COUNT)",
            (None, true) => " (signature not checked)",
            (None, false) => " (NOT SIGNED)",
        }
    }
}

impl<'a> Document<'a> {
    pub(super) fn of(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Self {
        let record = &asked.record;
        Self {
            line: Line::of(asked, desk, trust),
            state: record.state.name(),
            arguments: asked.arguments(),
            ignored: asked.approval.ignored(),
            recorded: &record.arguments,
            operation_hash: record.hash,
            is_altered: asked.is_altered(),
            grants: grants(asked, desk, trust),
            denied: denied(asked, desk, trust),
        }
    }
}

fn ballot<'a>(asked: &'a Asked, desk: &Desk, trust: &'a Trust) -> Ballot<'a> {
    let Asked { id, record, approval } = asked;
    let requested_by = approval.requested_by.as_deref();
    let ignored = approval.ignored();
    Ballot { id, hash: &record.hash, ignored, requested_by, trust, now: desk.now }
}

/// How many of those who must have agreed; `None` if it is not known who counts.
pub(super) fn agreed(asked: &Asked, desk: &Desk, trust: Option<&Trust>) -> Option<u32> {
    let missing = ballot(asked, desk, trust?).missing(&asked.approval);
    Some(asked.approval.quorum.saturating_sub(missing))
}

/// Who agreed, and whether that counts.
pub(super) fn grants<'a>(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Vec<Said<'a>> {
    let counts = |grant: &Grant| {
        let alone = ApprovalRecord { grants: vec![grant.clone()], ..asked.approval.clone() };
        trust.map(|trust| !ballot(asked, desk, trust).people(&alone).is_empty())
    };
    let said = asked.approval.grants.iter().map(|grant| Said {
        by: &grant.by,
        why: None,
        at: Some(time::iso(grant.at)),
        until: Some(time::iso(grant.until)),
        signed: grant.signature.is_some(),
        counts: counts(grant),
    });
    said.collect()
}

/// Who refused.
pub(super) fn denied<'a>(asked: &'a Asked, desk: &Desk, trust: Option<&Trust>) -> Option<Said<'a>> {
    let denial = asked.approval.denied.as_ref()?;
    let counts = |trust: &Trust| ballot(asked, desk, trust).is_denied(&asked.approval, denial);
    Some(Said {
        by: &denial.by,
        why: Some(&denial.why),
        at: None,
        until: None,
        signed: denial.signature.is_some(),
        counts: trust.map(counts),
    })
}
