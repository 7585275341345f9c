//! What the services did, and for whom: the only count that matters.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde_json::{Value, json};

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desk {
    /// The inventory keeps stock for an order.
    Reservations,
    /// The inventory has it back.
    Releases,
    /// The payment service charges a card.
    Charges,
    /// The payment service gives it back.
    Refunds,
    /// The carrier takes a parcel.
    Parcels,
}

impl Desk {
    /// Each there is.
    pub const ALL: [Self; 5] =
        [Self::Reservations, Self::Releases, Self::Charges, Self::Refunds, Self::Parcels];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Reservations => "/reservations",
            Self::Releases => "/releases",
            Self::Charges => "/charges",
            Self::Refunds => "/refunds",
            Self::Parcels => "/parcels",
        }
    }

    /// How it says no for good.
    pub(super) const fn refusal(self) -> (u16, &'static str) {
        match self {
            Self::Reservations => (409, "not in stock"),
            Self::Releases => (422, "the warehouse is being moved"),
            Self::Charges => (402, "the card is not good for it"),
            Self::Refunds => (422, "refunds are made by hand this week"),
            Self::Parcels => (422, "nobody delivers there"),
        }
    }
}

/// What stands for one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Account {
    /// Items that are reserved.
    pub reserved: u32,
    /// What was charged and not refunded, in cents.
    pub paid: i64,
    /// Parcels that left.
    pub parcels: usize,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reserved, paid, parcels } = self;
        let sign = if *paid < 0 { "-" } else { "" };
        let (whole, cents) = (paid.unsigned_abs() / 100, paid.unsigned_abs() % 100);
        write!(f, "{reserved} reserved, {sign}{whole}.{cents:02} EUR paid, {parcels} shipped")
    }
}

/// The services' memory.
#[derive(Debug, Clone, Default)]
pub struct Books {
    reservations: BTreeMap<String, Reserved>,
    charges: Vec<Charged>,
    /// What the payment service answered, by the key that it was given.
    answers: BTreeMap<String, Value>,
    /// The order of each parcel.
    parcels: Vec<String>,
    /// An order, and what was done about it, or not.
    journal: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
struct Reserved {
    order_id: String,
    quantity: u32,
    stands: bool,
}

#[derive(Debug, Clone)]
struct Charged {
    order_id: String,
    cents: i64,
    refunded: i64,
}

impl Books {
    /// What stands for an order.
    #[must_use]
    pub fn account(&self, order_id: &str) -> Account {
        let reserved = self.reservations.values();
        let reserved = reserved.filter(|it| it.stands && it.order_id == order_id);
        let charges = self.charges.iter().filter(|charge| charge.order_id == order_id);
        Account {
            reserved: reserved.map(|it| it.quantity).sum(),
            paid: charges.map(|charge| charge.cents - charge.refunded).sum(),
            parcels: self.parcels.iter().filter(|parcel| *parcel == order_id).count(),
        }
    }

    /// What was noted about an order, oldest first.
    pub fn about<'a>(&'a self, order_id: &'a str) -> impl Iterator<Item = &'a str> {
        let about = self.journal.iter().filter(move |(id, _)| id == order_id);
        about.map(|(_, text)| &**text)
    }

    pub(super) fn note(&mut self, order_id: &str, text: String) {
        self.journal.push((order_id.to_owned(), text));
    }

    /// The order that a request is about.
    pub(super) fn order_of(&self, body: &Value) -> String {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let of_charge = || self.charge(text("charge_id")).map(|charge| &*charge.order_id);
        let of_reservation =
            || self.reservations.get(text("reservation_id")).map(|it| &*it.order_id);
        let named = body["order_id"].as_str();
        named.or_else(of_charge).or_else(of_reservation).unwrap_or("?").to_owned()
    }

    fn charge(&self, id: &str) -> Option<&Charged> {
        self.charges.get(id.strip_prefix("ch_")?.parse::<usize>().ok()?.checked_sub(1)?)
    }

