//! How a saga comes to its end: what it has to find out, and what it undoes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Fence, Record, Renewed, State};
use tool_contract_spec::rulebook::Code;
use tool_contract_spec::saga::{self, Journal, Next, Place, Stand, Stepped, Undoing, Why};

use super::compensation::{self, Undo};
use super::engine::Engine;
use super::gate::{Gate, Part};
use super::{Kept, Rests, Undone, UndoneStep};
use crate::call::Meta;
use crate::error::CallError;
use crate::executor;
use crate::ledger::LedgerError;
use crate::registry::Entry;

/// What the body was told was not known is found out. What it decided then counts for
/// nothing: it runs again, and learns what is.
pub(super) async fn find_out(engine: &Arc<Engine>) -> Result<(), Rests> {
    go_on(engine)?;
    let Some(number) = engine.in_doubt() else { return engine.await_people().await };
    let mut ending = Ending::look(engine).await?;
    ending.find_all_out().await?;
    let tool = ending.tool(number);
    let reason =
        format!("what came of step {number}, `{tool}`, was found out after its body ended");
    Err(Rests::again(reason, None))
}

/// The body came to its end. If it went on without a step that happened after all, it
/// decided by what is not so, and runs again, too.
pub(super) async fn finish(engine: &Arc<Engine>) -> Result<(), Rests> {
    if let Some(left) = engine.left_out() {
        let (number, tool) = (left.step, left.tool);
        let how =
            format!("step {number} (`{tool}`) was made before, and the body ended without it");
        return Err(Rests::changed(&how));
    }
    if engine.knows_all() {
        return Ok(());
    }
    let mut ending = Ending::look(engine).await?;
    ending.find_all_out().await?;
    let happened = ending.places.iter().filter(|(_, place)| place.stand == Stand::Done);
    match happened.map(|(number, _)| *number).find(|number| !engine.was_told(*number)) {
        None => Ok(()),
        Some(number) => {
            let tool = ending.tool(number);
            let reason = format!(
                "step {number}, `{tool}`, happened after all, and the body went on without it; called again, it is told so. If it comes to this again, the body gives the step up too soon: let it await its result"
            );
            Err(Rests::again(reason, None))
        }
    }
}

/// The body gave up with `error`.
pub(super) async fn unwind(engine: &Arc<Engine>, error: String) -> Result<Undone, Rests> {
    let mut ending = Ending::look(engine).await?;
    loop {
        match saga::unwind(&ending.journal, &ending.places) {
            Next::Note => {
                engine.note_unwinding(&error).await?;
                ending.journal = engine.journal();
            }
            Next::Undo(number) => ending.undo(number).await?,
            Next::Undone(numbers) => {
                let step = |step| UndoneStep {
                    step,
                    tool: ending.tool(step),
                    given_up: ending.is_given_up(step),
                };
                return Ok(Undone { error, steps: numbers.into_iter().map(step).collect() });
            }
            Next::Committed if engine.gave_up().is_some() => {
                return Err(Rests::for_a_person(format!(
                    "it gave up ({error}), and then its pivot turned out to have happened: it goes neither forward nor back; see to its steps by hand, and say what it came to"
                )));
            }
            Next::Committed => return Err(Rests::again(after_the_pivot(&error), None)),
            Next::Rest(why @ Why::Stuck(_)) => {
                let first = after_the_pivot(&error);
                return Err(Rests::for_a_person(format!("{first}; {}", ending.waits(&why))));
            }
            next => ending.find_out(&next).await?,
        }
    }
}

/// What stopped the saga counts, whatever its body says.
fn go_on(engine: &Engine) -> Result<(), Rests> {
    engine.halted().map_or(Ok(()), Err)
}

fn after_the_pivot(error: &str) -> String {
    format!("it failed after its point of no return, where nothing is undone any more: {error}")
}

/// A saga at its end, and what is known of its steps.
struct Ending<'e> {
    engine: &'e Arc<Engine>,
    journal: Journal,
    places: BTreeMap<u32, Place>,
    /// Why a step's outcome could not be found out, or it could not be undone.
    causes: BTreeMap<u32, String>,
}

