//! The rules of a rollout, each of which a simulation can remove.

use super::rollout::Limits;

/// A rule of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No more than `maxSurge` Pods above the desired number. Without it, all new Pods are created at once.
    MaxSurge,
    /// No more than `maxUnavailable` Pods below the desired number. Without it, all old Pods are deleted at once.
    MaxUnavailable,
    /// As many old sets as `revisionHistoryLimit` are kept. Without it, none is.
    History,
    /// If the strategy is `Recreate`, the end of every old Pod is waited for. Without it, new Pods are created at once.
    Recreate,
    /// A paused Deployment rolls out no template. Without it, a pause is ignored.
    Pause,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::MaxSurge, Self::MaxUnavailable, Self::History, Self::Recreate, Self::Pause];

    /// The name in `deployment/NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxSurge => "max-surge",
            Self::MaxUnavailable => "max-unavailable",
            Self::History => "history",
            Self::Recreate => "recreate",
            Self::Pause => "pause",
        }
    }

    /// Returns the limits without this rule.
    pub(super) fn removed_from(self, limits: Limits) -> Limits {
        match self {
            Self::MaxSurge => Limits { surge: limits.desired, ..limits },
            Self::MaxUnavailable => Limits { unavailable: limits.desired, ..limits },
            Self::History | Self::Recreate | Self::Pause => limits,
        }
    }
}
