//! The metrics of gates and components, through the `metrics` facade (feature `metrics`).

use crate::{components::ComponentRegistry, registry::FeatureGates, spec::Stage};

impl FeatureGates {
    /// Sets the gauge `kubernetes_feature_enabled{name, stage}` of every gate that exists at the emulation
    /// version: 1 if it is on, 0 if it is off. As upstream, `stage` is empty for a stable gate.
    ///
    /// As upstream, the gauges are not updated: call this once the flags are read, and again after a change.
    /// If a gate's stage changes with the emulation version, the gate gets another series; the exporter keeps
    /// the old one.
    pub fn record_metrics(&self) {
        metrics::describe_gauge!(
            "kubernetes_feature_enabled",
            "This metric records the data about the stage and enablement of a k8s feature."
        );
        for gate in self.snapshot().gates.iter().filter(|gate| gate.stage != Stage::PreAlpha) {
            let (name, stage) = (gate.gate.to_string(), gate.stage.as_str());
            let gauge = metrics::gauge!("kubernetes_feature_enabled", "name" => name, "stage" => stage);
            gauge.set(if gate.enabled { 1.0 } else { 0.0 });
        }
    }
}

impl ComponentRegistry {
    /// Sets the gauge `version_info{component, binary, emulation, min_compat}` of every component to 1.
    pub fn record_metrics(&self) {
        metrics::describe_gauge!("version_info", "Provides the compatibility version info of the component.");
        for (component, version) in self.versions() {
            let gauge = metrics::gauge!(
                "version_info",
                "component" => component,
                "binary" => version.binary().to_string(),
                "emulation" => version.emulation().to_string(),
                "min_compat" => version.min_compatibility().to_string()
            );
            gauge.set(1.0);
        }
    }
}
