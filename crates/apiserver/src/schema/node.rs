//! [`Node`]: one type, or one use of a type, with what there is to say of it.

use serde_json::Value;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An object with declared properties.
    Struct,
    /// An object whose fields all have one type.
    Map,
    List,
    Scalar(Scalar),
    /// Anything at all.
    Any,
}

/// A value without parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    /// A string in base64.
    Bytes,
    /// An RFC 3339 string with seconds.
    Time,
    /// An RFC 3339 string with microseconds.
    MicroTime,
    Int32,
    Int64,
    Number,
    Boolean,
    /// A number, or a string such as `25%` or the name of a port.
    IntOrString,
    /// A string such as `100m`, or a number.
    Quantity,
}

/// The identity of the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListType<'a> {
    /// The list is one value.
    Atomic,
    /// Each value occurs once.
    Set,
    /// Items are told apart by the values of these properties.
    Map(&'a [String]),
}

/// How a strategic merge patch changes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatchRule {
    /// Whether items of a list are merged, or added to a set of plain values.
    pub(crate) merges: bool,
    /// Whether a patch may name the only keys to keep.
    pub(crate) retains_keys: bool,
    /// Whether the patch's value takes the place of the present one.
    pub(crate) replaces: bool,
    /// The property by which items are told apart.
    pub(crate) key: Option<String>,
}

/// [`ListType`], owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    Atomic,
    Set,
    Map(Vec<String>),
}

/// A type, or a use of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The built-in type that this is a use of, by its position; its node says all that this one does not.
    pub(super) named: Option<usize>,
    /// The name of a built-in type.
    pub(super) name: Option<&'static str>,
    pub(super) form: Form,
    /// A struct's properties, ordered as [`Node::order`] says.
    pub(super) fields: Vec<Field>,
    /// The items of a list, or the values of a map.
    pub(super) items: Option<Box<Node>>,
    pub(super) list: Option<List>,
    pub(super) atomic: Option<bool>,
    pub(super) patch: Option<PatchRule>,
    pub(super) default: Option<Value>,
    /// The only values that a string may have; empty if any will do.
    pub(super) choices: Vec<String>,
    pub(super) nullable: bool,
    /// Whether the property has to be there.
    pub(super) required: bool,
    pub(super) preserves_unknown: bool,
    /// Whether nothing is known of the value, and no field of an object that it may be is kept.
    pub(super) is_closed: bool,
}

/// A property of a struct.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    pub(super) node: Node,
}

impl Node {
    /// A node of that form, with nothing else to say of it.
    pub(super) fn new(form: Form) -> Self {
        Self {
            named: None,
            name: None,
            form,
            fields: Vec::new(),
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
        }
    }

    /// A use of a built-in type.
    pub(super) fn named(position: usize) -> Self {
        Self { named: Some(position), ..Self::new(Form::Any) }
    }

    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        let place = self.fields.binary_search_by(|field| Self::order(&field.name, name)).ok()?;
        self.fields.get(place)
    }

    /// Puts the properties into the order in which they are found.
    pub(super) fn sorted(mut self) -> Self {
        self.fields.sort_by(|one, other| Self::order(&one.name, &other.name));
        self
    }

    /// By length first: most names differ in that, and numbers are compared in no time.
    fn order(one: &str, other: &str) -> std::cmp::Ordering {
        one.len().cmp(&other.len()).then_with(|| one.cmp(other))
    }
}
