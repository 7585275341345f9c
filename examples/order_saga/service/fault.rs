//! What goes wrong at the services.

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503, and nothing is done.
    Busy,
    /// It is refused for good, and nothing is done, unless it was done before.
    Refused,
    /// The connection is closed, and nothing is done.
    Dropped,
    /// It is done, and the connection is closed. From outside this looks like
    /// [`Dropped`](Self::Dropped).
    AnswerLost,
    /// Nothing is done, and nobody ever says a word.
    Deaf,
    /// It is done, and nobody ever says a word.
    Silent,
}

impl Fault {
    /// Whether the request is carried out.
    pub(super) const fn acts(self) -> bool {
        matches!(self, Self::AnswerLost | Self::Silent)
    }
}
