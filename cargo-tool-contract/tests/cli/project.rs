//! `emit` and `check` in a project, against its code.
//!
//! One workspace of two packages, compiled for real: `shop`, a library, and
//! `till`, a program whose contract has a place of its own. It shares the
//! target directory and the lock file of this workspace, so that what is
//! compiled already is not compiled again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{Said, command, finish};

const WORKSPACE: &str = r#"
[workspace]
resolver = "3"
members = ["shop", "till"]

[workspace.dependencies]
tool-contract = { path = "{tool-contract}" }

[profile.dev]
debug = "line-tables-only"

[profile.test]
debug = "line-tables-only"
"#;

const SHOP: &str = r#"
[package]
name = "shop"
edition = "2024"

[dependencies]
tool-contract.workspace = true
"#;

const TILL: &str = r#"
[package]
name = "till"
edition = "2024"

[package.metadata.tool-contract]
file = "contracts/till.yaml"

[dependencies]
tool-contract.workspace = true
"#;

const TOOLS: &str = r#"
use tool_contract::{Done, ToolError, tool};

#[derive(Debug, ToolError)]
pub enum Declined {
    #[outcome(validation_failure)]
    Declined,
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("declined")
    }
}

/// Charge the card on file for an order.
#[tool(
    side_effect = "write",
    idempotent,
    retry(max = 3, on = "retryable", budget = "60s"),
    rollback = "refund",
    rate_limit(per_tool = "5/min"),
)]
pub async fn charge(order_id: String, cents: u64) -> Result<String, Declined> {
    Ok(format!("{order_id}: {cents}"))
}

async fn refund(_: Done<Charge>) -> Result<(), Declined> {
    Ok(())
}

/// Look an order up.
#[tool(side_effect = "read")]
pub async fn look(order_id: String) -> Result<String, Declined> {
    Ok(order_id)
}
"#;

const CONTRACT: &str = "\ntool_contract::contract!();\n";

/// The workspace on disk.
struct Project(PathBuf);

impl Project {
    fn create() -> Self {
        let this = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("project"));
        if this.0.exists() {
            fs::remove_dir_all(&this.0).expect("removed");
        }
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let library = ours.join("tool-contract").to_str().expect("UTF-8").replace('\\', "/");
        this.write("Cargo.toml", &WORKSPACE.replace("{tool-contract}", &library));
        this.write(
            "Cargo.lock",
            &fs::read_to_string(ours.join("Cargo.lock")).expect("a lock file"),
        );
        this.write("shop/Cargo.toml", SHOP);
        this.write("till/Cargo.toml", TILL);
        this.write("shop/src/lib.rs", TOOLS);
        this.write("till/src/main.rs", &format!("{TOOLS}{CONTRACT}fn main() {{}}\n"));
        this
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("created");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("read")
    }

    /// Replaces a text in a file, which must have it once.
    fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        self.write(path, &text.replace(from, to));
    }

    fn run(&self, directory: &str, args: &[&str]) -> Said {
        let target = Path::new(env!("CARGO_BIN_EXE_cargo-tool-contract"))
            .ancestors()
            .nth(2)
            .expect("a target directory");
        let mut command = command();
        command.current_dir(self.0.join(directory)).args(args);
        command
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("TOOL_CONTRACT");
        finish(&mut command)
    }
}

/// What a project meets from its first `emit` on. One test, because each step
/// begins where the one before it ended.
#[test]
fn a_contract_is_emitted_and_kept() {
    let project = Project::create();
    without_contract(&project);
    project.write("shop/src/lib.rs", &format!("{TOOLS}{CONTRACT}"));
    emitted(&project);
    drifted(&project);
    gone(&project);
    elsewhere(&project);
}

