//! How an operation is written in one word: `TOOL/KEY`, or `@TENANT/TOOL/KEY`
//! with `%` and `/` of the tenant as `%25` and `%2F`. No tool's name has a `/` or
//! begins with `@`.

use tool_contract_spec::key::{IdempotencyKey, OperationId, Tenant};

/// Reads what [`OperationId::path`] writes.
pub(crate) fn read(text: &str) -> Result<OperationId, String> {
    let parts = || match text.strip_prefix('@') {
        None => Some((None, text.split_once('/')?)),
        Some(rest) => {
            let (tenant, rest) = rest.split_once('/')?;
            let tenant = tenant.replace("%2F", "/").replace("%25", "%");
            Some((Some(Tenant::new(tenant).ok()?), rest.split_once('/')?))
        }
    };
    let (tenant, (tool, key)) =
        parts().ok_or("an operation is written `TOOL/KEY` or `@TENANT/TOOL/KEY`")?;
    let key = IdempotencyKey::new(key).map_err(|error| format!("its key: {error}"))?;
    Ok(OperationId { tenant, tool: tool.to_owned().into(), key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for (tenant, tool, key, word) in [
            (None, "charge", "order-17/charge", "charge/order-17/charge"),
            (Some("acme"), "charge", "@k", "@acme/charge/@k"),
            (Some("a/b%2F"), "charge", "k", "@a%2Fb%252F/charge/k"),
        ] {
            let id = OperationId {
                tenant: tenant.map(|name| Tenant::new(name).unwrap()),
                tool: tool.into(),
                key: IdempotencyKey::new(key).unwrap(),
            };
            assert_eq!(id.path(), word);
            assert_eq!(read(word), Ok(id));
        }
    }

    #[test]
    fn what_is_no_operation_is_refused() {
        for word in ["", "charge", "@acme", "@acme/charge", "@/charge/k", "charge/", "charge/a b"] {
            assert!(read(word).is_err(), "{word}");
        }
    }
}
