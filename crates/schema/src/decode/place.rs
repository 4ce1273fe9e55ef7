//! Where in an object something is, and what Go calls the type that belongs there.

use std::fmt;

use crate::{Form, Scalar, Schema};

/// A place in an object; `Display` writes `spec.containers[0].image`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Root,
    Field {
        parent: &'a Place<'a>,
        name: &'a str,
        /// The name is a key of a map, not a property of a struct.
        in_map: bool,
    },
    /// The metadata of a custom kind's object: Go's struct begins here.
    Boundary {
        parent: &'a Place<'a>,
        name: &'a str,
    },
    Item {
        parent: &'a Place<'a>,
        position: usize,
    },
}

impl Place<'_> {
    /// The properties of structs on the way, as Go's errors name them: `spec.containers.image`.
    pub(crate) fn in_structs(&self) -> String {
        match self {
            Self::Root | Self::Boundary { .. } => String::new(),
            Self::Field { parent, in_map: true, .. } | Self::Item { parent, .. } => parent.in_structs(),
            Self::Field { parent, name, .. } => {
                let mut path = parent.in_structs();
                if !path.is_empty() {
                    path.push('.');
                }
                path + name
            }
        }
    }

    /// Whether the place is in the metadata of a custom kind's object.
    pub(crate) fn crosses(&self) -> bool {
        match self {
            Self::Root => false,
            Self::Boundary { .. } => true,
            Self::Field { parent, .. } | Self::Item { parent, .. } => parent.crosses(),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field { parent: Self::Root, name, .. } | Self::Boundary { parent: Self::Root, name } => {
                f.write_str(name)
            }
            Self::Field { parent, name, .. } | Self::Boundary { parent, name } => {
                write!(f, "{parent}.{name}")
            }
            Self::Item { parent, position } => write!(f, "{parent}[{position}]"),
        }
    }
}

/// Go's name of a type: `[]v1.Container`, `map[string]string`.
pub(crate) fn go_type(schema: Schema<'_>) -> String {
    let part = |schema: Option<Schema<'_>>| schema.map_or_else(|| "interface {}".to_owned(), go_type);
    match schema.kind() {
        Form::List => format!("[]{}", part(schema.items())),
        Form::Map => match part(schema.field("")).as_str() {
            "resource.Quantity" => "v1.ResourceList".to_owned(),
            values => format!("map[string]{values}"),
        },
        Form::Struct | Form::Any => match schema.package() {
            "" => "interface {}".to_owned(),
            package => format!("{package}.{}", schema.type_name()),
        },
        Form::Scalar(scalar) => match scalar {
            Scalar::String | Scalar::Time | Scalar::MicroTime => "string",
            Scalar::Bytes => "[]uint8",
            Scalar::Int32 | Scalar::IntOrString => "int32",
            Scalar::Int64 => "int64",
            Scalar::Number => "float64",
            Scalar::Boolean => "bool",
            Scalar::Quantity => "resource.Quantity",
        }
        .to_owned(),
    }
}
