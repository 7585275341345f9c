//! Numbers, RFC 8785 section 3.2.2.3, and the integers that it would merge.

use super::{CanonicalError, Form};

/// The largest integer of which every smaller one is a double of its own.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

pub(super) fn push_u64(out: &mut String, value: u64) -> Form {
    out.push_str(itoa::Buffer::new().format(value));
    mark(out, value <= MAX_SAFE_INTEGER)
}

pub(super) fn push_i64(out: &mut String, value: i64) -> Form {
    out.push_str(itoa::Buffer::new().format(value));
    mark(out, value.unsigned_abs() <= MAX_SAFE_INTEGER)
}

pub(super) fn push_u128(out: &mut String, value: u128) -> Form {
    out.push_str(itoa::Buffer::new().format(value));
    mark(out, value <= u128::from(MAX_SAFE_INTEGER))
}

pub(super) fn push_i128(out: &mut String, value: i128) -> Form {
    out.push_str(itoa::Buffer::new().format(value));
    mark(out, value.unsigned_abs() <= u128::from(MAX_SAFE_INTEGER))
}

fn mark(out: &mut String, safe: bool) -> Form {
    if safe {
        return Form::Json;
    }
    out.push('n');
    Form::HashOnly
}

pub(super) fn push_f64(out: &mut String, value: f64) -> Result<Form, CanonicalError> {
    if !value.is_finite() {
        return Err(CanonicalError::NotFinite(value));
    }
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format_finite(value);
    out.push_str(text);
    // `1.0` is written `1`, which an untagged enum or a `Value` reads as an
    // integer, and `-0.0` loses its sign.
    let reads_as_float = text.bytes().any(|byte| matches!(byte, b'.' | b'e'));
    Ok(if reads_as_float { Form::Json } else { Form::HashOnly })
}

/// A number that is already JSON text, of any length: integers stay apart even
/// beyond 128 bits.
pub(super) fn push_json_number(out: &mut String, text: &str) -> Result<Form, CanonicalError> {
    if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        // The standard library rounds correctly, which serde_json does not
        // promise by default.
        let value = text.parse().map_err(serde::ser::Error::custom)?;
        return push_f64(out, value);
    }
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let safe = magnitude.parse::<u64>().is_ok_and(|value| value <= MAX_SAFE_INTEGER);
    out.push_str(if magnitude == "0" { "0" } else { text });
    Ok(mark(out, safe))
}
