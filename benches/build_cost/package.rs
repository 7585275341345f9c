//! Crates with tools, in a folder of their own.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where crates and their target directories lie; gone at the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let name = format!("tool-contract-build-cost-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// A crate with as many tools, to be checked in this target directory.
    pub(crate) fn package(
        &self,
        name: &str,
        tools: u32,
        target: &str,
    ) -> Result<Package, Box<dyn Error>> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
        let folder = self.0.join(name);
        let source = folder.join("src/lib.rs");
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest(workspace))?;
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock"))?;
        fs::write(&source, library(tools))?;
        Ok(Package { folder, source, target: self.0.join(target) })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A crate with tools.
pub(crate) struct Package {
    folder: PathBuf,
    source: PathBuf,
    target: PathBuf,
}

impl Package {
    /// The time of a check: of the dependencies too, the first time.
    pub(crate) fn check(&self) -> Result<Duration, Box<dyn Error>> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--quiet", "--offline", "--target-dir"]).arg(&self.target);
        cargo.current_dir(&self.folder).env("CARGO_INCREMENTAL", "0").stdout(Stdio::null());
        let start = Instant::now();
        let status = cargo.status()?;
        if status.success() { Ok(start.elapsed()) } else { Err("the check failed".into()) }
    }

    /// The time of a check of this crate alone.
    pub(crate) fn check_again(&self) -> Result<Duration, Box<dyn Error>> {
        let text = fs::read(&self.source)?;
        fs::write(&self.source, text)?;
        self.check()
    }
}

fn manifest(workspace: &Path) -> String {
    let path = workspace.join("tool-contract");
    let path = path.display();
    format!(
        r#"[package]
name = "build-cost"
version = "0.1.0"
edition = "2024"

[workspace]

[dependencies]
schemars = "1.2"
serde = {{ version = "1", features = ["derive"] }}
thiserror = "2"
tool-contract = {{ path = '{path}' }}
"#
    )
}

/// The tools of an agent: most of them write, each has arguments of its own,
/// and they share what they return and how they fail.
fn library(tools: u32) -> String {
    let mut text = HEAD.to_owned();
    for tool in 0..tools {
        write!(text, "{}", TOOL.replace("NUMBER", &tool.to_string())).unwrap_or_default();
    }
    text
}

const HEAD: &str = r#"//! Tools.

use tool_contract::{Cx, ToolError, tool};

#[derive(Debug, thiserror::Error, ToolError)]
pub enum PaymentError {
    #[error("card declined: {0}")]
    #[outcome(validation_failure)]
    Declined(String),
    #[error("provider is busy")]
    #[outcome(retryable_failure(rate_limited))]
    Busy,
    #[error("no answer after the request was sent")]
    #[outcome(side_effect_unknown)]
    NoAnswer,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Receipt {
    pub id: String,
}
"#;

const TOOL: &str = r#"
/// Charge the card on file for an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable"),
    rollback = "manual_only",
)]
pub async fn charge_card_NUMBER(
    cx: &Cx,
    order_id: String,
    cents: u64,
    #[arg(ignore)] memo: Option<String>,
) -> Result<Receipt, PaymentError> {
    match (cents, memo) {
        (0, _) => Err(PaymentError::Declined(order_id)),
        (_, Some(memo)) => Ok(Receipt { id: format!("{order_id}: {memo}") }),
        _ => Ok(Receipt { id: cx.idempotency_key().to_owned() }),
    }
}
"#;
