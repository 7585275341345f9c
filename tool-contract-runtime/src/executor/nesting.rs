//! How deep calls stand in one another.
//!
//! A body that awaits a call polls it on its own stack, whatever runtime it is
//! made with; a stack that overflows ends the process, with every call in it. So
//! what is counted is the polls around this one on this thread.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;

/// The most calls that may stand in one another. Without optimisation a stack of
/// 2 MiB has room for more than twice as many of small bodies.
pub(crate) const DEEPEST: u32 = 16;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether no other call may begin in those around.
pub(super) fn is_full() -> bool {
    DEPTH.get() >= DEEPEST
}

/// Runs a call, one deeper than what is around it.
pub(super) async fn deeper<T>(call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    poll_fn(|cx| {
        let _level = Level::enter();
        call.as_mut().poll(cx)
    })
    .await
}

/// One level, until the poll returns or panics.
struct Level;

impl Level {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
