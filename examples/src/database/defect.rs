//! [`Defect`]: what can be wrong with the operator.

/// The classes of Sieve (Sun et al., OSDI 2022), by what a controller fails to survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It crashes between two writes, and does not finish what it began.
    Intermediate,
    /// It acts on a state that is over.
    Stale,
    /// It needs to have seen a state that came and went.
    Unobserved,
}

/// A defect of the operator. Without one it survives everything that the scenario does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// The finalizer is added after the claims. A crash in between, and a deleted `Database` leaves its claims behind.
    FinalizerLate,
    /// A claim is created only together with its Pod, and after it. A crash in between, and the Pod waits for ever.
    ClaimAfterPod,
    /// The finalizer is removed before the claims are. A crash in between leaves the claims behind.
    FinalizerEarly,
    /// Pods are deleted by name, as the API server's cache shows them (`resourceVersion=0`): a restart meets the Pod that
    /// has replaced the old one.
    DeletesByName,
    /// What the `Database` wants is read from the API server's cache: members are removed with their data, though they
    /// are wanted by now.
    ShrinksByCache,
    /// A `Database` that the API server's cache does not show counts as deleted, and its claims go: after a restart, a
    /// replica of the API server that is behind does not show it yet.
    GoneByCache,
    /// The operator remembers by name which Pods have joined, and forgets a Pod that it sees gone. It does not see all.
    RemembersByName,
    /// The claim of a member that was removed goes when its Pod is seen terminating. Nobody may have looked then.
    ClaimOnTermination,
    /// Which members are up is known from the cache, where a member that went down may still be up.
    QuorumByCache,
}

impl Defect {
    /// All of them, three of each class.
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

    /// The name in tables and on the command line.
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

    /// What it is that the operator does not survive.
    pub fn class(self) -> Class {
        match self {
            Self::FinalizerLate | Self::ClaimAfterPod | Self::FinalizerEarly => Class::Intermediate,
            Self::DeletesByName | Self::ShrinksByCache | Self::GoneByCache => Class::Stale,
            Self::RemembersByName | Self::ClaimOnTermination | Self::QuorumByCache => Class::Unobserved,
        }
    }
}
