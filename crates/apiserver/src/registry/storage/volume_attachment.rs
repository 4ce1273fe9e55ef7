//! `VolumeAttachment`s.

use serde_json::{Value, json};

use super::base;
use crate::{
    api::{names, path::Path, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, column,
        validation::{self, volume_source::driver_name},
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Whole],
    first_status: |_, _| Some(json!({"attached": false})),
    updates_unconditionally: false,
    validate,
    validate_change: |old, new, causes| validation::fixed(old, new, "/spec", causes),
    validates_change_last: true,
    validate_part: |subresource, _, new, causes| {
        if subresource.is_some() {
            validate(new, causes);
        }
    },
    returns_deleted: true,
    ..base::BASE
};

/// The most bytes of the metadata of an attachment, and of an error's message.
const LONGEST_METADATA: usize = 256 * 1024;
const LONGEST_MESSAGE: usize = 1024;

fn validate(attachment: &Value, causes: &mut Vec<Cause>) {
    let (spec, root) = (&attachment["spec"], Path::Root("spec"));
    driver_name(validation::text(spec, "attacher"), root.child("attacher"), causes);
    let (source, path) = (&spec["source"], root.child("source"));
    let volume = source["persistentVolumeName"].as_str();
    let because = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (source["inlineVolumeSpec"].is_object(), volume) {
        (false, None) => causes.push(Cause::required(path, because)),
        (true, Some(_)) => causes.push(Cause::forbidden(path, because)),
        (false, Some("")) => {
            let because = "must specify non empty persistentVolumeName";
            causes.push(Cause::required(path.child("persistentVolumeName"), because));
        }
        _ => {}
    }
    let node = validation::text(spec, "nodeName");
    validation::faulty(node, root.child("nodeName"), names::subdomain_faults(node), causes);
    validate_status(&attachment["status"], causes);
    if let Some(volume) = volume {
        let field = path.child("persistentVolumeName");
        validation::faulty(volume, field, names::subdomain_faults(volume), causes);
    }
}

fn validate_status(status: &Value, causes: &mut Vec<Cause>) {
    let root = Path::Root("status");
    let too_long = |field: Path<'_>| {
        let because = format!("Too long: may not be more than {LONGEST_METADATA} bytes");
        Cause::new("FieldValueTooLong", field, because)
    };
    let entries = status["attachmentMetadata"].as_object().into_iter().flatten();
    let size: usize = entries.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum();
    if size > LONGEST_METADATA {
        causes.push(too_long(root.child("attachmentMetadata")));
    }
    for error in ["attachError", "detachError"] {
        let path = root.child(error);
        if validation::text(&status[error], "message").len() > LONGEST_MESSAGE {
            causes.push(too_long(path.child("message"))); // upstream tells the limit of the metadata
        }
        if let Some(code) = status[error]["errorCode"].as_i64().filter(|code| *code < 0) {
            let because = "must be between 0 and 2147483647, inclusive";
            causes.push(Cause::invalid(path.child("errorCode"), &code.into(), because));
        }
    }
}

fn columns() -> Vec<Column> {
    let attacher = Column { format: "name".to_owned(), ..column::text("Attacher", "/spec/attacher") };
    column::with_age(vec![
        attacher,
        column::text("PV", "/spec/source/persistentVolumeName"),
        column::text("Node", "/spec/nodeName"),
        column::boolean("Attached", "/status/attached"),
    ])
}
