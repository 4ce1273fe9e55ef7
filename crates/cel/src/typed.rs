//! [`Type`]: what an expression is found to be before it is ever evaluated, and which types go with which.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::decl_type::DeclType;

/// The type of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Type {
    /// Anything: what it is turns out when it is evaluated.
    Dyn,
    /// The type of a part whose error is reported already.
    Wrong,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    /// A type as a value: `type(int)`.
    AsValue(Arc<Type>),
    List(Arc<Type>),
    Map(Arc<Type>, Arc<Type>),
    Optional(Arc<Type>),
    /// An object that a schema declares.
    Object(Arc<Object>),
    /// One of Kubernetes' own types, such as `kubernetes.Quantity`.
    Named(&'static str),
    /// One that is still to be found out: its number.
    Open(usize),
}

/// An object with declared fields.
#[derive(Debug)]
pub(crate) struct Object {
    /// Where it is declared, which tells it from others.
    pub(crate) name: String,
    /// By the names that expressions have for them.
    pub(crate) fields: BTreeMap<String, Field>,
}

/// A declared field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Its name in objects.
    pub(crate) name: String,
    pub(crate) declared: DeclType,
}

impl Type {
    pub(crate) const QUANTITY: &'static str = "kubernetes.Quantity";
    pub(crate) const URL: &'static str = "kubernetes.URL";
    pub(crate) const IP: &'static str = "net.IP";
    pub(crate) const CIDR: &'static str = "net.CIDR";
    pub(crate) const SEMVER: &'static str = "kubernetes.Semver";
    pub(crate) const FORMAT: &'static str = "kubernetes.NamedFormat";

    pub(crate) fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    pub(crate) fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    pub(crate) fn optional(inner: Self) -> Self {
        Self::Optional(Arc::new(inner))
    }

    pub(crate) fn as_value(named: Self) -> Self {
        Self::AsValue(Arc::new(named))
    }

    /// Returns the name of the type without its parameters, such as `list`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::List(_) => "list".to_owned(),
            Self::Map(..) => "map".to_owned(),
            Self::Optional(_) => "optional_type".to_owned(),
            Self::AsValue(_) => "type".to_owned(),
            Self::Null => "null_type".to_owned(),
            Self::Duration => "google.protobuf.Duration".to_owned(),
            Self::Timestamp => "google.protobuf.Timestamp".to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether anything goes, because nothing is known or something is wrong.
    pub(crate) fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn | Self::Wrong)
    }

    /// Whether the two are the same type, without anything open.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other))
            | (Self::Optional(one), Self::Optional(other))
            | (Self::AsValue(one), Self::AsValue(other)) => one.is(other),
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.is(other_key) && value.is(other_value)
            }
            (Self::Object(one), Self::Object(other)) => one.name == other.name,
            (Self::Named(one), Self::Named(other)) => one == other,
            (Self::Open(one), Self::Open(other)) => one == other,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dyn | Self::Open(_) => "dyn",
            Self::Wrong => "!error!",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::AsValue(named) => return write!(f, "type({named})"),
            Self::List(item) => return write!(f, "list({item})"),
            Self::Map(key, value) => return write!(f, "map({key}, {value})"),
            Self::Optional(inner) => return write!(f, "optional_type({inner})"),
            Self::Object(object) => &object.name,
            Self::Named(name) => name,
        })
    }
}

/// The types that are inferred for open types.
#[derive(Debug, Default, Clone)]
pub(crate) struct Bindings(Vec<Option<Type>>);

impl Bindings {
    /// A type that nothing is known of yet.
    pub(crate) fn open(&mut self) -> Type {
        self.0.push(None);
        Type::Open(self.0.len() - 1)
    }

    /// The type with all that is known put in; what is open after all is `Dyn` if `closes`.
    pub(crate) fn resolve(&self, of: &Type, closes: bool) -> Type {
        match of {
            Type::Open(number) => match self.0.get(*number) {
                Some(Some(known)) => self.resolve(known, closes),
                _ if closes => Type::Dyn,
                _ => of.clone(),
            },
            Type::List(item) => Type::list(self.resolve(item, closes)),
            Type::Optional(inner) => Type::optional(self.resolve(inner, closes)),
            Type::AsValue(named) => Type::as_value(self.resolve(named, closes)),
            Type::Map(key, value) => Type::map(self.resolve(key, closes), self.resolve(value, closes)),
            other => other.clone(),
        }
    }

