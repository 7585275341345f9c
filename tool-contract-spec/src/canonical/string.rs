//! Strings, RFC 8785 section 3.2.2.2.

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    // Most strings need no escape, and this pass compiles to vector instructions.
    if text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        push_escaped(out, text);
    } else {
        out.push_str(text);
    }
    out.push('"');
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn push_escaped(out: &mut String, text: &str) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        if needs_escape(byte) {
            // What needs an escape is ASCII, so both cuts are between characters.
            out.push_str(&text[copied..at]);
            push_escape(out, byte);
            copied = at + 1;
        }
    }
    out.push_str(&text[copied..]);
}

fn push_escape(out: &mut String, byte: u8) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push('\\');
    match byte {
        0x08 => out.push('b'),
        0x09 => out.push('t'),
        0x0A => out.push('n'),
        0x0C => out.push('f'),
        0x0D => out.push('r'),
        b'"' | b'\\' => out.push(char::from(byte)),
        control => {
            out.push_str("u00");
            out.push(HEX[usize::from(control >> 4)]);
            out.push(HEX[usize::from(control & 0xF)]);
        }
    }
}
