//! Enums whose variants are sentences.

/// Names the variants of an enum, and makes of each a property of the states `$world`
/// of the model `$model`: that the last step noted it.
macro_rules! named {
    (of $model:ident, $world:ident; $(#[$meta:meta])* $name:ident { $($variant:ident = $words:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = $words] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its words.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }

            /// Whether the last step noted it; or, with `false`, whether it did not.
            fn noted<const WHETHER: bool>(self) -> fn(&$model, &$world) -> bool {
                match self {
                    $(Self::$variant => |_, world| {
                        world.has_noted(Note::$name(Self::$variant)) == WHETHER
                    },)*
                }
            }
        }
    };
}
