//! [`PodPlan`]: what becomes of a Pod's containers, and [`SeenPod`], what a rule decides that by.

use std::{fmt, sync::Arc, time::Duration};

use super::view::{PodView, Run};

/// How long a Job's Pod that no rule speaks of runs before it has succeeded.
const JOB: Duration = Duration::from_secs(1);
/// The first wait between two runs that ended; each further one is twice as long.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
/// The longest wait.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);
/// After a run as long as this, what was before is forgiven.
const FORGIVEN: Duration = Duration::from_secs(600);

/// The course of a Pod once it is on its node: how long it takes to start, and whether and how its
/// containers end.
///
/// All containers of a Pod end, and start again, at the same time.
///
/// ```
/// # use std::time::Duration;
/// # use trimtab_apiserver::PodPlan;
/// let slow = PodPlan::runs().startup(Duration::from_secs(90));
/// let crash_loop = PodPlan::exits(1); // with restartPolicy Always: CrashLoopBackOff, again and again
/// let flaky = PodPlan::exits(1).times(2); // the third run lasts
/// let batch = PodPlan::exits(0).after(Duration::from_secs(60)); // with restartPolicy Never: Succeeded
/// let unlucky = PodPlan::evicted().after(Duration::from_secs(5));
/// let misspelt = PodPlan::image_pull_fails(); // Pending: ErrImagePull, then ImagePullBackOff
/// # drop([slow, crash_loop, flaky, batch, unlucky, misspelt]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct PodPlan {
    startup: Option<Duration>,
    end: End,
    after: Duration,
    times: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Never,
    Exit(i32),
    Eviction,
    NoImage,
}

/// The next step of a Pod that has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Its containers end with this code, having run so long. If the Pod restarts them, they wait so long.
    Exit { code: i32, ran: Duration, back_off: Option<Duration> },
    /// They start again, having waited so long.
    Restart { back_off: Duration },
    /// The node wants it to go, after it has run so long.
    Evict { ran: Duration },
    /// Its images cannot be pulled, after it has waited so long; the node `gave_up` for a while if that was seen before.
    NoImage { waited: Duration, gave_up: bool },
}

impl PodPlan {
    /// It starts, and runs until it is deleted.
    pub const fn runs() -> Self {
        Self { startup: None, end: End::Never, after: Duration::ZERO, times: u64::MAX }
    }

    /// Its containers exit with `code`, at once or [after](Self::after) a while.
    ///
    /// The Pod's `restartPolicy` decides what follows: it is `Succeeded` or `Failed`, or the containers
    /// start again: at once the first time, then after a back-off (`CrashLoopBackOff`) of 10 s that doubles up to
    /// 5 min, as kubelets do. A run of ten minutes ends the back-off.
    pub const fn exits(code: i32) -> Self {
        Self { end: End::Exit(code), ..Self::runs() }
    }

    /// The node evicts it: `Failed` for the reason `Evicted`, whatever its `restartPolicy`.
    pub const fn evicted() -> Self {
        Self { end: End::Eviction, ..Self::runs() }
    }

    /// Its images cannot be pulled: it stays `Pending`, its containers waiting for the reason `ErrImagePull` and then
    /// `ImagePullBackOff`. Without a rule, that becomes of images whose tag is `404`.
    pub const fn image_pull_fails() -> Self {
        Self { end: End::NoImage, ..Self::runs() }
    }

    /// How long it takes from its binding to `Running` and `Ready`; by default, what
    /// [`Kubelet::startup`](super::Kubelet::startup) says.
    pub const fn startup(mut self, startup: Duration) -> Self {
        self.startup = Some(startup);
        self
    }

