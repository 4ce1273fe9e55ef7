//! The Prometheus recorder behind `/metrics`.
//!
//! The parts of Trimtab create their metric handles when they are built. A handle that is older than the recorder reports
//! nothing, so [`install`] comes first in `main`.

use std::{fmt, time::Duration};

pub use metrics_exporter_prometheus::PrometheusHandle;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

/// The upper bounds of every histogram of seconds: from a microsecond to 1,000 s, five to a factor of a hundred. They
/// cover the work queue's durations and reconcile times.
const SECONDS: [f64; 20] = [
    1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    60.0, 300.0, 1000.0,
];

/// The recorder could not be installed: another one is installed already, or a setting is invalid.
#[derive(Debug, thiserror::Error)]
#[error("installing the metrics recorder")]
pub struct InstallError(#[from] BuildError);

/// Returns the exporter's builder, with buckets for all histograms whose names end in `_seconds`. Use it for further
/// settings.
///
/// # Errors
///
/// Never with these buckets; the signature is that of the exporter's builder.
pub fn builder() -> Result<PrometheusBuilder, InstallError> {
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?)
}

/// Installs the recorder of this process and returns the handle for [`AdminBuilder::metrics`](crate::AdminBuilder::metrics).
///
/// # Errors
///
/// If a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, InstallError> {
    Ok(builder()?.install_recorder()?)
}

/// The interval at which old samples are removed from the recorder while the server runs.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder's handle, which has no `Debug` of its own.
#[derive(Clone)]
pub(crate) struct Recorder(pub(crate) PrometheusHandle);

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}
