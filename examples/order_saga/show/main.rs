//! What becomes of an order that breaks off.
//!
//! `cargo run --example order_saga` places four orders: one goes well, one cannot be
//! delivered, one loses its process in the middle, and one cannot be undone without a
//! person. It says what the ledger has of each and what the services did, and holds
//! their books against what is claimed.

mod page;
mod stage;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use order_shop::service::{Account, Desk, Fault};
use tokio::time::timeout;

use crate::page::Page;
use crate::stage::Stage;

/// Far more than it takes.
const LONGEST: Duration = Duration::from_mins(1);

const WHOLE: Account = Account { reserved: 2, paid: 4_200, parcels: 1 };
const NONE: Account = Account { reserved: 0, paid: 0, parcels: 0 };
const STUCK: Account = Account { reserved: 0, paid: 4_200, parcels: 0 };

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let shown = match &*arguments {
        [role, rest @ ..] if role == stage::ROLE => stage::place(rest).await,
        _ => timeout(LONGEST, show())
            .await
            .unwrap_or_else(|_| Err("it takes too long; something hangs".into())),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("order_saga: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn show() -> Result<(), Box<dyn Error>> {
    let stage = Stage::new().await?;
    let mut page = Page::default();
    page.line("Reserve two lamps, charge 42.00 EUR, ship: three services, one saga.");
    goes_well(&stage, &mut page).await?;
    nobody_delivers(&stage, &mut page).await?;
    loses_its_process(&stage, &mut page).await?;
    takes_a_person(&stage, &mut page).await?;
    page.end()
}

async fn goes_well(stage: &Stage, page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.title("order-1: all goes well");
    page.says("saga", &stage.place("order-1").await);
    page.tell(stage, "order-1").await?;
    page.books(stage, "order-1", WHOLE);
    Ok(())
}

async fn nobody_delivers(stage: &Stage, page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.title("order-2: nobody delivers there");
    stage.service.refuse(Desk::Parcels);
    page.says("saga", &stage.place("order-2").await);
    stage.service.heal();
    page.tell(stage, "order-2").await?;
    page.books(stage, "order-2", NONE);
    Ok(())
}

async fn loses_its_process(stage: &Stage, page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.title("order-3: its process is killed while the card is charged");
    let charge = stage.service.requests() + 1;
    stage.service.fail_at(charge, Fault::Silent);
    let process = stage.start("order-3")?;
    stage.service.met(charge).await;
    process.kill().await?;
    page.says("process", "killed, with SIGKILL");
    page.says("books", &stage.account("order-3").to_string());
    page.says("recover", &stage.recover().await?);
    page.tell(stage, "order-3").await?;
    page.books(stage, "order-3", WHOLE);
    Ok(())
}

async fn takes_a_person(stage: &Stage, page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.title("order-4: nobody delivers there, and the charge cannot be refunded");
    stage.service.refuse(Desk::Parcels);
    stage.service.refuse(Desk::Refunds);
    page.says("saga", &stage.place("order-4").await);
    stage.service.heal();
    page.tell(stage, "order-4").await?;
    page.books(stage, "order-4", STUCK);
    page.waiting(stage, "order-4").await?;
    page.says("person", "gives the money back by hand, and says so");
    stage.refund_by_hand("order-4").await?;
    page.says("recover", &stage.recover().await?);
    page.books(stage, "order-4", NONE);
    Ok(())
}
