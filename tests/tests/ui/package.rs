//! Packages that are made for a test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A package in the target directory.
pub(crate) struct Package {
    directory: PathBuf,
}

/// The manifest's dependency on this library.
pub(crate) const DEPENDENCIES: &str = "tool-contract = { path = \"LIBRARY\" }";

impl Package {
    /// A library of this source.
    pub(crate) fn new(name: &str, source: &str) -> Self {
        Self::with_manifest(name, source, DEPENDENCIES)
    }

    /// A library of this source, with these dependencies and what follows them
    /// in the manifest.
    pub(crate) fn with_manifest(name: &str, source: &str, dependencies: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages").join(name);
        fs::remove_dir_all(&directory).ok();
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let library = tests.join("../tool-contract").canonicalize().unwrap();
        let dependencies = dependencies.replace("LIBRARY", library.to_str().unwrap());
        let package = Self { directory };
        package.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
                 [workspace]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\n[dependencies]\n{dependencies}\n"
            ),
        );
        package.write("src/lib.rs", source);
        fs::copy(tests.join("../Cargo.lock"), package.directory.join("Cargo.lock")).unwrap();
        package
    }

    /// Writes one of its files.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads one of its files.
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.directory.join(file)).unwrap()
    }

    /// Runs cargo in the target directory of these tests, which has all that
    /// the package depends on.
    pub(crate) fn cargo(&self, arguments: &[&str], mode: Option<&str>) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).args(["--offline", "--quiet"]).current_dir(&self.directory);
        cargo
            .env("CARGO_TARGET_DIR", target)
            .env_remove("TOOL_CONTRACT")
            .env("CARGO_TERM_COLOR", "never");
        if let Some(mode) = mode {
            cargo.env("TOOL_CONTRACT", mode);
        }
        cargo.output().unwrap()
    }

    /// Checks that it compiles.
    pub(crate) fn builds(&self) {
        let output = self.cargo(&["build"], None);
        assert!(output.status.success(), "{}", said(&output));
    }

    /// The one error with which it does not compile.
    pub(crate) fn error(&self) -> String {
        let output = self.cargo(&["build"], None);
        let text = said(&output);
        let errors = text.lines().filter(|line| line.starts_with("error")).count();
        // The last says that there were others.
        assert_eq!(errors, 2, "{text}");
        text
    }
}

/// Everything that was printed.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// What is underlined at the first place in the compiler's words.
pub(crate) fn underlined(text: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.contains("-->"));
    let (Some(_), Some(_), Some(source), Some(marks)) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        panic!("no place in {text}");
    };
    let marked = marks.char_indices().filter(|(_, mark)| *mark == '^').map(|(at, _)| at);
    let (first, last) = (marked.clone().min().unwrap(), marked.max().unwrap());
    source[first..=last].to_owned()
}
