//! Thrift's compact protocol, as far as Parquet's metadata need it written.

use crate::coding::put_varint;
use crate::rice::zigzag;

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
const TRUE: u8 = 1;
const FALSE: u8 = 2;

/// A struct that is being written. Field numbers must go up.
#[derive(Debug, Default)]
pub(super) struct Thrift {
    out: Vec<u8>,
    /// The last field's number, of this struct and of those around it.
    last: i16,
    around: Vec<i16>,
}

impl Thrift {
    fn field(&mut self, id: i16, kind: u8) {
        if let Ok(step @ 1..=15) = u8::try_from(id - self.last) {
            self.out.push((step << 4) | kind);
        } else {
            self.out.push(kind);
            put_varint(zigzag(id.into()), &mut self.out);
        }
        self.last = id;
    }

    pub(super) fn bool(&mut self, id: i16, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    pub(super) fn i32(&mut self, id: i16, value: i32) {
        self.field(id, I32);
        put_varint(zigzag(value.into()), &mut self.out);
    }

    pub(super) fn i64(&mut self, id: i16, value: i64) {
        self.field(id, I64);
        put_varint(zigzag(value), &mut self.out);
    }

    pub(super) fn text(&mut self, id: i16, text: &str) {
        self.field(id, BINARY);
        self.put_text(text);
    }

    fn put_text(&mut self, text: &str) {
        put_varint(u64::try_from(text.len()).unwrap_or(u64::MAX), &mut self.out);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn list(&mut self, id: i16, kind: u8, count: usize) {
        self.field(id, LIST);
        if let Ok(count @ 0..=14) = u8::try_from(count) {
            self.out.push((count << 4) | kind);
        } else {
            self.out.push(0xF0 | kind);
            put_varint(u64::try_from(count).unwrap_or(u64::MAX), &mut self.out);
        }
    }

    pub(super) fn list_of_i32(&mut self, id: i16, values: &[i32]) {
        self.list(id, I32, values.len());
        for &value in values {
            put_varint(zigzag(value.into()), &mut self.out);
        }
    }

    pub(super) fn list_of_texts(&mut self, id: i16, texts: &[&str]) {
        self.list(id, BINARY, texts.len());
        for text in texts {
            self.put_text(text);
        }
    }

    /// So many structs follow, each between [`Thrift::struct_begin`] and [`Thrift::struct_end`].
    pub(super) fn list_of_structs(&mut self, id: i16, count: usize) {
        self.list(id, STRUCT, count);
    }

    /// A struct as a field.
    pub(super) fn struct_field(&mut self, id: i16) {
        self.field(id, STRUCT);
        self.struct_begin();
    }

    /// A struct as a member of a list.
    pub(super) fn struct_begin(&mut self) {
        self.around.push(self.last);
        self.last = 0;
    }

    pub(super) fn struct_end(&mut self) {
        self.out.push(0);
        self.last = self.around.pop().unwrap_or(0);
    }

    /// Ends the outermost struct.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.out.push(0);
        self.out
    }
}