fn without_contract(project: &Project) {
    for args in [["emit"], ["check"]] {
        let said = project.run("shop", &args);
        assert_eq!(said.code, 2, "{said:?}");
    }
    let said = project.run("shop", &["emit"]);
    assert!(said.err.contains("tool_contract::contract!();"), "{}", said.err);
    project.write("shop/tool-contract.yaml", "tools: {}");
    let said = project.run("shop", &["check"]);
    assert!(said.code == 2 && said.err.contains("tool_contract::contract!();"), "{said:?}");
    fs::remove_file(project.0.join("shop/tool-contract.yaml")).expect("removed");
    let said = project.run("shop", &["check"]);
    assert!(
        said.err.contains("there is no tool-contract.yaml\n  = help: `cargo tool-contract emit`"),
        "{said:?}"
    );
}

fn emitted(project: &Project) {
    let said = project.run("shop", &["emit"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "tool-contract.yaml: 2 tools, written\n"),
        "{said:?}"
    );
    let text = project.read("shop/tool-contract.yaml");
    assert!(text.contains("path: shop::charge\n"), "{text}");
    let said = project.run("shop", &["emit"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "tool-contract.yaml: 2 tools, unchanged\n"),
        "{said:?}"
    );
    assert_eq!(project.read("shop/tool-contract.yaml"), text);
    let said = project.run("shop", &["check", "--strict"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "tool-contract.yaml: 2 tools, no findings\n"),
        "{said:?}"
    );
}

fn drifted(project: &Project) {
    project.replace("shop/tool-contract.yaml", "max_attempts: 3", "max_attempts: 4");
    project.replace("shop/tool-contract.yaml", "format: uint64", "format: uint32");
    let said = project.run("shop", &["check"]);
    assert_eq!(said.code, 1, "{said:?}");
    for finding in [
        "error[TC0018]: `charge`: `retry.max_attempts` is 3 in the code and 4 in the contract file\n  --> tool-contract.yaml:13:14\n",
        "error[TC0018]: `charge`: `arguments.schema` is \"uint64\" at `/properties/cents/format` in the code and \"uint32\" there in the contract file\n",
        "tool-contract.yaml: 2 tools, 2 errors; `cargo tool-contract explain TC0018` says more\n",
    ] {
        assert!(said.out.contains(finding), "{finding}\n{}", said.out);
    }
    let said = project.run("", &["check", "-p", "shop", "--json"]);
    assert!(said.code == 1 && said.out.contains("\"deny\": 2"), "{said:?}");
}

fn gone(project: &Project) {
    let text = project.read("shop/tool-contract.yaml");
    project.write("shop/tool-contract.yaml", &text.replace("  look:\n", "  peek:\n"));
    let said = project.run("shop", &["check"]);
    assert!(said.code == 1 && said.out.contains("has no tool `look`"), "{said:?}");
    assert!(said.out.contains("the code has no tool `peek`"), "{said:?}");
    let said = project.run("shop", &["emit"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "tool-contract.yaml: 2 tools, written\n"),
        "{said:?}"
    );
    let said = project.run("shop", &["check"]);
    assert_eq!(said.code, 0, "{said:?}");
}

fn elsewhere(project: &Project) {
    let workspace = project.run("", &["check"]);
    assert!(
        workspace.code == 2 && workspace.err.contains("name a package with `-p`: shop, till"),
        "{workspace:?}"
    );
    let nobody = project.run("", &["emit", "-p", "nobody"]);
    assert!(nobody.code == 2 && nobody.err.contains("no package `nobody`"), "{nobody:?}");
    fs::create_dir(project.0.join("till/contracts")).expect("created");
    let till = project.run("", &["emit", "--manifest-path", "till/Cargo.toml"]);
    assert_eq!(
        (till.code, till.out.as_str()),
        (0, "till/contracts/till.yaml: 2 tools, written\n"),
        "{till:?}"
    );
    let said = project.run("till", &["check"]);
    assert_eq!(said.code, 0, "{said:?}");
    let decided = project
        .run("till", &["decide", "--tool", "look", "--outcome", "success", "--attempt", "1"]);
    assert!(decided.code == 0 && decided.out.starts_with("continue: "), "{decided:?}");
}
