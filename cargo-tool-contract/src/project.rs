//! The package that a command is about, as cargo knows it.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::args::Project;
use crate::{Stop, called};

/// The name of a contract file, unless the manifest says otherwise.
const USUAL_NAME: &str = "tool-contract.yaml";

/// A package with tools.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    /// Where its contract file stands, or would.
    pub(crate) contract: PathBuf,
    /// The flags of `cargo test` for those of its targets that can hold tools.
    pub(crate) targets: Vec<&'static str>,
    pub(crate) target_directory: PathBuf,
}

impl Package {
    /// The package that was asked for, or that of this directory.
    pub(crate) fn find(project: &Project) -> Result<Self, Stop> {
        let metadata = metadata(project)?;
        let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
        let package = if let Some(name) = &project.package {
            packages.iter().find(|package| package["name"] == **name)
        } else {
            let here = manifest_here(project)?;
            let is_here = |package: &&Value| {
                package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == here)
            };
            packages.iter().find(is_here)
        };
        package
            .and_then(|package| Self::of(package, &metadata))
            .ok_or_else(|| nothing_found(project, packages))
    }

    fn of(package: &Value, metadata: &Value) -> Option<Self> {
        let manifest = PathBuf::from(package["manifest_path"].as_str()?);
        let named = package["metadata"]["tool-contract"]["file"].as_str();
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            contract: from_here(manifest.parent()?.join(named.unwrap_or(USUAL_NAME))),
            targets: targets(package),
            target_directory: PathBuf::from(metadata["target_directory"].as_str()?),
            manifest,
        })
    }
}

/// A path as somebody in this directory would write it, if it is below.
fn from_here(path: PathBuf) -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    path.strip_prefix(here).map(Path::to_path_buf).unwrap_or(path)
}

/// The flags of `cargo test` for the targets that a package has: it refuses
/// those that it has not.
fn targets(package: &Value) -> Vec<&'static str> {
    let targets = package["targets"].as_array().map_or(&[][..], Vec::as_slice);
    let has = |kinds: &[&str]| {
        let mut found = targets.iter().filter_map(|target| target["kind"].as_array()).flatten();
        found.any(|kind| kinds.iter().any(|wanted| kind == wanted))
    };
    let flags = [
        ("--lib", &["lib", "rlib", "dylib", "cdylib", "staticlib"][..]),
        ("--bins", &["bin"][..]),
        ("--examples", &["example"][..]),
    ];
    flags.into_iter().filter(|(_, kinds)| has(kinds)).map(|(flag, _)| flag).collect()
}

fn nothing_found(project: &Project, packages: &[Value]) -> Stop {
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let names = names.join(", ");
    match &project.package {
        Some(name) => format!("error: there is no package `{name}` here; there are {names}"),
        None => format!("error: this is a workspace; name a package with `-p`: {names}"),
    }
}

/// A cargo command for this project.
pub(crate) fn cargo(subcommand: &str) -> Command {
    // Cargo tells its subcommands which cargo they belong to.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand);
    command
}

/// Cargo could not be started.
pub(crate) fn no_cargo(error: &io::Error) -> Stop {
    if error.kind() != io::ErrorKind::NotFound {
        return format!("error: cannot run cargo: {error}");
    }
    format!(
        "error: this asks the code of a project, and there is no cargo here to do it with\n  \
         = help: name a contract file, as in `{} check tool-contract.yaml`; `ledger` and `explain` need no project",
        called()
    )
}

fn metadata(project: &Project) -> Result<Value, Stop> {
    let output = ask(cargo("metadata").args(["--format-version", "1", "--no-deps"]), project)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("error: `cargo metadata` made no sense: {error}"))
}

/// The manifest that cargo takes for this directory.
fn manifest_here(project: &Project) -> Result<PathBuf, Stop> {
    let output = ask(cargo("locate-project").args(["--message-format", "plain"]), project)?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end()))
}

fn ask(command: &mut Command, project: &Project) -> Result<Output, Stop> {
    if let Some(path) = &project.manifest_path {
        command.arg("--manifest-path").arg(path);
    }
    let output = command.output().map_err(|error| no_cargo(&error))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}
