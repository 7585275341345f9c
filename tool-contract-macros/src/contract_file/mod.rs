//! The contract file of the package that is being compiled.

mod manifest;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use proc_macro2::TokenStream;
use quote::quote;
use tool_contract_spec::document::{self, Document, Unreadable};

use self::manifest::Manifest;

/// The name where the manifest says nothing.
const DEFAULT: &str = "tool-contract.yaml";

/// The package that is being compiled.
pub(crate) struct Package {
    directory: PathBuf,
    manifest: Manifest,
}

/// What the contract file is at this moment.
#[derive(Clone)]
pub(crate) enum ContractFile {
    /// There is none.
    Missing,
    /// It is no contract.
    Unreadable(Arc<Unreadable>),
    /// It was read.
    Read(Arc<Document>),
}

impl Package {
    /// The package, where cargo compiles it.
    pub(crate) fn current() -> Option<Self> {
        let directory = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
        let text = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?;
        Some(Self { directory, manifest: manifest::read(&text) })
    }

    /// Whether `::tool_contract` is a name in this package.
    pub(crate) fn names_library(&self) -> bool {
        self.manifest.names_library
    }

    /// The contract file's path below the manifest's directory.
    pub(crate) fn contract_path(&self) -> &str {
        self.manifest.file.as_deref().unwrap_or(DEFAULT)
    }

    /// Reads the contract file; once per process and version of the file.
    pub(crate) fn contract(&self) -> ContractFile {
        cached(&self.directory.join(self.contract_path()))
    }

    /// Whether a source file belongs to an example, an integration test or a
    /// benchmark: those are crates of their own, which the contract is not
    /// about.
    pub(crate) fn is_aside(&self, source: &Path) -> bool {
        let source = std::path::absolute(source).unwrap_or_else(|_| source.to_owned());
        ["examples", "tests", "benches"]
            .iter()
            .any(|aside| source.starts_with(self.directory.join(aside)))
    }

    /// Items that make cargo compile the crate again when the contract file
    /// changes.
    pub(crate) fn tracking(&self) -> TokenStream {
        let path = format!("/{}", self.contract_path());
        quote! {
            const _: &str = ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #path));
        }
    }
}

/// Whether code and file are compared at all: not while the file is being
/// written from the code.
pub(crate) fn is_binding() -> bool {
    !matches!(std::env::var("TOOL_CONTRACT").as_deref(), Ok("overwrite" | "report"))
}

/// Items that make cargo compile the crate again when [`is_binding`] changes.
pub(crate) fn tracking_mode() -> TokenStream {
    quote! { const _: ::core::option::Option<&str> = ::core::option_env!("TOOL_CONTRACT"); }
}

type Version = (SystemTime, u64);

static CACHE: LazyLock<Mutex<HashMap<PathBuf, (Version, ContractFile)>>> =
    LazyLock::new(Mutex::default);

fn cached(path: &Path) -> ContractFile {
    let metadata = std::fs::metadata(path);
    let Ok(version) = metadata.and_then(|metadata| Ok((metadata.modified()?, metadata.len())))
    else {
        return ContractFile::Missing;
    };
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    match cache.get(path) {
        Some((read, file)) if *read == version => file.clone(),
        _ => {
            let file = read(path);
            cache.insert(path.to_owned(), (version, file.clone()));
            file
        }
    }
}

fn read(path: &Path) -> ContractFile {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let unreadable =
                Unreadable { at: None, message: error.to_string(), help: String::new() };
            return ContractFile::Unreadable(Arc::new(unreadable));
        }
    };
    match document::read(&text) {
        Ok(document) => ContractFile::Read(Arc::new(document)),
        Err(unreadable) => ContractFile::Unreadable(Arc::new(unreadable)),
    }
}
