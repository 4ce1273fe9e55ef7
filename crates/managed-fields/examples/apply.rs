//! Applies two configurations to one document and prints its managers after each step.
//!
//! ```sh
//! cargo run -p trimtab-managed-fields --example apply
//! ```
//!
//! Output: after each apply, the document without its metadata and the paths of each manager; then the conflict of the last
//! one: `Apply failed with 1 conflict: conflict with "scaler": .spec.replicas`.

use serde_json::{Value, json};
use trimtab_managed_fields::{ApplyError, ManagedFields, OneVersion, Type, TypeDef, Writer};

fn main() -> Result<(), ApplyError> {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "image": {"type": "string"},
        "replicas": {"type": "integer"},
    }}}});
    let def = TypeDef::from_openapi(&schema);
    let versions = OneVersion::new("example.com/v1", Type::of_document(&def));
    let config = |spec: Value| json!({"apiVersion": "example.com/v1", "kind": "App", "metadata": {"name": "a"}, "spec": spec});

    let deployer = Writer::new(&versions, "deployer");
    let scaler = Writer::new(&versions, "scaler");
    let app = deployer.apply_object(None, &config(json!({"image": "app:1"})), false)?;
    print("the deployer applies an image", &app);
    let app = scaler.apply_object(Some(&app), &config(json!({"replicas": 3})), false)?;
    print("the scaler applies a number of replicas", &app);
    match deployer.apply_object(Some(&app), &config(json!({"image": "app:2", "replicas": 1})), false) {
        Ok(app) => print("the deployer took the replicas", &app),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

fn print(step: &str, app: &Value) {
    println!("{step}: {}", app["spec"]);
    let managed = ManagedFields::decode(&app["metadata"]["managedFields"]).unwrap_or_default();
    for entry in managed.entries() {
        println!("  {} has {}", entry.manager, entry.fields.paths().join(", "));
    }
}
