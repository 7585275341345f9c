//! Waking those who wait for an operation to change.

use std::future::Future;
use std::hash::{BuildHasher, Hash, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::sync::atomic::{AtomicUsize, Ordering};

/// How many bells there are. Operations share them: a waiter that is woken for
/// nothing asks once too often, which does no harm.
const BELLS: usize = 64;

/// The bells by which those who wait are woken.
pub(super) struct Waiting {
    /// How many listen. Mostly nobody does, and then waking costs nothing.
    listeners: AtomicUsize,
    bells: [Notify; BELLS],
    places: RandomState,
}

impl Default for Waiting {
    fn default() -> Self {
        let bells = [const { Notify::const_new() }; BELLS];
        Self { listeners: AtomicUsize::new(0), bells, places: RandomState::new() }
    }
}

impl Waiting {
    /// Wakes whoever listens for `id`: an operation, or what stands for it. Call
    /// it when the change can be seen.
    pub(super) fn wake(&self, id: &(impl Hash + ?Sized)) {
        if self.is_listened_to() {
            self.bell(id).notify_waiters();
        }
    }

    /// Wakes all who listen.
    #[cfg(feature = "postgres")]
    pub(super) fn wake_all(&self) {
        self.bells.iter().for_each(Notify::notify_waiters);
    }

    /// Whether anybody listens.
    pub(super) fn is_listened_to(&self) -> bool {
        self.listeners.load(Ordering::SeqCst) > 0
    }

    /// Listens for changes of `id` from now on. Who looks at the record after
    /// this, and then awaits it, misses no change.
    pub(super) fn listen(&self, id: &(impl Hash + ?Sized)) -> Listening<'_> {
        self.listeners.fetch_add(1, Ordering::SeqCst);
        let mut bell = Box::pin(self.bell(id).notified());
        bell.as_mut().enable();
        Listening { bell, listeners: &self.listeners }
    }

    fn bell(&self, id: &(impl Hash + ?Sized)) -> &Notify {
        let place = self.places.hash_one(id) % (BELLS as u64);
        &self.bells[usize::try_from(place).unwrap_or(0)]
    }
}

/// Ends with the next change.
pub(super) struct Listening<'a> {
    bell: Pin<Box<Notified<'a>>>,
    listeners: &'a AtomicUsize,
}

impl Future for Listening<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.bell.as_mut().poll(cx)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.listeners.fetch_sub(1, Ordering::SeqCst);
    }
}
