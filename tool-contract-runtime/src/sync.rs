//! What the ledgers' threads share. Under `--cfg shuttle` a test says whose turn
//! it is, and so comes across orders that a machine hardly ever shows.

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{Mutex, MutexGuard, atomic, mpsc},
    thread,
};
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{Mutex, MutexGuard, atomic, mpsc},
    thread,
};
