//! What goes wrong at the provider, as the incidents script it.

use serde::{Deserialize, Serialize};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// It does as it is told, and closes the connection instead of answering.
    AnswerLost,
    /// It closes the connection and does nothing. From outside this looks like
    /// [`AnswerLost`](Self::AnswerLost).
    Dropped,
    /// 429 with `Retry-After: 1`. A request before that doubles it.
    RateLimited,
    /// 503.
    Unavailable,
    /// It thinks for a while, then does as it is told.
    Slow,
    /// It does as it is told, and never says a word.
    Silent,
}
