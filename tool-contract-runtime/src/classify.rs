//! What an HTTP status or an I/O error says of the world.
//!
//! The question is always the same: can the other side have acted on the
//! request? If that cannot be ruled out, the outcome is
//! [`SideEffectUnknown`](OutcomeClass::SideEffectUnknown).

use std::io;
use std::time::Duration;

use tool_contract_spec::outcome::{Cause, Outcome, OutcomeClass};

/// Whether a request had left when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No byte of it had left: nothing can have happened.
    No,
    /// Some of it had left, or that is not known.
    Maybe,
}

/// What an HTTP status says.
///
/// `429` and `503` are refusals before the work, as RFC 9110 and RFC 6585 mean
/// them, and may pass. `502`, `504`, `408` and every other `5xx` come from
/// between or from within: the work may be done. A `4xx` refuses the request.
///
/// ```
/// # mod tool_contract {
/// #     pub use tool_contract_runtime::{classify, spec::outcome::OutcomeClass};
/// # }
/// use tool_contract::OutcomeClass;
/// use tool_contract::classify::http_status;
///
/// assert_eq!(http_status(504, None).class, OutcomeClass::SideEffectUnknown);
/// assert_eq!(http_status(422, None).class, OutcomeClass::ValidationFailure);
/// ```
#[must_use]
pub fn http_status(status: u16, retry_after: Option<Duration>) -> Outcome {
    let class = match status {
        200..=299 => OutcomeClass::Success,
        401 | 403 | 407 => OutcomeClass::PermissionDenied,
        408 => OutcomeClass::SideEffectUnknown,
        423 => OutcomeClass::RetryableFailure(Cause::LockTimeout),
        429 => OutcomeClass::RetryableFailure(Cause::RateLimited),
        503 => OutcomeClass::RetryableFailure(Cause::Unavailable),
        410 | 501 | 505 => OutcomeClass::PermanentFailure,
        400..=499 => OutcomeClass::ValidationFailure,
        _ => OutcomeClass::SideEffectUnknown,
    };
    Outcome::new(class).with_retry_after(retry_after)
}

/// What an I/O error says.
///
/// A connection that was refused carried no request; anything that goes wrong
/// once a request may have left says nothing of what the other side did.
#[must_use]
pub fn io_error(error: &io::Error, sent: Sent) -> Outcome {
    let never_connected = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    );
    let class = match sent {
        Sent::No => OutcomeClass::RetryableFailure(Cause::Network),
        Sent::Maybe if never_connected => OutcomeClass::RetryableFailure(Cause::Network),
        Sent::Maybe => OutcomeClass::SideEffectUnknown,
    };
    Outcome::new(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_that_rules_an_effect_out_says_that_nothing_happened() {
        use OutcomeClass::{
            PermanentFailure, PermissionDenied, RetryableFailure, SideEffectUnknown, Success,
            ValidationFailure,
        };
        let table = [
            (200, Success),
            (204, Success),
            (302, SideEffectUnknown),
            (400, ValidationFailure),
            (401, PermissionDenied),
            (403, PermissionDenied),
            (408, SideEffectUnknown),
            (409, ValidationFailure),
            (410, PermanentFailure),
            (423, RetryableFailure(Cause::LockTimeout)),
            (429, RetryableFailure(Cause::RateLimited)),
            (500, SideEffectUnknown),
            (501, PermanentFailure),
            (502, SideEffectUnknown),
            (503, RetryableFailure(Cause::Unavailable)),
            (504, SideEffectUnknown),
            (100, SideEffectUnknown),
        ];
        for (status, class) in table {
            assert_eq!(http_status(status, None).class, class, "{status}");
        }
    }

    #[test]
    fn an_error_after_sending_says_nothing_of_the_other_side() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let network = OutcomeClass::RetryableFailure(Cause::Network);
        assert_eq!(io_error(&reset, Sent::Maybe).class, OutcomeClass::SideEffectUnknown);
        assert_eq!(io_error(&reset, Sent::No).class, network);
        assert_eq!(io_error(&refused, Sent::Maybe).class, network);
    }
}
