//! A saga under way: its journal, and what this run of it has seen.

mod asking;
mod claim;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tool_contract_spec::key::{OperationId, User};
use tool_contract_spec::ledger::{Event, EventKind, Fence, Note};
use tool_contract_spec::policy::Text;
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{Journal, MOST_STEPS, Noted, Stepped};

pub(super) use self::asking::Asking;
use super::{Kept, Rests};
use crate::cx::Cx;
use crate::error::{About, CallError, Rejected};
use crate::ledger::Ledger;
use crate::runtime::Runtime;

/// A saga under way.
pub(super) struct Engine {
    cx: Cx,
    ledger: Arc<dyn Ledger>,
    id: OperationId,
    fence: Fence,
    ttl: Duration,
    state: Mutex<State>,
}

struct State {
    /// How many steps the body has made in this run.
    made: u32,
    /// What the history says.
    journal: Journal,
    /// What came of the steps of this run.
    ran: BTreeMap<u32, Ran>,
    /// The steps that wait for people's yes.
    asking: BTreeMap<u32, Asking>,
    /// For steps that had not ended when another failed for good: which one.
    failed_beside: BTreeMap<u32, u32>,
    /// Calls that no record has whole, for their arguments are secret.
    kept: BTreeMap<u32, Arc<dyn Kept>>,
    /// Until when the claim holds for certain.
    until: Duration,
    /// Whether the point of no return is passed.
    committed: bool,
    /// Whether the body has ended: nothing is begun any more.
    ended: bool,
    /// Why the saga goes no further, whatever its body says.
    halt: Option<Rests>,
}

impl State {
    fn in_doubt(&self) -> Option<u32> {
        let mut ran = self.ran.iter();
        ran.find(|(_, ran)| **ran == Ran::Unknown).map(|(number, _)| *number)
    }
}

/// What came of a step in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ran {
    Begun,
    Done,
    NotDone,
    Unknown,
}

/// What the journal has of a step.
pub(super) enum Met {
    /// Nothing.
    New,
    /// That it may have begun.
    Known,
    /// What it read.
    Read(String),
    /// That it failed, and how.
    Failed(String),
}

