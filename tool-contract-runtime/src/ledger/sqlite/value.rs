//! Values of columns, checked as they are read.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tool_contract_spec::ledger::Timestamp;

use super::fault::{Damage, Trouble};
use crate::ledger::LedgerError;

/// A number as SQLite keeps it; what is beyond it is the end of time.
pub(super) fn number<'a>(value: u64) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Value::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
}

pub(super) fn time<'a>(value: Timestamp) -> ToSqlOutput<'a> {
    number(value.0)
}

pub(super) fn span<'a>(value: Duration) -> ToSqlOutput<'a> {
    number(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
}

pub(super) const fn text(value: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(value.as_bytes()))
}

pub(super) const fn bytes(value: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Blob(value))
}

pub(super) fn big<'a>(value: u128) -> ToSqlOutput<'a> {
    ToSqlOutput::Owned(Value::Blob(value.to_be_bytes().to_vec()))
}

pub(super) fn maybe<'a, T>(
    value: Option<T>,
    put: impl FnOnce(T) -> ToSqlOutput<'a>,
) -> ToSqlOutput<'a> {
    value.map_or(ToSqlOutput::Owned(Value::Null), put)
}

pub(super) fn json<'a, T: Serialize>(value: Option<&T>) -> Result<ToSqlOutput<'a>, Trouble> {
    let Some(value) = value else { return Ok(ToSqlOutput::Owned(Value::Null)) };
    serde_json::to_string(value).map(|text| ToSqlOutput::Owned(Value::Text(text))).map_err(
        |error| {
            Trouble::Request(LedgerError::Unavailable(format!(
                "a record cannot be written as JSON: {error}"
            )))
        },
    )
}

/// Reads the columns of a row, from left to right.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    /// The columns of `row` from the one with the index `first` on.
    pub(super) const fn from(row: &'r Row<'s>, first: usize) -> Self {
        Self { row, next: first }
    }

    fn value(&mut self) -> Result<ValueRef<'r>, Damage> {
        self.next += 1;
        self.row
            .get_ref(self.next - 1)
            .map_err(|error| self.damage(&format!("cannot be read: {error}")))
    }

    /// That the column that was read last holds what it should not.
    pub(super) fn damage(&self, problem: &str) -> Damage {
        let name =
            self.next.checked_sub(1).and_then(|column| self.row.as_ref().column_name(column).ok());
        Damage { column: name.unwrap_or("a column").to_owned(), problem: problem.to_owned() }
    }

    pub(super) fn text(&mut self) -> Result<&'r str, Damage> {
        self.maybe_text()?.ok_or_else(|| self.damage("is empty"))
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<&'r str>, Damage> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => {
                std::str::from_utf8(text).map(Some).map_err(|_| self.damage("is not UTF-8"))
            }
            _ => Err(self.damage("is not text")),
        }
    }

    pub(super) fn shared(&mut self) -> Result<Arc<str>, Damage> {
        self.text().map(Into::into)
    }

    pub(super) fn row_id(&mut self) -> Result<i64, Damage> {
        match self.value()? {
            ValueRef::Integer(value) => Ok(value),
            _ => Err(self.damage("is not a number")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, Damage> {
        self.maybe_number()?.ok_or_else(|| self.damage("is empty"))
    }

    pub(super) fn maybe_number(&mut self) -> Result<Option<u64>, Damage> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(i64::MAX) => Ok(Some(u64::MAX)),
            ValueRef::Integer(value) => {
                u64::try_from(value).map(Some).map_err(|_| self.damage("is below zero"))
            }
            _ => Err(self.damage("is not a number")),
        }
    }

    pub(super) fn small(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.number()?).map_err(|_| self.damage("is too large"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, Damage> {
        Ok(self.number()? != 0)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Damage> {
        self.number().map(Timestamp)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, Damage> {
        self.maybe_number().map(|time| time.map(Timestamp))
    }

    pub(super) fn span(&mut self) -> Result<Duration, Damage> {
        self.number().map(Duration::from_millis)
    }

    pub(super) fn maybe_span(&mut self) -> Result<Option<Duration>, Damage> {
        self.maybe_number().map(|span| span.map(Duration::from_millis))
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Damage> {
        let ValueRef::Blob(bytes) = self.value()? else { return Err(self.damage("is not a blob")) };
        bytes
            .try_into()
            .map_err(|_| self.damage(&format!("has {} bytes, and should have {N}", bytes.len())))
    }

    pub(super) fn big(&mut self) -> Result<u128, Damage> {
        self.bytes().map(u128::from_be_bytes)
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Damage> {
        let Some(text) = self.maybe_text()? else { return Ok(None) };
        serde_json::from_str(text)
            .map(Some)
            .map_err(|error| self.damage(&format!("is not what it should be: {error}")))
    }

    /// One of a fixed set of words.
    pub(super) fn word<T: Copy>(
        &mut self,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, Damage> {
        let text = self.text()?;
        let found = all.iter().copied().find(|word| name(*word) == text);
        found.ok_or_else(|| self.damage(&format!("is `{text}`, which means nothing here")))
    }
}
