//! Tools that reserve first, and then make it real.
//!
//! A reservation is made under a **tracking id** that is known before anything
//! happens: it derives from the operation's key, and so is the same for each
//! attempt, each repetition and the reconcile function. What it takes of the other
//! side:
//!
//! * to prepare or to commit again under one id does nothing more;
//! * what was not prepared, or was cancelled, is not committed, and what was
//!   committed is not cancelled;
//! * a reservation that nobody commits is no effect: it lapses by itself.
//!
//! Then every way to fail leaves one committed reservation, or none:
//!
//! | what went wrong | what it says of the world |
//! |---|---|
//! | to prepare, whatever came of it | nothing happened: a repetition takes up the same reservation |
//! | to commit, and the other side refused it | nothing happened |
//! | to commit, and anything else | it may have happened; the reconcile function looks the id up, and commits or cancels |
//!
//! ```
//! # mod tool_contract { pub use tool_contract_runtime::{*, spec::outcome::Outcome}; }
//! use tool_contract::two_phase::{PhaseError, Reserved};
//! use tool_contract::{Asked, Cx, Tool, ToolError};
//!
//! # struct HotelError;
//! # #[derive(Clone)] struct Hotel;
//! # type Answer<T> = Result<T, HotelError>;
//! # impl Hotel {
//! #     async fn hold(&self, id: &str, room: u32) -> Answer<u32> { Ok(room) }
//! #     async fn book(&self, id: &str) -> Answer<String> { Ok(id.to_owned()) }
//! #     async fn find(&self, id: &str) -> Answer<Reserved<u32, String>> { Ok(Reserved::Absent) }
//! # }
//! // The body of `#[tool(side_effect = "write", idempotent, reconcile = "find_room", ..)]`.
//! async fn book_room(cx: &Cx, room: u32) -> Result<String, PhaseError<HotelError>> {
//!     let hotel = cx.state::<Hotel>();
//!     cx.two_phase()
//!         .prepare(|id| async move { hotel.hold(&id, room).await })
//!         .await?
//!         .commit(|id, _held| async move { hotel.book(&id).await })
//!         .await
//! }
//!
//! async fn find_room<T: Tool>(asked: Asked<T>) -> Result<Option<String>, HotelError> {
//!     let hotel = asked.cx().state::<Hotel>();
//!     asked
//!         .two_phase()
//!         .look(|id| async move { hotel.find(&id).await })
//!         .await?
//!         .or_commit(|id, _held| async move { hotel.book(&id).await })
//!         .await
//! }
//! ```

use std::future::Future;

use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};

use crate::tool::ToolError;

/// An operation that is to be made in two phases; see the [module](self).
#[derive(Debug, Clone)]
#[must_use = "nothing is reserved until `.prepare(..)`"]
pub struct TwoPhase {
    id: String,
}

impl TwoPhase {
    pub(crate) const fn new(id: String) -> Self {
        Self { id }
    }

    /// The id under which the other side knows it.
    #[must_use]
    pub fn tracking_id(&self) -> &str {
        &self.id
    }

    /// Reserves under the tracking id that `prepare` is given.
    ///
    /// # Errors
    /// What `prepare` says. Nothing has happened then, whatever it says.
    pub async fn prepare<P, E, F>(
        self,
        prepare: impl FnOnce(String) -> F,
    ) -> Result<Prepared<P>, PhaseError<E>>
    where
        F: Future<Output = Result<P, E>>,
    {
        let held = prepare(self.id.clone()).await.map_err(PhaseError::Prepare)?;
        Ok(Prepared { id: self.id, held })
    }
}

/// What is reserved, and not real yet. Dropped, it lapses.
#[derive(Debug)]
#[must_use = "nothing happens until `.commit(..)`"]
pub struct Prepared<P> {
    id: String,
    /// What the other side said of the reservation.
    pub held: P,
}

impl<P> Prepared<P> {
    /// Makes it real.
    ///
    /// # Errors
    /// What `commit` says. It may have happened then, unless the other side said
    /// that it refuses.
    pub async fn commit<T, E, F>(
        self,
        commit: impl FnOnce(String, P) -> F,
    ) -> Result<T, PhaseError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        commit(self.id, self.held).await.map_err(PhaseError::Commit)
    }
}

