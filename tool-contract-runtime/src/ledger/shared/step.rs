//! One step: propose, exchange, and propose anew.

use tool_contract_spec::key::OperationId;
use tool_contract_spec::ledger::{Around, Hold, Step, notice};
use tool_contract_spec::operation::OperationHash;

use super::{Exchange, Exchanged, Found, Put, SharedLedger, Store, Twins, Versioned};
use crate::ledger::{Draw, Fence, LedgerError, Limited, Record, Timestamp, Twin};

/// How often a proposal is made anew when others were faster.
const TRIES: u32 = 32;

/// What is known of an operation before a step.
pub(super) enum Known {
    /// Nothing: the store is asked first.
    Nothing,
    /// It is guessed, so that most steps take one round trip.
    Guess(From),
    /// The store has just said so.
    Found(Found),
}

/// What a guess is made from.
#[expect(clippy::large_enum_variant, reason = "it is moved a few times, and a box costs more")]
pub(super) enum From {
    /// The key was never seen, nor the intent.
    Nothing,
    /// This was written last.
    Held(Versioned),
}

/// What a transition wants to be written.
pub(super) struct Proposal<R> {
    pub(super) step: Step<R>,
    /// What is to be drawn first.
    pub(super) draws: Vec<Draw>,
}

impl<R> Proposal<R> {
    pub(super) const fn of(step: Step<R>) -> Self {
        Self { step, draws: Vec::new() }
    }
}

/// The answer of a step, and the store's time by then; or the limit without room.
type Stepped<R> = Result<(R, Timestamp), Limited>;

/// What a proposal builds on.
struct Ground {
    is_guess: bool,
    version: u64,
    record: Option<Record>,
    /// The twin that speaks.
    twin: Option<Twin>,
    twins: Option<Twins>,
    /// The newest fence that is known, the twins' included: a claim is newer than all that its
    /// proposal builds on.
    newest: Fence,
    at: Timestamp,
}

impl<S: Store> SharedLedger<S> {
    /// What is known of an operation that is held here.
    pub(super) fn held(&self, id: &OperationId) -> Known {
        self.held.get(id).map_or(Known::Nothing, |held| Known::Guess(From::Held(held)))
    }

    /// Asks the store what there is.
    pub(super) async fn look(
        &self,
        id: &OperationId,
        hash: Option<OperationHash>,
    ) -> Result<Found, LedgerError> {
        let exchange = Exchange { id: id.clone(), hash, put: None };
        match self.store.exchange(exchange).await? {
            Exchanged::Found(found) => {
                self.time.tell(found.now, true);
                Ok(found)
            }
            other => Err(LedgerError::Corrupt(format!(
                "it was asked what there is, and answered {other:?}"
            ))),
        }
    }

    /// Makes a step that draws nothing and asks for no twins.
    pub(super) async fn change<R>(
        &self,
        id: &OperationId,
        known: Known,
        mut transition: impl FnMut(&mut Option<Record>, &Around) -> Step<R> + Send,
    ) -> Result<R, LedgerError>
    where
        R: Send,
    {
        let stepped =
            self.step(id, known, None, |slot, _, around| Proposal::of(transition(slot, around)));
        match stepped.await? {
            Ok((reply, _)) => Ok(reply),
            Err(limited) => {
                Err(LedgerError::Corrupt(format!("nothing was drawn, and it answered {limited:?}")))
            }
        }
    }

    /// Records what time alone did to an operation.
    pub(super) async fn notice(&self, id: &OperationId) -> Result<(), LedgerError> {
        self.change(id, Known::Nothing, notice).await.map(drop)
    }

    /// Makes one step.
    pub(super) async fn step<R: Send>(
        &self,
        id: &OperationId,
        mut known: Known,
        hash: Option<OperationHash>,
        mut transition: impl FnMut(&mut Option<Record>, Option<&Twin>, &Around) -> Proposal<R> + Send,
    ) -> Result<Stepped<R>, LedgerError> {
        for _ in 0..TRIES {
            let ground = self.ground(id, known, hash).await?;
            let fence = self.fences.after(ground.newest, &self.store).await?;
            let mut slot = ground.record.clone();
            let around = Around { now: ground.at, fence };
            let Proposal { step, draws } = transition(&mut slot, ground.twin.as_ref(), &around);
            // Given back at once, it may be another's by the time of the answer.
            let is_used = slot.as_ref().is_some_and(|record| record.fence == fence);
            if !is_used {
                self.fences.give_back(fence);
            }
            let Some(record) = slot.filter(|_| step.changed) else {
                if ground.is_guess {
                    known = Known::Nothing;
                    continue;
                }
                return Ok(Ok((step.reply, ground.at)));
            };
            let before = ground.record.as_ref();
            let holds = before.map(|before| Hold::moved(before, &record)).unwrap_or_default();
            let put = Put {
                expected: ground.version,
                twins: ground.twins,
                at: ground.at,
                record: record.clone(),
                events: step.events,
                draws,
                holds,
            };
            match self.store.exchange(Exchange { id: id.clone(), hash, put: Some(put) }).await {
                Ok(Exchanged::Put { now }) => {
                    self.time.tell(now, false);
                    self.held.note(id, &Versioned { version: ground.version + 1, record });
                    return Ok(Ok((step.reply, now)));
                }
                Ok(Exchanged::Limited { limited, now }) => {
                    if is_used {
                        self.fences.give_back(fence);
                    }
                    self.time.tell(now, false);
                    return Ok(Err(limited));
                }
                Ok(Exchanged::Found(found)) => {
                    if is_used {
                        self.fences.give_back(fence);
                    }
                    self.held.forget(id);
                    self.time.tell(found.now, true);
                    known = Known::Found(found);
                }
                Err(error) => {
                    // It may have been written or not.
                    self.held.forget(id);
                    return Err(error);
                }
            }
        }
        Err(LedgerError::Unavailable(format!(
            "{id} changed {TRIES} times while this step was made; it was not carried out"
        )))
    }

    /// What the next proposal builds on.
    async fn ground(
        &self,
        id: &OperationId,
        known: Known,
        hash: Option<OperationHash>,
    ) -> Result<Ground, LedgerError> {
        let found = match known {
            Known::Guess(from) => return Ok(self.guess(from, hash)),
            Known::Found(found) => found,
            Known::Nothing => self.look(id, hash).await?,
        };
        let at = found.now;
        let (version, record) =
            found.record.map_or((0, None), |found| (found.version, Some(found.record)));
        let newest = record.iter().chain(found.twins.first().map(|found| &found.twin.record));
        let newest = newest.map(|record| record.fence).max().unwrap_or(Fence::NONE);
        let twins = hash.filter(|_| record.is_none()).map(|hash| {
            let seen = found.twins.iter().map(|found| (found.twin.key.clone(), found.version));
            Twins { hash, seen: seen.collect() }
        });
        let mut twins_found = found.twins.into_iter().map(|found| found.twin);
        let twin = twins_found.find(|twin| twin.record.speaks_at(at));
        Ok(Ground { is_guess: false, version, record, twin, twins, newest, at })
    }

    fn guess(&self, from: From, hash: Option<OperationHash>) -> Ground {
        let (version, record) = match from {
            From::Nothing => (0, None),
            From::Held(held) => (held.version, Some(held.record)),
        };
        let newest = record.as_ref().map_or(Fence::NONE, |record| record.fence);
        let hash = hash.filter(|_| record.is_none());
        let twins = hash.map(|hash| Twins { hash, seen: Vec::new() });
        Ground { is_guess: true, version, record, twin: None, twins, newest, at: self.time.now() }
    }
}
