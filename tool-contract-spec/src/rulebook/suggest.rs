//! The word that was likely meant.

/// What people write, and the word that they mean by it. Each stands without
/// marks and in lower case, as [`folded`] leaves it.
const SYNONYMS: [(&str, &[&str]); 34] = [
    // The classes of action.
    ("read", &["get", "readonly", "query", "fetch", "list", "lookup", "search", "safe", "pure"]),
    (
        "write",
        &[
            "post", "put", "patch", "create", "update", "insert", "send", "mutate", "mutating",
            "mutation",
        ],
    ),
    (
        "destructive",
        &["delete", "remove", "drop", "destroy", "purge", "erase", "irreversible", "dangerous"],
    ),
    // What a retry may be for.
    ("retryable", &["transient", "temporary", "all", "any"]),
    ("retryable_failure", &["transient", "temporary", "all", "any"]),
    ("rate_limited", &["429", "throttled", "ratelimit", "toomanyrequests"]),
    ("unavailable", &["503", "overloaded", "serviceunavailable"]),
    ("lock_timeout", &["lock", "locked", "deadlock", "contention"]),
    ("network", &["io", "connection", "connectionrefused", "dns"]),
    ("side_effect_unknown", &["unknown", "unknownoutcome", "ambiguous"]),
    ("validation_failure", &["invalid", "validation", "badrequest", "400"]),
    ("permission_denied", &["forbidden", "unauthorized", "denied", "403"]),
    ("permanent_failure", &["permanent", "fatal"]),
    // The other words.
    ("exponential", &["exp", "doubling"]),
    ("constant", &["fixed", "linear"]),
    ("full", &["random"]),
    ("none", &["no", "off", "never", "nothing"]),
    ("manual_only", &["manual", "byhand", "person"]),
    ("compensate", &["compensation", "undo", "revert"]),
    ("human", &["person", "people", "user", "operator", "manual"]),
    ("ledger", &["database", "db", "us", "key"]),
    ("downstream", &["upstream", "provider", "api", "remote"]),
    ("nature", &["natural", "naturally", "inherent", "inherently"]),
    ("reject", &["refuse", "fail", "error", "deny"]),
    ("wait", &["block", "join"]),
    // The keys of the attribute and the fields of the contract.
    ("side_effect", &["mode", "effect", "kind"]),
    ("mode", &["sideeffect", "effect", "kind"]),
    ("max", &["maxattempts", "attempts", "tries"]),
    ("max_attempts", &["max", "attempts", "tries"]),
    ("on", &["retryon"]),
    ("retry_on", &["on"]),
    ("confirm", &["confirmation", "approval", "approve"]),
    ("confirmation", &["confirm", "approval", "approve"]),
    ("ttl", &["expiry", "expires", "window", "retention"]),
];

/// The candidate that `word` likely stands for, if one is near enough.
///
/// Case and marks do not matter; a word that people use for a candidate counts
/// as it, and so does one that a slip or two away is.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// use tool_contract::spec::rulebook::suggest::likely;
///
/// let classes = ["read", "write", "destructive"];
/// assert_eq!(likely("wirte", classes), Some("write"));
/// assert_eq!(likely("GET", classes), Some("read"));
/// assert_eq!(likely("blue", classes), None);
/// ```
#[must_use]
pub fn likely<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = folded(word);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let same = candidates.iter().copied().find(|candidate| folded(candidate) == word);
    same.or_else(|| synonym(&word, &candidates)).or_else(|| nearest(&word, &candidates))
}

/// The candidate that people call by this word.
fn synonym<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let is_meant = |candidate: &str| {
        SYNONYMS.iter().any(|(meant, said)| *meant == candidate && said.contains(&word))
    };
    candidates.iter().copied().find(|candidate| is_meant(candidate))
}

/// The candidate that is fewest slips away, if a third of its letters or more
/// are right.
fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let word: Vec<char> = word.chars().collect();
    let slips = |candidate: &'c str| {
        let letters: Vec<char> = folded(candidate).chars().collect();
        let bearable = word.len().max(letters.len()).max(3) / 3;
        // Saves the work on words that are absurdly long.
        if word.len().abs_diff(letters.len()) > bearable {
            return None;
        }
        let distance = distance(&word, &letters);
        (distance <= bearable).then_some((distance, candidate))
    };
    let near = candidates.iter().copied().filter_map(slips);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The word in lower case, without marks.
fn folded(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters must be added, dropped, changed or swapped with their
/// neighbour to make one word of the other.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, with) in other.iter().enumerate() {
            let changed = last[j] + usize::from(letter != with);
            let mut fewest = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && letter == &other[j - 1] && with == &one[i - 1] {
                fewest = fewest.min(before[j - 1] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLASSES: [&str; 3] = ["read", "write", "destructive"];
    const KEYS: [&str; 7] =
        ["side_effect", "idempotent", "retry", "rollback", "reconcile", "rate_limit", "ttl"];

    #[test]
    fn slips_are_forgiven() {
        for (word, meant) in [
            ("wirte", "write"),
            ("reed", "read"),
            ("destuctive", "destructive"),
            ("Write", "write"),
        ] {
            assert_eq!(likely(word, CLASSES), Some(meant), "{word}");
        }
        for (word, meant) in [
            ("side-effect", "side_effect"),
            ("sideEffect", "side_effect"),
            ("idempotant", "idempotent"),
        ] {
            assert_eq!(likely(word, KEYS), Some(meant), "{word}");
        }
    }

    #[test]
    fn synonyms_are_known_where_they_fit() {
        for (word, meant) in
            [("GET", "read"), ("read-only", "read"), ("delete", "destructive"), ("POST", "write")]
        {
            assert_eq!(likely(word, CLASSES), Some(meant), "{word}");
        }
        assert_eq!(likely("delete", KEYS), None);
        assert_eq!(likely("expires", KEYS), Some("ttl"));
    }

    #[test]
    fn what_is_far_is_not_guessed() {
        for word in ["", "x", "blue", "idempotent"] {
            assert_eq!(likely(word, CLASSES), None, "{word}");
        }
    }

    #[test]
    fn the_table_holds_folded_words_only() {
        for word in SYNONYMS.iter().flat_map(|(_, said)| said.iter()) {
            assert_eq!(*word, folded(word));
        }
    }

    proptest! {
        #[test]
        fn a_candidate_is_its_own_likely_word(at in 0..KEYS.len()) {
            prop_assert_eq!(likely(KEYS[at], KEYS), Some(KEYS[at]));
        }

        #[test]
        fn distance_is_symmetric_and_bounded(one in "[abc]{0,8}", other in "[abc]{0,8}") {
            let [one, other]: [Vec<char>; 2] = [one.chars().collect(), other.chars().collect()];
            let there = distance(&one, &other);
            prop_assert_eq!(there, distance(&other, &one));
            prop_assert!(there <= one.len().max(other.len()));
            prop_assert_eq!(there == 0, one == other);
        }
    }
}
