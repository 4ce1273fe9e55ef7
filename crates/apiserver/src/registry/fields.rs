//! The fields by which the objects of a kind can be selected.

use super::Kind;
use crate::api::{
    selector::FieldSelector,
    status::{Result, Status},
};

impl Kind {
    /// Refuses a selector with fields by which this kind cannot be selected.
    pub(crate) fn check_selectable(&self, fields: &FieldSelector) -> Result<()> {
        match fields.fields().find(|field| !is_selectable(self, field)) {
            None => Ok(()),
            Some(field) => Err(Status::bad_request(if self.strategy.names_kind_of_selector {
                format!("field label {field:?} not supported for {}", self.kind)
            } else if self.strategy.selectable_fields.is_empty() && !self.is_custom() {
                format!(
                    "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )
            } else {
                format!("field label not supported: {field}")
            })),
        }
    }
}

fn is_selectable(kind: &Kind, field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
        || kind.strategy.selectable_fields.contains(&field)
        || kind.selectable_fields.iter().any(|known| known == field)
}
