//! Where a request stands, and what can be done about it.

use serde::Serialize;
use tool_contract_runtime::ledger::{ApprovalId, ApprovalRecord, Record, State, Trust};
use tool_contract_spec::key::OperationId;

use super::find::Asked;
use super::{key, view};
use crate::args::Trusted;
use crate::ledger::next::{self, Next};
use crate::ledger::part::Part;
use crate::ledger::stand;
use crate::operator::word::WHY;
use crate::operator::{Desk, Kind, Problem, text};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// People may agree, or refuse.
    Waits,
    /// It has its yes, and has not run.
    Approved,
    /// Somebody refused.
    Refused,
    /// Nobody answered in time, or the yes ran out.
    Expired,
    /// The call ran with it.
    Used,
    /// Something else took its place.
    Over,
}

impl Standing {
    /// Where it stands for those who know whom programs trust; and else as it is on
    /// record.
    pub(super) fn of(asked: &Asked, desk: &Desk, trust: Option<&Trust>) -> Self {
        let is_over = asked.approval.expires_at <= desk.now;
        match &asked.record.state {
            State::AwaitingApproval | State::Approved | State::Released { .. } if is_over => {
                Self::Expired
            }
            State::Released { .. } => Self::Approved,
            State::AwaitingApproval | State::Approved if view::is_granted(asked, desk, trust) => {
                Self::Approved
            }
            State::AwaitingApproval | State::Approved => Self::Waits,
            State::Denied { .. } => match view::denied(asked, desk, trust) {
                Some(denied) if denied.counts == Some(false) => Self::Waits,
                _ => Self::Refused,
            },
            _ => Self::Used,
        }
    }

    /// It in a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Over => "over",
        }
    }

    /// That nothing can be said of a request any more that stood so.
    pub(super) async fn gone(
        self,
        desk: &Desk,
        id: &OperationId,
        record: &Record,
        request: &ApprovalId,
    ) -> Result<Problem, Problem> {
        let approval = record.approval.as_deref();
        let what = match self {
            Self::Refused => format!("was refused{}", by(approval)),
            Self::Expired => "has expired".to_owned(),
            Self::Used => "was used: its call has begun".to_owned(),
            _ => "is over: something else took its place".to_owned(),
        };
        let newer = approval.filter(|newer| newer.id != *request && newer.expires_at > desk.now);
        let stands = stand::at(record, desk.now);
        let help = match newer {
            Some(newer) => {
                let show = desk.begin_in("approvals", &format!("show {}", newer.id));
                format!("people were asked anew: `{show}`")
            }
            None if stand::asks_anew(&stands) => {
                next::unanswered(&stands, Part::of(desk, id).await?)
            }
            None => format!("`{}` tells what came of it", desk.command("show", id, "")),
        };
        let message = format!("{request} {what}; nothing was changed");
        Ok(Problem::new(Kind::WrongState, message).help(help))
    }
}

fn by(approval: Option<&ApprovalRecord>) -> String {
    let denied = approval.and_then(|approval| approval.denied.as_ref());
    denied.map(|no| format!(" by {}: {}", no.by, no.why)).unwrap_or_default()
}

/// The ways to go on from there.
pub(super) async fn steps(
    desk: &Desk,
    asked: &Asked,
    standing: Standing,
    trusted: &Trusted,
) -> Result<Vec<Next>, Problem> {
    let among = match key::named(trusted) {
        Some(path) => format!(" --approvers {}", text::quoted(&path.to_string_lossy())),
        None => " --approvers FILE".to_owned(),
    };
    let sign = |verb: &str, more: &str| {
        let signing = format!("{verb} {} --as NAME --key FILE{among}{more}", asked.approval.id);
        desk.begin_in("approvals", &signing)
    };
    let deny = sign("deny", &format!(" --why {WHY}"));
    let refuse = Next::new("to refuse", Some(deny));
    if standing != Standing::Waits {
        let stands = stand::at(&asked.record, desk.now);
        let part = Part::of(desk, &asked.id).await?;
        let mut steps = next::steps(desk, &asked.id, &stands, part, false);
        // A no counts until the call has begun.
        steps.extend((stands.state == State::Approved).then_some(refuse));
        return Ok(steps);
    }
    if asked.is_altered() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Next::new("to agree (NAME is yours, FILE has your key)", Some(sign("grant", ""))),
        refuse,
    ])
}
