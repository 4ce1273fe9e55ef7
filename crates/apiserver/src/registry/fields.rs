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
            Some(field) => Err(Status::bad_request(match self.kind.as_str() {
                "Job" => format!("field label {field:?} not supported for Job"),
                _ if more_fields(self).is_empty() && self.schema.is_none() => format!(
                    "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                ),
                _ => format!("field label not supported: {field}"),
            })),
        }
    }
}

fn is_selectable(kind: &Kind, field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
        || more_fields(kind).contains(&field)
        || kind.selectable_fields.iter().any(|known| known == field)
}

/// The fields of a built-in kind's own by which it can be selected.
fn more_fields(kind: &Kind) -> &'static [&'static str] {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("events.k8s.io", "Event") => &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
        ("", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Secret") => &["type"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("", "ReplicationController") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        ("certificates.k8s.io", _) => &["spec.signerName"],
        ("resource.k8s.io", "ResourceSlice") => &["spec.driver", "spec.nodeName"],
        _ => &[],
    }
}
