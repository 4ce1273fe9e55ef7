use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::json;
use trimtab_simulation::{FaultMix, Generator, Scenario, Simulation};

use crate::small::SECOND;

fn definition() -> CustomResourceDefinition {
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["replicas", "mode", "parts"],
                "properties": {
                    "replicas": {"type": "integer", "minimum": 3, "maximum": 9, "multipleOf": 2},
                    "mode": {"type": "string", "enum": ["fast", "safe"]},
                    "note": {"type": "string", "minLength": 2, "maxLength": 4},
                    "since": {"type": "string", "format": "date-time"},
                    "share": {"type": "number", "minimum": 0, "maximum": 1},
                    "port": {"x-kubernetes-int-or-string": true},
                    "flags": {"type": "object", "additionalProperties": {"type": "boolean"}},
                    "parts": {"type": "array", "minItems": 1, "maxItems": 2, "items": {
                        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}},
                    }},
                },
            },
            "status": {"type": "object", "properties": {"ready": {"type": "integer"}}},
        },
    });
    serde_json::from_value(json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "listKind": "ThingList", "plural": "things", "singular": "thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    }))
    .expect("a definition")
}

/// Each generated object is created and changed: the API server refuses none.
#[test]
fn every_generated_object_is_one_that_the_server_accepts() {
    let generator = Generator::of(&definition()).expect("it has a schema");
    let scenario = Scenario::new("things")
        .manifest(serde_json::to_string(&definition()).expect("JSON"))
        .process("sleeper", |_| std::future::pending::<()>())
        .faults(FaultMix::none())
        .workload(move |random| {
            let names: Vec<String> = (0..20).map(|number| format!("thing-{number}")).collect();
            let create = names.iter().map(|name| generator.create(random, name)).collect::<Vec<_>>();
            let change = names.iter().map(|name| generator.change(random, name)).collect::<Vec<_>>();
            let create = create.into_iter().map(|step| (SECOND, step));
            create.chain(change.into_iter().map(|step| (2 * SECOND, step))).collect()
        })
        .at_end("all are there and were changed", |world| {
            let changed = |name: &str| {
                world.objects("things.example.com").any(|thing| thing["metadata"]["name"] == name)
            };
            let all = (0..20).all(|number| changed(&format!("thing-{number}")));
            let by_workload =
                world.commits().iter().filter(|written| written.commit.resource == "things.example.com");
            // A change may draw the same spec again, which commits nothing.
            all && by_workload.count() > 30
        });
    Simulation::new(scenario).seeds(0..20).run().assert_clean();
}
