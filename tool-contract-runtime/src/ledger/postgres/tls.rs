//! Connections with TLS, by rustls.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::target::Target;
use crate::ledger::LedgerError;

/// What makes connections.
pub(super) type Connector = MakeRustlsConnect;

pub(super) fn connector(target: &Target) -> Result<Connector, LedgerError> {
    let unusable = |why: String| {
        LedgerError::Unavailable(format!("{target} cannot be reached with TLS: {why}"))
    };
    let roots = match &target.root_cert {
        _ if !target.wants_tls() => RootCertStore::empty(),
        Some(file) => own(file).map_err(|why| unusable(format!("sslrootcert `{file}`: {why}")))?,
        None => well_known().map_err(unusable)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates in a file.
fn own(file: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for found in CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())? {
        let found = found.map_err(|error| error.to_string())?;
        roots.add(found).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(roots) }
}

/// The certificates that this machine trusts.
fn well_known() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(format!(
            "this machine trusts no certificates ({:?}); name some with `sslrootcert=`",
            found.errors
        ));
    }
    Ok(roots)
}
