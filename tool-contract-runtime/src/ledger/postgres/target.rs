//! Which server and database a URL names.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::options::PostgresOptions;
use crate::ledger::LedgerError;

/// Where to connect to, and what to call it; the password is in neither.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    /// A file of certificates to trust instead of the well-known ones.
    #[cfg_attr(not(feature = "postgres-tls"), expect(dead_code, reason = "TLS reads it"))]
    pub(super) root_cert: Option<String>,
    name: String,
}

impl Target {
    /// Reads `url`.
    pub(super) fn parse(url: &str, options: &PostgresOptions) -> Result<Self, LedgerError> {
        let (url, tls) = split(url);
        let mut config = Config::from_str(&url).map_err(|_| {
            // What the parser says may repeat the password.
            LedgerError::Unavailable(
                "the URL of the ledger's database cannot be read; it looks like \
                 postgres://user:password@host:5432/database?sslmode=require"
                    .to_owned(),
            )
        })?;
        config.ssl_mode(tls.mode()?);
        config.connect_timeout(options.connect_timeout);
        config.tcp_user_timeout(options.connect_timeout + options.request_timeout);
        config.keepalives_idle(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("tool-contract");
        }
        let name = name(&config);
        Ok(Self { config, root_cert: tls.root_cert, name })
    }

    pub(super) fn wants_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn name(config: &Config) -> String {
    let hosts: Vec<_> = config.get_hosts().iter().map(host).collect();
    let ports: Vec<_> = config.get_ports().iter().map(ToString::to_string).collect();
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or("?");
    let port = if ports.is_empty() { "5432".to_owned() } else { ports.join(",") };
    format!("database `{database}` on {}:{port}", hosts.join(","))
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// What a URL says about TLS. It is taken out: the client library knows only
/// some of the words.
#[derive(Default)]
struct Tls {
    mode: Option<String>,
    root_cert: Option<String>,
}

impl Tls {
    /// `require` and `verify-full` are the same here: a connection that somebody
    /// else may answer is not worth encrypting. What does not demand TLS does
    /// without.
    fn mode(&self) -> Result<SslMode, LedgerError> {
        match self.mode.as_deref() {
            None | Some("disable" | "allow" | "prefer") => Ok(SslMode::Disable),
            Some("require" | "verify-ca" | "verify-full") => Ok(SslMode::Require),
            Some(other) => Err(LedgerError::Unavailable(format!(
                "sslmode `{other}` means nothing; say `disable`, `require` or `verify-full`"
            ))),
        }
    }
}

/// The URL without what it says about TLS, and that.
fn split(url: &str) -> (String, Tls) {
    let mut tls = Tls::default();
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), tls) };
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => tls.mode = Some(mode.to_owned()),
            Some(("sslrootcert", file)) => tls.root_cert = Some(file.replace("%2F", "/")),
            _ => rest.push(pair),
        }
    }
    let mark = if rest.is_empty() { "" } else { "?" };
    (format!("{base}{mark}{}", rest.join("&")), tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, LedgerError> {
        Target::parse(url, &PostgresOptions::new())
    }

    #[test]
    fn it_is_named_without_its_password() {
        let target = parse("postgres://ada:sesame@db.example:6432/shop").unwrap();
        assert_eq!(target.to_string(), "database `shop` on db.example:6432");
        let error = parse("postgres://ada:sesame@db.example:none/shop").err().unwrap();
        assert!(!error.to_string().contains("sesame"), "{error}");
    }

    #[test]
    fn what_it_says_about_tls_is_heard() {
        for (mode, wants) in [
            ("", false),
            ("?sslmode=disable", false),
            ("?sslmode=prefer", false),
            ("?sslmode=require", true),
            ("?connect_timeout=3&sslmode=verify-full", true),
        ] {
            let target = parse(&format!("postgres://a@localhost/b{mode}")).unwrap();
            assert_eq!(target.wants_tls(), wants, "{mode}");
        }
        assert!(parse("postgres://a@localhost/b?sslmode=maybe").is_err());
        let target = parse("postgres://a@h/b?sslmode=verify-full&sslrootcert=%2Fca.pem").unwrap();
        assert_eq!(target.root_cert.as_deref(), Some("/ca.pem"));
    }
}
