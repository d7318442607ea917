//! Enumerations and identifiers of the wire: known values have names, unknown ones are kept; which
//! ones there are is generated, and not said here.

/// The text of an enumeration value that this version does not list. It can be printed and sent
/// back, and not matched on: a later version may list it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unlisted(pub(crate) Box<str>);

impl std::fmt::Debug for Unlisted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

/// An enumeration that Amazon may extend.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            #[doc(hidden)]
            Unlisted(crate::open::Unlisted),
        }

        impl $name {
            /// The value as the service spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unlisted(text) => &text.0,
                }
            }

            /// Every value that is listed here.
            #[must_use]
            pub const fn listed() -> &'static [Self] {
                &[$(Self::$variant),+]
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Unlisted(crate::open::Unlisted(other.into())),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl crate::scalar::Scalar for $name {
            fn to_text(&self) -> String {
                self.as_str().to_owned()
            }

            fn from_text(text: &str) -> Result<Self, crate::error::Expected> {
                Ok(Self::from(text))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Ok(Self::from(&*text))
            }
        }
    };
}

/// An identifier that Amazon gives out: a text of its own type, so that two of them cannot be
/// swapped. A `secret` one is left out of `Debug`.
macro_rules! identifier {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $crate::open::identifier!(@type $(#[$meta])* #[derive(Debug)] $name);
    };
    ($(#[$meta:meta])* pub secret struct $name:ident;) => {
        $crate::open::identifier!(@type $(#[$meta])* $name);

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
    (@type $(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it was given out.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self::new(text)
            }
        }

        impl crate::scalar::Scalar for $name {
            fn to_text(&self) -> String {
                self.0.clone()
            }

            fn from_text(text: &str) -> Result<Self, crate::error::Expected> {
                Ok(Self::new(text))
            }
        }
    };
}

pub(crate) use {identifier, open_enum};
