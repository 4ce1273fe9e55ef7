//! [`Form`]: the API in which events are written.

/// The API in which events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `events.k8s.io/v1`: repeated events are a series (`tools/events`).
    #[default]
    Events,
    /// Core `v1`: repeated events are counted, similar ones aggregated (`tools/record`).
    Core,
}
