//! [`Subresource`]: the part of an object that a request is about.

/// A part of an object with a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subresource {
    /// The status that the system reports.
    Status,
    /// The number of replicas, in the same form for every kind.
    Scale,
    /// Where a Pod runs.
    Binding,
    /// A deletion that may be refused.
    Eviction,
    /// A namespace's own finalizers.
    Finalize,
    /// The output of a Pod's containers.
    Log,
    /// The containers that are added to a Pod that runs.
    EphemeralContainers,
    /// The resources of a Pod that runs.
    Resize,
    /// Whether a certificate is to be signed.
    Approval,
    /// A service account's bearer tokens.
    Token,
    /// A connection to what runs on a node: the last part of the path, such as `exec`.
    Connect(&'static str),
}

impl Subresource {
    /// Returns the subresource `name` of a kind that has it.
    pub(crate) fn named(name: &'static str) -> Self {
        match name {
            "approval" => Self::Approval,
            "binding" => Self::Binding,
            "ephemeralcontainers" => Self::EphemeralContainers,
            "eviction" => Self::Eviction,
            "finalize" => Self::Finalize,
            "log" => Self::Log,
            "resize" => Self::Resize,
            "token" => Self::Token,
            connection => Self::Connect(connection),
        }
    }

    /// The last part of the path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Approval => "approval",
            Self::Binding => "binding",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Eviction => "eviction",
            Self::Finalize => "finalize",
            Self::Log => "log",
            Self::Resize => "resize",
            Self::Token => "token",
            Self::Connect(connection) => connection,
        }
    }
}

/// The verbs of a status or a scale.
pub(crate) const SUBRESOURCE_VERBS: &[&str] = &["get", "patch", "update"];
