//! [`Defect`]: the defects of the operator.

/// The classes of defects in Sieve (Sun et al., OSDI 2022).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// After a crash between two writes, the controller does not complete its work.
    Intermediate,
    /// The controller acts on a state that is out of date.
    Stale,
    /// The controller depends on observing a state that it can miss.
    Unobserved,
}

/// A defect of the operator. Without a defect, the operator survives all faults of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// The finalizer is added after the claims. After a crash in between, a deleted `Database` leaves its claims behind.
    FinalizerLate,
    /// A claim is created only together with its Pod, and after it. After a crash in between, the Pod waits forever.
    ClaimAfterPod,
    /// The finalizer is removed before the claims are. A crash in between leaves the claims behind.
    FinalizerEarly,
    /// Pods are listed from the API server's cache (`resourceVersion=0`) and deleted by name: a restart deletes the Pod that
    /// has replaced the old one.
    DeletesByName,
    /// The spec is read from the API server's cache: members are removed with their data although the newest spec
    /// contains them.
    ShrinksByCache,
    /// A `Database` that is missing in the API server's cache counts as deleted, and its claims are deleted. After a restart,
    /// a replica of the API server that is behind does not have it yet.
    GoneByCache,
    /// The operator remembers the names of joined Pods and forgets a name when it sees the Pod gone. It can miss that.
    RemembersByName,
    /// The claim of a removed member is deleted when its Pod is seen terminating. The operator can miss that.
    ClaimOnTermination,
    /// The members that are up are counted in the cache, where a failed member may still be up.
    QuorumByCache,
}

impl Defect {
    /// All defects, three of each class.
    pub const ALL: [Self; 9] = [
        Self::FinalizerLate,
        Self::ClaimAfterPod,
        Self::FinalizerEarly,
        Self::DeletesByName,
        Self::ShrinksByCache,
        Self::GoneByCache,
        Self::RemembersByName,
        Self::ClaimOnTermination,
        Self::QuorumByCache,
    ];

    /// Returns the name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::FinalizerLate => "finalizer-late",
            Self::ClaimAfterPod => "claim-after-pod",
            Self::FinalizerEarly => "finalizer-early",
            Self::DeletesByName => "deletes-by-name",
            Self::ShrinksByCache => "shrinks-by-cache",
            Self::GoneByCache => "gone-by-cache",
            Self::RemembersByName => "remembers-by-name",
            Self::ClaimOnTermination => "claim-on-termination",
            Self::QuorumByCache => "quorum-by-cache",
        }
    }

    /// Returns the class of the defect.
    pub fn class(self) -> Class {
        match self {
            Self::FinalizerLate | Self::ClaimAfterPod | Self::FinalizerEarly => Class::Intermediate,
            Self::DeletesByName | Self::ShrinksByCache | Self::GoneByCache => Class::Stale,
            Self::RemembersByName | Self::ClaimOnTermination | Self::QuorumByCache => Class::Unobserved,
        }
    }
}
