//! Values that have a word each.

/// An enum whose values are written as words, in attributes, contracts and records.
macro_rules! worded {
    (
        $(#[$about:meta])*
        pub enum $name:ident {
            $($(#[$what:meta])* $value:ident $(= $number:literal)? => $word:literal,)+
        }
    ) => {
        $(#[$about])*
        pub enum $name {
            $($(#[$what])* $value $(= $number)?,)+
        }

        impl $name {
            /// Every one, in their order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$value),+];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }
    };
}
pub(crate) use worded;
