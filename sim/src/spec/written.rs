//! What a type of the syntax writes, as a tree: a `serde` serializer.
//!
//! It is the counterpart of the reader. Enums are externally tagged, and a variant that stands for a form writes what
//! it holds. A key without a value is left out. Text of the user is a [`Written::Text`]; what is written by its
//! `Display` (`Serializer::collect_str`: quantities and names) stands as it is.
//!
//! Writing cannot fail: there is no error.

use std::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::vocabulary::{is_word, may_stand_alone};

/// A value to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// A word, a number, a quantity or a name.
    Plain(String),
    /// Text, which stands in quotes.
    Text(String),
    /// A list.
    List(Vec<Written>),
    /// Keys with their values, in order.
    Mapping(Vec<(String, Written)>),
}

/// What a value writes; an empty mapping where that is nothing.
pub fn written(value: &impl Serialize) -> Written {
    let Ok(written) = value.serialize(Writer);
    written.unwrap_or(Written::Mapping(Vec::new()))
}

/// There is no error of writing.
#[derive(Debug)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Error for Never {
    fn custom<T: fmt::Display>(message: T) -> Never {
        unreachable!("a type of the syntax refuses to be written: {message}")
    }
}

/// What is written; `None` is the absence of a value.
type Result<T = Option<Written>> = std::result::Result<T, Never>;

/// A variant with what it holds.
fn variant(word: &str, content: Option<Written>) -> Option<Written> {
    match content {
        content if !is_word(word) => content,
        None => Some(Written::Plain(word.to_owned())),
        Some(Written::Mapping(entries)) if entries.is_empty() && may_stand_alone(word) => {
            Some(Written::Plain(word.to_owned()))
        }
        Some(content) => Some(Written::Mapping(vec![(word.to_owned(), content)])),
    }
}

struct Writer;

/// Scalars that stand as they are displayed.
macro_rules! plain {
    ($($method:ident $type:ty,)*) => {$(
        fn $method(self, value: $type) -> Result {
            self.collect_str(&value)
        }
    )*};
}

impl Serializer for Writer {
    type Ok = Option<Written>;
    type Error = Never;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    plain! {
        serialize_bool bool,
        serialize_i8 i8,
        serialize_i16 i16,
        serialize_i32 i32,
        serialize_i64 i64,
        serialize_u8 u8,
        serialize_u16 u16,
        serialize_u32 u32,
        serialize_u64 u64,
        serialize_f32 f32,
        serialize_f64 f64,
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result {
        Ok(Some(Written::Plain(value.to_string())))
    }

    fn serialize_char(self, value: char) -> Result {
        Ok(Some(Written::Text(value.to_string())))
    }

    fn serialize_str(self, value: &str) -> Result {
        Ok(Some(Written::Text(value.to_owned())))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result {
        Ok(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        Ok(None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        Ok(None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, word: &'static str) -> Result {
        Ok(variant(word, None))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        value: &T,
    ) -> Result {
        Ok(variant(word, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items> {
        Ok(Items::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items> {
        Ok(Items::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items> {
        Ok(Items::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Items> {
        Ok(Items {
            word: Some(word),
            ..Items::default()
        })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries> {
        Ok(Entries::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries> {
        Ok(Entries::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        word: &'static str,
        _: usize,
    ) -> Result<Entries> {
        Ok(Entries {
            word: Some(word),
            ..Entries::default()
        })
    }
}

/// The items of a list, and the word of the variant that holds it.
#[derive(Default)]
struct Items {
    word: Option<&'static str>,
    items: Vec<Written>,
}

impl Items {
    fn add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.items.extend(value.serialize(Writer)?);
        Ok(())
    }

    fn whole(self) -> Result {
        let list = Some(Written::List(self.items));
        Ok(match self.word {
            Some(word) => variant(word, list),
            None => list,
        })
    }
}

/// The traits of lists, which differ in the name of a method.
macro_rules! lists {
    ($($kind:ident $method:ident,)*) => {$(
        impl $kind for Items {
            type Ok = Option<Written>;
            type Error = Never;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.add(value)
            }

            fn end(self) -> Result {
                self.whole()
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

/// The entries of a mapping, and the word of the variant that holds it.
#[derive(Default)]
struct Entries {
    word: Option<&'static str>,
    key: String,
    entries: Vec<(String, Written)>,
}

impl Entries {
    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<()> {
        let value = value.serialize(Writer)?;
        self.entries
            .extend(value.map(|value| (key.to_owned(), value)));
        Ok(())
    }

    fn whole(self) -> Result {
        let mapping = Some(Written::Mapping(self.entries));
        Ok(match self.word {
            Some(word) => variant(word, mapping),
            None => mapping,
        })
    }
}

impl SerializeMap for Entries {
    type Ok = Option<Written>;
    type Error = Never;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = match key.serialize(Writer)? {
            Some(Written::Plain(key) | Written::Text(key)) => key,
            // No list or mapping is a key in the language.
            _ => String::new(),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = std::mem::take(&mut self.key);
        self.add(&key, value)
    }

    fn end(self) -> Result {
        self.whole()
    }
}

/// The traits of structs.
macro_rules! structs {
    ($($kind:ident,)*) => {$(
        impl $kind for Entries {
            type Ok = Option<Written>;
            type Error = Never;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
                self.add(key, value)
            }

            fn end(self) -> Result {
                self.whole()
            }
        }
    )*};
}

structs! {
    SerializeStruct,
    SerializeStructVariant,
}
