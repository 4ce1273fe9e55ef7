//! `StorageVersionMigration`s. Nothing migrates: every object is stored in one version.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, object, resource::qualified, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, cells, column, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storagemigration.k8s.io", "v1beta1", "StorageVersionMigration", "storageversionmigrations")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    prepare_for_status_update: |old, new| {
        for field in ["labels", "annotations", "finalizers"] {
            object::copy_metadata(old, new, field);
        }
    },
    updates_unconditionally: false,
    validate,
    validate_change,
    validates_change_last: true,
    validate_part: |subresource, old, new, causes| {
        if subresource == Some(Subresource::Status) {
            validate_status(&old["status"], &new["status"], causes);
        }
    },
    status_reset_fields: &[&["metadata"], &["spec"]],
    ..Strategy::PLAIN
};

fn columns() -> Vec<Column> {
    vec![column::name(), column::computed("Resource", resource), column::computed("Status", progress)]
}

/// The resource whose objects are migrated, such as `deployments.apps`.
fn resource(migration: &Value, _: Timestamp) -> Value {
    let resource = &migration["spec"]["resource"];
    qualified(cells::text(resource, "/resource"), cells::text(resource, "/group")).into()
}

/// The last stage of a migration that was reached.
fn progress(migration: &Value, _: Timestamp) -> Value {
    let stages = ["Succeeded", "Failed", "Running"];
    stages.into_iter().find(|stage| holds(&migration["status"], stage)).unwrap_or("Unknown").into()
}

/// Returns whether a condition of this type is true.
fn holds(status: &Value, condition: &str) -> bool {
    let conditions = validation::items(status, "conditions").iter();
    conditions.into_iter().any(|one| one["type"] == condition && one["status"] == "True")
}

fn validate(migration: &Value, causes: &mut Vec<Cause>) {
    let target = &migration["spec"]["resource"];
    let (resource, group) = (validation::text(target, "resource"), validation::text(target, "group"));
    if resource.is_empty() {
        causes.push(Cause::required("spec.resource.resource", "resource is required to be set"));
    } else if !names::is_dns_1035(resource) {
        causes.push(Cause::invalid("spec.resource.resource", &json!(resource), names::DNS_1035_RULE));
    }
    if !group.is_empty() && !names::is_subdomain(group) {
        causes.push(Cause::invalid("spec.resource.group", &json!(group), names::SUBDOMAIN_RULE));
    }
}

/// Validates that the resource of a migration does not change.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["spec"] != new["spec"] {
        let resource = &new["spec"]["resource"];
        let [group, name] = ["group", "resource"].map(|field| resource[field].as_str().unwrap_or_default());
        // Upstream shows its Go struct, in its order.
        let shown = format!("{{\"Resource\":{{\"group\":{group:?},\"resource\":{name:?}}}}}");
        let message = format!("Invalid value: {shown}: field is immutable");
        causes.push(Cause::new("FieldValueInvalid", "spec", message));
    }
}

/// Validates that a completed migration stays completed.
fn validate_status(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (validation::text(old, "resourceVersion"), &new["resourceVersion"]);
    let mut invalid = |field: &str, value: &str, because: &str| {
        let message = format!("Invalid value: {value}: {because}");
        causes.push(Cause::new("FieldValueInvalid", format!("status.{field}"), message));
    };
    let is_malformed = |version: &&str| !version.is_empty() && version.parse::<u64>().is_err();
    if let Some(version) = after.as_str().filter(is_malformed) {
        let because = format!("resource version is not well formed: {version}");
        invalid("resourceVersion", &after.to_string(), &because);
    }
    let conditions = in_go_order(validation::items(new, "conditions"));
    if holds(new, "Succeeded") && holds(new, "Failed") {
        let because = "Both success and failed conditions cannot be true at the same time";
        invalid("conditions", &conditions, because);
    }
    for (condition, word) in [("Succeeded", "Success"), ("Failed", "Failed")] {
        if holds(old, condition) && !holds(new, condition) {
            let because = format!("{word} condition cannot be set to false once it is true");
            invalid("conditions", &conditions, &because);
        }
    }
    if !before.is_empty() && after != before {
        invalid("resourceVersion", &after.to_string(), "field is immutable");
    }
}

