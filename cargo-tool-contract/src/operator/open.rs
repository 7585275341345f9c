//! A ledger by its URL.

use std::path::PathBuf;
use std::sync::Arc;

use tool_contract_runtime::ledger::{Ledger, PostgresLedger, RedisLedger, SqliteLedger};
use tool_contract_spec::rulebook::suggest;

use super::{Kind, Problem};

/// Where a ledger is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Postgres,
    Redis,
}

/// Opens a ledger that is there; none is ever made.
pub(super) async fn open(url: &str) -> Result<Arc<dyn Ledger>, Problem> {
    match place(url)? {
        Place::File(path) => Ok(Arc::new(SqliteLedger::options().must_exist().open(path).await?)),
        Place::Postgres => Ok(Arc::new(PostgresLedger::options().must_exist().connect(url).await?)),
        // What it promises is for those who run tools; here people only look and
        // decide.
        Place::Redis => {
            let options = RedisLedger::options().must_exist().allow_eviction();
            let options = options.allow_weak_persistence().allow_unchecked_persistence();
            Ok(Arc::new(options.connect(url).await?))
        }
    }
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
