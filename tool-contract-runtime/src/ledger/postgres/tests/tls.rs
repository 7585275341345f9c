//! Connections that nobody reads along.

use std::process::Command;

use tool_contract_servers::Postgres;

use crate::ledger::conformance::{call, key};
use crate::ledger::postgres::PostgresLedger;
use crate::ledger::{Admitted, Ledger as _};

/// A server with a certificate of its own for `localhost`, made by `openssl`.
fn server() -> Option<Postgres> {
    let server = Postgres::start()?;
    let data = server.folder().join("data");
    let made = Command::new("openssl")
        .args(["req", "-new", "-x509", "-days", "2", "-nodes", "-newkey", "ec"])
        .args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "server.key"])
        .args(["-out", "server.crt"])
        .current_dir(&data)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        tool_contract_servers::skip("openssl");
        return None;
    }
    server.own(&data.join("server.key"));
    server.own(&data.join("server.crt"));
    server.psql("ALTER SYSTEM SET ssl = on");
    server.kill9();
    server.restart();
    Some(server)
}

#[tokio::test]
async fn what_demands_tls_gets_it_from_a_server_that_proves_who_it_is() {
    let Some(server) = server() else { return };
    let base = server.url().replace("127.0.0.1", "localhost");
    let cert = server.folder().join("data/server.crt");
    let trusted = format!("sslrootcert={}", cert.display());
    for mode in ["require", "verify-full"] {
        let url = format!("{base}?sslmode={mode}&{trusted}");
        let ledger = PostgresLedger::connect(&url).await.unwrap();
        let admitted = ledger.admit(&call(1, &key(mode))).await;
        assert!(matches!(admitted, Ok(Admitted::Claimed(_))), "{admitted:?}");
        // One listens too.
        assert!(ledger.0.store().listener.hears().await);
        let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE application_name = 'tool-contract' AND NOT ssl";
        assert_eq!(server.psql(plain), "0");
    }
    // Nobody whom this machine trusts says so.
    let told = refused(&format!("{base}?sslmode=require")).await;
    assert!(told.contains("certificate"), "{told}");
    // It is somebody else's.
    let elsewhere = server.url();
    let told = refused(&format!("{elsewhere}?sslmode=verify-full&{trusted}")).await;
    assert!(told.contains("certificate"), "{told}");
    let told = refused(&format!("{base}?sslmode=require&sslrootcert=/nowhere.pem")).await;
    assert!(told.contains("/nowhere.pem"), "{told}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_demanded() {
    let Some(server) = super::server() else { return };
    let told = refused(&format!("{}?sslmode=require", server.url())).await;
    assert!(told.contains("TLS"), "{told}");
}

async fn refused(url: &str) -> String {
    match PostgresLedger::connect(url).await {
        Ok(_) => panic!("it was connected"),
        Err(error) => error.to_string(),
    }
}
