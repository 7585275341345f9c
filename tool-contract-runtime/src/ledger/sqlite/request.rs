//! A question to the writer, and the way back of its answer.

use tokio::sync::oneshot;
use tool_contract_spec::key::OperationId;

use super::fault::Trouble;
use super::store::Store;
use crate::ledger::LedgerError;

/// A question to the writer.
pub(super) trait Request: Send {
    /// Whether it is worth looking whether it can be answered without writing.
    fn may_look(&self) -> bool;

    /// Makes its step. It is made anew if the transaction was lost.
    fn make(&mut self, store: &mut Store<'_>) -> Result<(), Trouble>;

    /// The operation that its step changed.
    fn changed(&self) -> Option<&OperationId>;

    /// Answers what the step came to, or why it was not made.
    fn answer(self: Box<Self>, failure: Option<LedgerError>);
}

/// Where an answer is waited for.
pub(super) type Waiter<R> = oneshot::Receiver<Result<R, LedgerError>>;

/// A step that answers with an `R`.
struct Asking<S, R> {
    id: Option<OperationId>,
    may_look: bool,
    step: S,
    changed: bool,
    reply: Option<R>,
    sender: oneshot::Sender<Result<R, LedgerError>>,
}

/// Puts a step on `id` into the form of a request.
pub(super) fn ask<R: Send + 'static>(
    id: Option<OperationId>,
    may_look: bool,
    step: impl FnMut(&mut Store<'_>) -> Result<R, Trouble> + Send + 'static,
) -> (Box<dyn Request>, Waiter<R>) {
    let (sender, receiver) = oneshot::channel();
    (Box::new(Asking { id, may_look, step, changed: false, reply: None, sender }), receiver)
}

impl<S, R> Request for Asking<S, R>
where
    S: FnMut(&mut Store<'_>) -> Result<R, Trouble> + Send,
    R: Send,
{
    fn may_look(&self) -> bool {
        self.may_look
    }

    fn make(&mut self, store: &mut Store<'_>) -> Result<(), Trouble> {
        let made = (self.step)(store);
        self.changed = store.take_changed();
        self.reply = Some(made?);
        Ok(())
    }

    fn changed(&self) -> Option<&OperationId> {
        self.id.as_ref().filter(|_| self.changed)
    }

    fn answer(self: Box<Self>, failure: Option<LedgerError>) {
        let answer = match (failure, self.reply) {
            (None, Some(reply)) => Ok(reply),
            (Some(failure), _) => Err(failure),
            (None, None) => Err(LedgerError::Unavailable("the step was not made".into())),
        };
        // Nobody waits any more: the step is made all the same.
        let _ = self.sender.send(answer);
    }
}
