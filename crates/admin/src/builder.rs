//! [`AdminBuilder`]: settings of an [`Admin`].

use metrics_exporter_prometheus::PrometheusHandle;

use crate::{Admin, Check, Section};

/// Settings of an [`Admin`].
#[must_use]
#[derive(Debug)]
pub struct AdminBuilder {
    pub(crate) live: Vec<Check>,
    pub(crate) ready: Vec<Check>,
    pub(crate) sections: Vec<Section>,
    pub(crate) debug: bool,
    pub(crate) metrics: Option<Metrics>,
}

/// The recorder's handle; it has no `Debug` of its own.
#[derive(Clone)]
pub(crate) struct Metrics(pub(crate) PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl AdminBuilder {
    pub(crate) fn new() -> Self {
        let checks = vec![Check::ping()];
        Self { live: checks.clone(), ready: checks, sections: Vec::new(), debug: false, metrics: None }
    }

    /// Adds a check to `/healthz` and `/livez`: if it fails, the process should be restarted.
    pub fn live(mut self, check: Check) -> Self {
        self.live.push(check);
        self
    }

    /// Adds a check to `/readyz`: while it fails, the process should get no traffic.
    pub fn ready(mut self, check: Check) -> Self {
        self.ready.push(check);
        self
    }

    /// Serves `/metrics` from the recorder of [`metrics::install`](crate::metrics::install).
    pub fn metrics(self, handle: PrometheusHandle) -> Self {
        Self { metrics: Some(Metrics(handle)), ..self }
    }

    /// Whether `/debug` and `/debug.json` are served; not by default.
    pub fn debug(self, debug: bool) -> Self {
        Self { debug, ..self }
    }

    /// Adds a section to the debug page.
    pub fn section(mut self, section: Section) -> Self {
        self.sections.push(section);
        self
    }

    /// Makes the server; nothing runs yet.
    pub fn build(self) -> Admin {
        Admin::of(self)
    }
}
