//! What dashboards show of gates, through the facade crate `metrics`: the program brings the exporter.

use crate::{ComponentRegistry, FeatureGates, Stage};

impl FeatureGates {
    /// Sets the gauge `kubernetes_feature_enabled{name, stage}` of every gate that exists at the
    /// emulated version: 1 if it is on, 0 if it is off. A stable gate's `stage` is empty, as upstream.
    ///
    /// Like upstream's, the gauges are not kept up to date: call it once the flags are read, and again
    /// after a change. A gate that has another stage after another version is emulated gets another
    /// series; the old one stays with the exporter.
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
