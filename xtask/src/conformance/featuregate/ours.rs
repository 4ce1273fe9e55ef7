//! Runs a case on our implementation; the outcome has the peer's format.

use super::cases::{BINARY, Case, Spec, Step};
use serde_json::{Map, Value, json};
use std::error::Error;
use trimtab_featuregate::{FeatureGates, Stage, Version};

type Outcome = Result<(), Box<dyn Error>>;

pub(super) fn run(case: &Case) -> Value {
    let mut builder = FeatureGates::builder("case", Version::new(1, BINARY))
        .emulation_version(version(&case.emulation))
        .min_compatibility_version(version(&case.min_compatibility));
    for (name, life) in &case.gates {
        let life: Vec<_> = life.iter().map(spec).collect();
        builder = builder.gate(name, "", life);
    }
    for (gate, needs) in &case.needs {
        builder = builder.depends_on(gate, needs);
    }
    let mut gates = match builder.build() {
        Ok(gates) => gates,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let mut states = vec![look(&gates, &Ok(()))];
    for step in &case.steps {
        let outcome = take(step, &mut gates);
        states.push(look(&gates, &outcome));
    }
    json!({"error": "", "states": states})
}

fn version(text: &str) -> Version {
    text.parse().expect("the cases' versions are valid")
}

fn spec(spec: &Spec) -> trimtab_featuregate::Spec {
    let stage = match spec.stage {
        "Alpha" => Stage::Alpha,
        "Beta" => Stage::Beta,
        "Ga" => Stage::Ga,
        _ => Stage::Deprecated,
    };
    let at = |minor| Version::new(1, minor);
    let mut made = trimtab_featuregate::Spec::new(at(spec.version), stage, spec.default);
    if spec.locked {
        made = made.lock_to_default();
    }
    match spec.min_compatibility {
        Some(minor) => made.with_min_compatibility(at(minor)),
        None => made,
    }
}

fn take(step: &Step, gates: &mut FeatureGates) -> Outcome {
    match step {
        Step::Set(text) => gates.set(text)?,
        Step::Map(map) => gates.set_from_map(map.iter().map(|(name, value)| (name, *value)))?,
        Step::Emulate(emulation, min_compatibility) => {
            gates.set_versions(version(emulation), version(min_compatibility))?;
        }
        Step::Override(gate, value) => gates.override_default(gate, *value)?,
        Step::OverrideAt(gate, value, at) => gates.override_default_at(gate, *value, version(at))?,
        Step::Reset(gate) => gates.reset(gate)?,
        Step::Copy => *gates = gates.deep_copy(),
        Step::CopyAndReset => *gates = gates.deep_copy_and_reset(),
    }
    Ok(())
}

fn look(gates: &FeatureGates, outcome: &Outcome) -> Value {
    let snapshot = gates.snapshot();
    let values: Map<_, _> =
        snapshot.gates.iter().map(|gate| (gate.gate.to_string(), gate.enabled.into())).collect();
    let explicit: Vec<_> =
        snapshot.gates.iter().map(|gate| &*gate.gate).filter(|gate| gates.is_explicitly_set(gate)).collect();
    json!({
        "error": outcome.as_ref().err().map(ToString::to_string).unwrap_or_default(),
        "valid": gates.validate().is_ok(),
        "values": values,
        "explicit": explicit,
        "known": gates.known(),
        "text": gates.to_string(),
    })
}
