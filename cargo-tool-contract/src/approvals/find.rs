//! Which request is meant.

use tool_contract_runtime::ledger::{
    ApprovalId, ApprovalRecord, Event, EventKind, LedgerError, Pages, Query, Record, StateName,
};
use tool_contract_spec::key::OperationId;

use super::standing::Standing;
use crate::operator::{Desk, Kind, Problem};

/// A request for approval, and what it is about.
pub(super) struct Asked {
    pub(super) id: OperationId,
    pub(super) record: Record,
    pub(super) approval: ApprovalRecord,
}

impl Asked {
    fn of(id: OperationId, record: Record) -> Option<Self> {
        let approval = record.approval.as_deref()?.clone();
        Some(Self { id, record, approval })
    }

    /// Whether the record tells what its hash is of.
    pub(super) fn is_altered(&self) -> bool {
        let preimage = self.approval.preimage.as_ref();
        preimage.is_none_or(|preimage| preimage.hash(&self.id.tool) != self.record.hash)
    }

    /// What would run: what the hash is of, and not what stands beside it.
    pub(super) fn arguments(&self) -> &str {
        self.approval.preimage.as_ref().map_or("", |preimage| &preimage.arguments)
    }
}

/// Requests that can be granted, and with `more` those that were decided.
pub(super) async fn all(
    desk: &Desk,
    states: &[StateName],
    mut wanted: impl FnMut(&Asked) -> bool,
    most: usize,
) -> Result<Vec<Asked>, Problem> {
    let mut found = Vec::new();
    for state in states {
        let mut pages = Pages::of(&*desk.ledger, Query { state: Some(*state), ..Query::default() });
        while found.len() < most
            && let Some(page) = pages.next().await?
        {
            let asked = page.into_iter().filter_map(|(id, record)| Asked::of(id, record));
            found.extend(asked.filter(&mut wanted));
        }
    }
    found.truncate(most);
    Ok(found)
}

/// The request with this name.
pub(super) async fn one(desk: &Desk, request: &ApprovalId) -> Result<Asked, Problem> {
    let states = [
        StateName::AwaitingApproval,
        StateName::Approved,
        StateName::Denied,
        StateName::Released,
        StateName::Running,
    ];
    let found = all(desk, &states, |asked| asked.approval.id == *request, 1).await?;
    match found.into_iter().next() {
        Some(asked) => Ok(asked),
        None => Err(over(desk, request).await?),
    }
}

/// What became of a request that stands on no record any more. Only what people are asked
/// for is looked through.
async fn over(desk: &Desk, request: &ApprovalId) -> Result<Problem, Problem> {
    let mut pages = Pages::of(&*desk.ledger, Query::default());
    while let Some(page) = pages.next().await? {
        for (id, record) in page.into_iter().filter(|(_, record)| record.terms.confirm.is_some()) {
            let history = match desk.ledger.history(id.clone()).await {
                // `verify` says so.
                Err(LedgerError::Corrupt(_)) => continue,
                history => history?,
            };
            if let Some(standing) = became(request, &history) {
                return standing.gone(desk, &id, &record, request).await;
            }
        }
    }
    let message = format!("the ledger knows no request {request}; nothing was changed");
    let help = format!("`{}` lists those that wait", desk.begin_in("approvals", "ls"));
    Ok(Problem::new(Kind::NotFound, message).help(help))
}

/// What became of a request for which people were asked in this history.
fn became(request: &ApprovalId, history: &[Event]) -> Option<Standing> {
    let asked = |event: &&Event| {
        event.kind == EventKind::ApprovalRequested && event.detail.as_deref() == Some(&*request.0)
    };
    let mut events = history.iter();
    events.find(asked)?;
    let ended = events.find_map(|event| match event.kind {
        EventKind::Claimed | EventKind::ClaimedReminted => Some(Standing::Used),
        EventKind::ApprovalExpired => Some(Standing::Expired),
        EventKind::Reopened | EventKind::Bound => Some(Standing::Over),
        _ => None,
    });
    Some(ended.unwrap_or(Standing::Over))
}
