//! [`LeaderEvent`]: the beginning or the end of a term, for an event recorder.

use k8s_openapi::api::core::v1::ObjectReference;

/// The beginning or the end of a term of this candidate.
///
/// The texts are client-go's: type `Normal`, reason `LeaderElection`, and a message such as
/// `web-0 became leader`, on the Lease.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LeaderEvent {
    /// Whether a term began; `false` at its end.
    pub became_leader: bool,
    /// The identity of this candidate.
    pub identity: String,
    /// The Lease, with UID and resource version as they were seen last.
    pub lease: ObjectReference,
}

impl LeaderEvent {
    /// The event's type.
    pub const TYPE: &'static str = "Normal";
    /// The event's reason.
    pub const REASON: &'static str = "LeaderElection";

    /// Returns the event's message.
    pub fn message(&self) -> String {
        let verb = if self.became_leader { "became leader" } else { "stopped leading" };
        format!("{} {verb}", self.identity)
    }
}
