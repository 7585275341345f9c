//! What is told of an order, and whether it is what was claimed.

use std::error::Error;

use order_shop::service::Account;
use tool_contract::ledger::StateName;

use crate::stage::Stage;

/// Where the text begins.
const MARGIN: usize = 14;
/// Where it ends.
const WIDTH: usize = 100;

/// What is told.
#[derive(Default)]
pub(crate) struct Page {
    kept: usize,
    broken: Vec<String>,
    /// The label of the line before.
    label: &'static str,
}

impl Page {
    pub(crate) fn line(&mut self, text: &str) {
        self.label = "";
        println!("{text}");
    }

    pub(crate) fn title(&mut self, text: &str) {
        self.line(&format!("\n{text}\n{}", "=".repeat(text.len())));
    }

    /// What somebody says; who it is, only if it was another before.
    pub(crate) fn says(&mut self, who: &'static str, text: &str) {
        let mut label = if who == self.label { "" } else { who };
        self.label = who;
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.trim().is_empty() && line.len() + 1 + word.len() > WIDTH - MARGIN {
                println!("    {label:<10}{line}");
                (label, line) = ("", "  ".to_owned());
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        println!("    {label:<10}{line}");
    }

    /// What the ledger has of an order, and what the services did.
    pub(crate) async fn tell(
        &mut self,
        stage: &Stage,
        order_id: &str,
    ) -> Result<(), Box<dyn Error>> {
        for (id, _, events) in stage.operations(order_id).await? {
            self.says("ledger", &format!("{id}: {events}"));
        }
        for line in stage.service.books().about(order_id) {
            self.says("services", line);
        }
        Ok(())
    }

    /// What stands in the services' books, and whether that is what has to.
    pub(crate) fn books(&mut self, stage: &Stage, order_id: &str, wanted: Account) {
        let account = stage.account(order_id);
        self.says("books", &account.to_string());
        if account == wanted {
            self.kept += 1;
        } else {
            self.broken.push(format!("{order_id}: {wanted}; and the books say {account}"));
        }
    }

    /// What waits for a person, and the commands with which that person resolves it.
    pub(crate) async fn waiting(
        &mut self,
        stage: &Stage,
        order_id: &str,
    ) -> Result<(), Box<dyn Error>> {
        for (id, record, _) in stage.operations(order_id).await? {
            let waits = record.state.name() == StateName::Unknown && &*id.tool != "place_order";
            let Some(escalation) = record.escalation.filter(|_| waits) else { continue };
            self.says("queue", &format!("{escalation}: did {id} happen? {}", record.arguments));
            let command = format!("tool-contract escalations resolve {escalation}");
            for word in ["--happened null", "--did-not-happen"] {
                self.says("command", &format!("{command} {word} --why WHY"));
            }
        }
        Ok(())
    }

    /// How it went.
    pub(crate) fn end(&mut self) -> Result<(), Box<dyn Error>> {
        self.line(&format!("\nThe books said {} times what they have to.", self.kept));
        if self.broken.is_empty() { Ok(()) } else { Err(self.broken.join("\n").into()) }
    }
}
