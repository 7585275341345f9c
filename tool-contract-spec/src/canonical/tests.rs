use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;

fn canonical<T: Serialize + ?Sized>(value: &T) -> String {
    to_string(value).unwrap()
}

/// The canonical text and its form.
fn written<T: Serialize + ?Sized>(value: &T) -> (String, Form) {
    let mut text = String::new();
    let form = write(value, &mut text).unwrap();
    (text, form)
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// A map with the names in the order given, repeated ones included.
struct Members<'a>(&'a [(&'a str, Value)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// RFC 8785, sections 3.2.2 and 3.2.3, and the test data of its authors
/// (github.com/cyberphone/json-canonicalization).
#[test]
fn published_vectors() {
    let vectors = [
        (
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals":[null,true,false]}"#,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        ),
        (
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
                "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
                "\u00f6":"Latin Small Letter O With Diaeresis"}"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
        (
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\u000a":"Newline","1":"One",
                "\u0080":"Control\u007f","\ud83d\ude02":"Smiley",
                "\u00f6":"Latin Small Letter O With Diaeresis",
                "\ufb33":"Hebrew Letter Dalet With Dagesh","</script>":"Browser Challenge"}"#,
            "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\
             \"</script>\":\"Browser Challenge\",\"\u{80}\":\"Control\u{7f}\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😂\":\"Smiley\",\
             \"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        ),
        (r#"[56,{"d":true,"10":null,"1":[ ]}]"#, r#"[56,{"1":[],"10":null,"d":true}]"#),
        (
            r#"{"peach":"This sorting order","péché":"is wrong according to French",
                "pêche":"but canonicalization MUST","sin":"ignore locale"}"#,
            r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}"#,
        ),
        (
            r#"{"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty","a":{},
                "111":[{"e":"yes","E":"no"}],"A":{}}"#,
            r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#,
        ),
        (r#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
    ];
    for (input, expected) in vectors {
        assert_eq!(canonical(&raw(input)), expected);
        let value: Value = serde_json::from_str(input).unwrap();
        assert_eq!(canonical(&value), expected);
    }
}

/// RFC 8785, appendix B.
#[test]
fn published_numbers() {
    let numbers = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, expected) in numbers {
        let value = f64::from_bits(bits);
        assert_eq!(canonical(&value), expected);
        if expected.contains(['.', 'e']) {
            assert_eq!(canonical(&raw(expected)), expected);
        }
    }
}

#[test]
fn not_finite_is_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(to_string(&[value]), Err(CanonicalError::NotFinite(_))));
    }
    assert!(matches!(to_string(&f32::NAN), Err(CanonicalError::NotFinite(_))));
    assert!(matches!(to_string(&raw("1e999")), Err(CanonicalError::NotFinite(_))));
}

#[test]
fn large_integers_stay_apart() {
    const TWO_53: u64 = 1 << 53;
    assert_eq!(written(&(TWO_53 - 1)), ("9007199254740991".into(), Form::Json));
    assert_eq!(written(&TWO_53), ("9007199254740992n".into(), Form::HashOnly));
    assert_eq!(canonical(&(TWO_53 + 1)), "9007199254740993n");
    assert_eq!(canonical(&u64::MAX), "18446744073709551615n");
    assert_eq!(canonical(&i64::MIN), "-9223372036854775808n");
    assert_eq!(canonical(&-9_007_199_254_740_991_i64), "-9007199254740991");
    assert_eq!(canonical(&-9_007_199_254_740_992_i64), "-9007199254740992n");
    assert_eq!(canonical(&u128::MAX), format!("{}n", u128::MAX));
    assert_eq!(canonical(&i128::MIN), format!("{}n", i128::MIN));
    // the float of the same value is another value
    assert_eq!(canonical(&9_007_199_254_740_992.0), "9007199254740992");
}

#[test]
fn width_does_not_matter() {
    let texts = [canonical(&7_u8), canonical(&7_i64), canonical(&7_u128), canonical(&7_i128)];
    assert_eq!(texts, ["7"; 4]);
    assert_eq!(canonical(&7.0), "7");
    assert_eq!(canonical(&0.1_f32), canonical(&f64::from(0.1_f32)));
}

