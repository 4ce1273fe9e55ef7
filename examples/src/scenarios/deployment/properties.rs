//! The properties of rollouts, as the controllers could know the state of the cluster.
//!
//! They are about the numbers that the Deployment controller decides on: `replicas` in the specs of its sets. A ReplicaSet
//! controller that is slower for one set than for another can have more Pods for a moment, upstream's as well.

use std::time::Duration;

use serde_json::Value;
use trimtab_simulation::{ChangeKind, StoredObject, World, Writer, Written, controller_uid};

use super::{DEPLOYMENTS, ROLLBACK, SETS};

const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// The time in which a process may not know a change. No fault lasts as long.
const RECENT: Duration = Duration::from_secs(10);

/// The newest commit, if a process changed a set of a Deployment with it; and the UID of the Deployment.
fn own_set_commit(world: &World) -> Option<(&Written, String)> {
    let newest = world.newest().filter(|newest| newest.commit.resource == SETS)?;
    matches!(newest.by, Writer::Process(_)).then_some(())?;
    Some((newest, controller_uid(&newest.commit.object)?))
}

/// The commit of the same object before the newest one.
fn before<'a>(world: &'a World, written: &Written) -> Option<&'a StoredObject> {
    let uid = &written.commit.object["metadata"]["uid"];
    let mut earlier = world.commits().iter().rev().skip(1);
    earlier.find(|other| other.commit.object["metadata"]["uid"] == *uid).map(|other| &other.commit.object)
}

/// The states of the Deployment `uid` of late.
fn recent<'a>(world: &'a World, uid: &str) -> Vec<&'a StoredObject> {
    let mut states = Vec::new();
    for written in world.commits().iter().rev() {
        if written.commit.object["metadata"]["uid"].as_str() == Some(uid) {
            states.push(&written.commit.object);
            if written.at + RECENT < world.now() {
                break; // it was in force when the time began that counts
            }
        }
    }
    states
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// The number of Pods above and below the desired one: `maxSurge`, rounded up, and `maxUnavailable`, rounded down. One Pod may
/// be unavailable if both are 0.
fn limits(deployment: &StoredObject) -> [i64; 2] {
    let (desired, rolling) = (desired(deployment), &deployment["spec"]["strategy"]["rollingUpdate"]);
    let resolved = |value: &Value, round: i64| match value.as_str().and_then(|text| text.strip_suffix('%')) {
        Some(percent) => (percent.parse::<i64>().unwrap_or(0) * desired + round) / 100,
        None => number(value),
    };
    match [resolved(&rolling["maxSurge"], 99), resolved(&rolling["maxUnavailable"], 0)] {
        [0, 0] if rolling.is_object() => [0, 1],
        limits => limits,
    }
}

fn desired(object: &StoredObject) -> i64 {
    number(&object["spec"]["replicas"])
}

/// The other sets of the Deployment `uid`.
fn others<'a>(
    world: &'a World,
    uid: &'a str,
    set: &'a StoredObject,
) -> impl Iterator<Item = &'a StoredObject> {
    let own = world.objects(SETS).filter(move |other| controller_uid(other).as_deref() == Some(uid));
    own.filter(move |other| other["metadata"]["uid"] != set["metadata"]["uid"])
}

/// The largest number of available Pods that a set had of late.
fn most_available(world: &World, set: &StoredObject) -> i64 {
    let states = recent(world, set["metadata"]["uid"].as_str().unwrap_or_default());
    states.iter().map(|state| number(&state["status"]["availableReplicas"])).max().unwrap_or(0)
}

/// Returns whether a commit scales a set for another number of Pods of its Deployment, which keeps proportions and no other bound.
fn is_scaling(earlier: &StoredObject, set: &StoredObject) -> bool {
    earlier["metadata"]["annotations"][DESIRED] != set["metadata"]["annotations"][DESIRED]
}

/// The Pods that the sets of a Deployment want.
fn wanted(world: &World, uid: &str) -> i64 {
    let own = world.objects(SETS).filter(|set| controller_uid(set).as_deref() == Some(uid));
    own.map(desired).sum()
}

