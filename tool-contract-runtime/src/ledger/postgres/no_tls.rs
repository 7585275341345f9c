//! Connections without TLS: the feature `postgres-tls` is off.

use tokio_postgres::NoTls;

use super::target::Target;
use crate::ledger::LedgerError;

/// What makes connections.
pub(super) type Connector = NoTls;

pub(super) fn connector(target: &Target) -> Result<Connector, LedgerError> {
    if target.wants_tls() {
        return Err(LedgerError::Unavailable(format!(
            "the URL of {target} demands TLS, and tool-contract was built without it; enable its \
             feature `postgres-tls`"
        )));
    }
    Ok(NoTls)
}
