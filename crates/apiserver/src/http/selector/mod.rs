//! Which objects a list or a watch is about.

mod field;
mod label;

pub(crate) use self::{
    field::FieldSelector,
    label::{LabelSelector, is_qualified_name, is_value},
};
