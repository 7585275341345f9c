//! Steps that wait for people's yes.

use std::collections::BTreeMap;

use tool_contract_spec::ledger::{ApprovalId, Note, Resolution, Resolved};
use tool_contract_spec::saga::{Noted, Stepped, step_id};

use super::{Engine, Ran, State};
use crate::saga::Rests;

/// What a step asks of people.
#[derive(Debug, Clone)]
pub(in crate::saga) struct Asking {
    /// It in the words of the saga.
    pub(in crate::saga) said: String,
    pub(in crate::saga) request: Option<ApprovalId>,
    /// Whether nothing of it ran. A saga that is a step may have steps that stand.
    pub(in crate::saga) is_idle: bool,
}

impl State {
    /// A step failed for good: those that were made before it ended, and have not ended,
    /// were made together with it.
    pub(super) fn fails(&mut self, failed: u32) {
        if self.committed {
            return;
        }
        for number in 0..self.made {
            if number != failed && matches!(self.ran.get(&number), None | Some(Ran::Begun)) {
                self.failed_beside.entry(number).or_insert(failed);
            }
        }
    }
}

impl Engine {
    /// A step waits for people's yes.
    pub(in crate::saga) fn asks(&self, number: u32, asking: Asking) {
        self.state().asking.insert(number, asking);
    }

    /// The saga rests for the steps that wait for people's yes, if there are any,
    /// whatever its body makes of them. A step beside which another has failed waits no
    /// more: it has failed as well, and the body runs again to learn of it.
    pub(in crate::saga) async fn await_people(&self) -> Result<(), Rests> {
        let (asking, beside) = {
            let state = self.state();
            (state.asking.clone(), state.failed_beside.clone())
        };
        let mut is_told = true;
        for (number, failed) in beside {
            if asking.get(&number).is_some_and(|asking| asking.is_idle) {
                self.note_given_up(number, failed).await?;
                is_told = false;
            }
        }
        if is_told {
            rest(&asking)
        } else {
            Err(Rests::again("a step is waited for no more", None))
        }
    }

    async fn note_given_up(&self, number: u32, failed: u32) -> Result<(), Rests> {
        let Some(stepped) = self.state().journal.steps.get(&number).cloned() else { return Ok(()) };
        let why = format!(
            "nobody had approved it when step {failed}, which was made together with it, failed"
        );
        let stepped = Stepped { noted: Some(Noted::Failed(why.clone())), ..stepped };
        self.note(number, Note::Stepped(stepped.to_detail()), "a step has failed").await?;
        self.withdraw(&stepped, why).await;
        self.state().journal.note(stepped);
        Ok(())
    }

    /// Nobody is to say yes to what never runs: it is on record by now that the step has
    /// failed. Where the ledger does not hear it, the request stands until it expires.
    async fn withdraw(&self, stepped: &Stepped, why: String) {
        let Ok(id) = step_id(self.id(), stepped) else { return };
        let (by, why) = (format!("the saga {}", self.id()).into(), why.into());
        let resolution =
            Resolution { id, escalation: None, by, why, resolved: Resolved::Withdrawn };
        if let Err(error) = self.ledger().resolve(resolution).await {
            tracing::debug!(target: "tool_contract", saga = %self.id(), %error, "a request that nobody needs could not be withdrawn");
        }
    }
}

fn rest(asking: &BTreeMap<u32, Asking>) -> Result<(), Rests> {
    let Some((_, first)) = asking.first_key_value() else { return Ok(()) };
    let said: Vec<&str> = asking.values().map(|asking| &*asking.said).collect();
    Err(Rests::for_a_yes(said.join("; "), first.request.clone()))
}
