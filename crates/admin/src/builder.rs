//! [`AdminBuilder`]: the settings of an [`Admin`].

use metrics_exporter_prometheus::PrometheusHandle;

use crate::{Admin, Check, MeasuredPart, Section, admin::Settings, metrics::Recorder};

/// The settings of an [`Admin`].
#[must_use]
#[derive(Debug)]
pub struct AdminBuilder {
    settings: Settings,
}

impl Admin {
    /// Returns a builder with the check `ping`.
    pub fn builder() -> AdminBuilder {
        let checks = vec![Check::ping()];
        AdminBuilder { settings: Settings { live: checks.clone(), ready: checks, ..Settings::default() } }
    }
}

impl AdminBuilder {
    /// Adds a check to `/healthz` and `/livez`: if it fails, the process should be restarted.
    pub fn live(mut self, check: Check) -> Self {
        self.settings.live.push(check);
        self
    }

    /// Adds a check to `/readyz`: while it fails, the process should get no traffic.
    pub fn ready(mut self, check: Check) -> Self {
        self.settings.ready.push(check);
        self
    }

    /// Serves `/metrics` from the recorder of [`metrics::install`](crate::metrics::install).
    pub fn metrics(mut self, handle: PrometheusHandle) -> Self {
        self.settings.metrics = Some(Recorder(handle));
        self
    }

    /// Adds parts that report metrics. `parts` is called for every request of `/metrics`: a part whose series is missing
    /// there was built before the recorder was installed, and is named once in a warning in the log.
    pub fn measured(mut self, parts: impl Fn() -> Vec<MeasuredPart> + Send + Sync + 'static) -> Self {
        self.settings.measured.add(parts);
        self
    }

    /// Sets whether `/debug` and `/debug.json` are served; off by default.
    pub fn debug(mut self, debug: bool) -> Self {
        self.settings.debug = debug;
        self
    }

    /// Adds a section to the debug page.
    pub fn section(mut self, section: Section) -> Self {
        self.settings.sections.push(section);
        self
    }

    /// Creates the server. Nothing runs yet.
    pub fn build(self) -> Admin {
        Admin::new(self.settings)
    }
}
