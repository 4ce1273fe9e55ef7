//! The properties of ReplicaSets and their Pods, after every commit and at the end.
//!
//! No controller can read one object and write another atomically. So a property allows for *recent* states, those of the
//! last 10 s, where a controller cannot know the present one.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use trimtab_simulation::{ChangeKind, StoredObject, World, Writer, Written, controller_uid};

use super::RESOURCE;

const RECENT: Duration = Duration::from_secs(10);
/// The time of a few messages.
const REQUEST: Duration = Duration::from_secs(1);

/// The newest commit, if a process made it and it is one of a Pod.
fn own_pod_commit(world: &World) -> Option<&Written> {
    let newest = world.newest()?;
    (newest.commit.resource == "pods" && matches!(newest.by, Writer::Process(_))).then_some(newest)
}

/// When a process creates a Pod, its set has no more live Pods than the largest `replicas` of late.
pub(super) fn no_pod_too_many(world: &World) -> Result<(), String> {
    let Some(written) = own_pod_commit(world).filter(|written| written.commit.change == ChangeKind::Added)
    else {
        return Ok(());
    };
    let Some(uid) = controller_uid(&written.commit.object) else { return Ok(()) };
    let (live, (_, most)) = (live_pods(world, &uid), recent_replicas(world, &uid));
    if live > most {
        let name = &written.commit.name;
        return Err(format!("{name} is the {live}th live Pod of a set that wanted {most} at most of late"));
    }
    Ok(())
}

/// When a process deletes a Pod, its set keeps at least the smallest `replicas` of late.
pub(super) fn no_deletion_beyond_desired(world: &World) -> Result<(), String> {
    let Some(written) = own_pod_commit(world) else { return Ok(()) };
    let object = &written.commit.object;
    let is_going = written.commit.change == ChangeKind::Deleted || !is_live(object);
    let was_live = before(world, written).is_some_and(|before| is_live(&before.commit.object));
    let Some(uid) = controller_uid(object).filter(|_| is_going && was_live) else { return Ok(()) };
    let (live, (least, _)) = (live_pods(world, &uid), recent_replicas(world, &uid));
    if live < least {
        let name = &written.commit.name;
        return Err(format!("without {name}, {live} Pods are left of a set that wanted {least} at least"));
    }
    Ok(())
}

/// A Pod has one controller at most.
pub(super) fn at_most_one_controller(world: &World) -> Result<(), String> {
    let Some(newest) = world.newest().filter(|newest| newest.commit.resource == "pods") else {
        return Ok(());
    };
    let owners = newest.commit.object["metadata"]["ownerReferences"].as_array();
    let controllers = owners.into_iter().flatten().filter(|owner| owner["controller"] == Value::Bool(true));
    match controllers.count() {
        0 | 1 => Ok(()),
        more => Err(format!("{} has {more} controllers", newest.commit.name)),
    }
}

/// A Pod gets a controller in its own namespace, which lives or did of late.
pub(super) fn no_foreign_adoption(world: &World) -> Result<(), String> {
    let Some(written) = own_pod_commit(world).filter(|written| written.commit.change != ChangeKind::Deleted)
    else {
        return Ok(());
    };
    let Some(uid) = controller_uid(&written.commit.object) else { return Ok(()) };
    let had_it = before(world, written)
        .is_some_and(|before| controller_uid(&before.commit.object) == Some(uid.clone()));
    if had_it {
        return Ok(());
    }
    let last = world.commits().iter().rev().find(|other| is_set(other, &uid));
    let Some(set) = last.filter(|set| set.commit.namespace == written.commit.namespace) else {
        return Err(format!("{} got a controller that is not in its namespace", written.commit.name));
    };
    if set.commit.change == ChangeKind::Deleted && set.at + RECENT < world.now() {
        return Err(format!("{} got a controller that was gone for long", written.commit.name));
    }
    Ok(())
}

/// No set adopts a Pod after it is gone: an adoption that follows the fresh read of the set is committed within
/// [`REQUEST`].
pub(super) fn no_adoption_by_the_dead(world: &World) -> Result<(), String> {
    let Some(written) = own_pod_commit(world).filter(|written| written.commit.change == ChangeKind::Modified)
    else {
        return Ok(());
    };
    let Some(uid) = controller_uid(&written.commit.object) else { return Ok(()) };
    let had_it = before(world, written)
        .is_some_and(|before| controller_uid(&before.commit.object) == Some(uid.clone()));
    let last = world.commits().iter().rev().find(|other| is_set(other, &uid));
    match last.filter(|set| !had_it && set.commit.change == ChangeKind::Deleted) {
        Some(set) if set.at + REQUEST < world.now() => {
            let ago = world.now().saturating_sub(set.at);
            Err(format!("{} was adopted by a set that was gone for {ago:?}", written.commit.name))
        }
        _ => Ok(()),
    }
}

/// Every set has as many live Pods as it wants.
pub(super) fn every_set_has_its_pods(world: &World) -> Result<(), String> {
    let mut live: BTreeMap<String, u64> = BTreeMap::new();
    for uid in world.objects("pods").filter(|pod| is_live(pod)).filter_map(controller_uid) {
        *live.entry(uid).or_default() += 1;
    }
    for set in world.objects(RESOURCE) {
        let wanted = replicas(set);
        let has = live.get(uid_of(set)).copied().unwrap_or(0);
        if has != wanted {
            return Err(format!("{} has {has} Pods of {wanted}", set["metadata"]["name"]));
        }
    }
    Ok(())
}

/// The commit of the same object before `written`, which is the newest.
fn before<'a>(world: &'a World, written: &Written) -> Option<&'a Written> {
    let uid = uid_of(&written.commit.object);
    let earlier = world.commits().iter().rev().skip(1);
    earlier.filter(|other| other.commit.resource == "pods").find(|other| uid_of(&other.commit.object) == uid)
}

/// The smallest and the largest `replicas` that the set `uid` wanted of late; 0 once it is gone.
fn recent_replicas(world: &World, uid: &str) -> (u64, u64) {
    let (mut least, mut most) = (u64::MAX, 0);
    for written in world.commits().iter().rev().filter(|written| is_set(written, uid)) {
        let gone = written.commit.change == ChangeKind::Deleted || !is_live(&written.commit.object);
        let wanted = if gone { 0 } else { replicas(&written.commit.object) };
        (least, most) = (least.min(wanted), most.max(wanted));
        if written.at + RECENT < world.now() {
            break; // it was in force when the time began that counts
        }
    }
    (if least == u64::MAX { 0 } else { least }, most)
}

fn is_set(written: &Written, uid: &str) -> bool {
    written.commit.resource == RESOURCE && uid_of(&written.commit.object) == uid
}

/// The number of live Pods of the set `uid`.
fn live_pods(world: &World, uid: &str) -> u64 {
    let own = |pod: &&StoredObject| is_live(pod) && controller_uid(pod).as_deref() == Some(uid);
    world.objects("pods").filter(own).count() as u64
}

fn is_live(object: &StoredObject) -> bool {
    object["metadata"]["deletionTimestamp"].is_null()
}

fn uid_of(object: &StoredObject) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

fn replicas(set: &StoredObject) -> u64 {
    set["spec"]["replicas"].as_u64().unwrap_or(1)
}