/// In which phase it went wrong. Its outcome follows from that, and from what the
/// error says of itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhaseError<E> {
    /// While reserving: nothing was made real.
    #[error("while reserving: {0}")]
    Prepare(#[source] E),
    /// While making it real.
    #[error("while committing the reservation: {0}")]
    Commit(#[source] E),
}

impl<E> PhaseError<E> {
    /// What went wrong.
    pub fn into_inner(self) -> E {
        match self {
            Self::Prepare(error) | Self::Commit(error) => error,
        }
    }
}

impl<E: ToolError> ToolError for PhaseError<E> {
    fn outcome(&self) -> Outcome {
        let (outcome, class) = match self {
            Self::Prepare(error) => (error.outcome(), without_effect(error.outcome().class)),
            Self::Commit(error) => (error.outcome(), unless_refused(error.outcome().class)),
        };
        Outcome { class, ..outcome }
    }
}

/// What an error says where nothing can have happened: one that does not know is
/// as good as no answer.
pub(crate) const fn without_effect(class: OutcomeClass) -> OutcomeClass {
    match class {
        OutcomeClass::SideEffectUnknown | OutcomeClass::Success => {
            OutcomeClass::RetryableFailure(Cause::Unavailable)
        }
        class => class,
    }
}

/// What an error says where it may have happened: only an answer is believed. A
/// client that speaks of the network, or of a service that is down, has none; that
/// nothing had left this machine is easily said, and seldom sure.
pub(crate) const fn unless_refused(class: OutcomeClass) -> OutcomeClass {
    match class {
        OutcomeClass::RetryableFailure(Cause::Network | Cause::Unavailable | Cause::Other)
        | OutcomeClass::Success => OutcomeClass::SideEffectUnknown,
        class => class,
    }
}

/// What the other side knows of a tracking id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved<P, T> {
    /// Nothing: it was never prepared, has lapsed, or was cancelled.
    Absent,
    /// It is prepared.
    Prepared(P),
    /// It is committed, with what the tool returns.
    Committed(T),
}

/// An operation in two phases of which it is not known how far it came.
#[derive(Debug, Clone)]
#[must_use = "nothing is found out until `.look(..)`"]
pub struct Recovery {
    id: String,
}

impl Recovery {
    pub(crate) const fn new(id: String) -> Self {
        Self { id }
    }

    /// Asks the other side for the tracking id that `look` is given.
    ///
    /// # Errors
    /// What `look` says: then it cannot be told.
    pub async fn look<P, T, E, F>(self, look: impl FnOnce(String) -> F) -> Result<Looked<P, T>, E>
    where
        F: Future<Output = Result<Reserved<P, T>, E>>,
    {
        let found = look(self.id.clone()).await?;
        Ok(Looked { id: self.id, found })
    }
}

/// What was found under a tracking id: the rest of an answer for the reconcile
/// function, once it is said what becomes of a reservation.
#[derive(Debug)]
#[must_use = "say what becomes of a reservation: `.or_commit(..)` or `.or_cancel(..)`"]
pub struct Looked<P, T> {
    id: String,
    /// What was found.
    pub found: Reserved<P, T>,
}

impl<P, T> Looked<P, T> {
    /// A reservation is made real now: it happened.
    ///
    /// # Errors
    /// What `commit` says: then it cannot be told.
    pub async fn or_commit<E, F>(self, commit: impl FnOnce(String, P) -> F) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        match self.found {
            Reserved::Absent => Ok(None),
            Reserved::Prepared(held) => commit(self.id, held).await.map(Some),
            Reserved::Committed(output) => Ok(Some(output)),
        }
    }

    /// A reservation is cancelled: it did not happen, and the next call may
    /// reserve again.
    ///
    /// # Errors
    /// What `cancel` says: then it cannot be told.
    pub async fn or_cancel<E, F>(self, cancel: impl FnOnce(String, P) -> F) -> Result<Option<T>, E>
    where
        F: Future<Output = Result<(), E>>,
    {
        match self.found {
            Reserved::Absent => Ok(None),
            Reserved::Prepared(held) => cancel(self.id, held).await.map(|()| None),
            Reserved::Committed(output) => Ok(Some(output)),
        }
    }
}
