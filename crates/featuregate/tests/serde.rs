//! Configuration files and snapshots (feature `serde`).
#![cfg(feature = "serde")]

use serde_json::json;
use trimtab_featuregate::{FeatureGates, FeatureGatesConfig, Spec, Stage, Version};

fn gates() -> FeatureGates {
    FeatureGates::builder("web", Version::new(1, 35))
        .gate(
            "StreamingLists",
            "Reads long lists as a stream.",
            [Spec::new(Version::new(1, 33), Stage::Beta, true)],
        )
        .build()
        .expect("valid gates")
}

#[test]
fn a_file_is_a_map_of_booleans_that_a_flag_overrides() {
    let config: FeatureGatesConfig = serde_json::from_value(json!({"StreamingLists": false})).expect("a map");
    let gates = gates();
    gates.set_from_file(config.clone()).expect("accepted");
    assert_eq!(gates.is_enabled("StreamingLists"), Some(false));
    gates.set_from_flag("StreamingLists=true").expect("accepted");
    gates.set_from_file(config.clone()).expect("accepted");
    assert_eq!(gates.is_enabled("StreamingLists"), Some(true));
    assert_eq!(serde_json::to_value(&config).expect("a map"), json!({"StreamingLists": false}));
    serde_json::from_value::<FeatureGatesConfig>(json!({"StreamingLists": "false"})).expect_err("a text");
}

#[test]
fn a_snapshot_can_be_serialized_for_a_debug_page() {
    let gates = gates();
    gates.set_from_flag("AllBeta=true").expect("accepted");
    let snapshot = serde_json::to_value(gates.snapshot()).expect("plain data");
    assert_eq!(snapshot["emulation"], "1.35");
    assert_eq!(
        snapshot["gates"][2],
        json!({
            "gate": "StreamingLists",
            "description": "Reads long lists as a stream.",
            "enabled": true,
            "stage": "BETA",
            "since": "1.33",
            "default": true,
            "locked": false,
            "source": "flag",
            "through": "AllBeta",
            "requests": [],
            "dependencies": [],
            "dependents": [],
        })
    );
}
