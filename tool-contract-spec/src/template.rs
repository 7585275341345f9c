//! `"{order_id}/charge"`: how a key is derived from the arguments.

use crate::key::{IdempotencyKey, LONGEST_KEY, MalformedKey};

/// Why a text is no key template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedTemplate {
    /// A `{` without its `}`.
    #[error(
        "the `{{` at byte {at} is never closed; a brace that is meant as one is written `{{{{`"
    )]
    Unclosed {
        /// The byte at which it stands.
        at: usize,
    },
    /// A `}` without its `{`.
    #[error("the `}}` at byte {at} closes nothing; a brace that is meant as one is written `}}}}`")]
    Unopened {
        /// The byte at which it stands.
        at: usize,
    },
    /// What stands between the braces is no name.
    #[error("`{{{name}}}` at byte {at} names no argument")]
    NoName {
        /// What stands there.
        name: String,
        /// The byte at which its brace stands.
        at: usize,
    },
    /// A character between the arguments that no key may have.
    #[error("the character {character:?} at byte {at} is not visible ASCII (! to ~)")]
    NotVisible {
        /// The character.
        character: char,
        /// The byte at which it stands.
        at: usize,
    },
    /// The text between the arguments is longer than a key.
    #[error("its text alone has {0} bytes; a key has at most {LONGEST_KEY}")]
    TooLong(usize),
}

/// Why a template gives no key for these arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The template names an argument that the call has not.
    #[error("the key is derived from `{0}`, and there is no such argument")]
    NoArgument(String),
    /// What came out is no key: empty, or too long.
    #[error("the derived key cannot be used: {0}")]
    Malformed(MalformedKey),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Argument(String),
}

/// A template that derives a key from arguments.
///
/// An argument enters the key percent-encoded, except for letters, digits and
/// `_.~-`. So a `/` between two arguments, or any other mark that is encoded,
/// keeps them apart: no two pairs of arguments give one key.
///
/// ```
/// # mod tool_contract { pub use tool_contract_spec as spec; }
/// use tool_contract::spec::template::Template;
///
/// let template = Template::parse("{order}/{step}")?;
/// let key = template.render(|name| match name {
///     "order" => Some("a/b".to_owned()),
///     _ => Some("c".to_owned()),
/// })?;
/// assert_eq!(key.as_str(), "a%2Fb/c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads `{name}` as an argument, `{{` and `}}` as braces, and any other
    /// visible ASCII as itself.
    ///
    /// # Errors
    /// What is wrong with it, and where. Whether it names any argument, and
    /// which, is a rule's business.
    pub fn parse(text: &str) -> Result<Self, MalformedTemplate> {
        let mut template = Self { text: text.to_owned(), parts: Vec::new() };
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at = text.len() - rest.len();
            rest = if let Some(rest) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                template.push(character);
                rest
            } else if let Some(rest) = rest.strip_prefix('{') {
                let (name, rest) =
                    rest.split_once('}').ok_or(MalformedTemplate::Unclosed { at })?;
                template.parts.push(argument(name, at)?);
                rest
            } else if character == '}' {
                return Err(MalformedTemplate::Unopened { at });
            } else if character.is_ascii_graphic() {
                template.push(character);
                &rest[1..]
            } else {
                return Err(MalformedTemplate::NotVisible { character, at });
            };
        }
        match template.literal_bytes() {
            bytes if bytes > LONGEST_KEY => Err(MalformedTemplate::TooLong(bytes)),
            _ => Ok(template),
        }
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the arguments in their order, each as often as it stands.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Argument(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The key for a call whose arguments have these texts: a string is its
    /// own text, anything else has its canonical JSON.
    ///
    /// # Errors
    /// If `text` does not know an argument, or if the key is empty or longer
    /// than [`LONGEST_KEY`].
    pub fn render(
        &self,
        mut text: impl FnMut(&str) -> Option<String>,
    ) -> Result<IdempotencyKey, RenderError> {
        let mut key = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => key.push_str(literal),
                Part::Argument(name) => {
                    let text = text(name).ok_or_else(|| RenderError::NoArgument(name.clone()))?;
                    key.extend(text.bytes().flat_map(encoded));
                }
            }
        }
        IdempotencyKey::new(key).map_err(RenderError::Malformed)
    }

    /// Adds a character to the text at the end.
    fn push(&mut self, character: char) {
        if let Some(Part::Literal(text)) = self.parts.last_mut() {
            text.push(character);
        } else {
            self.parts.push(Part::Literal(character.into()));
        }
    }

    /// The bytes that every key of this template has.
    fn literal_bytes(&self) -> usize {
        let length = |part: &Part| match part {
            Part::Literal(text) => text.len(),
            Part::Argument(_) => 0,
        };
        self.parts.iter().map(length).sum()
    }
}