    /// Whether this very request was carried out before.
    pub(super) fn has_done(&self, desk: Desk, body: &Value) -> bool {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let reserved = || self.reservations.get(text("reservation_id"));
        match desk {
            Desk::Reservations => reserved().is_some(),
            Desk::Releases => reserved().is_some_and(|it| !it.stands),
            Desk::Charges | Desk::Refunds => self.answers.contains_key(text("key")),
            Desk::Parcels => false,
        }
    }

    /// Does as it is told: its answer, and what it did in words. `None` if nobody
    /// understands the request.
    pub(super) fn carry_out(&mut self, desk: Desk, body: &Value) -> Option<(Value, String)> {
        match desk {
            Desk::Reservations => self.reserve(body),
            Desk::Releases => self.release(body),
            Desk::Charges => self.once(body, Self::charge_card),
            Desk::Refunds => self.once(body, Self::refund),
            Desk::Parcels => self.ship(body),
        }
    }

    /// The payment service dedupes: one key, one answer.
    fn once(
        &mut self,
        body: &Value,
        act: fn(&mut Self, &Value) -> Option<(Value, String)>,
    ) -> Option<(Value, String)> {
        let key = body["key"].as_str()?;
        if let Some(answer) = self.answers.get(key) {
            return Some((answer.clone(), "knows the key, and does nothing".to_owned()));
        }
        let (answer, words) = act(self, body)?;
        self.answers.insert(key.to_owned(), answer.clone());
        Some((answer, words))
    }

    fn reserve(&mut self, body: &Value) -> Option<(Value, String)> {
        let id = body["reservation_id"].as_str()?.to_owned();
        let (order_id, item) = (body["order_id"].as_str()?.to_owned(), body["item"].as_str()?);
        let quantity = u32::try_from(body["quantity"].as_u64()?).ok()?;
        let answer = json!({ "reservation_id": id });
        let words = match self.reservations.entry(id) {
            Entry::Occupied(_) => "knows the reservation, and does nothing".to_owned(),
            Entry::Vacant(vacant) => {
                vacant.insert(Reserved { order_id, quantity, stands: true });
                format!("reserves {quantity} of {item}")
            }
        };
        Some((answer, words))
    }

    fn release(&mut self, body: &Value) -> Option<(Value, String)> {
        let reserved = self.reservations.get_mut(body["reservation_id"].as_str()?)?;
        let stood = std::mem::replace(&mut reserved.stands, false);
        let words = if stood { "releases the stock" } else { "has it already" };
        Some((Value::Null, words.to_owned()))
    }

    fn charge_card(&mut self, body: &Value) -> Option<(Value, String)> {
        let (order_id, cents) = (body["order_id"].as_str()?.to_owned(), body["cents"].as_i64()?);
        self.charges.push(Charged { order_id, cents, refunded: 0 });
        let id = format!("ch_{}", self.charges.len());
        let words = format!("charges {}.{:02} EUR ({id})", cents / 100, cents % 100);
        Some((json!({ "charge_id": id }), words))
    }

    /// As often as it is asked with another key: whoever undoes twice is found out.
    fn refund(&mut self, body: &Value) -> Option<(Value, String)> {
        let id = body["charge_id"].as_str()?;
        let at = id.strip_prefix("ch_")?.parse::<usize>().ok()?.checked_sub(1)?;
        let charge = self.charges.get_mut(at)?;
        charge.refunded += charge.cents;
        Some((Value::Null, format!("gives {id} back")))
    }

    /// The carrier dedupes nothing.
    fn ship(&mut self, body: &Value) -> Option<(Value, String)> {
        self.parcels.push(body["order_id"].as_str()?.to_owned());
        let id = format!("parcel_{}", self.parcels.len());
        let words = format!("ships {id}");
        Some((json!({ "parcel_id": id }), words))
    }

    pub(super) fn parcels_of(&self, order_id: &str) -> Value {
        let of = self.parcels.iter().enumerate().filter(|(_, parcel)| *parcel == order_id);
        of.map(|(at, _)| json!({ "parcel_id": format!("parcel_{}", at + 1) })).collect()
    }
}