impl<'e> Ending<'e> {
    /// Looks at the record of each step that may have left something behind.
    async fn look(engine: &'e Arc<Engine>) -> Result<Self, Rests> {
        let (places, causes) = (BTreeMap::new(), BTreeMap::new());
        let mut ending = Self { engine, journal: engine.journal(), places, causes };
        let numbers: Vec<u32> = ending.journal.effects().map(|stepped| stepped.step).collect();
        for number in numbers {
            let stand = Stand::of(ending.record(number).await?.as_ref());
            ending.places.insert(number, Place::new(stand));
        }
        Ok(ending)
    }

    fn is_given_up(&self, number: u32) -> bool {
        self.places.get(&number).is_some_and(|place| place.undoing == Undoing::GivenUp)
    }

    fn tool(&self, number: u32) -> String {
        self.journal.steps.get(&number).map(|stepped| stepped.tool.clone()).unwrap_or_default()
    }

    fn stepped(&self, number: u32) -> Result<&Stepped, Rests> {
        let unknown = || Rests::for_a_person(format!("its history has no step {number}"));
        self.journal.steps.get(&number).ok_or_else(unknown)
    }

    /// The operation of a step.
    fn id(&self, number: u32) -> Result<OperationId, Rests> {
        saga::step_id(self.engine.id(), self.stepped(number)?)
            .map_err(|why| Rests::for_a_person(format!("step {number} can have no key: {why}")))
    }

    async fn record(&self, number: u32) -> Result<Option<Record>, Rests> {
        let found = self.engine.ledger().find(self.id(number)?).await;
        Ok(self.stepped(number)?.own(found.map_err(|why| unasked(number, &why))?))
    }

    /// Finds out what came of every step; or says why that cannot be.
    async fn find_all_out(&mut self) -> Result<(), Rests> {
        while let Some(next) = saga::settled(&self.places) {
            self.find_out(&next).await?;
        }
        Ok(())
    }

    /// Waits for a step or asks what came of it; or says why there is no point.
    async fn find_out(&mut self, next: &Next) -> Result<(), Rests> {
        let number = match next {
            Next::Wait(number) => {
                self.wait(*number).await?;
                *number
            }
            Next::FindOut(number) => {
                if let Err(cause) = self.ask(*number).await? {
                    self.causes.insert(*number, cause);
                }
                *number
            }
            Next::Rest(why) => return Err(Rests::for_a_person(self.waits(why))),
            other => return Err(Rests::for_a_person(format!("{other:?} finds nothing out"))),
        };
        let stand = Stand::of(self.record(number).await?.as_ref());
        if let Some(place) = self.places.get_mut(&number) {
            place.found(stand);
        }
        Ok(())
    }

    /// Waits while somebody is at the step: a call that was dropped and is finished
    /// in the background, or a process that is not as dead as it seemed.
    async fn wait(&self, number: u32) -> Result<(), Rests> {
        let (ledger, runtime) = (self.engine.ledger(), self.engine.runtime());
        let (id, record) = (self.id(number)?, self.record(number).await?);
        let Some(Record { terms, reserved, .. }) = record else { return Ok(()) };
        let span = terms.timeout.saturating_mul(reserved.max(1)).saturating_add(terms.lease * 2);
        let until = runtime.elapsed().saturating_add(span);
        loop {
            // Nobody has that fence; asking for it shows a lease that ran out.
            match ledger.renew(id.clone(), Fence::NONE, None).await {
                Ok(Renewed::Lost { state: Some(state) }) if state.is_moving() => {}
                Ok(_) => return Ok(()),
                Err(why) => return Err(unasked(number, &why)),
            }
            let now = runtime.elapsed();
            if now >= until {
                return Ok(());
            }
            let within = until.saturating_sub(now).min(runtime.lease() / 3);
            tokio::select! {
                () = ledger.changed(id.clone(), within) => {}
                () = runtime.clock().alarm(within) => {}
            }
        }
    }

    /// Asks the reconcile function of a step; or says why that cannot be.
    async fn ask(&self, number: u32) -> Result<Result<(), String>, Rests> {
        let Some(record) = self.record(number).await? else { return Ok(Ok(())) };
        let (entry, kept) = match self.call(number, &record) {
            Ok(call) => call,
            Err(why) => return Ok(Err(why)),
        };
        if entry.tool.contract().policy.reconcile.is_none() {
            return Ok(Err("its tool has no reconcile function".to_owned()));
        }
        let meta = self.meta(number);
        let mut job = kept.job();
        let asked = executor::find_out(self.engine.runtime(), &entry, &mut *job.0, &meta).await;
        Ok(asked.map_err(cause))
    }