/// When a set grows, all sets together want no more Pods than the Deployment allowed at some moment of late.
pub(super) fn no_set_too_large(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let (set, earlier) = (&written.commit.object, before(world, written));
    let grew = desired(set) - earlier.map_or(0, desired);
    if written.commit.change == ChangeKind::Deleted || grew <= 0 {
        return Ok(());
    }
    let allowed = recent(world, &uid).iter().map(|one| desired(one) + limits(one)[0]).max();
    let (wanted, allowed) = (wanted(world, &uid), allowed.unwrap_or(0));
    if wanted > allowed {
        return Err(format!(
            "with {}, {wanted} Pods are wanted, and {allowed} are allowed",
            written.commit.name
        ));
    }
    Ok(())
}

/// When a set shrinks in a rolling update, as many Pods stay as must be available, as far as they were available of late. A set
/// that shrinks because its Deployment was scaled has no such bound.
pub(super) fn no_set_too_small(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let Some(earlier) = before(world, written) else { return Ok(()) };
    let set = &written.commit.object;
    let (was, is) = (desired(earlier), desired(set));
    let states = recent(world, &uid);
    let is_rolling = |one: &&StoredObject| one["spec"]["strategy"]["rollingUpdate"].is_object();
    if is >= was || is_scaling(earlier, set) || !states.iter().all(is_rolling) {
        return Ok(());
    }
    let elsewhere: i64 =
        others(world, &uid, set).map(|other| most_available(world, other).min(desired(other))).sum();
    let own = most_available(world, set);
    let least = states.iter().map(|one| desired(one) - limits(one)[1]).min().unwrap_or(0);
    let (before, after) = (elsewhere + own.min(was), elsewhere + own.min(is));
    if after < least && after < before {
        let name = &written.commit.name;
        return Err(format!("{name} went from {was} to {is}, and of {least} Pods {after} stay available"));
    }
    Ok(())
}

/// No set is deleted that `revisionHistoryLimit` keeps or that wants Pods, and no revision falls.
pub(super) fn no_revision_lost(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let (name, set) = (&written.commit.name, &written.commit.object);
    if written.commit.change == ChangeKind::Deleted {
        let states = recent(world, &uid);
        let limit = |one: &&StoredObject| one["spec"]["revisionHistoryLimit"].as_u64().unwrap_or(10);
        let least = states.iter().map(limit).min().unwrap_or(0);
        // One of them is the new set, whose revision is the highest. A template that came in a pause has none.
        let has_new = !states.iter().any(|one| one["spec"]["paused"] == true);
        let newer = others(world, &uid, set).filter(|other| revision(other) > revision(set)).count() as u64;
        if newer < least + u64::from(has_new) || desired(set) > 0 {
            return Err(format!(
                "{name} of revision {} is deleted, and {newer} newer ones stay",
                revision(set)
            ));
        }
        return Ok(());
    }
    let Some(earlier) = before(world, written) else { return Ok(()) };
    let (was, is) = (revision(earlier), revision(set));
    if is < was { Err(format!("{name} goes from revision {was} to {is}")) } else { Ok(()) }
}

/// When a set grows and the strategy was `Recreate` of late, no Pod of another set lives that the controllers could know. While
/// it is paused, a Deployment's only set is scaled, upstream's as well.
pub(super) fn no_new_pod_beside_an_old_one(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let set = &written.commit.object;
    let is_recreated =
        |one: &&StoredObject| one["spec"]["strategy"]["type"] == "Recreate" && one["spec"]["paused"] != true;
    let grew = desired(set) > before(world, written).map_or(0, desired);
    if written.commit.change == ChangeKind::Deleted || !grew || !recent(world, &uid).iter().all(is_recreated)
    {
        return Ok(());
    }
    let others: Vec<_> = others(world, &uid, set).collect();
    let is_known = |pod: &StoredObject| {
        let is_pod = |other: &&Written| other.commit.object["metadata"]["uid"] == pod["metadata"]["uid"];
        world.commits().iter().find(is_pod).is_some_and(|created| created.at + RECENT < world.now())
    };
    let has_ended =
        |pod: &StoredObject| pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed";
    let mut old = world.objects("pods").filter(|pod| is_owned(pod, &others) && !has_ended(pod));
    match old.find(|pod| is_known(pod)) {
        Some(pod) => {
            Err(format!("{} wants Pods, and {} lives", written.commit.name, pod["metadata"]["name"]))
        }
        None => Ok(()),
    }
}

