//! Sagas: calls that together happen, or are undone.
//!
//! A saga is a tool whose body makes calls. Each is a **step**, an operation of its
//! own under a child of the saga's key; so when the body runs again from the top,
//! after a crash or a timeout, what happened is replayed and not repeated.
//!
//! * Before a step's first attempt it is noted in the saga's history, by the
//!   fence of the saga's claim. Whoever lost that claim begins nothing.
//! * When the body gives up, what is not known is found out first; then what
//!   happened is undone, newest first, by the tools' rollback functions.
//! * After the [pivot](Saga::pivot) nothing is undone: the saga goes forward.
//! * A step that people have to approve asks them, and the saga rests until they have
//!   said something.
//! * What can go neither forward nor back rests as an unknown outcome, before a
//!   person; calling the saga again with its key, or [`crate::Runtime::recover`], goes on.
//!
//! What follows from what is known is decided by
//! [`spec::saga`](tool_contract_spec::saga).

mod bounds;
mod compensation;
mod conclude;
mod engine;
mod gate;
mod kept;
mod outcome;
mod recover;
mod step;
mod story;
mod together;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

pub use self::bounds::{Compensable, Completable, Revocable, Unapproved, Unkeyed};
use self::engine::Engine;
pub(crate) use self::gate::Gate;
pub(crate) use self::kept::{Kept, kept};
pub use self::outcome::{Outcome, Rests, Undone, UndoneStep};
pub use self::recover::{Recovered, Recovery};
pub use self::step::{Pivot, Step, StepError};
pub use self::story::{StepStory, Story};
pub use self::together::Together;
use crate::call::Call;
use crate::cx::Cx;
use crate::tool::{BoxFuture, Tool};

/// A saga that can still be undone.
#[derive(Debug)]
pub enum Open {}

/// A saga whose point of no return is passed.
#[derive(Debug)]
pub enum Committed {}

/// A saga under way, in the hands of its body.
///
/// Take it as the first parameter of a `#[saga]` function.
pub struct Saga<S = Open> {
    engine: Arc<Engine>,
    state: PhantomData<fn() -> S>,
}

impl<S> Saga<S> {
    fn of(engine: Arc<Engine>) -> Self {
        Self { engine, state: PhantomData }
    }

    /// The context of the saga itself: its key, tenant and state. Calls that are
    /// made by its runtime are no steps: nothing undoes them.
    #[must_use]
    pub fn cx(&self) -> &Cx {
        self.engine.cx()
    }

    /// Makes several steps at once, and waits until **each** has ended: a tuple of
    /// up to eight, or a `Vec` of steps of one tool. Their results come in the same
    /// order.
    ///
    /// A step's place is taken when `step` is called, so what is written first is
    /// first, however they overtake one another.
    pub fn all<'s, T: Together<'s>>(&'s self, steps: T) -> BoxFuture<'s, T::Output> {
        steps.together()
    }

    /// Makes the call after which there is no way back, and gives the saga that can
    /// only go forward.
    ///
    /// Whatever cannot be undone may stand here. If it fails without effect, what was
    /// done before is undone. This saga is used up: the steps that follow are made with
    /// the one that it gives, `let (output, saga) = saga.pivot(..).await?`.
    ///
    /// # Errors
    /// If it did not succeed.
    pub fn pivot<'s, T, K, A>(self, call: Call<T, K, A>) -> Pivot<'s, T>
    where
        S: Revocable,
        T: Tool,
        K: Unkeyed<T>,
        A: Unapproved<T>,
    {
        let step = Step::new(&self.engine, call, true);
        Pivot::new(step.into_future(), Saga::of(self.engine))
    }
}

impl Saga<Open> {
    /// Makes a call that can be undone, and waits for its result.
    ///
    /// Its place in the saga is taken here, and not when it is first polled. A read
    /// is a step too: what it read first holds whenever the saga runs again.
    ///
    /// A tool that people [approve](crate::approval) asks them in the name of this very
    /// step, on behalf of the saga's user. Nothing runs, no other step begins, and the
    /// saga rests, without a claim; whoever calls it again with its key once they said
    /// yes goes on, and so does [`Runtime::recover`](crate::Runtime::recover). If they
    /// say no, the step has failed. If nobody answers in time, people are asked anew when
    /// the saga is called again, and never by `recover`. Where a step that was made
    /// together with it fails meanwhile, it has failed, too.
    ///
    /// # Errors
    /// If it did not succeed. It then stays failed, whoever goes on with the saga; but
    /// if it is not known what came of it, nothing else is begun, whatever the body
    /// does with the error, and the body runs again once it is known.
    pub fn step<T, K, A>(&self, call: Call<T, K, A>) -> Step<'_, T>
    where
        T: Tool + Compensable,
        K: Unkeyed<T>,
        A: Unapproved<T>,
    {
        Step::new(&self.engine, call, false)
    }
}

impl Saga<Committed> {
    /// Makes a call that can be repeated until it succeeds, and waits for its result.
    ///
    /// # Errors
    /// If it has not succeeded yet. The saga is then tried again; where that cannot
    /// help, it rests before a person; it is never undone. A body that goes on without
    /// it finishes; a step that failed for good waits for a person all the same.
    pub fn step<T, K, A>(&self, call: Call<T, K, A>) -> Step<'_, T>
    where
        T: Tool + Completable,
        K: Unkeyed<T>,
        A: Unapproved<T>,
    {
        Step::new(&self.engine, call, false)
    }
}

impl<S> fmt::Debug for Saga<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saga").field("id", self.engine.id()).finish_non_exhaustive()
    }
}

/// Runs the body of the saga `T`, as its history says.
pub(crate) fn run<'a, T, O, E, Fut>(
    cx: &'a Cx,
    body: impl FnOnce(Saga) -> Fut + Send + 'a,
) -> BoxFuture<'a, Result<Outcome<O>, Rests>>
where
    T: Tool,
    Fut: Future<Output = Result<O, E>> + Send + 'a,
    O: Send + 'a,
    E: fmt::Display + Send + 'a,
{
    let ttl = T::contract().policy.ttl.window;
    Box::pin(async move {
        let engine = Arc::new(Engine::begin(cx, ttl).await?);
        if let Some(error) = engine.gave_up() {
            return conclude::unwind(&engine, error).await.map(Outcome::Undone);
        }
        let until_it_ends = EndOfBody(Arc::clone(&engine));
        let ended = body(Saga::of(Arc::clone(&engine))).await;
        drop(until_it_ends);
        conclude::find_out(&engine).await?;
        match ended {
            Ok(output) => conclude::finish(&engine).await.map(|()| Outcome::Finished(output)),
            Err(error) => conclude::unwind(&engine, error.to_string()).await.map(Outcome::Undone),
        }
    })
}

/// Says that the body has ended, however it does.
struct EndOfBody(Arc<Engine>);

impl Drop for EndOfBody {
    fn drop(&mut self) {
        self.0.end();
    }
}
