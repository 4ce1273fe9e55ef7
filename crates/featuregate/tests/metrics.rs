//! The metrics of gates and components (feature `metrics`).
#![cfg(feature = "metrics")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use trimtab_featuregate::{ComponentRegistry, EffectiveVersion, FeatureGates, Spec, Stage, Version};

/// Records every gauge with its name and labels.
#[derive(Default)]
struct Gauges(Arc<Mutex<BTreeMap<String, f64>>>);

struct Entry(String, Arc<Mutex<BTreeMap<String, f64>>>);

impl GaugeFn for Entry {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}
    fn set(&self, value: f64) {
        self.1.lock().expect("no panic").insert(self.0.clone(), value);
    }
}

impl Recorder for Gauges {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={:?}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Gauge::from_arc(Arc::new(Entry(name, self.0.clone())))
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn recorded(record: impl FnOnce()) -> Vec<String> {
    let gauges = Gauges::default();
    metrics::with_local_recorder(&gauges, record);
    let gauges = gauges.0.lock().expect("no panic");
    gauges.iter().map(|(name, value)| format!("{name} {value}")).collect()
}

/// FG-T6 (`TestVersionedFeatureGateMetrics`).
#[test]
fn every_gate_of_the_emulated_version_has_a_gauge_of_1_or_0() {
    let (v28, v29) = (Version::new(1, 28), Version::new(1, 29));
    let specs = [Spec::new(v28, Stage::Alpha, false), Spec::new(v29, Stage::Beta, true)];
    let older = [Spec::new(Version::new(1, 27), Stage::Alpha, false), Spec::new(v28, Stage::Beta, true)];
    let gates = FeatureGates::builder("test", v29)
        .gate("TestAlpha", "", specs)
        .gate("TestAlphaEnabled", "", specs)
        .gate("TestBeta", "", older)
        .gate("TestBetaDisabled", "", older)
        .gate("TestGa", "", [Spec::new(v28, Stage::Ga, true)])
        .gate("TestLater", "", [Spec::new(v29, Stage::Ga, true)])
        .emulation_version(v28)
        .build()
        .expect("valid gates");
    gates.set_from_map([("TestAlphaEnabled", true), ("TestBetaDisabled", false)]).expect("accepted");
    assert_eq!(
        recorded(|| gates.record_metrics()),
        [
            r#"kubernetes_feature_enabled{name="AllAlpha",stage="ALPHA"} 0"#,
            r#"kubernetes_feature_enabled{name="AllBeta",stage="BETA"} 0"#,
            r#"kubernetes_feature_enabled{name="TestAlpha",stage="ALPHA"} 0"#,
            r#"kubernetes_feature_enabled{name="TestAlphaEnabled",stage="ALPHA"} 1"#,
            r#"kubernetes_feature_enabled{name="TestBeta",stage="BETA"} 1"#,
            r#"kubernetes_feature_enabled{name="TestBetaDisabled",stage="BETA"} 0"#,
            r#"kubernetes_feature_enabled{name="TestGa",stage=""} 1"#,
        ]
    );
}

/// `compatibility.TestAddMetrics`.
#[test]
fn every_component_has_a_gauge_with_its_versions() {
    let components = ComponentRegistry::new();
    let mut version = EffectiveVersion::new(Version::new(1, 31));
    version.set_emulation(Version::new(1, 30));
    components.register("kube", version, None).expect("new");
    assert_eq!(
        recorded(|| components.record_metrics()),
        [r#"version_info{component="kube",binary="1.31",emulation="1.30",min_compat="1.29"} 1"#]
    );
}