/// The argument of a name, as Rust writes names; its `{` stands at `at`.
fn argument(name: &str, at: usize) -> Result<Part, MalformedTemplate> {
    let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if starts_well && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        Ok(Part::Argument(name.to_owned()))
    } else {
        Err(MalformedTemplate::NoName { name: name.to_owned(), at })
    }
}

/// A byte of an argument's text: itself where RFC 3986 calls it unreserved,
/// else percent-encoded.
fn encoded(byte: u8) -> impl Iterator<Item = char> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let nibble = |value: u8| char::from(HEX[usize::from(value & 0xF)]);
    let bare = byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    let characters = if bare {
        [Some(char::from(byte)), None, None]
    } else {
        [Some('%'), Some(nibble(byte >> 4)), Some(nibble(byte))]
    };
    characters.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn render(template: &str, values: &[&str]) -> Result<String, RenderError> {
        let mut values = values.iter();
        let key = Template::parse(template)
            .unwrap()
            .render(|_| values.next().map(|&value| value.to_owned()))?;
        Ok(key.as_str().to_owned())
    }

    #[test]
    fn arguments_come_in_their_order() {
        let template = Template::parse("{order_id}/{größe}-{_2}{order_id}").unwrap();
        assert_eq!(
            template.arguments().collect::<Vec<_>>(),
            ["order_id", "größe", "_2", "order_id"]
        );
    }

    #[test]
    fn a_key_is_text_and_encoded_arguments() {
        assert_eq!(render("{order}/charge", &["order-17"]).unwrap(), "order-17/charge");
        assert_eq!(render("{a}", &["a b/c%é{}\"~._-"]).unwrap(), "a%20b%2Fc%25%C3%A9%7B%7D%22~._-");
    }

    #[test]
    fn doubled_braces_are_braces() {
        assert_eq!(render("{{{a}}}", &["x"]).unwrap(), "{x}");
        assert_eq!(Template::parse("{{a}}").unwrap().arguments().count(), 0);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        use MalformedTemplate::{NoName, NotVisible, TooLong, Unclosed, Unopened};
        let no_name = |name: &str, at| NoName { name: name.to_owned(), at };
        for (text, why) in [
            ("a/{order", Unclosed { at: 2 }),
            ("{", Unclosed { at: 0 }),
            ("é}", NotVisible { character: 'é', at: 0 }),
            ("a}", Unopened { at: 1 }),
            ("{}", no_name("", 0)),
            ("a{0}", no_name("0", 1)),
            ("{a b}", no_name("a b", 0)),
            ("{a{b}}", no_name("a{b", 0)),
            ("a {b}", NotVisible { character: ' ', at: 1 }),
            (&"x".repeat(256), TooLong(256)),
        ] {
            assert_eq!(Template::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(render("{a}/{b}", &["x"]), Err(RenderError::NoArgument("b".to_owned())));
        assert_eq!(render("{a}", &[""]), Err(RenderError::Malformed(MalformedKey::Empty)));
        assert_eq!(render("{a}", &[&"x".repeat(255)]).unwrap().len(), 255);
        let too_long = render("{a}/", &[&"x".repeat(255)]).unwrap_err();
        assert_eq!(
            too_long.to_string(),
            "the derived key cannot be used: it has 256 bytes; a key has 1 to 255"
        );
    }

    proptest! {
        #[test]
        fn different_arguments_give_different_keys(
            separator in r"[/:|@+,;=!$&'()*?#\[\]]{1,3}",
            one in prop::collection::vec(r"[a-c/:%|.\-2F]{0,4}|\PC{0,4}", 3),
            other in prop::collection::vec(r"[a-c/:%|.\-2F]{0,4}|\PC{0,4}", 3),
        ) {
            let template = format!("{{a}}{separator}{{b}}{separator}{{c}}");
            let key = |values: &[String]| render(&template, &values.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(key(&one).unwrap() == key(&other).unwrap(), one == other);
        }

        #[test]
        fn any_text_is_answered(text in r"[{}a-z /]{0,20}|\PC*") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.render(|name| Some(name.to_owned()));
            }
        }
    }
}
