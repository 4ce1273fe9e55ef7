//! [`Value`] of an expression. Parts of an object stay in its JSON and are converted when they are used.

mod collections;

use std::{cmp::Ordering, net::IpAddr, rc::Rc};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use trimtab_quantity::Quantity;

pub(crate) use self::collections::{Entries, List};
use crate::{
    ast::Literal,
    decl_type::DeclType,
    functions::{network::Cidr, semver::Semver, times, url::Url},
    meter::{Failure, Meter},
    typed::{Object, Type},
};

/// The value of an expression; `'a` is the lifetime of the objects.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    String(Text<'a>),
    Bytes(Rc<[u8]>),
    /// Nanoseconds.
    Duration(i64),
    /// With the time zone's distance from UTC in seconds, in which it is written.
    Timestamp(Timestamp, i32),
    List(List<'a>),
    Map(Entries<'a>),
    /// An object with declared fields.
    Object(&'a Map<String, Json>, &'a Object),
    Optional(Option<Rc<Value<'a>>>),
    /// A type, by its name.
    Type(&'static str),
    /// An amount with its format.
    Quantity(Quantity),
    Url(Rc<Url>),
    Ip(IpAddr),
    Cidr(Cidr),
    Semver(Rc<Semver>),
    /// A named format, by its name.
    Format(&'static str),
}

/// A text of an object, or one that was made.
#[derive(Debug, Clone)]
pub(crate) enum Text<'a> {
    Of(&'a str),
    Made(Rc<str>),
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Of(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> Value<'a> {
    /// A value of an object, as the schema wants it to be seen; what does not fit that is seen as it is.
    pub(crate) fn of(json: &'a Json, declared: Option<&'a DeclType>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => match (number.as_i64(), declared.map(|declared| &declared.is)) {
                (_, Some(Type::Double)) | (None, _) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
                (Some(number), _) => Self::Int(number),
            },
            Json::String(text) => Self::of_text(text, declared),
            Json::Array(items) => Self::List(List::Of(items, declared)),
            Json::Object(fields) => match declared.map(|declared| &declared.is) {
                Some(Type::Object(object)) => Self::Object(fields, object),
                _ => {
                    let values = declared.and_then(|declared| declared.parts.as_deref());
                    Self::Map(Entries::Of(fields, values))
                }
            },
        }
    }

    fn of_text(text: &'a str, declared: Option<&'a DeclType>) -> Self {
        let read = match declared.map(|declared| &declared.is) {
            Some(Type::Bytes) => STANDARD.decode(text).ok().map(|bytes| Self::Bytes(bytes.into())),
            Some(Type::Duration) => times::duration(text).map(Self::Duration),
            Some(Type::Timestamp) => {
                times::time_of_object(text).map(|(time, offset)| Self::Timestamp(time, offset))
            }
            _ => None,
        };
        read.unwrap_or(Self::String(Text::Of(text)))
    }

    pub(crate) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::String(Text::Made(text.into()))
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// The entries of a map, or the fields of an object; no others have entries.
    pub(crate) fn entries(&self) -> Box<dyn Iterator<Item = (Self, Self)> + 'a> {
        match self {
            Self::Map(entries) => entries.iter(),
            Self::Object(fields, object) => {
                let (fields, object): (&'a Map<String, Json>, &'a Object) = (*fields, *object);
                Box::new(object.fields.keys().filter_map(move |name| {
                    field(fields, object, name).map(|value| (Self::String(Text::Of(name)), value))
                }))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    /// A value that may be there.
    pub(crate) fn optional(inner: Option<Self>) -> Self {
        Self::Optional(inner.map(Rc::new))
    }

    /// The name of its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(..) => "google.protobuf.Timestamp",
            Self::List(_) => "list",
            Self::Map(_) | Self::Object(..) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => Type::QUANTITY,
            Self::Url(_) => Type::URL,
            Self::Ip(_) => Type::IP,
            Self::Cidr(_) => Type::CIDR,
            Self::Semver(_) => Type::SEMVER,
            Self::Format(_) => Type::FORMAT,
        }
    }

    /// How large it is, as `size()` tells it; 1 of what has no size.
    pub(crate) fn size(&self) -> u64 {
        let size = match self {
            Self::String(text) => text.as_str().chars().count(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(list) => list.len(),
            Self::Map(entries) => entries.len(),
            Self::Object(fields, _) => fields.len(),
            Self::Optional(Some(inner)) => return inner.size(),
            Self::Ip(address) => {
                if address.is_ipv4() {
                    4
                } else {
                    16
                }
            }
            Self::Cidr(range) => usize::from(range.prefix().div_ceil(8)),
            _ => 1,
        };
        u64::try_from(size).unwrap_or(u64::MAX)
    }

    /// Whether it is what a value is before somebody sets it.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(flag) => !flag,
            Self::Int(number) => *number == 0,
            Self::Uint(number) => *number == 0,
            Self::Double(number) => *number == 0.0,
            Self::Duration(nanos) => *nanos == 0,
            Self::Timestamp(time, _) => *time == times::earliest(),
            Self::String(_) | Self::Bytes(_) | Self::List(_) | Self::Map(_) => self.size() == 0,
            Self::Object(fields, _) => fields.is_empty(),
            Self::Optional(inner) => inner.is_none(),
            _ => false,
        }
    }

    /// Whether two values are the same, whatever types numbers have.
    pub(crate) fn is(&self, other: &Self, meter: &mut Meter) -> Result<bool, Failure> {
        meter.work(1)?;
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(other)) => one == other,
            (Self::String(one), Self::String(other)) => {
                meter.work(one.as_str().len().min(other.as_str().len()))?;
                one.as_str() == other.as_str()
            }
            (Self::Bytes(one), Self::Bytes(other)) => one == other,
            (Self::Duration(one), Self::Duration(other)) => one == other,
            (Self::Timestamp(one, _), Self::Timestamp(other, _)) => one == other,
            (Self::Type(one), Self::Type(other)) => one == other,
            (Self::Quantity(one), Self::Quantity(other)) => one == other,
            (Self::Url(one), Self::Url(other)) => one == other,
            (Self::Ip(one), Self::Ip(other)) => one == other,
            (Self::Cidr(one), Self::Cidr(other)) => one == other,
            (Self::Semver(one), Self::Semver(other)) => one.cmp(other).is_eq(),
            (Self::Format(one), Self::Format(other)) => one == other,
            (Self::Optional(one), Self::Optional(other)) => match (one, other) {
                (Some(one), Some(other)) => one.is(other, meter)?,
                (one, other) => one.is_none() && other.is_none(),
            },
            (Self::List(one), Self::List(other)) => one.is(other, meter)?,
            (Self::Map(_) | Self::Object(..), Self::Map(_) | Self::Object(..)) => {
                self.same_fields(other, meter)?
            }
            _ => self.compare(other) == Some(Ordering::Equal),
        })
    }

    fn same_fields(&self, other: &Self, meter: &mut Meter) -> Result<bool, Failure> {
        if let (Self::Object(one, _), Self::Object(other, _)) = (self, other) {
            meter.work(one.len())?;
            let sizes: usize = one.values().map(weight).sum();
            meter.work(sizes)?;
            return Ok(one == other);
        }
        let (Self::Map(one), Self::Map(other)) = (self, other) else { return Ok(false) };
        if one.len() != other.len() {
            return Ok(false);
        }
        for (key, value) in one.iter() {
            match other.get(&key, meter)? {
                Some(found) if found.is(&value, meter)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Returns whether values of this type have an order.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Self::Bool(_)
                | Self::Int(_)
                | Self::Uint(_)
                | Self::Double(_)
                | Self::String(_)
                | Self::Bytes(_)
                | Self::Duration(_)
                | Self::Timestamp(..)
        )
    }

    /// How two values compare; `None` if they do not.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Some(one.cmp(other)),
            (Self::Int(one), Self::Int(other)) => Some(one.cmp(other)),
            (Self::Uint(one), Self::Uint(other)) => Some(one.cmp(other)),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(other),
            (Self::Int(one), Self::Uint(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
            (Self::Uint(one), Self::Int(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
            (Self::Double(one), Self::Int(other)) => against(*one, i128::from(*other)),
            (Self::Double(one), Self::Uint(other)) => against(*one, i128::from(*other)),
            (Self::Int(one), Self::Double(other)) => against(*other, i128::from(*one)).map(Ordering::reverse),
            (Self::Uint(one), Self::Double(other)) => {
                against(*other, i128::from(*one)).map(Ordering::reverse)
            }
            (Self::String(one), Self::String(other)) => Some(one.as_str().cmp(other.as_str())),
            (Self::Bytes(one), Self::Bytes(other)) => Some(one.cmp(other)),
            (Self::Duration(one), Self::Duration(other)) => Some(one.cmp(other)),
            (Self::Timestamp(one, _), Self::Timestamp(other, _)) => Some(one.cmp(other)),
            _ => None,
        }
    }
}

impl From<&Literal> for Value<'_> {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(flag) => Self::Bool(*flag),
            Literal::Int(number) => Self::Int(*number),
            Literal::Uint(number) => Self::Uint(*number),
            Literal::Double(number) => Self::Double(*number),
            Literal::String(text) => Self::text(text.as_str()),
            Literal::Bytes(bytes) => Self::Bytes(bytes.as_slice().into()),
        }
    }
}

/// How a float compares to an integer, which it may be too large for.
fn against(float: f64, integer: i128) -> Option<Ordering> {
    #[allow(clippy::cast_precision_loss, reason = "CEL compares what is left of it")]
    float.partial_cmp(&(integer as f64))
}

/// About how much there is to look at in a value.
fn weight(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Json::Object(fields) => 1 + fields.values().map(weight).sum::<usize>(),
        Json::String(text) => 1 + text.len() / 16,
        _ => 1,
    }
}

/// An object's field, by the name that expressions have for it. A field that is null is absent.
pub(crate) fn field<'a>(fields: &'a Map<String, Json>, object: &'a Object, name: &str) -> Option<Value<'a>> {
    let field = object.fields.get(name)?;
    let value = fields.get(&field.name).filter(|value| !value.is_null())?;
    Some(Value::of(value, Some(&field.declared)))
}