    /// Undoes a step.
    async fn undo(&mut self, number: u32) -> Result<(), Rests> {
        let (undoing, cause) = match self.undoing(number).await? {
            Ok(undo) => {
                let meta = self.meta(number);
                let undone = compensation::undo(self.engine.runtime(), undo, &meta).await;
                // A lost claim or a ledger that is gone says nothing of the step.
                go_on(self.engine)?;
                match undone {
                    Ok(()) => (Undoing::Done, None),
                    Err(error) if error.code() == Some(Code::ABANDONED) => (Undoing::GivenUp, None),
                    Err(error) if error.code() == Some(Code::EXPIRED) => {
                        (self.expired(number).await?, Some(cause(error)))
                    }
                    Err(error) => (Undoing::Failed, Some(cause(error))),
                }
            }
            Err(why) => (Undoing::Failed, Some(why)),
        };
        if let Some(place) = self.places.get_mut(&number) {
            place.undoing = undoing;
        }
        self.causes.extend(cause.map(|cause| (number, cause)));
        Ok(())
    }

    /// What the undoing of a step came to whose record has expired.
    async fn expired(&self, number: u32) -> Result<Undoing, Rests> {
        let id = saga::undoing_id(&self.id(number)?);
        let history = self.engine.ledger().history(id).await;
        history.map(|history| Undoing::expired(&history)).map_err(|why| unasked(number, &why))
    }

    async fn undoing(&self, number: u32) -> Result<Result<Undo, String>, Rests> {
        let record = self.record(number).await?;
        let Some((record, State::Succeeded { result, .. })) =
            record.as_ref().map(|record| (record, &record.state))
        else {
            return Ok(Err("its record says no longer that it happened".to_owned()));
        };
        let undo = self.call(number, record).map(|(entry, kept)| Undo {
            entry,
            kept,
            of: record.hash,
            arguments: Arc::clone(&record.arguments),
            output: Arc::clone(result),
        });
        Ok(undo)
    }

    /// The call of a step, as its record or this process has it.
    fn call(&self, number: u32, record: &Record) -> Result<(Arc<Entry>, Arc<dyn Kept>), String> {
        let tool = self.tool(number);
        let Some(entry) = self.engine.runtime().named(&tool) else {
            return Err(format!(
                "this process does not know `{tool}`: register it with `.tool::<T>()` or `.linked_tools()`"
            ));
        };
        let kept = self.engine.kept(number).map_or_else(|| entry.tool.keep(&record.arguments), Ok);
        let kept =
            kept.map_err(|why| format!("its arguments cannot be read from its record: {why}"))?;
        Ok((entry, kept))
    }

    fn meta(&self, number: u32) -> Meta {
        let cx = self.engine.cx();
        let mut meta = Meta::default();
        let more = meta.more();
        more.tenant = cx.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
        more.correlation_id = cx.correlation_id.as_deref().map(str::to_owned);
        more.step = Some(Gate::new(self.engine, number, Part::Afterwards));
        meta
    }

    /// What it waits for that only a person can give.
    fn waits(&self, why: &Why) -> String {
        let (numbers, what) = match why {
            Why::Unknown(numbers) => (numbers, "it is not known what came of "),
            Why::NotUndone(numbers) => (numbers, "it could not undo "),
            Why::Stuck(numbers) => (numbers, ""),
        };
        let ids = why.operations(self.engine.id(), &self.journal);
        let step = |(number, id): (&u32, &OperationId)| {
            let cause = self.causes.get(number).map_or("", String::as_str);
            let cause = if cause.is_empty() { String::new() } else { format!(": {cause}") };
            format!("step {number}, `{}` [{}]{cause}", id.tool, id.key)
        };
        let steps: Vec<_> = numbers.iter().zip(&ids).map(step).collect();
        let steps = steps.join("; ");
        match why {
            Why::Stuck(_) => format!("a person has to see to {steps} first"),
            _ => format!("{what}{steps}; a person has to see to that first"),
        }
    }
}

/// Why it is not known what came of an operation of the saga: what its caller would do
/// next is not for the saga's.
fn cause(error: CallError<()>) -> String {
    match error {
        CallError::Unknown(unknown) => unknown.cause,
        error => error.untyped::<String>().to_string(),
    }
}

fn unasked(number: u32, why: &LedgerError) -> Rests {
    Rests::again(format!("the ledger could not be asked for step {number}: {why}"), None)
}
