//! Writes values of a checkpoint: bincode's fixed coding, as `bincode` 2.0.1 writes it.
//!
//! Numbers little-endian and whole; a length and the number of a variant before what follows, in eight
//! and four bytes; a byte before what may be absent. Written here because a slice of a checkpoint holds
//! up whatever waits for the shard: `bincode` carries a large error out of every number, which makes a
//! state four times as dear. It still reads what is written here, and the tests hold both against each
//! other.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A value without a form: a sequence that does not know how long it is, or one that refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value has no form")]
pub(crate) struct Formless;

impl ser::Error for Formless {
    fn custom<T: fmt::Display>(_: T) -> Formless {
        Formless
    }
}

/// Appends values to bytes.
#[derive(Debug)]
pub(crate) struct StateWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
}

impl StateWriter<'_> {
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.out.extend_from_slice(&bytes);
    }

    #[inline]
    fn put_length(&mut self, length: usize) -> Result<(), Formless> {
        let length = u64::try_from(length).map_err(|_| Formless)?;
        self.put(length.to_le_bytes());
        Ok(())
    }

    fn put_known_length(&mut self, length: Option<usize>) -> Result<(), Formless> {
        self.put_length(length.ok_or(Formless)?)
    }
}

/// Numbers as they lie in memory.
macro_rules! numbers {
    ($($method:ident: $number:ty)*) => {$(
        #[inline]
        fn $method(self, number: $number) -> Result<(), Formless> {
            self.put(number.to_le_bytes());
            Ok(())
        }
    )*};
}

impl Serializer for &mut StateWriter<'_> {
    type Ok = ();
    type Error = Formless;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8: i8
        serialize_i16: i16
        serialize_i32: i32
        serialize_i64: i64
        serialize_i128: i128
        serialize_u8: u8
        serialize_u16: u16
        serialize_u32: u32
        serialize_u64: u64
        serialize_u128: u128
        serialize_f32: f32
        serialize_f64: f64
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, is_so: bool) -> Result<(), Formless> {
        self.put([u8::from(is_so)]);
        Ok(())
    }

    fn serialize_char(self, character: char) -> Result<(), Formless> {
        self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Formless> {
        self.serialize_bytes(text.as_bytes())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Formless> {
        self.put_length(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Formless> {
        self.put([0]);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Formless> {
        self.put([1]);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Formless> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Formless> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
    ) -> Result<(), Formless> {
        self.put(number.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Formless> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Formless> {
        self.put(number.to_le_bytes());
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Formless> {
        self.put_known_length(length)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Formless> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Formless> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Formless> {
        self.put(number.to_le_bytes());
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Formless> {
        self.put_known_length(length)?;
        Ok(self)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Formless> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, Formless> {
        self.put(number.to_le_bytes());
        Ok(self)
    }
}

/// What has parts without names: each behind the one before.
macro_rules! parts {
    ($($kind:ident $method:ident)*) => {$(
        impl $kind for &mut StateWriter<'_> {
            type Ok = ();
            type Error = Formless;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Formless> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<(), Formless> {
                Ok(())
            }
        }
    )*};
}

parts! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

/// What has fields with names, of which nothing is written.
macro_rules! fields {
    ($($kind:ident)*) => {$(
        impl $kind for &mut StateWriter<'_> {
            type Ok = ();
            type Error = Formless;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), Formless> {
                value.serialize(&mut **self)
            }

            #[inline]
            fn end(self) -> Result<(), Formless> {
                Ok(())
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

impl SerializeMap for &mut StateWriter<'_> {
    type Ok = ();
    type Error = Formless;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Formless> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Formless> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Formless> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ach_engine_shard::{Entry, Input, LOGIC_VERSION, Shard};
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{decode_state, encode_state};

    /// One of every kind of value there is.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Every {
        Nothing,
        Whole(Box<Every>),
        Pair(u8, i8),
        Named { wide: u128, narrow: i16, deep: Option<Vec<Every>> },
        Text(String, char, bool, ()),
        Numbers(i32, i64, i128, u16, u32, u64, f32, f64),
        Map(BTreeMap<String, (u8, [u16; 3])>),
        Unit(Unit, New, Two),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New(Option<u32>);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Two(u64, Option<bool>);

    #[track_caller]
    fn check<T: Serialize>(value: &T) -> Vec<u8> {
        let coding = bincode::config::standard().with_fixed_int_encoding();
        let expected = bincode::serde::encode_to_vec(value, coding).unwrap();
        let mut written = b"before".to_vec();
        encode_state(value, &mut written).unwrap();
        assert_eq!(written.strip_prefix(b"before"), Some(expected.as_slice()));
        expected
    }

    #[test]
    fn every_kind_of_value_is_written_as_bincode_writes_it() {
        let map = [("a".to_owned(), (1, [2, 3, 4])), ("ä\u{1f600}".to_owned(), (5, [6, 7, 8]))];
        let all = vec![
            Every::Nothing,
            Every::Whole(Box::new(Every::Pair(255, -1))),
            Every::Named { wide: u128::MAX - 7, narrow: -300, deep: None },
            Every::Named { wide: 1, narrow: 2, deep: Some(vec![Every::Nothing]) },
            Every::Text("straße".to_owned(), '\u{1f600}', true, ()),
            Every::Text(String::new(), 'a', false, ()),
            Every::Numbers(i32::MIN, i64::MIN, i128::MIN, 1, 2, u64::MAX, 1.5, -0.25),
            Every::Map(BTreeMap::from(map)),
            Every::Unit(Unit, New(Some(9)), Two(3, None)),
        ];
        let written = check(&all);
        assert_eq!(decode_state::<Vec<Every>>(&written, "all").ok(), Some(all));
    }

    #[test]
    fn the_head_of_a_shard_is_written_as_bincode_writes_it() {
        let mut shard = Shard::new();
        let entry = Entry {
            index: 1,
            at: ach_actors_model::Timestamp(1_763_798_400_000_000_000),
            site_version: 0,
            logic_version: LOGIC_VERSION,
            inputs: vec![Input::Tick],
            effects_hash: 0,
        };
        shard.step(&entry, &mut Vec::new());
        check(&shard.begin_checkpoint());
    }

    #[test]
    fn a_sequence_that_does_not_know_its_length_is_refused() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq((0..9_u8).filter(|number| *number > 3))
            }
        }
        assert!(encode_state(&Endless, &mut Vec::new()).is_err());
    }
}
