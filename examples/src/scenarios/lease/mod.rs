//! Leader election: two to seven candidates for one Lease, whose leader writes all the time.
//!
//! `cargo xtask simulate lease --seeds 20000 --jobs 2` must find nothing. Each of `lease/RULE` does without one rule, and
//! fails: `cargo xtask simulate lease/observed-time`.

mod candidate;

use std::time::Duration;

use serde_json::Value;
use trimtab_simulation::{Fault, FaultMix, OnEnd, Scenario, World, Writer};

use self::candidate::Candidate;

/// The name of the Lease, for properties.
const LEASE: &str = "default/work";
const LEASES: &str = "leases.coordination.k8s.io";
/// The longest time between two polls: 2.2 retry periods.
const POLL: Duration = Duration::from_millis(4400);
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// The time that a few messages take.
const LATENCY: Duration = Duration::from_millis(600);

/// A rule of the election, or of its led work, that a scenario does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// A Lease expires by the time since its last change was seen, not by its `renewTime` and a wall clock.
    ObservedTime,
    /// The end of a token counts from before its renewal was sent.
    DeadlineBeforeSend,
    /// Writes go through the fence.
    Fence,
    /// The Lease is released after the led work has ended.
    JoinBeforeRelease,
    /// Writes carry the UID and the resource version of their object.
    Precondition,
}

impl Removed {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ObservedTime,
        Self::DeadlineBeforeSend,
        Self::Fence,
        Self::JoinBeforeRelease,
        Self::Precondition,
    ];

    /// The name in `lease/NAME`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObservedTime => "observed-time",
            Self::DeadlineBeforeSend => "deadline-before-send",
            Self::Fence => "fence",
            Self::JoinBeforeRelease => "join-before-release",
            Self::Precondition => "precondition",
        }
    }
}

/// Returns candidates of which the leader writes to a `ConfigMap`, with every rule or without one.
///
/// Properties: never two valid tokens; no write is sent after its token's end; a write of an earlier leader is not
/// committed after one of a later leader; no led task is alive when the Lease is released; somebody leads, within the lease
/// duration and two polls once the faults rest.
pub fn lease(without: Option<Removed>) -> Scenario {
    let name = without.map_or_else(|| "lease".to_owned(), |rule| format!("lease/{}", rule.name()));
    scenario(&name, faults(), without)
        .always("no write of an earlier leader after one of a later leader", no_late_write)
        .eventually("somebody leads", LEASE_DURATION + 2 * POLL + LATENCY, somebody_leads)
}

/// Returns the same, with Leases that are also edited by hand. The holder notices that at its next renewal and may
/// write until then, but two candidates still never lead at the same time.
pub fn lease_taken() -> Scenario {
    scenario("lease-taken", faults().with(Fault::TakeLease(0), 12), None).eventually(
        "somebody leads",
        Duration::from_secs(60),
        somebody_leads,
    )
}

/// Faults of up to three lease durations, clocks that are set by an hour, and rates at the bound of the inequality: 1.19
/// and 0.81 differ by less than 15 s and 10 s.
///
/// Not among them: requests that are answered late or never, though everything works. They would only delay `somebody
/// leads`; partitions, lost responses and late commits do the same to the candidates.
fn faults() -> FaultMix {
    let seconds = Duration::from_secs;
    FaultMix::none()
        .with(Fault::LoseRequest, 1)
        .with(Fault::LoseReply, 3)
        .with(Fault::LateCommit(seconds(45)), 3)
        .with(Fault::Refuse(403), 1)
        .with(Fault::Refuse(409), 1)
        .with(Fault::Refuse(429), 1)
        .with(Fault::Refuse(500), 1)
        .with(Fault::Refuse(503), 1)
        .with(Fault::CrashBefore(seconds(3)), 1)
        .with(Fault::CrashAfter(seconds(3)), 2)
        .with(Fault::Crash(seconds(20)), 2)
        .with(Fault::Pause(seconds(45)), 6)
        .with(Fault::Suspend(seconds(45)), 4)
        .with(Fault::Partition(seconds(45)), 6)
        .with(Fault::Drift { rate: 1190, lasts: seconds(60) }, 3)
        .with(Fault::Drift { rate: 810, lasts: seconds(60) }, 3)
        .with(Fault::SetClock(3_600_000), 1)
        .with(Fault::SetClock(-3_600_000), 1)
        .with(Fault::Lag { lag: seconds(10), lasts: seconds(20) }, 1)
        .with(Fault::CutWatches, 1)
        .with(Fault::Unobserved(seconds(8)), 1)
        .with(Fault::DuplicateEvents(seconds(5)), 1)
        .with(Fault::Compact, 1)
        .at_most(8)
        .within(seconds(40))
}

fn scenario(name: &str, faults: FaultMix, without: Option<Removed>) -> Scenario {
    Scenario::new(name)
        .manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: work}}")
        .replicas("candidate", candidate::MOST, move |process| Candidate::new(process, without).run())
        .on_end(OnEnd::Restart(Duration::from_secs(1)))
        .latency(Duration::from_millis(1), Duration::from_millis(100))
        .faults(faults)
        .one_leader(LEASE)
}

/// Checks that a leader has renewed the Lease lately, or has released it so lately that the others need not know yet.
fn somebody_leads(world: &World) -> Result<(), String> {
    let newest = world.commits().iter().rev().find(|written| written.commit.resource == LEASES);
    let Some(newest) = newest else { return Err("there is no Lease".to_owned()) };
    let ago = world.now().saturating_sub(newest.at);
    let holder = newest.commit.object["spec"]["holderIdentity"].as_str().unwrap_or_default();
    let limit = if holder.is_empty() { POLL } else { Duration::from_secs(2) } + LATENCY;
    if ago <= limit { Ok(()) } else { Err(format!("{holder:?} has written the Lease {ago:?} ago")) }
}

/// Checks that the newest write of led work is not of an earlier term than the one before.
fn no_late_write(world: &World) -> Result<(), String> {
    let Some(newest) = world.newest().filter(|written| written.commit.resource == "configmaps") else {
        return Ok(());
    };
    let Writer::Process(_) = newest.by else { return Ok(()) };
    let term = |object: &Value| object["data"]["term"].as_str().and_then(|term| term.parse::<u32>().ok());
    let before = newest.commit.previous.as_ref().and_then(|object| term(object));
    match (term(&newest.commit.object), before) {
        (Some(term), Some(before)) if term < before => {
            Err(format!("a write of term {term} is committed after one of term {before}"))
        }
        _ => Ok(()),
    }
}