#[test]
fn a_form_of_json_reads_back_as_it_was() {
    assert_eq!(written(&json!({"a": [1, "x", null, 1.5]})).1, Form::Json);
    // `1` would be read as an integer, by a `Value` for one
    assert_eq!(written(&json!([1.0])), ("[1]".into(), Form::HashOnly));
    assert_eq!(written(&-0.0), ("0".into(), Form::HashOnly));
    assert_eq!(written(&raw(r#"{"a":1}"#)).1, Form::Json);
    assert_eq!(written(&raw(r#"{"a": 1}"#)).1, Form::HashOnly);
}

#[test]
fn the_order_of_fields_does_not_matter() {
    #[derive(Serialize)]
    struct Forward<'a> {
        amount: u64,
        inner: Option<Box<Forward<'a>>>,
        name: &'a str,
    }
    #[derive(Serialize)]
    struct Backward<'a> {
        name: &'a str,
        inner: Option<Box<Backward<'a>>>,
        amount: u64,
    }
    let inner = Box::new(Forward { amount: 2, inner: None, name: "b" });
    let forward = Forward { amount: 1, inner: Some(inner), name: "a" };
    let inner = Box::new(Backward { name: "b", inner: None, amount: 2 });
    let backward = Backward { name: "a", inner: Some(inner), amount: 1 };
    let text = r#"{"amount":1,"inner":{"amount":2,"inner":null,"name":"b"},"name":"a"}"#;
    assert_eq!(canonical(&forward), text);
    assert_eq!(canonical(&backward), text);

    let map = HashMap::from([("b", 1), ("c", 2), ("a", 3)]);
    assert_eq!(canonical(&map), r#"{"a":3,"b":1,"c":2}"#);
}

#[test]
fn names_are_ordered_without_their_escapes() {
    // escaped, the line feed would come after the digit
    let members =
        Members(&[("1", json!(1)), ("\n", json!({"z": 1, "\"": 2})), ("\u{1f}", json!(3))]);
    assert_eq!(canonical(&members), r#"{"\n":{"\"":2,"z":1},"\u001f":3,"1":1}"#);
}

#[test]
fn duplicate_members_are_refused() {
    for names in [&["a", "a"][..], &["b", "a", "b"], &["b", "\n", "a", "\n"]] {
        let members: Vec<_> = names.iter().map(|name| (*name, Value::Null)).collect();
        let error = to_string(&Members(&members)).unwrap_err();
        assert!(
            matches!(error, CanonicalError::DuplicateMember(name) if name == names[names.len() - 1])
        );
    }
    let error = to_string(&raw(r#"{"a":1,"\u0061":2}"#)).unwrap_err();
    assert!(matches!(error, CanonicalError::DuplicateMember(name) if name == "a"));
}

#[test]
fn keys_become_text_as_in_serde_json() {
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Unit {
        One,
    }
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Id(u128);

    fn agrees<K: Serialize + Ord>(key: K) {
        let map = BTreeMap::from([(key, 1)]);
        assert_eq!(canonical(&map), serde_json::to_string(&map).unwrap());
    }
    agrees(-7_i8);
    agrees(true);
    agrees('x');
    agrees(Unit::One);
    agrees(Id(u128::MAX));
    agrees(Some("some"));
    assert_eq!(canonical(&BTreeMap::from([(9, 1), (10, 2)])), r#"{"10":2,"9":1}"#);

    let refused =
        |result: Result<String, CanonicalError>| matches!(result, Err(CanonicalError::MapKey(_)));
    assert!(refused(to_string(&BTreeMap::from([((), 1)]))));
    assert!(refused(to_string(&BTreeMap::from([(None::<u8>, 1)]))));
    assert!(refused(to_string(&BTreeMap::from([([1, 2], 1)]))));
}

#[test]
fn types_look_as_in_serde_json() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Newtype(u8);
    #[derive(Serialize)]
    struct Pair(u8, u8);
    #[derive(Serialize)]
    enum Any {
        Unit,
        Newtype(u8),
        Tuple(u8, u8),
        Struct { a: u8, b: u8 },
    }
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"ab")
        }
    }
    let value = (
        (Unit, Newtype(1), Pair(1, 2), Bytes),
        [Any::Unit, Any::Newtype(1), Any::Tuple(1, 2), Any::Struct { a: 1, b: 2 }],
        ((), 'c', "\u{7f}\u{8}\t\u{c}\r/é", Some(None::<u8>), Some(Ok::<_, ()>(true))),
    );
    assert_eq!(canonical(&value), serde_json::to_string(&value).unwrap());
}

#[test]
fn a_variant_orders_its_fields() {
    #[derive(Serialize)]
    enum Any {
        Struct { b: u8, a: u8 },
    }
    assert_eq!(canonical(&[Any::Struct { b: 2, a: 1 }]), r#"[{"Struct":{"a":1,"b":2}}]"#);
}

#[test]
fn raw_json_is_made_canonical() {
    let text = r#" {"b": [1.50, -0, 10000000000000000000000000000000000000001, 9007199254740993],
        "a": {"\u0041": "\u00e9\/", "0": [ ], "1": { } } , "c": null} "#;
    let expected = r#"{"a":{"0":[],"1":{},"A":"é/"},"b":[1.5,0,10000000000000000000000000000000000000001n,9007199254740993n],"c":null}"#;
    assert_eq!(canonical(&raw(text.trim())), expected);
    assert_eq!(written(&[raw("true")]), ("[true]".into(), Form::Json));
    assert!(matches!(to_string(&raw(r#""\ud800""#)), Err(CanonicalError::RawJson(_))));
}

#[test]
fn depth_is_bounded() {
    fn nested(levels: u8) -> Value {
        (0..levels).fold(Value::Null, |inner, level| {
            if level % 2 == 0 { json!([inner]) } else { json!({"x": inner}) }
        })
    }
    let deepest = canonical(&nested(MAX_DEPTH));
    let argument = format!(r#"{{"argument":{deepest}}}"#);
    assert!(serde_json::from_str::<Value>(&argument).is_ok(), "what is written can be read");

    assert!(matches!(to_string(&nested(MAX_DEPTH + 1)), Err(CanonicalError::TooDeep)));
    let brackets = "[".repeat(10_000) + &"]".repeat(10_000);
    assert!(matches!(to_string(&raw(&brackets)), Err(CanonicalError::TooDeep)));
}

#[test]
fn depth_counts_what_is_open() {
    #[derive(Serialize)]
    enum Any {
        Newtype(u8),
        Tuple(u8, u8),
        Struct { a: u8 },
    }
    let many: Vec<_> = (0..200)
        .map(|n| (Any::Newtype(n), Any::Tuple(n, n), Any::Struct { a: n }, raw("[{}]"), json!({})))
        .collect();
    assert!(to_string(&many).is_ok());
}

#[test]
fn an_error_leaves_the_output_as_it_was() {
    let mut out = String::from("before");
    assert!(write(&(1, f64::NAN), &mut out).is_err());
    assert_eq!(out, "before");
}

#[test]
fn a_broken_map_is_refused() {
    struct TwoKeys;
    impl Serialize for TwoKeys {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_key("a")?;
            map.serialize_key("b")?;
            map.end()
        }
    }
    struct NoKey;
    impl Serialize for NoKey {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_value("b")?;
            map.end()
        }
    }
    assert!(matches!(to_string(&TwoKeys), Err(CanonicalError::MapProtocol)));
    assert!(matches!(to_string(&NoKey), Err(CanonicalError::MapProtocol)));
}

/// Names that UTF-8 and UTF-16 order differently, that need escapes, or that
/// are the beginning of one another.
fn name() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\u{7f}'),
        prop::char::range('\u{d7f0}', '\u{d7ff}'),
        prop::char::range('\u{e000}', '\u{ffff}'),
        prop::char::range('\u{10000}', '\u{10ffff}'),
    ];
    prop::collection::vec(character, 0..4).prop_map(String::from_iter)
}

/// Any JSON in which RFC 8785 merges nothing.
fn safe_json() -> impl Strategy<Value = Value> {
    const SAFE: i64 = (1 << 53) - 1;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-SAFE..=SAFE).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        name().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..8).prop_map(Value::from_iter),
        ]
    })
}

/// Anything that `serde` can say, sensible or not.
#[derive(Debug, Clone, Serialize)]
enum Anything {
    Null,
    Float(f64),
    Single(f32),
    Large(u128),
    Small(i128),
    Text(String),
    Some(Option<Box<Anything>>),
    Seq(Vec<Anything>),
    Pair(Box<Anything>, Box<Anything>),
    #[serde(serialize_with = "as_map")]
    Map(Vec<(Anything, Anything)>),
    Fields {
        z: Box<Anything>,
        #[serde(rename = "\n")]
        a: Box<Anything>,
    },
    #[serde(untagged)]
    Bare(Box<Anything>),
    #[serde(serialize_with = "as_raw", untagged)]
    Raw(String),
}

fn as_map<S: Serializer>(
    members: &[(Anything, Anything)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
}

/// The struct by which `serde_json` passes JSON on, with any text in it.
fn as_raw<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw<'a> {
        json: &'a str,
    }
    Raw { json }.serialize(serializer)
}

