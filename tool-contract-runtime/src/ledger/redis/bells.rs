//! Waking those who wait for an operation to change.
//!
//! Scripts publish the changes that somebody may wait for. A channel is
//! subscribed to while somebody here waits for its operation, so that nobody
//! is told of what does not concern him.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::redis::{PushInfo, PushKind, Value};
use tokio::runtime::Handle;
use tool_contract_spec::key::OperationId;

use super::line::Line;
use crate::ledger::waiting::{Listening, Waiting};

/// The bells of one ledger.
#[derive(Default)]
pub(super) struct Bells {
    waiting: Waiting,
    channels: Mutex<HashMap<String, Channel>>,
}

/// A channel that somebody waits on.
struct Channel {
    id: OperationId,
    listeners: usize,
}

impl Bells {
    /// Wakes whoever waits here for `id`.
    pub(super) fn ring(&self, id: &OperationId) {
        self.waiting.wake(id);
    }

    /// Listens for changes of `id` from now on.
    pub(super) fn listen(&self, id: &OperationId) -> Listening<'_> {
        self.waiting.listen(id)
    }

    /// Takes what the server has said.
    pub(super) fn heard(&self, push: &PushInfo) {
        match (&push.kind, &*push.data) {
            (PushKind::Message, [Value::BulkString(channel), ..]) => {
                let id = std::str::from_utf8(channel)
                    .ok()
                    .and_then(|channel| self.channels().get(channel).map(|found| found.id.clone()));
                if let Some(id) = id {
                    self.ring(&id);
                }
            }
            // Nobody knows what was missed, so all look again.
            (PushKind::Disconnection, _) => {
                let ids: Vec<_> = self.channels().values().map(|found| found.id.clone()).collect();
                for id in &ids {
                    self.ring(id);
                }
            }
            _ => {}
        }
    }

    /// Subscribes to a channel for as long as the subscription lives.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        line: &Line,
        channel: String,
        id: &OperationId,
    ) -> Subscription {
        let channel_ = channel.clone();
        match self.channels().entry(channel_) {
            Entry::Occupied(mut found) => found.get_mut().listeners += 1,
            Entry::Vacant(vacant) => {
                vacant.insert(Channel { id: id.clone(), listeners: 1 });
            }
        }
        let mut subscription =
            Subscription { bells: Arc::clone(self), line: line.clone(), channel, is_heard: false };
        // Even if others are subscribed: their request may still be under way.
        subscription.is_heard = line.subscribe(&subscription.channel).await;
        subscription
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That a channel is listened to.
pub(super) struct Subscription {
    bells: Arc<Bells>,
    line: Line,
    channel: String,
    /// Whether the server tells of changes.
    pub(super) is_heard: bool,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut channels = self.bells.channels();
        let Some(channel) = channels.get_mut(&self.channel) else { return };
        channel.listeners -= 1;
        if channel.listeners > 0 {
            return;
        }
        channels.remove(&self.channel);
        // Somebody who subscribes at this very moment may go unheard, and then finds
        // the change by looking.
        if let Ok(runtime) = Handle::try_current() {
            let (line, channel) = (self.line.clone(), std::mem::take(&mut self.channel));
            runtime.spawn(async move { line.unsubscribe(&channel).await });
        }
    }
}
