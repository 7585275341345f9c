//! What a script answers: texts and numbers, taken one after the other.

use std::str::FromStr;
use std::time::Duration;

use ::redis::Value;
use serde::de::DeserializeOwned;

use crate::ledger::{LedgerError, Timestamp};

/// The rest of an answer.
pub(super) struct Parts {
    parts: std::vec::IntoIter<Value>,
}

impl Parts {
    pub(super) fn of(value: Value) -> Result<Self, LedgerError> {
        match value {
            Value::Array(parts) => Ok(Self { parts: parts.into_iter() }),
            other => Err(strange(&format!("{other:?} in place of a list"))),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.len() == 0
    }

    pub(super) fn text(&mut self) -> Result<String, LedgerError> {
        match self.maybe_text()? {
            Some(text) => Ok(text),
            None => Err(strange("nothing in place of a text")),
        }
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, LedgerError> {
        match self.parts.next() {
            Some(Value::BulkString(bytes)) => String::from_utf8(bytes)
                .map(Some)
                .map_err(|error| strange(&format!("a text that is not UTF-8: {error}"))),
            Some(Value::SimpleString(text)) => Ok(Some(text)),
            Some(Value::Int(number)) => Ok(Some(number.to_string())),
            Some(Value::Nil) => Ok(None),
            other => Err(strange(&format!("{other:?} in place of a text"))),
        }
    }

    pub(super) fn number<N: FromStr>(&mut self) -> Result<N, LedgerError> {
        let text = self.text()?;
        text.parse().map_err(|_| strange(&format!("`{text}` in place of a number")))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, LedgerError> {
        self.number().map(Timestamp)
    }

    /// Milliseconds and the nanoseconds within; nothing for never.
    pub(super) fn span(&mut self) -> Result<Option<Duration>, LedgerError> {
        let text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        let span = text.split_once(' ').and_then(|(millis, nanos)| {
            Some(
                Duration::from_millis(millis.parse().ok()?)
                    + Duration::from_nanos(nanos.parse().ok()?),
            )
        });
        span.map(Some).ok_or_else(|| strange(&format!("`{text}` in place of a span")))
    }

    /// A value as JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self, what: &str) -> Result<T, LedgerError> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| {
            LedgerError::Corrupt(format!(
                "{what} in Redis is not as a ledger of this version writes it: {error}; restore it from a backup, \
                 or repair it by hand"
            ))
        })
    }
}

/// An answer that no script of this version gives.
pub(super) fn strange(what: &str) -> LedgerError {
    LedgerError::Corrupt(format!(
        "Redis answered {what}; it is a version that is not known, or something between changes answers"
    ))
}
