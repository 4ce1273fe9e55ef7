//! Types for managed fields: the conversion of a schema into [`TypeDef`]s.

use std::sync::{LazyLock, OnceLock};

use serde_json::Value;
use trimtab_managed_fields::{ListType, Scalar as Plain, TypeDef};

use super::{
    Schema, builtin,
    node::{Form, List, Node, Scalar},
};

/// The built-in types by their position, each converted when it is first needed.
static BUILT_IN: LazyLock<Vec<OnceLock<TypeDef>>> =
    LazyLock::new(|| (0..builtin::count()).map(|_| OnceLock::new()).collect());

/// Returns the built-in type at a position.
pub(crate) fn built_in(position: usize) -> &'static TypeDef {
    let slot = BUILT_IN.get(position).expect("positions come from the table");
    slot.get_or_init(|| convert(builtin::definition(position)))
}

fn convert(node: &Node) -> TypeDef {
    let schema = Schema(node);
    let element = || node.items.as_deref().map_or_else(TypeDef::any, convert);
    let mut def = match (node.named, node.form) {
        (Some(position), _) => TypeDef::reference(position, built_in),
        (None, Form::Struct) => {
            let object = node.fields.iter().fold(TypeDef::object(), |object, (name, field)| {
                let def = convert(field);
                let zero = schema.left_out(name).cloned();
                object.with_field(name, zero.map_or(def.clone(), |zero| def.with_zero(zero)))
            });
            match &node.items {
                Some(values) => object.with_additional(convert(values)),
                None => object,
            }
        }
        (None, Form::Map) => TypeDef::map(element()),
        (None, Form::List) => TypeDef::list(element(), None),
        (None, Form::Scalar(scalar)) => TypeDef::scalar(plain(scalar)),
        (None, Form::Any) if node.is_closed => TypeDef::opaque(),
        (None, Form::Any) => TypeDef::any(),
    };
    if node.preserves_unknown {
        def = def.preserving_unknown_fields();
    }
    if let Some(list) = &node.list {
        def = def.with_list_type(match list {
            List::Atomic => ListType::Atomic,
            List::Set => ListType::Set,
            List::Map(keys) => ListType::Map(keys.clone()),
        });
    }
    if let Some(atomic) = node.atomic {
        def = def.with_atomic(atomic);
    }
    if let Some(default) = &node.default {
        def = def.with_default(Value::clone(default));
    }
    def
}

fn plain(scalar: Scalar) -> Plain {
    match scalar {
        Scalar::String => Plain::String,
        Scalar::Bytes => Plain::Bytes,
        Scalar::Int32 | Scalar::Int64 | Scalar::Number => Plain::Number,
        Scalar::Boolean => Plain::Boolean,
        Scalar::Time | Scalar::MicroTime | Scalar::IntOrString | Scalar::Quantity => Plain::Untyped,
    }
}
