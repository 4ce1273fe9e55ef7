//! [`TypeDef`]: the type of a value, as far as field ownership depends on it.

mod openapi;

use serde_json::Value;

use crate::Fields;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// An object with declared properties.
    Struct,
    /// An object whose fields all have one type.
    Map,
    /// A list of items of one type.
    List,
    /// A value without parts.
    Scalar(Scalar),
    /// A value of any form.
    Any,
}

/// The kind of a scalar, which decides about the values that a configuration may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scalar {
    /// A string.
    String,
    /// A string in base64.
    Bytes,
    /// A number, with or without a fraction.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A value that may be several of them: a time, a quantity, an int-or-string.
    Untyped,
}

/// The identity of the items of a list: `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// The list is one unit.
    Atomic,
    /// Each value occurs once.
    Set,
    /// Items are identified by the values of these properties.
    Map(Vec<String>),
}

/// A type, with the types of its parts.
///
/// Large or recursive schemas use [references](TypeDef::reference), which are resolved when a value needs them.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDef {
    form: Form,
    /// The properties of a struct.
    fields: Fields<TypeDef>,
    /// The type of the items of a list, or of the values of a map; in a struct, of its undeclared properties.
    element: Option<Box<TypeDef>>,
    list: Option<ListType>,
    atomic: Option<bool>,
    default: Option<Value>,
    /// The value of the field in a Go struct that leaves it out.
    zero: Option<Value>,
    preserves_unknown: bool,
    reference: Option<Reference>,
}

/// A reference to another type. The use of a type can have a list type and a default of its own.
#[derive(Clone, Copy)]
struct Reference {
    position: usize,
    resolve: fn(usize) -> &'static TypeDef,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reference({})", self.position) // without the type, which may be recursive
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.position == other.position && std::ptr::fn_addr_eq(self.resolve, other.resolve)
    }
}

impl TypeDef {
    fn new(form: Form) -> Self {
        Self {
            form,
            fields: Fields::default(),
            element: None,
            list: None,
            atomic: None,
            default: None,
            zero: None,
            preserves_unknown: false,
            reference: None,
        }
    }

    /// A value of any form, whose fields are kept.
    pub fn any() -> Self {
        Self { preserves_unknown: true, ..Self::new(Form::Any) }
    }

    /// A value of any form, of which no field is declared: fields of an object are errors in a configuration.
    pub fn opaque() -> Self {
        Self::new(Form::Any)
    }

    /// A value without parts.
    pub fn scalar(scalar: Scalar) -> Self {
        Self::new(Form::Scalar(scalar))
    }

    /// An object without declared properties; [`with_field`](Self::with_field) adds them.
    pub fn object() -> Self {
        Self::new(Form::Struct)
    }

    /// An object whose fields all have one type.
    pub fn map(values: Self) -> Self {
        Self { element: Some(Box::new(values)), ..Self::new(Form::Map) }
    }

    /// A list. Without a list type, that of the referred type counts, or else the list is atomic.
    pub fn list(items: Self, list: Option<ListType>) -> Self {
        Self { element: Some(Box::new(items)), list, ..Self::new(Form::List) }
    }

    /// A reference to a type that `resolve` returns for a position, when a value needs it.
    pub fn reference(position: usize, resolve: fn(usize) -> &'static Self) -> Self {
        Self { reference: Some(Reference { position, resolve }), ..Self::new(Form::Any) }
    }

    /// Adds a property to an object, in the place of a former one of this name.
    #[must_use]
    pub fn with_field(mut self, name: &str, def: Self) -> Self {
        self.fields.insert(name, def);
        self
    }

    /// Sets the type of the undeclared properties of an object.
    #[must_use]
    pub fn with_additional(self, values: Self) -> Self {
        Self { element: Some(Box::new(values)), ..self }
    }

    /// Sets the default. Only those of the properties that identify items count: an item can leave them out.
    #[must_use]
    pub fn with_default(self, default: Value) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Sets the value that the field has in a Go struct which leaves it out; see [`Type::of_struct`](crate::Type::of_struct).
    #[must_use]
    pub fn with_zero(self, zero: Value) -> Self {
        Self { zero: Some(zero), ..self }
    }

    /// Sets the list type of this use of a type.
    #[must_use]
    pub fn with_list_type(self, list: ListType) -> Self {
        Self { list: Some(list), ..self }
    }

    /// Sets whether an object or a map is one unit: `x-kubernetes-map-type`.
    #[must_use]
    pub fn with_atomic(self, atomic: bool) -> Self {
        Self { atomic: Some(atomic), ..self }
    }

    /// Keeps undeclared fields, here and below: `x-kubernetes-preserve-unknown-fields`.
    #[must_use]
    pub fn preserving_unknown_fields(self) -> Self {
        Self { preserves_unknown: true, ..self }
    }

    /// Returns the definition itself: of a reference, the type that it refers to.
    fn body(&self) -> &Self {
        match self.reference {
            Some(Reference { position, resolve }) => resolve(position),
            None => self,
        }
    }

    pub(crate) fn form(&self) -> Form {
        self.body().form
    }

    /// Returns the type of a property of a struct, or of a value of a map.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let body = self.body();
        match body.form {
            Form::Struct => body.fields.get(name).or(body.element.as_deref()),
            Form::Map => body.element.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn declares(&self, name: &str) -> bool {
        self.body().fields.get(name).is_some()
    }

    pub(crate) fn has_fields(&self) -> bool {
        !self.body().fields.is_empty()
    }

    pub(crate) fn items(&self) -> Option<&Self> {
        let body = self.body();
        if body.form == Form::List { body.element.as_deref() } else { None }
    }

    pub(crate) fn list_type(&self) -> &ListType {
        self.list.as_ref().or(self.body().list.as_ref()).unwrap_or(&ListType::Atomic)
    }

    pub(crate) fn is_atomic(&self) -> bool {
        self.atomic.or(self.body().atomic).unwrap_or(false)
    }

    pub(crate) fn key_default(&self, key: &str) -> Option<&Value> {
        self.body().fields.get(key)?.default.as_ref()
    }

    pub(crate) fn zero_of(&self, name: &str) -> Option<&Value> {
        self.body().fields.get(name)?.zero.as_ref()
    }

    pub(crate) fn preserves_unknown(&self) -> bool {
        self.body().preserves_unknown
    }
}
