//! [`Known`]: a dependent with the facts that an index has about it.

use std::sync::Arc;

use crate::state::Controller;

/// An object of which some facts are known.
pub(crate) struct Known<T> {
    pub(crate) controller: Controller,
    /// Whether the selector matches; `None` if that is to be found out.
    pub(crate) selected: Option<bool>,
    pub(crate) object: Arc<T>,
}

impl<T> Known<T> {
    pub(crate) fn new(controller: Controller, object: Arc<T>) -> Self {
        Self { controller, selected: None, object }
    }
}