/// Returns conditions as JSON with the fields in the order of upstream's Go struct.
fn in_go_order(conditions: &[Value]) -> String {
    const FIELDS: [&str; 6] =
        ["type", "status", "observedGeneration", "lastTransitionTime", "reason", "message"];
    let shown = conditions.iter().map(|condition| {
        let present = FIELDS.iter().filter_map(|field| Some(format!("{field:?}:{}", condition.get(field)?)));
        format!("{{{}}}", present.collect::<Vec<_>>().join(","))
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(","))
}

/// The messages are a kube-apiserver's.
#[cfg(test)]
mod tests {
    use super::*;

    fn migration(group: &str, resource: &str) -> Value {
        json!({"spec": {"resource": {"group": group, "resource": resource}}})
    }

    fn conditions(conditions: &[(&str, &str)]) -> Value {
        let conditions = conditions.iter().map(|(kind, status)| json!({"type": kind, "status": status}));
        json!({"conditions": conditions.collect::<Vec<_>>()})
    }

    #[test]
    fn a_migration_is_of_one_resource() {
        let told = |group: &str, resource: &str| {
            let mut causes = Vec::new();
            validate(&migration(group, resource), &mut causes);
            causes.iter().map(|cause| cause.to_json()["field"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(told("apps", "deployments"), [""; 0]);
        assert_eq!(told("", "pods"), [""; 0]);
        assert_eq!(told("", ""), ["spec.resource.resource"]);
        assert_eq!(told("Apps_", "Depl_"), ["spec.resource.resource", "spec.resource.group"]);
        let mut causes = Vec::new();
        validate_change(&migration("apps", "deployments"), &migration("apps", "pods"), &mut causes);
        let because = "spec: Invalid value: {\"Resource\":{\"group\":\"apps\",\"resource\":\"pods\"}}: field is immutable";
        assert_eq!(causes.iter().map(Cause::to_string).collect::<Vec<_>>(), [because]);
    }

    #[test]
    fn a_migration_that_has_ended_stays_so() {
        let told = |old: &Value, new: &Value| {
            let mut causes = Vec::new();
            validate_status(old, new, &mut causes);
            causes.iter().map(Cause::to_string).collect::<Vec<_>>()
        };
        let (done, running) = (conditions(&[("Succeeded", "True")]), conditions(&[("Running", "True")]));
        assert_eq!(told(&running, &done), [""; 0]);
        assert!(
            told(&done, &running)[0].ends_with("Success condition cannot be set to false once it is true")
        );
        let both = conditions(&[("Succeeded", "True"), ("Failed", "True")]);
        assert!(
            told(&done, &both)[0]
                .ends_with("Both success and failed conditions cannot be true at the same time")
        );
        let [seven, nine] = ["7", "9"].map(|version| json!({"resourceVersion": version}));
        assert_eq!(told(&seven, &seven), [""; 0]);
        assert_eq!(told(&seven, &nine), ["status.resourceVersion: Invalid value: \"9\": field is immutable"]);
        let malformed = json!({"resourceVersion": "abc"});
        let because =
            "status.resourceVersion: Invalid value: \"abc\": resource version is not well formed: abc";
        assert_eq!(told(&json!({}), &malformed), [because]);
    }

    #[test]
    fn a_row_tells_the_resource_and_the_stage() {
        let shown = |status: &[(&str, &str)]| {
            let mut migration = migration("apps", "deployments");
            migration["status"] = conditions(status);
            [resource, progress].map(|cell| cell(&migration, Timestamp::UNIX_EPOCH))
        };
        assert_eq!(shown(&[]), ["deployments.apps", "Unknown"]);
        assert_eq!(shown(&[("Running", "True"), ("Failed", "True")]), ["deployments.apps", "Failed"]);
        assert_eq!(shown(&[("Running", "True"), ("Succeeded", "False")]), ["deployments.apps", "Running"]);
    }
}
