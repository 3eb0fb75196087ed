//! Messages as lists of fields: `u16 tag, u16 length, value`, little-endian.
//!
//! A tag of 32,768 and more that is not known is refused, a smaller one is skipped: that is how the
//! protocol grows. Fields come in any order; a list is its field repeated. A struct is declared with
//! `message!`, and the type of each field says whether it must be there (`T`), may be there
//! (`Option<T>`) or is a bounded list (`Vec<T>`).

use crate::WireError;
use crate::limits::LIST_ITEMS_MAX;

/// From this tag on an unknown field is refused rather than skipped.
pub(crate) const CRITICAL_TAG: u16 = 0x8000;

/// A value with its own bytes; its length is known from outside.
pub(crate) trait Value: Sized {
    /// Most of them in a list.
    const LIST_MAX: usize = LIST_ITEMS_MAX;

    /// Appends the bytes.
    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Reads all of `bytes`; `part` names the field for the error.
    fn take(bytes: &[u8], part: &'static str) -> Result<Self, WireError>;
}

/// What few messages have is kept elsewhere, so that the others are smaller.
impl<T: Value> Value for Box<T> {
    const LIST_MAX: usize = T::LIST_MAX;

    fn put(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        T::put(self, out)
    }

    fn take(bytes: &[u8], part: &'static str) -> Result<Box<T>, WireError> {
        T::take(bytes, part).map(Box::new)
    }
}

/// A field's place in a message: required, optional or a list.
pub(crate) trait Slot: Sized {
    /// What has been read so far.
    type Partial: Default;

    /// Appends the field, with its tag and length, as often as it is there.
    fn put_field(&self, tag: u16, place: FieldName, out: &mut Vec<u8>) -> Result<(), WireError>;

    /// Reads one occurrence.
    fn take_field(
        partial: &mut Self::Partial,
        bytes: &[u8],
        place: FieldName,
    ) -> Result<(), WireError>;

    /// Ends reading.
    fn finish(partial: Self::Partial, place: FieldName) -> Result<Self, WireError>;
}

/// A field's name, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldName {
    pub(crate) message: &'static str,
    pub(crate) field: &'static str,
}

impl<T: Value> Slot for T {
    type Partial = Option<T>;

    fn put_field(&self, tag: u16, place: FieldName, out: &mut Vec<u8>) -> Result<(), WireError> {
        put_one(self, tag, place, out)
    }

    fn take_field(
        partial: &mut Option<T>,
        bytes: &[u8],
        place: FieldName,
    ) -> Result<(), WireError> {
        take_once(partial, bytes, place)
    }

    fn finish(partial: Option<T>, place: FieldName) -> Result<T, WireError> {
        partial.ok_or(WireError::MissingField { message: place.message, field: place.field })
    }
}

impl<T: Value> Slot for Option<T> {
    type Partial = Option<T>;

    fn put_field(&self, tag: u16, place: FieldName, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.as_ref().map_or(Ok(()), |value| put_one(value, tag, place, out))
    }

    fn take_field(
        partial: &mut Option<T>,
        bytes: &[u8],
        place: FieldName,
    ) -> Result<(), WireError> {
        take_once(partial, bytes, place)
    }

    fn finish(partial: Option<T>, _place: FieldName) -> Result<Option<T>, WireError> {
        Ok(partial)
    }
}

impl<T: Value> Slot for Vec<T> {
    type Partial = Vec<T>;

    fn put_field(&self, tag: u16, place: FieldName, out: &mut Vec<u8>) -> Result<(), WireError> {
        if self.len() > T::LIST_MAX {
            return Err(WireError::TooMany { part: place.field, max: T::LIST_MAX });
        }
        self.iter().try_for_each(|value| put_one(value, tag, place, out))
    }

    fn take_field(partial: &mut Vec<T>, bytes: &[u8], place: FieldName) -> Result<(), WireError> {
        if partial.len() >= T::LIST_MAX {
            return Err(WireError::TooMany { part: place.field, max: T::LIST_MAX });
        }
        partial.push(T::take(bytes, place.field)?);
        Ok(())
    }

    fn finish(partial: Vec<T>, _place: FieldName) -> Result<Vec<T>, WireError> {
        Ok(partial)
    }
}

fn put_one<T: Value>(
    value: &T,
    tag: u16,
    place: FieldName,
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    let start = out.len();
    value.put(out)?;
    let bytes = out.len().saturating_sub(start);
    let length =
        u16::try_from(bytes).map_err(|_| WireError::Length { part: place.field, bytes })?;
    if let Some(slot) = out.get_mut(start.saturating_sub(2)..start) {
        slot.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

fn take_once<T: Value>(
    partial: &mut Option<T>,
    bytes: &[u8],
    place: FieldName,
) -> Result<(), WireError> {
    if partial.is_some() {
        return Err(WireError::FieldTwice { message: place.message, field: place.field });
    }
    *partial = Some(T::take(bytes, place.field)?);
    Ok(())
}

/// The fields of a message, one after the other.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    message: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8], message: &'static str) -> Fields<'a> {
        Fields { rest: bytes, message }
    }

    /// The next field's tag and bytes.
    pub(crate) fn next(&mut self) -> Result<Option<(u16, &'a [u8])>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let short = WireError::Length { part: self.message, bytes: self.rest.len() };
        let Some((&[tag_0, tag_1, length_0, length_1], rest)) = self.rest.split_first_chunk()
        else {
            return Err(short);
        };
        let length = usize::from(u16::from_le_bytes([length_0, length_1]));
        let Some((value, rest)) = rest.split_at_checked(length) else {
            return Err(short);
        };
        self.rest = rest;
        Ok(Some((u16::from_le_bytes([tag_0, tag_1]), value)))
    }

    /// What is done with a tag that is not known.
    pub(crate) fn skip(&self, tag: u16) -> Result<(), WireError> {
        if tag >= CRITICAL_TAG {
            return Err(WireError::UnknownField { message: self.message, tag });
        }
        Ok(())
    }
}

/// Declares a struct that is a list of fields, and its coding.
macro_rules! message {
    ($(list $list_max:expr;)? $(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* $tag:literal => $field:ident : $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::tlv::Value for $name {
            $(const LIST_MAX: usize = $list_max;)?

            fn put(&self, out: &mut Vec<u8>) -> Result<(), $crate::WireError> {
                $(
                    let place = $crate::tlv::FieldName {
                        message: stringify!($name),
                        field: stringify!($field),
                    };
                    $crate::tlv::Slot::put_field(&self.$field, $tag, place, out)?;
                )*
                Ok(())
            }

            fn take(bytes: &[u8], _part: &'static str) -> Result<Self, $crate::WireError> {
                let mut fields = $crate::tlv::Fields::new(bytes, stringify!($name));
                $(let mut $field = <$type as $crate::tlv::Slot>::Partial::default();)*
                while let Some((tag, value)) = fields.next()? {
                    match tag {
                        $($tag => {
                            let place = $crate::tlv::FieldName {
                                message: stringify!($name),
                                field: stringify!($field),
                            };
                            <$type as $crate::tlv::Slot>::take_field(&mut $field, value, place)?;
                        })*
                        _ => fields.skip(tag)?,
                    }
                }
                Ok($name {
                    $($field: <$type as $crate::tlv::Slot>::finish($field, $crate::tlv::FieldName {
                        message: stringify!($name),
                        field: stringify!($field),
                    })?,)*
                })
            }
        }
    };
}
pub(crate) use message;