fn anything() -> impl Strategy<Value = Anything> {
    let leaf = prop_oneof![
        Just(Anything::Null),
        any::<f64>().prop_map(Anything::Float),
        any::<f32>().prop_map(Anything::Single),
        any::<u128>().prop_map(Anything::Large),
        any::<i128>().prop_map(Anything::Small),
        name().prop_map(Anything::Text),
        "[-0-9.eE\\[\\]{}\":,a\\\\ ]{0,12}".prop_map(Anything::Raw),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            prop::option::of(boxed.clone()).prop_map(Anything::Some),
            prop::collection::vec(inner.clone(), 0..6).prop_map(Anything::Seq),
            (boxed.clone(), boxed.clone()).prop_map(|(a, b)| Anything::Pair(a, b)),
            prop::collection::vec((inner.clone(), inner), 0..6).prop_map(Anything::Map),
            (boxed.clone(), boxed.clone()).prop_map(|(z, a)| Anything::Fields { z, a }),
            boxed.prop_map(Anything::Bare),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_the_reference(value in safe_json()) {
        let reference = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(canonical(&value), &*reference);
        let raw = raw(&serde_json::to_string(&value).unwrap());
        prop_assert_eq!(canonical(&raw), reference);
    }

    #[test]
    fn json_form_reads_back(value in safe_json()) {
        let (text, form) = written(&value);
        if form == Form::Json {
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn order_is_that_of_utf16(a in name(), b in name()) {
        prop_assert_eq!(name_order(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
    }

    #[test]
    fn insertion_order_does_not_matter(
        members in prop::collection::btree_map(name(), any::<u32>(), 0..8),
        seed in any::<prop::sample::Index>(),
    ) {
        let mut shuffled: Vec<_> =
            members.iter().map(|(name, value)| (name.as_str(), json!(value))).collect();
        shuffled.reverse();
        let middle = seed.index(shuffled.len() + 1);
        shuffled.rotate_left(middle);
        prop_assert_eq!(canonical(&Members(&shuffled)), canonical(&members));
    }

    #[test]
    fn integers_are_injective(a in any::<i128>(), shift in 0_u32..127, delta in -2_i128..=2) {
        let a = a >> shift;
        let b = a.saturating_add(delta);
        prop_assert_eq!(canonical(&a) == canonical(&b), a == b);
    }

    #[test]
    fn never_panics(value in anything()) {
        let mut out = String::from("before");
        match write(&value, &mut out) {
            Ok(Form::Json) => {
                prop_assert!(serde_json::from_str::<Box<RawValue>>(&out["before".len()..]).is_ok());
            }
            Ok(Form::HashOnly) => {}
            Err(_) => prop_assert_eq!(out, "before"),
        }
    }
}