    /// How long each run lasts, counted from when it is seen to run. By default, no time.
    pub const fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }

    /// Only so many runs end this way; the one after them lasts. By default, every run.
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times as u64;
        self
    }

    /// The plan of a Pod without a rule: a Pod of a Job succeeds after a second, every other one runs.
    fn usual(pod: &PodView) -> Self {
        if pod.spec.containers.iter().any(|container| container.image.ends_with(":404")) {
            return Self::image_pull_fails();
        }
        match pod.restart_policy() != "Always" && pod.controller() == Some("Job") {
            true => Self::exits(0).after(JOB),
            false => Self::runs(),
        }
    }

    pub(super) fn startup_or(&self, usual: Duration) -> Duration {
        self.startup.unwrap_or(usual)
    }

    /// Returns the next step of a Pod that never starts, because its image cannot be pulled; `None` for a Pod that starts.
    pub(super) fn next_without_image(&self, pod: &PodView, usual: Duration) -> Option<Option<Step>> {
        if self.end != End::NoImage {
            return None;
        }
        let reason =
            pod.status.container_statuses.first().map(|status| &status["state"]["waiting"]["reason"]);
        let (waited, gave_up) = match reason {
            None => (self.startup_or(usual), false),
            Some(reason) if reason == "ErrImagePull" => (FIRST_BACK_OFF, true),
            Some(_) => return Some(None),
        };
        Some(Some(Step::NoImage { waited, gave_up }))
    }

    /// Returns the next step of a Pod that has started.
    pub(super) fn next(&self, pod: &PodView) -> Option<Step> {
        let (restarts, down) = match pod.run()? {
            Run::Up { restarts } => (restarts, false),
            Run::Down { restarts } => (restarts, true),
        };
        let back_off = match self.after >= FORGIVEN {
            true => Duration::ZERO,
            false => back_off(restarts),
        };
        if down {
            return Some(Step::Restart { back_off });
        }
        match self.end {
            _ if restarts >= self.times => None,
            End::Never | End::NoImage => None,
            End::Eviction => Some(Step::Evict { ran: self.after }),
            End::Exit(code) => {
                let again = match pod.restart_policy() {
                    "Never" => false,
                    "OnFailure" => code != 0,
                    _ => true,
                };
                Some(Step::Exit { code, ran: self.after, back_off: again.then_some(back_off) })
            }
        }
    }
}

impl Step {
    /// How long after the one before it comes.
    pub(super) fn delay(self) -> Duration {
        match self {
            Self::Exit { ran, .. } | Self::Evict { ran } => ran,
            Self::Restart { back_off } => back_off,
            Self::NoImage { waited, .. } => waited,
        }
    }
}

/// How long containers wait that have been started again so often.
fn back_off(restarts: u64) -> Duration {
    let doubled =
        |restarts: u32| FIRST_BACK_OFF.saturating_mul(1_u32.checked_shl(restarts).unwrap_or(u32::MAX));
    let before = restarts.checked_sub(1).map(|before| u32::try_from(before).unwrap_or(u32::MAX));
    before.map_or(Duration::ZERO, |before| doubled(before).min(LONGEST_BACK_OFF))
}

/// A Pod as a rule of [`Kubelet::rule`](super::Kubelet::rule) sees it.
#[derive(Debug, Clone, Copy)]
pub struct SeenPod<'a>(&'a PodView);

impl<'a> SeenPod<'a> {
    /// Its namespace.
    pub fn namespace(&self) -> &'a str {
        &self.0.metadata.namespace
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        &self.0.metadata.name
    }

    /// The value of this label, if it has the label.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.0.metadata.labels.get(key).map(String::as_str)
    }

    /// The value of this annotation, if it has the annotation.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.0.metadata.annotations.get(key).map(String::as_str)
    }

    /// The node it is on, if it is on one.
    pub fn node(&self) -> Option<&'a str> {
        self.0.spec.node_name.as_deref().filter(|node| !node.is_empty())
    }

    /// The kind of its controller, such as `ReplicaSet`, if it has one.
    pub fn controller(&self) -> Option<&'a str> {
        self.0.controller()
    }

    /// `Always`, `OnFailure` or `Never`.
    pub fn restart_policy(&self) -> &'a str {
        self.0.restart_policy()
    }
}

type Rule = dyn Fn(SeenPod<'_>) -> Option<PodPlan> + Send + Sync;

/// Who says what becomes of Pods: the first that has something to say.
#[derive(Clone, Default)]
pub(super) struct Rules(Vec<Arc<Rule>>);

impl Rules {
    pub(super) fn push(&mut self, rule: impl Fn(SeenPod<'_>) -> Option<PodPlan> + Send + Sync + 'static) {
        self.0.push(Arc::new(rule));
    }

    pub(super) fn plan(&self, pod: &PodView) -> PodPlan {
        let ruled = self.0.iter().find_map(|rule| rule(SeenPod(pod)));
        ruled.unwrap_or_else(|| PodPlan::usual(pod))
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rules", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_back_off_doubles_from_ten_seconds_to_five_minutes() {
        let waits = [0, 1, 2, 3, 5, 6, 7, 40, u64::MAX].map(|restarts| back_off(restarts).as_secs());
        assert_eq!(waits, [0, 10, 20, 40, 160, 300, 300, 300, 300]);
    }
}
