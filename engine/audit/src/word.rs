//! Closed lists of words, each with a number that never changes.

/// Declares an enumeration whose members have a number in bytes and a word for people and exports.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident: $number:ty {
        $($(#[doc = $member_doc:literal])+ $member:ident = $value:literal, $word:literal;)*
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $member_doc])+ $member,)*
        }

        impl $name {
            /// All of them, by number.
            pub const ALL: &'static [$name] = &[$($name::$member,)*];

            /// Its number in the bytes of a record.
            pub const fn number(self) -> $number {
                match self {
                    $($name::$member => $value,)*
                }
            }

            /// The one with a number; none when this version does not know it.
            pub const fn from_number(number: $number) -> Option<$name> {
                match number {
                    $($value => Some($name::$member),)*
                    _ => None,
                }
            }

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$member => $word,)*
                }
            }
        }
    };
}

pub(crate) use words;
