use std::collections::HashSet;

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::*;
use crate::canonical;

fn key(byte: u8) -> SecretKey {
    SecretKey::new([byte; 32]).unwrap()
}

fn write<T: Serialize>(value: T) -> impl FnOnce(&mut String) -> Result<Form, CanonicalError> {
    move |out| canonical::write(&value, out)
}

fn charge(tool: &str, version: u32, amount: u64) -> Operation {
    let mut hasher = OperationHasher::new(tool, version);
    hasher.argument("amount", write(amount)).unwrap();
    hasher.argument("order_id", write("order-17")).unwrap();
    hasher.finish(None)
}

fn with_secret(key: &SecretKey, tool: &str, name: &str, card: &str) -> Operation {
    let mut hasher = OperationHasher::new(tool, 1);
    hasher.secret(name, key, write(card)).unwrap();
    hasher.finish(None)
}

#[test]
fn the_hash_is_the_one_documented() {
    let operation = charge("charge_card", 12, 4_200);
    assert_eq!(operation.canonical, r#"{"amount":4200,"order_id":"order-17"}"#);
    assert_eq!(operation.form, Form::Json);
    let input = b"tool-contract/operation/v1\0charge_card\x0012\0{\"amount\":4200,\"order_id\":\"order-17\"}";
    let expected: [u8; 32] = Sha256::digest(input).into();
    assert_eq!(operation.hash, OperationHash::from_bytes(expected));
}

/// Stored keys outlive a release: this text may change only with the label.
#[test]
fn the_hash_is_stable() {
    assert_eq!(
        charge("charge_card", 1, 4_200).hash.to_string(),
        "231ab67d107b0678f450166fe6e69399bc460548de149f8639f1372dab9fe281"
    );
    let secret = with_secret(&key(7), "charge_card", "card", "4111");
    assert_eq!(
        secret.canonical,
        r#"{"card":"hmac-sha256:328f2d63c6d46b4f7dd21e2a9d397fd06dfb4b0a267549b6d1e76726bf3b8902"}"#
    );
}

#[test]
fn the_hash_depends_on_all_of_it() {
    let hashes = [
        charge("charge", 1, 1).hash,
        charge("charge", 2, 1).hash,
        charge("charge", 1, 2).hash,
        charge("charge2", 1, 1).hash,
        charge("charge", 1, 1 << 53).hash,
        charge("charge", 1, (1 << 53) + 1).hash,
        OperationHasher::new("charge", 1).finish(None).hash,
    ];
    assert_eq!(HashSet::from(hashes).len(), hashes.len());
}

#[test]
fn no_arguments_are_an_empty_object() {
    assert_eq!(OperationHasher::new("now", 1).finish(None).canonical, "{}");
}

#[test]
fn names_out_of_order_are_refused() {
    for (first, second) in [("b", "a"), ("a", "a"), ("\u{fb33}", "\u{1f602}")] {
        let mut hasher = OperationHasher::new("tool", 1);
        hasher.argument(first, write(1)).unwrap();
        let error = hasher.argument(second, write(1)).unwrap_err();
        assert!(matches!(error, OperationError::OutOfOrder { .. }), "{error}");
    }
}

#[test]
fn an_argument_without_a_form_is_named() {
    let error =
        OperationHasher::new("tool", 1).argument("rate", write(f64::NAN)).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument `rate`: NaN is no JSON number, so it has no canonical form"
    );
}

#[test]
fn one_argument_decides_the_form() {
    let mut hasher = OperationHasher::new("tool", 1);
    hasher.argument("a", write(u64::MAX)).unwrap();
    hasher.argument("b", write(1)).unwrap();
    assert_eq!(hasher.finish(None).form, Form::HashOnly);
}

