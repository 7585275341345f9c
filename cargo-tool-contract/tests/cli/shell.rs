//! Files and commands of the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What a command did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed to standard output.
    pub(crate) out: String,
    /// What it printed to standard error.
    pub(crate) err: String,
}

/// Runs `cargo-tool-contract` with these arguments.
pub(crate) fn run(args: &[&str]) -> Said {
    finish(command().args(args))
}

/// `cargo-tool-contract`, yet without arguments.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cargo-tool-contract"))
}

/// `tool-contract`, yet without arguments.
pub(crate) fn plain_command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tool-contract"))
}

impl Said {
    /// With one date for every date, and one escalation for every escalation.
    pub(crate) fn timeless(self) -> Self {
        let still = |text: String| {
            let text = masked(&text, "dddd-dd-dd dd:dd:dd", "2026-11-19 01:02:03");
            let text = masked(&text, "dddd-dd-ddTdd:dd:dd.dddZ", "2026-11-19T01:02:03.456Z");
            masked(&text, "esc_xxxxxxxxxxxxxxxx", "esc_0123456789abcdef")
        };
        Self { code: self.code, out: still(self.out), err: still(self.err) }
    }
}

/// The text with `instead` where `form` fits, in which `d` is a digit and `x` a
/// digit of hex.
fn masked(text: &str, form: &str, instead: &str) -> String {
    let fits = |at: &str| {
        at.len() >= form.len()
            && at.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'd' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_hexdigit(),
                other => byte == other,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, step) = if fits(rest) {
            (instead, form.len())
        } else {
            (&rest[..first.len_utf8()], first.len_utf8())
        };
        out.push_str(piece);
        rest = &rest[step..];
    }
    out
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Said {
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said {
        code: output.status.code().expect("it ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A file of its own for a test; answers its path.
pub(crate) fn file(name: &str, text: impl AsRef<[u8]>) -> String {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(name);
    fs::write(&path, text).expect("a file");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A contract without a finding.
pub(crate) const CLEAN: &str = "\
tools:
  look:
    description: Look.
    mode: read
";

/// A contract that is fine, with advice.
pub(crate) const ADVISED: &str = "\
tools:
  charge:
    description: Charge.
    mode: write
    idempotent: true
    idempotency_key_required: true
    rollback: { strategy: compensate, with: refund }
    retry: { max_attempts: 3, retry_on: [retryable], budget: 60s, base: 1s, jitter: none }
";

/// A contract that breaks rules.
pub(crate) const BROKEN: &str = "\
version: 1
tools:
  charge:
    mode: write
    idempotent: false
    timeout: 30
    retry: { max_attempts: 3, retry_on: [retryable] }
    rollback: { strategy: none }
    rate_limit: { per_tool_per_hour: 3 }
    description: Charge.
";