/// While a Deployment is paused, and was of late, no set is created, and none makes room for another.
pub(super) fn nothing_rolled_out_while_paused(world: &World) -> Result<(), String> {
    let Some((written, uid)) = own_set_commit(world) else { return Ok(()) };
    let (name, set) = (&written.commit.name, &written.commit.object);
    let states = recent(world, &uid);
    if written.commit.change == ChangeKind::Deleted || !states.iter().all(|one| one["spec"]["paused"] == true)
    {
        return Ok(());
    }
    let Some(earlier) = before(world, written) else { return Err(format!("{name} is created")) };
    // A set that has all Pods of the Deployment ends the others even then.
    let has_all =
        |other: &StoredObject| states.iter().any(|one| most_available(world, other) >= desired(one));
    let shrank = desired(set) < desired(earlier) && !is_scaling(earlier, set);
    if shrank && !others(world, &uid, set).any(has_all) {
        return Err(format!("{name} goes from {} to {}", desired(earlier), desired(set)));
    }
    Ok(())
}

fn revision(object: &StoredObject) -> i64 {
    object["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Every Deployment has its Pods, all of its template, says so, and has the revision of its newest set. One that is paused
/// keeps the templates and the revision that it had.
pub(super) fn all_rolled_out(world: &World) -> Result<(), String> {
    for deployment in world.objects(DEPLOYMENTS) {
        is_rolled_out(world, deployment)
            .map_err(|problem| format!("{}: {problem}", deployment["metadata"]["name"]))?;
    }
    Ok(())
}

fn is_rolled_out(world: &World, deployment: &StoredObject) -> Result<(), String> {
    let (uid, spec) = (deployment["metadata"]["uid"].as_str().unwrap_or_default(), &deployment["spec"]);
    let sets: Vec<_> =
        world.objects(SETS).filter(|set| controller_uid(set).as_deref() == Some(uid)).collect();
    let pods: Vec<_> = world
        .objects("pods")
        .filter(|pod| is_owned(pod, &sets) && pod["metadata"]["deletionTimestamp"].is_null())
        .collect();
    let (live, desired) = (pods.len() as i64, desired(deployment));
    let status = &deployment["status"];
    if number(&status["replicas"]) != live
        || status["observedGeneration"] != deployment["metadata"]["generation"]
    {
        return Err(format!("has {live} Pods, and the status is {status}"));
    }
    if spec["paused"] == true {
        let most = desired + limits(deployment)[0];
        return if live <= most { Ok(()) } else { Err(format!("has {live} Pods of at most {most}")) };
    }
    let mut revisions: Vec<_> = sets.iter().map(|set| revision(set)).collect();
    revisions.sort_unstable();
    if revisions.windows(2).any(|pair| pair[0] == pair[1]) || revisions.last() != Some(&revision(deployment))
    {
        return Err(format!("the revisions are {revisions:?}, and its own is {}", revision(deployment)));
    }
    let image = &spec["template"]["metadata"]["labels"]["image"];
    if !deployment["metadata"]["annotations"][ROLLBACK].is_null() {
        return Err("the request for a rollback is still there".to_owned());
    }
    if let Some(old) = pods.iter().find(|pod| pod["metadata"]["labels"]["image"] != *image) {
        return Err(format!("{} is of an old template", old["metadata"]["name"]));
    }
    let counts = ["updatedReplicas", "availableReplicas"].map(|field| number(&status[field]));
    if live != desired || counts != [live; 2] {
        return Err(format!("has {live} Pods of {desired}, and the status is {status}"));
    }
    Ok(())
}

/// Returns whether a Pod belongs to one of the sets.
fn is_owned(pod: &StoredObject, sets: &[&StoredObject]) -> bool {
    let owner = controller_uid(pod);
    sets.iter().any(|set| set["metadata"]["uid"].as_str() == owner.as_deref())
}
