//! [`Node`]: one type, or one use of a type, with what there is to say of it.

use serde_json::Value;
use trimtab_managed_fields::Fields;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object with declared properties.
    Struct,
    /// An object whose fields all have one type.
    Map,
    /// A list.
    List,
    /// A value without parts.
    Scalar(Scalar),
    /// A value of any type.
    Any,
}

/// A value without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// A string.
    String,
    /// A string in base64.
    Bytes,
    /// An RFC 3339 string with seconds.
    Time,
    /// An RFC 3339 string with microseconds.
    MicroTime,
    /// An integer of 32 bits.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// A number, with or without a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A number, or a string such as `25%` or the name of a port.
    IntOrString,
    /// A string such as `100m`, or a number.
    Quantity,
}

/// The identity of the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListType<'a> {
    /// The list is one value.
    Atomic,
    /// Each value occurs once.
    Set,
    /// Items are identified by the values of these properties.
    Map(&'a [String]),
}

/// The rule of strategic merge patches for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchRule {
    /// Whether items of a list are merged, or added to a set of plain values.
    pub merges: bool,
    /// Whether a patch may name the only keys to keep.
    pub retains_keys: bool,
    /// Whether the patch's value takes the place of the present one.
    pub replaces: bool,
    /// The property that identifies items.
    pub key: Option<String>,
}

/// Whether Go writes a field of a struct that has its zero value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZeroValue {
    /// The value may be nil, and then it is left out; any other is written.
    IsNil,
    /// It is left out, even if somebody sent it.
    LeftOut,
    /// It is written, even if nobody sent it.
    Written,
    /// The value may be nil, and then it is written as null.
    Null,
}

/// [`ListType`], owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum List {
    Atomic,
    Set,
    Map(Vec<String>),
}

/// A type, or a use of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The built-in type that this is a use of, by its position; its node says all that this one does not.
    pub(crate) named: Option<usize>,
    /// The name of a built-in type.
    pub(crate) name: Option<&'static str>,
    pub(crate) form: Form,
    /// A struct's properties.
    pub(crate) fields: Fields<Node>,
    /// The items of a list, or the values of a map.
    pub(crate) items: Option<Box<Node>>,
    pub(crate) list: Option<List>,
    pub(crate) atomic: Option<bool>,
    pub(crate) patch: Option<PatchRule>,
    pub(crate) default: Option<Value>,
    /// The only values that a string may have; empty if any will do.
    pub(crate) choices: Vec<String>,
    pub(crate) nullable: bool,
    /// Whether the property has to be there.
    pub(crate) required: bool,
    pub(crate) preserves_unknown: bool,
    /// Whether nothing is known of the value, and no field of an object that it may be is kept.
    pub(crate) is_closed: bool,
    /// Whether the field is written if it is not set.
    pub(crate) zero: ZeroValue,
    /// The names of the properties that are written if they are not set.
    pub(crate) written: Vec<Box<str>>,
}

impl Node {
    /// A node of that form, with nothing else to say of it.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            named: None,
            name: None,
            form,
            fields: Fields::default(),
            items: None,
            list: None,
            atomic: None,
            patch: None,
            default: None,
            choices: Vec::new(),
            nullable: false,
            required: false,
            preserves_unknown: false,
            is_closed: false,
            zero: ZeroValue::IsNil,
            written: Vec::new(),
        }
    }

    /// A use of a built-in type.
    pub(crate) fn named(position: usize) -> Self {
        Self { named: Some(position), ..Self::new(Form::Any) }
    }

    /// Sets the properties of a struct.
    pub(crate) fn set_fields<'n>(&mut self, fields: impl IntoIterator<Item = (&'n str, Self)>) {
        for (name, node) in fields {
            if matches!(node.zero, ZeroValue::Written | ZeroValue::Null) {
                self.written.push(name.into());
            }
            self.fields.insert(name, node);
        }
    }
}
