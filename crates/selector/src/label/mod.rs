//! Label selectors. Data goes up the list: names, errors, requirements, the parser, the selector.

mod error;
mod names;
mod parse;
mod requirement;
mod selector;

pub use self::{
    error::SelectorError,
    names::{is_label_value, is_qualified_name},
    requirement::Requirement,
    selector::Selector,
};
