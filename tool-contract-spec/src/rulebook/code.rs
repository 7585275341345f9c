//! The stable codes, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A rule's stable code, as in `TC0004`.
///
/// A code is never given to another rule and never taken back. One that this
/// version does not know still reads, prints and travels; only
/// [`rule`](super::rule()) has nothing to say of it.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// use tool_contract::spec::rulebook::Code;
///
/// assert_eq!("tc0004".parse(), Ok(Code::RETRY_WITHOUT_IDEMPOTENCY));
/// assert_eq!(Code::RETRY_WITHOUT_IDEMPOTENCY.to_string(), "TC0004");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(u16);

/// Names codes: `NAME = number`.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// Every code that has a name, so that each can be asked for its rule.
            #[cfg(test)]
            pub(super) const NAMED: &[Self] = &[$(Self::$name),*];
        }
    };
}

codes! {
    /// `side_effect` is missing.
    MISSING_SIDE_EFFECT = 1,
    /// `side_effect` is not read, write or destructive.
    UNKNOWN_SIDE_EFFECT = 2,
    /// A write says nothing of repetition.
    MISSING_IDEMPOTENCY = 3,
    /// A write that is not idempotent is retried.
    RETRY_WITHOUT_IDEMPOTENCY = 4,
    /// `retry` lacks `max` or `on`.
    INCOMPLETE_RETRY = 5,
    /// A number is zero, too large, or below one that it must reach.
    NUMBER_OUT_OF_RANGE = 6,
    /// `on` names a class that repetition cannot fix.
    RETRY_ON_FINAL = 7,
    /// `on` names unknown outcomes where repetition may do harm.
    RETRY_ON_UNKNOWN = 8,
    /// `on` names what is no class, or one twice.
    UNKNOWN_CLASS = 9,
    /// A write has no rollback boundary.
    MISSING_ROLLBACK = 10,
    /// A destructive tool asks nobody.
    MISSING_CONFIRM = 11,
    /// A read declares what only writes have.
    CONTRADICTS_READ = 12,
    /// A key expires before its last retry.
    TTL_TOO_SHORT = 13,
    /// A key template that cannot tell operations apart, or leaks a secret.
    UNFIT_KEY_TEMPLATE = 14,
    /// A time span or a rate that can never be kept.
    UNKEEPABLE_BOUND = 15,
    /// A rollback or reconcile function is missing or does not fit.
    UNFIT_FUNCTION = 16,
    /// Two tools have one name.
    DUPLICATE_TOOL = 17,
    /// Code and contract file disagree.
    CONTRACT_DIFFERS = 18,
    /// The key never reaches the API that is to dedupe on it.
    KEY_NOT_PASSED_ON = 19,
    /// A key that the ledger needs is declared optional.
    OPTIONAL_KEY = 20,
    /// A key or field is unknown, given twice or has a value of the wrong kind.
    MALFORMED_FIELD = 21,
    /// The function's shape does not fit a tool.
    UNFIT_SIGNATURE = 22,
    /// A variant of an error type has no outcome class.
    UNCLASSIFIED_ERROR = 23,
    /// An argument or an output cannot be stored.
    UNSTORABLE_TYPE = 24,
    /// A name that model providers do not take.
    UNFIT_NAME = 25,
    /// A step of a saga that nothing undoes, before the pivot.
    NOT_COMPENSABLE = 26,
    /// A step of a saga that may fail for good, after the pivot.
    NOT_COMPLETABLE = 27,

    /// A write has no rate limit.
    NO_RATE_LIMIT = 101,
    /// Every unknown outcome will wait for a person.
    NO_RECONCILE = 102,
    /// Retries have no wall-clock bound.
    NO_BUDGET = 103,
    /// A float takes part in the operation hash.
    FLOAT_ARGUMENT = 104,
    /// A clock, a nonce or a request id takes part in the operation hash.
    VOLATILE_ARGUMENT = 105,
    /// Free text takes part in the operation hash, beside a derived key.
    FREE_TEXT_ARGUMENT = 106,
    /// The tool has no description.
    NO_DESCRIPTION = 107,

    /// A call of a write brought no key.
    KEY_MISSING = 201,
    /// A key is not 1 to 255 bytes of visible ASCII, or not the derived one.
    KEY_MALFORMED = 202,
    /// The key belongs to other arguments.
    CONFLICT = 203,
    /// The key's result is no longer kept.
    EXPIRED = 204,
    /// The operation is running.
    IN_FLIGHT = 205,
    /// The next attempt may not start yet.
    NOT_BEFORE = 206,
    /// The key has used its attempts.
    ATTEMPTS_EXHAUSTED = 207,
    /// Nobody knows whether the operation happened.
    UNKNOWN_OUTCOME = 208,
    /// A destructive call has no approval.
    APPROVAL_MISSING = 209,
    /// A person said no.
    APPROVAL_DENIED = 210,
    /// The approval expired or is not for this call.
    APPROVAL_VOID = 211,
    /// A rate limit is used up.
    LIMITED = 212,
    /// No tool has that name.
    UNKNOWN_TOOL = 213,
    /// The arguments do not fit the tool.
    ARGUMENTS_MALFORMED = 214,
    /// The request is larger than the runtime reads.
    TOO_LARGE = 215,
    /// The deadline had passed.
    DEADLINE_PASSED = 216,
    /// The stored result no longer fits the output type.
    RESULT_UNREADABLE = 217,
    /// A state that the tool takes is not registered.
    STATE_MISSING = 218,
    /// The same operation came under another key.
    LIKELY_REMINT = 219,
    /// The ledger could not be asked.
    LEDGER_UNAVAILABLE = 220,
    /// The call stands in too many others.
    NESTED_TOO_DEEP = 221,

    /// A saga's claim was lost; another process may have taken it over.
    SAGA_LOST = 230,
    /// A saga's code is not the code that began it.
    SAGA_CHANGED = 231,
    /// A saga has made too many steps.
    SAGA_TOO_LONG = 232,
    /// A step failed in an earlier run of its saga, and is not tried again.
    SAGA_STEP_FAILED = 233,
    /// A step was made while what came of one before it is not known.
    SAGA_HELD_BACK = 234,
    /// Nobody's approval would count.
    APPROVERS_MISSING = 240,

    /// A person gave the operation up.
    ABANDONED = 250,
    /// The circuit breaker of the tool is open.
    BREAKER_OPEN = 260,
    /// The budget of an objective is used up.
    BUDGET_SPENT = 261,
    /// A call does not say to which objective it belongs, and that has a budget.
    OBJECTIVE_MISSING = 262,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TC{:04}", self.0)
    }
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rule code; one looks like `TC0004`")]
pub struct MalformedCode(pub String);

impl FromStr for Code {
    type Err = MalformedCode;

    /// Reads `TC0004`, `tc0004` and, for a person in a hurry, `4`.
    fn from_str(text: &str) -> Result<Self, MalformedCode> {
        let malformed = || MalformedCode(text.to_owned());
        let digits = match text.split_at_checked(2) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("TC") => rest,
            _ => text,
        };
        if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(malformed());
        }
        digits.parse().map(Self).map_err(|_| malformed())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_code_reads() {
        for text in ["TC0004", "tc0004", "Tc4", "0004", "4"] {
            assert_eq!(text.parse(), Ok(Code::RETRY_WITHOUT_IDEMPOTENCY), "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "TC", "TC00004", "TCx", "+4", "-4", "E0004", "€€", "ＴＣ4"] {
            assert_eq!(text.parse::<Code>(), Err(MalformedCode(text.to_owned())));
        }
    }

    #[test]
    fn a_code_travels_as_its_text() {
        let json = serde_json::to_string(&Code::CONFLICT).unwrap();
        assert_eq!(json, "\"TC0203\"");
        assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), Code::CONFLICT);
        assert!(serde_json::from_str::<Code>("203").is_err());
    }
}