#[test]
fn a_secret_is_a_hmac() {
    let secret = with_secret(&key(7), "charge", "card", "4111");
    let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
    mac.update(b"tool-contract/secret/v1\0");
    mac.update(b"\0\0\0\0\0\0\0\x06charge\0\0\0\0\0\0\0\x04card\0\0\0\0\0\0\0\x06\"4111\"");
    let tag: [u8; 32] = mac.finalize().into_bytes().into();
    let hex = OperationHash::from_bytes(tag);
    assert_eq!(secret.canonical, format!(r#"{{"card":"hmac-sha256:{hex}"}}"#));
    assert_eq!(secret.form, Form::Json);

    let others = [
        with_secret(&key(8), "charge", "card", "4111"),
        with_secret(&key(7), "refund", "card", "4111"),
        with_secret(&key(7), "charge", "code", "4111"),
        with_secret(&key(7), "charge", "card", "4112"),
    ];
    assert!(others.iter().all(|other| !other.canonical.contains(&hex.to_string())));
}

#[test]
fn a_refused_secret_is_not_quoted() {
    struct Quoting;
    impl Serialize for Quoting {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("4111"))
        }
    }
    let mut hasher = OperationHasher::new("charge", 1);
    let error = hasher.secret("card", &key(7), write(Quoting)).map(drop).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("4111"));
}

#[test]
fn a_key_says_nothing_and_is_long_enough() {
    assert_eq!(format!("{:?}", key(7)), "SecretKey(..)");
    assert_eq!(SecretKey::new([7; 15]).unwrap_err(), SecretKeyError { len: 15 });
    assert_eq!(
        SecretKeyError { len: 15 }.to_string(),
        "the key for secret arguments needs at least 16 bytes, and this one has 15"
    );
}

#[test]
fn a_hash_is_read_as_it_is_shown() {
    let hash = charge("charge", 1, 1).hash;
    let text = hash.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(format!("{hash:?}"), text);
    assert_eq!(text.parse(), Ok(hash));
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<OperationHash>(&json).unwrap(), hash);
    for wrong in ["", "ab", &text[1..], &format!("{text}0"), &"G".repeat(64), &"A".repeat(64)] {
        assert_eq!(wrong.parse::<OperationHash>(), Err(OperationHashError), "{wrong}");
    }
}

proptest! {
    #[test]
    fn a_secret_never_shows(card in "[g-z]{4,20}") {
        let operation = with_secret(&key(7), "charge", "A", &card);
        prop_assert!(!operation.canonical.contains(&card));
    }

    /// The padded key is HMAC's own, for keys of any length.
    #[test]
    fn any_key_length_is_hmac(bytes in prop::collection::vec(any::<u8>(), 16..200)) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes).unwrap();
        mac.update(b"tool-contract/secret/v1\0");
        mac.update(&[0; 24]);
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        prop_assert_eq!(SecretKey::new(&bytes).unwrap().tag("", "", ""), expected);
    }

    #[test]
    fn reading_a_hash_never_panics(text in any::<String>()) {
        prop_assert!(text.parse::<OperationHash>().is_err());
    }
}

#[test]
fn a_fingerprint_makes_it_another_operation() {
    let hash = |fingerprint: Option<&Fingerprint>| {
        let mut hasher = OperationHasher::new("charge", 1);
        hasher.argument("cents", write(5)).unwrap();
        let operation = hasher.finish(fingerprint);
        assert_eq!(operation.canonical, r#"{"cents":5}"#, "it is none of the arguments");
        operation.hash
    };
    let of = |value: &str| Fingerprint::of(value).unwrap();
    let hashes = [hash(None), hash(Some(&of(""))), hash(Some(&of("a"))), hash(Some(&of("b")))];
    for (index, one) in hashes.iter().enumerate() {
        assert!(hashes[..index].iter().all(|other| other != one));
    }
    assert_eq!(hash(Some(&of("a"))), hash(Some(&of("a"))));
}

#[test]
fn a_fingerprint_has_a_bound_and_a_canonical_form() {
    let longest = "x".repeat(Fingerprint::MAX_LEN - 2);
    assert!(Fingerprint::of(&longest).is_ok());
    let longer = Fingerprint::of(&(longest + "x"));
    assert!(matches!(longer, Err(FingerprintError::TooLong(4_097))), "{longer:?}");
    assert!(matches!(Fingerprint::of(&f64::NAN), Err(FingerprintError::Canonical(_))));
}