    /// Whether all of `found` go where `wanted` are asked for; what is found out of open types is kept if so.
    pub(crate) fn fit_all(&mut self, found: &[Type], wanted: &[Type]) -> bool {
        let before = self.clone();
        let fits = found.len() == wanted.len()
            && found.iter().zip(wanted).all(|(found, wanted)| self.unify(found, wanted));
        if !fits {
            *self = before;
        }
        fits
    }

    /// Whether `found` goes where `wanted` is asked for.
    pub(crate) fn fits(&mut self, found: &Type, wanted: &Type) -> bool {
        self.fit_all(std::slice::from_ref(found), std::slice::from_ref(wanted))
    }

    fn unify(&mut self, found: &Type, wanted: &Type) -> bool {
        if let Type::Open(number) = wanted
            && let Some(Some(known)) = self.0.get(*number).cloned()
        {
            return self.unify_known(found, *number, &known);
        }
        let (found, wanted) = (self.inferred(found), self.inferred(wanted));
        match (&found, &wanted) {
            (Type::Open(one), Type::Open(other)) if one == other => true,
            (Type::Open(number), known) | (known, Type::Open(number)) => self.bind(*number, known),
            (one, other) if one.is_dyn() || other.is_dyn() => true,
            (Type::Null, other) | (other, Type::Null) => matches!(
                other,
                Type::Null
                    | Type::Object(_)
                    | Type::Named(_)
                    | Type::Duration
                    | Type::Timestamp
                    | Type::Optional(_)
            ),
            (Type::List(one), Type::List(other)) | (Type::Optional(one), Type::Optional(other)) => {
                self.unify(one, other)
            }
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.unify(key, other_key) && self.unify(value, other_value)
            }
            (Type::AsValue(_), Type::AsValue(_)) => true,
            (one, other) => one.is(other),
        }
    }

    /// Unifies with an open type that is inferred already, and keeps the more general of the two.
    fn unify_known(&mut self, found: &Type, number: usize, known: &Type) -> bool {
        if !self.unify(found, known) {
            return false;
        }
        let (found, known) = (self.resolve(found, false), self.resolve(known, false));
        if found.is_as_general_as(&known) && !found.contains(number) {
            self.0[number] = Some(found);
        }
        true
    }

    /// Returns what is inferred for an open type, and other types as they are.
    fn inferred(&self, is: &Type) -> Type {
        match is {
            Type::Open(number) => match self.0.get(*number) {
                Some(Some(known)) => self.inferred(known),
                _ => is.clone(),
            },
            other => other.clone(),
        }
    }

    fn bind(&mut self, number: usize, known: &Type) -> bool {
        let is_free = !self.resolve(known, false).contains(number);
        if is_free {
            self.0[number] = Some(known.clone());
        }
        is_free
    }
}

impl Type {
    /// Returns whether every value of the other type has this type, too.
    pub(crate) fn is_as_general_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dyn | Self::Wrong | Self::Open(_), _) => true,
            (_, Self::Dyn | Self::Wrong | Self::Open(_)) => false,
            (Self::List(one), Self::List(other)) | (Self::Optional(one), Self::Optional(other)) => {
                one.is_as_general_as(other)
            }
            (Self::Map(key, value), Self::Map(other_key, other_value)) => {
                key.is_as_general_as(other_key) && value.is_as_general_as(other_value)
            }
            (Self::AsValue(_), Self::AsValue(_)) => true,
            (one, other) => one.is(other),
        }
    }

    /// Whether the open type of that number stands in this one.
    fn contains(&self, number: usize) -> bool {
        match self {
            Self::Open(open) => *open == number,
            Self::List(inner) | Self::Optional(inner) | Self::AsValue(inner) => inner.contains(number),
            Self::Map(key, value) => key.contains(number) || value.contains(number),
            _ => false,
        }
    }
}
