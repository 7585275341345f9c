//! A ledger by its URL.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "postgres")]
use tool_contract_runtime::ledger::PostgresLedger;
#[cfg(feature = "redis")]
use tool_contract_runtime::ledger::RedisLedger;
use tool_contract_runtime::ledger::{Ledger, SqliteLedger};
use tool_contract_spec::rulebook::suggest;

use super::{Kind, Problem};

/// Where a ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Postgres,
    Redis,
}

/// Opens a ledger that is there; none is ever made. `namespace` says which one of
/// a server, where it is not the usual one.
pub(super) async fn open(url: &str, namespace: Option<&str>) -> Result<Arc<dyn Ledger>, Problem> {
    match place(url)? {
        Place::File(_) if namespace.is_some() => {
            let message = "a file is one ledger, and takes no `--namespace`".to_owned();
            Err(Problem::new(Kind::Usage, message))
        }
        Place::File(path) => Ok(Arc::new(SqliteLedger::options().must_exist().open(path).await?)),
        Place::Postgres => postgres(url, namespace).await,
        Place::Redis => redis(url, namespace).await,
    }
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str, schema: Option<&str>) -> Result<Arc<dyn Ledger>, Problem> {
    let mut options = PostgresLedger::options().must_exist();
    if let Some(schema) = schema {
        options = options.schema(schema);
    }
    Ok(Arc::new(options.connect(url).await?))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str, _: Option<&str>) -> Result<Arc<dyn Ledger>, Problem> {
    std::future::ready(Err(not_built("PostgreSQL", "postgres"))).await
}

/// Takes any server: programs that run tools on it have decided what it may lose.
#[cfg(feature = "redis")]
async fn redis(url: &str, prefix: Option<&str>) -> Result<Arc<dyn Ledger>, Problem> {
    let options = RedisLedger::options().must_exist();
    let mut options =
        options.allow_eviction().allow_weak_persistence().allow_unchecked_persistence();
    if let Some(prefix) = prefix {
        options = options.prefix(prefix);
    }
    Ok(Arc::new(options.connect(url).await?))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &str, _: Option<&str>) -> Result<Arc<dyn Ledger>, Problem> {
    std::future::ready(Err(not_built("Redis", "redis"))).await
}

#[cfg(not(all(feature = "postgres", feature = "redis")))]
fn not_built(server: &str, feature: &str) -> Problem {
    let message = format!("this build of the command line has no ledger in {server}");
    Problem::new(Kind::Usage, message).help(format!(
        "install it with it: `cargo install cargo-tool-contract --features {feature}`"
    ))
}

fn place(url: &str) -> Result<Place, Problem> {
    let (scheme, rest) = scheme(url);
    match scheme {
        None => Ok(Place::File(rest.into())),
        Some("sqlite") => Ok(Place::File(rest.strip_prefix("//").unwrap_or(rest).into())),
        Some("postgres" | "postgresql") => Ok(Place::Postgres),
        Some("redis" | "rediss") => Ok(Place::Redis),
        Some(other) => Err(foreign(other)),
    }
}

/// The scheme of a URL, and what follows it; a path has none, not even `C:\…`.
fn scheme(url: &str) -> (Option<&str>, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.len() > 1
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') =>
        {
            (Some(scheme), rest)
        }
        _ => (None, url),
    }
}

fn foreign(scheme: &str) -> Problem {
    let known = ["sqlite", "postgres", "redis"];
    let help = suggest::likely(scheme, known).map_or_else(
        || {
            "write `sqlite:PATH`, `postgres://…` or `redis://…`; a path with a `:` in it as `sqlite:PATH`"
                .to_owned()
        },
        |meant| format!("did you mean `{meant}:`?"),
    );
    Problem::new(Kind::Usage, format!("there is no ledger of the kind `{scheme}:`")).help(help)
}

/// The URL without what may be a secret: of a server, all but scheme and host.
pub(super) fn shown(url: &str) -> String {
    match scheme(url) {
        (None | Some("sqlite"), _) => url.to_owned(),
        (Some(scheme), rest) => {
            let rest = rest.trim_start_matches('/');
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            let address = rest[..end].rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{address}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_place() {
        for (url, path) in [
            ("ledger.db", "ledger.db"),
            ("/var/lib/ledger.db", "/var/lib/ledger.db"),
            ("./a:b.db", "./a:b.db"),
            (r"C:\ledger.db", r"C:\ledger.db"),
            ("sqlite:ledger.db", "ledger.db"),
            ("sqlite://ledger.db", "ledger.db"),
            ("sqlite:///var/ledger.db", "/var/ledger.db"),
            ("", ""),
        ] {
            assert_eq!(place(url).unwrap(), Place::File(path.into()), "{url}");
        }
        for url in ["postgres://h/db", "postgresql://u:p@h/db"] {
            assert_eq!(place(url).unwrap(), Place::Postgres);
        }
        for url in ["redis://h", "rediss://:p@h/0"] {
            assert_eq!(place(url).unwrap(), Place::Redis);
        }
        for url in ["mysql://u:hush@h/db", "postgers://u:hush@h/db"] {
            let problem = format!("{:?}", place(url).unwrap_err());
            assert!(!problem.contains("hush"), "{problem}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, safe) in [
            ("ledger@home.db", "ledger@home.db"),
            ("sqlite:ledger.db", "sqlite:ledger.db"),
            (
                "postgres://ada:hush@db.example:5432/tools?password=hush",
                "postgres://db.example:5432/tools",
            ),
            ("postgres://ada:hu@sh@db.example/tools", "postgres://db.example/tools"),
            ("redis://:hush@cache/0", "redis://cache/0"),
            ("redis://cache/0", "redis://cache/0"),
        ] {
            assert_eq!(shown(url), safe);
        }
    }
}
