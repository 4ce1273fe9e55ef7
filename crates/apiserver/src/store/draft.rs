//! [`Draft`]: an object that is to be stored.

use std::sync::Arc;

use serde_json::Value;

use super::{ChangeKind, Stored, text::Text};
use crate::api::{
    key::Key,
    object,
    status::{Result, Status},
};

/// An object that is to be stored: written as text before anything is locked, with a gap where its
/// version goes.
#[derive(Debug)]
pub(crate) struct Draft {
    text: Text,
    /// The object without its managers, if all of it is at hand.
    value: Option<Value>,
}

impl Draft {
    /// An object without its managers, and the text that tells them.
    pub(crate) fn managed(mut value: Value, managers: Option<&str>) -> Self {
        leave_gap(&mut value);
        Self { text: Text::of(&value, managers), value: Some(value) }
    }

    /// The next state of the object `before`, of which nothing but the metadata differs: that of `value`, which need
    /// hold nothing else, and the managers.
    pub(crate) fn of_metadata(before: &Stored, mut value: Value, managers: Option<&str>) -> Self {
        leave_gap(&mut value);
        Self { text: before.text_with(&value["metadata"], managers), value: None }
    }

    /// The object without its managers; null if only its metadata is at hand.
    pub(crate) fn value(&self) -> &Value {
        self.value.as_ref().unwrap_or(&Value::Null)
    }

    /// Refuses an object that etcd would not take, with etcd's message.
    pub(crate) fn check_size(&self) -> Result<()> {
        /// The longest request that etcd takes: its default.
        const LONGEST: usize = 3 << 19;
        if self.text.json.len() > LONGEST {
            return Err(Status::internal("etcdserver: request is too large"));
        }
        Ok(())
    }

    /// The object as `version` stores it; also as a value, without its managers.
    pub(super) fn stored(self, key: Key, version: u64, change: ChangeKind) -> (Stored, Option<Arc<Value>>) {
        let stored = Stored::assemble(key, version, change, &self.text.json, &self.text.places);
        let value = self.value.map(|mut value| {
            object::metadata_mut(&mut value).insert("resourceVersion".to_owned(), version.to_string().into());
            Arc::new(value)
        });
        if let Some(value) = &value {
            stored.keep(value);
        }
        (stored, value)
    }
}

/// Makes room for the version.
fn leave_gap(object: &mut Value) {
    object::metadata_mut(object).insert("resourceVersion".to_owned(), "".into());
}
