//! The Prometheus recorder behind `/metrics`.
//!
//! The parts of Trimtab make their metric handles when they are built. A handle that was made before a recorder is
//! installed reports to nobody, so [`install`] comes first in `main`.

use std::time::Duration;

pub use metrics_exporter_prometheus::PrometheusHandle;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

/// The upper bounds of every histogram of seconds: from a microsecond to 1,000 s, five to a factor of a hundred. They
/// cover the work queue's durations and reconcile times.
const SECONDS: [f64; 20] = [
    1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    60.0, 300.0, 1000.0,
];

/// No recorder could be installed: another one is there already, or a setting is wrong.
#[derive(Debug, thiserror::Error)]
#[error("installing the metrics recorder")]
pub struct InstallError(#[from] BuildError);

/// A builder with buckets for all histograms whose names end in `_seconds`, for more settings of one's own.
///
/// # Errors
///
/// Never with these buckets; the exporter's builder can fail.
pub fn builder() -> Result<PrometheusBuilder, InstallError> {
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?)
}

/// Installs the recorder of this process, and returns the handle for [`AdminBuilder::metrics`](crate::AdminBuilder::metrics).
///
/// # Errors
///
/// If a recorder is installed already.
pub fn install() -> Result<PrometheusHandle, InstallError> {
    Ok(builder()?.install_recorder()?)
}

/// How often old samples are cleared from the recorder while the server runs.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);