impl Engine {
    /// Takes up a saga where its history says.
    pub(super) async fn begin(cx: &Cx, ttl: Duration) -> Result<Self, Rests> {
        let (Some(hold), Some(id), Some(ledger)) = (cx.hold, &cx.id, cx.runtime.ledger()) else {
            return Err(Rests::for_a_person(
                "a saga cannot run alone: call it on a runtime with a ledger",
            ));
        };
        let (mut cx, mut journal) = (cx.clone(), Journal::default());
        if !hold.is_first {
            let history = ledger
                .history(id.clone())
                .await
                .map_err(|why| Rests::again(format!("its history cannot be read: {why}"), None))?;
            journal =
                Journal::read(&history).map_err(|why| Rests::for_a_person(why.to_string()))?;
            // Whoever goes on with it does so for the user for whom it began.
            cx.user = began_for(&history);
        }
        let state = State {
            made: 0,
            journal,
            ran: BTreeMap::new(),
            asking: BTreeMap::new(),
            failed_beside: BTreeMap::new(),
            kept: BTreeMap::new(),
            until: hold.until,
            committed: false,
            ended: false,
            halt: None,
        };
        Ok(Self {
            cx,
            ledger: Arc::clone(ledger),
            id: id.clone(),
            fence: hold.fence,
            ttl,
            state: Mutex::new(state),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn cx(&self) -> &Cx {
        &self.cx
    }

    pub(super) const fn id(&self) -> &OperationId {
        &self.id
    }

    pub(super) const fn ttl(&self) -> Duration {
        self.ttl
    }

    pub(super) const fn ledger(&self) -> &Arc<dyn Ledger> {
        &self.ledger
    }

    /// The runtime for its steps.
    pub(super) fn runtime(&self) -> &Runtime {
        self.cx.runtime()
    }

    /// What the history says by now.
    pub(super) fn journal(&self) -> Journal {
        self.state().journal.clone()
    }

    /// The error with which the saga gave up in an earlier run.
    pub(super) fn gave_up(&self) -> Option<String> {
        self.state().journal.unwinding.clone()
    }

    /// Why the saga goes no further; the first reason holds.
    pub(super) fn halted(&self) -> Option<Rests> {
        self.state().halt.clone()
    }

    pub(super) fn halt(&self, rests: Rests) {
        self.state().halt.get_or_insert(rests);
    }

    // ---- the steps of this run ----

    /// The number of the next step of the body.
    pub(super) fn take_place(&self) -> u32 {
        let mut state = self.state();
        let number = state.made;
        state.made = number.saturating_add(1);
        number
    }

    /// Keeps a call that no record has whole.
    pub(super) fn keep(&self, number: u32, call: Arc<dyn Kept>) {
        self.state().kept.insert(number, call);
    }

    pub(super) fn kept(&self, number: u32) -> Option<Arc<dyn Kept>> {
        self.state().kept.get(&number).cloned()
    }

    pub(super) fn ran(&self, number: u32, ran: Ran) {
        let mut state = self.state();
        state.ran.insert(number, ran);
        if ran == Ran::NotDone {
            state.fails(number);
        }
    }

    pub(super) fn commit(&self) {
        self.state().committed = true;
    }

    pub(super) fn is_committed(&self) -> bool {
        self.state().committed
    }

    /// The body has ended, or was given up: a step that it left to another task
    /// begins no more. What was noted before stands in the journal.
    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    /// Refuses a step of a body that has ended.
    pub(super) fn runs(&self, number: u32) -> Result<(), CallError<()>> {
        if !self.state().ended {
            return Ok(());
        }
        let about = About::known(&self.id, 0);
        let reason = format!("step {number} was not begun: the body of its saga has ended");
        let next = "await every step in the body, or make several at once with `saga.all(..)`";
        Err(CallError::from(Rejected::new(Code::SAGA_LOST, about, reason, next)))
    }

    /// Whether the journal has a step.
    pub(super) fn has(&self, number: u32) -> bool {
        self.state().journal.steps.contains_key(&number)
    }

    /// Why no step is begun any more, though the body goes on: the saga was stopped,
    /// or what comes of a step is not known yet, and what the body does for that may be
    /// another thing than what it does once it is.
    pub(super) fn held_back_by(&self) -> Option<String> {
        let state = self.state();
        let stopped = state.halt.as_ref().map(ToString::to_string);
        let unknown =
            || state.in_doubt().map(|step| format!("what came of step {step} is not known"));
        let asking = || state.asking.keys().next();
        let asking = || asking().map(|step| format!("step {step} waits for a person's yes"));
        stopped.or_else(unknown).or_else(asking)
    }

    /// Refuses a step that is made all the same.
    pub(super) fn hold_back<E>(&self, number: u32, why: &str) -> CallError<E> {
        let reason = format!("step {number} was not begun: {why}");
        let next = "return the error of the step before it: the saga goes on once that is settled";
        let about = About::known(&self.id, 0);
        CallError::from(Rejected::new(Code::SAGA_HELD_BACK, about, reason, next))
    }

    /// The first step of which the body of this run was told that it is unknown.
    pub(super) fn in_doubt(&self) -> Option<u32> {
        self.state().in_doubt()
    }

    /// Whether the body of this run was told that a step succeeded.
    pub(super) fn was_told(&self, number: u32) -> bool {
        self.state().ran.get(&number) == Some(&Ran::Done)
    }

    /// A step that an earlier run made, and for which the body of this one never
    /// came.
    pub(super) fn left_out(&self) -> Option<Stepped> {
        let state = self.state();
        let (number, stepped) = state.journal.steps.last_key_value()?;
        (*number >= state.made).then(|| stepped.clone())
    }

    /// Whether this run knows what came of every step that may have begun.
    pub(super) fn knows_all(&self) -> bool {
        let state = self.state();
        let known = |number: &u32| matches!(state.ran.get(number), Some(Ran::Done | Ran::NotDone));
        state.journal.effects().all(|stepped| known(&stepped.step))
    }

    // ---- the journal ----

    /// Compares a step with what the journal has at its place. Another one there
    /// means that the code has changed, and nothing of it runs.
    pub(super) fn meet(&self, stepped: &Stepped) -> Result<Met, CallError<()>> {
        let known = {
            let mut state = self.state();
            state.ran.entry(stepped.step).or_insert(Ran::Begun);
            state.journal.steps.get(&stepped.step).cloned()
        };
        if stepped.step >= MOST_STEPS {
            return Err(self.too_many(stepped));
        }
        let Some(known) = known else { return Ok(Met::New) };
        let same =
            (&known.tool, known.hash, known.pivot) == (&stepped.tool, stepped.hash, stepped.pivot);
        match known.noted {
            _ if !same => Err(self.changed(&known, stepped)),
            Some(Noted::Failed(error)) => Ok(Met::Failed(error)),
            Some(Noted::Read(json)) => Ok(Met::Read(json)),
            None => Ok(Met::Known),
        }
    }

    fn changed(&self, known: &Stepped, stepped: &Stepped) -> CallError<()> {
        let as_pivot = |stepped: &Stepped| if stepped.pivot { " as its pivot" } else { "" };
        let number = stepped.step;
        let reason = if known.tool == stepped.tool && known.pivot == stepped.pivot {
            format!("step {number} called `{}` with other arguments before", known.tool)
        } else {
            let (before, now) = (&known.tool, &stepped.tool);
            let (was, is) = (as_pivot(known), as_pivot(stepped));
            format!("step {number} was `{before}`{was} and is `{now}`{is} now")
        };
        self.halt(Rests::changed(&format!("{reason}; nothing of that step was run")));
        let next = "run the saga with the code that began it";
        refuse(stepped, Code::SAGA_CHANGED, format!("its saga's code changed: {reason}"), next)
    }

    /// What a step read before is nothing that its tool returns now.
    pub(super) fn unreadable(&self, stepped: &Stepped, why: &impl fmt::Display) -> CallError<()> {
        let (step, tool) = (stepped.step, &stepped.tool);
        let reason = format!("what step {step} read by `{tool}` cannot be read any more: {why}");
        self.halt(Rests::changed(&reason));
        let next = "run the saga with the code that began it";
        refuse(stepped, Code::SAGA_CHANGED, reason, next)
    }

    fn too_many(&self, stepped: &Stepped) -> CallError<()> {
        let reason = format!("its saga has made {MOST_STEPS} steps, and that is the most");
        let next = "make some of them a saga of their own, after the pivot, or one tool";
        self.halt(Rests::for_a_person(format!("[{}] {reason}; {next}", Code::SAGA_TOO_LONG)));
        refuse(stepped, Code::SAGA_TOO_LONG, reason, next)
    }

    /// Notes a step before its first attempt, if it is not noted.
    pub(super) async fn note_step(&self, stepped: Stepped) -> Result<(), CallError<()>> {
        self.runs(stepped.step)?;
        let is_noted = |known: &Stepped| stepped.noted.is_none() || known.noted == stepped.noted;
        if self.state().journal.steps.get(&stepped.step).is_some_and(is_noted) {
            return Ok(());
        }
        self.write(stepped.step, Some(Note::Stepped(stepped.to_detail()))).await?;
        self.runs(stepped.step)?;
        // It cannot contradict: it was compared before.
        self.state().journal.note(stepped);
        Ok(())
    }

    /// Notes that the saga gives up. From then on it never goes forward.
    pub(super) async fn note_unwinding(&self, error: &str) -> Result<(), Rests> {
        self.note(0, Note::Unwinding(error.to_owned()), "it gives up").await?;
        self.state().journal.unwinding = Some(error.to_owned());
        Ok(())
    }

    /// Notes that `what`; or says why the saga rests.
    async fn note(&self, number: u32, note: Note, what: &str) -> Result<(), Rests> {
        self.write(number, Some(note)).await.map_err(|_| {
            let unsaid = || Rests::again(format!("that {what} could not be noted"), None);
            self.halted().unwrap_or_else(unsaid)
        })
    }
}

/// On whose behalf a saga began, as its history says.
pub(super) fn began_for(history: &[Event]) -> Option<User> {
    User::new(newest(history, EventKind::OnBehalf)?).ok()
}

/// What the newest event of this kind says.
pub(super) fn newest(history: &[Event], kind: EventKind) -> Option<String> {
    history.iter().rev().find(|event| event.kind == kind)?.detail.clone()
}

fn refuse(stepped: &Stepped, code: Code, reason: String, next: &str) -> CallError<()> {
    let about = About::tool(Text::Owned(stepped.tool.clone()));
    CallError::from(Rejected::new(code, about, reason, next))
}
