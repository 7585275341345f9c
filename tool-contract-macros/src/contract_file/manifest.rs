//! The two things that `Cargo.toml` says about us.
//!
//! A TOML parser would cost every user of the macro its compile time; the keys
//! that matter here stand on lines of their own or in one inline table.

/// What a manifest says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// `[package.metadata.tool-contract] file = ".."`
    pub(super) file: Option<String>,
    /// Whether the package depends on this library under its own name, or is
    /// it.
    pub(super) names_library: bool,
}

const LIBRARY: [&str; 2] = ["tool-contract", "tool_contract"];

/// Reads the text of a `Cargo.toml`.
pub(super) fn read(text: &str) -> Manifest {
    let mut manifest = Manifest::default();
    let mut table = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            table = keys(header.trim_start_matches('[').split(']').next().unwrap_or_default());
            manifest.note(&table, "");
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with(['#', '{', '"'])
        {
            let path = table.iter().cloned().chain(keys(key)).collect::<Vec<_>>();
            manifest.note(&path, value.trim());
            skip_text(value, &mut lines);
        }
    }
    manifest
}

impl Manifest {
    fn note(&mut self, path: &[String], value: &str) {
        let path = path.iter().map(String::as_str).collect::<Vec<_>>();
        match path.as_slice() {
            ["package", "metadata", "tool-contract", "file"] => self.file = unquoted(value),
            ["package", "metadata", "tool-contract"] => {
                self.file = field(value, "file").or(self.file.take());
            }
            ["package", "name"] => {
                self.names_library |= unquoted(value).is_some_and(|name| is_library(&name));
            }
            [dependencies, name, ..] if is_dependencies(dependencies) => {
                self.names_library |= is_library(name);
            }
            ["target", _, dependencies, name, ..] if is_dependencies(dependencies) => {
                self.names_library |= is_library(name);
            }
            _ => {}
        }
    }
}

fn is_library(name: &str) -> bool {
    LIBRARY.contains(&name)
}

fn is_dependencies(table: &str) -> bool {
    matches!(table, "dependencies" | "dev-dependencies" | "build-dependencies")
}

/// `target.'cfg(unix)'.dependencies` as its parts.
fn keys(dotted: &str) -> Vec<String> {
    let mut quote = None;
    let mut keys = vec![String::new()];
    for character in dotted.trim().chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '.') => keys.push(String::new()),
            (None, ' ' | '\t') => {}
            _ => keys.last_mut().into_iter().for_each(|key| key.push(character)),
        }
    }
    keys
}

fn unquoted(value: &str) -> Option<String> {
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}

/// The text at `name` in an inline table.
fn field(table: &str, name: &str) -> Option<String> {
    let inside = table.strip_prefix('{')?;
    inside.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| unquoted(value.trim())).flatten()
    })
}

/// Passes over the lines of a text that goes on after its first line, so that
/// nothing in it is taken for a key.
fn skip_text<'t>(value: &str, lines: &mut impl Iterator<Item = &'t str>) {
    for fence in ["\"\"\"", "'''"] {
        if value.matches(fence).count() == 1 {
            let _ = lines.find(|line| line.contains(fence));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Option<String> {
        read(text).file
    }

    #[test]
    fn the_contract_file_is_found_however_it_is_named() {
        for text in [
            "[package.metadata.tool-contract]\nfile = \"a.yaml\"",
            "[ package . metadata . \"tool-contract\" ]\nfile='a.yaml' # ours",
            "[package.metadata]\ntool-contract = { file = \"a.yaml\" }",
            "[package.metadata]\ntool-contract.file = \"a.yaml\"",
            "[package]\nname = \"x\"\nmetadata.tool-contract.file = \"a.yaml\"\n[dependencies]",
        ] {
            assert_eq!(file(text).as_deref(), Some("a.yaml"), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_taken() {
        for text in [
            "",
            "[package.metadata.other]\nfile = \"a.yaml\"",
            "[package]\ndescription = \"\"\"\n[package.metadata.tool-contract]\nfile = \"a.yaml\"\n\"\"\"\n",
            "# [package.metadata.tool-contract]\n# file = \"a.yaml\"",
        ] {
            assert_eq!(file(text), None, "{text}");
        }
    }

    #[test]
    fn the_library_is_found_among_all_kinds_of_dependencies() {
        for text in [
            "[package]\nname = \"tool-contract\"",
            "[dependencies]\ntool-contract = \"0.1\"",
            "[dependencies]\ntool-contract.workspace = true",
            "[dev-dependencies.tool-contract]\nversion = \"0.1\"",
            "[target.'cfg(unix)'.dependencies]\ntool_contract = { path = \"..\" }",
        ] {
            assert!(read(text).names_library, "{text}");
        }
    }

    #[test]
    fn under_another_name_it_is_not_found() {
        for text in [
            "[dependencies]\ntc = { package = \"tool-contract\", version = \"0.1\" }",
            "[workspace.dependencies]\ntool-contract = \"0.1\"",
            "[dependencies]\ntool-contract-spec = \"0.1\"",
        ] {
            assert!(!read(text).names_library, "{text}");
        }
    }
}
