//! The database operator of this package, with one of its defects or with none.

use std::{collections::BTreeMap, future::pending, time::Duration};

use serde_json::{Value, json};
use trimtab_controller::informer::InformerFactory;
use trimtab_simulation::{
    ChangeKind, Fault, FaultMix, Process, Random, Scenario, Step, StoredObject, World, Writer,
};

use crate::database::{DEFINITION, Database, DatabaseSpec, Defect, Operator, config_hash};

const DATABASES: &str = "databases.example.com";
const CLAIMS: &str = "persistentvolumeclaims";
/// The labels and the annotation of the operator's objects.
const DATABASE: &str = "example.com/database";
const HASH: &str = "example.com/config-hash";
const JOINED: &str = "example.com/joined";

/// The age from which the operator must know a fact: the latency of a request and its response.
const KNOWN: Duration = Duration::from_secs(1);

/// Returns the operator, and a database that is created, scaled, reconfigured and perhaps deleted.
pub fn database(defect: Option<Defect>) -> Scenario {
    let seconds = Duration::from_secs;
    // Two faults are excluded: writes that take effect long after their timeout, which can create a claim after the
    // database is gone, and pauses, which can fall between an operator's last read and its write. The API has no
    // precondition on another object, so no operator survives them.
    let faults = FaultMix::none()
        .with(Fault::CrashBefore(seconds(3)), 4)
        .with(Fault::CrashAfter(seconds(3)), 6)
        .with(Fault::LoseRequest, 1)
        .with(Fault::LoseReply, 3)
        .with(Fault::Refuse(409), 1)
        .with(Fault::Refuse(500), 1)
        .with(Fault::Refuse(503), 1)
        .with(Fault::Hang, 1)
        .with(Fault::StaleRead(seconds(15)), 5)
        .with(Fault::TimeTravel { lag: seconds(8), lasts: seconds(10) }, 5)
        .with(Fault::Lag { lag: seconds(5), lasts: seconds(20) }, 8)
        .with(Fault::Unobserved(seconds(5)), 5)
        .with(Fault::CutWatches, 1)
        .with(Fault::Compact, 1)
        .with(Fault::Partition(seconds(15)), 1)
        .with(Fault::Delete(0), 6)
        .with(Fault::Recreate(0), 4)
        .with(Fault::Rival(0), 3)
        .at_most(7)
        .within(seconds(20));
    Scenario::new("database")
        .manifest(DEFINITION)
        .process("operator", move |process| run(process, defect))
        .kubelet(|kubelet| {
            kubelet.startup(Duration::from_millis(500)).termination(Duration::from_millis(1500))
        })
        .workload(steps)
        .touches("pods")
        .faults(faults)
        .always("no data of a wanted member is removed", no_data_is_removed)
        .always("no Pod that is up to date is restarted", no_needless_restart)
        .always("no restart below the quorum", no_restart_below_quorum)
        .eventually("every database is as it should be", seconds(300), all_is_well)
        .settles_within(seconds(300))
}

async fn run(process: Process, defect: Option<Defect>) -> Result<(), String> {
    let informers = InformerFactory::builder(process.client()).seed(process.seed()).build();
    let operator = Operator::new(process.client(), &informers, defect);
    operator.run(pending()).await.map_err(|error| error.to_string())
}

fn steps(random: &mut Random) -> Vec<(Duration, Step)> {
    let configs = ["a", "b", "c"];
    let mut at = random.within(0..1000);
    let spec = DatabaseSpec { replicas: within(random, 1, 5), config: "a".to_owned() };
    let mut steps = vec![(at, Step::create(&Database::new("db", spec)))];
    for _ in 0..random.within(0..6) {
        at += random.within(500..5000);
        let patch = match random.within(0..2) {
            0 => json!({"spec": {"config": random.pick(&configs)}}),
            _ => json!({"spec": {"replicas": within(random, 1, 5)}}),
        };
        steps.push((at, Step::patch::<Database>("default", "db", &patch)));
    }
    if random.chance(0.4) {
        at += random.within(500..7000);
        steps.push((at, Step::delete::<Database>("default", "db")));
    }
    steps.into_iter().map(|(at, step)| (Duration::from_millis(at), step)).collect()
}

fn within(random: &mut Random, from: u64, to: u64) -> u32 {
    u32::try_from(random.within(from..to)).unwrap_or(1)
}

/// Returns the spec of a database, if it has not changed for a while and the database is not being deleted.
fn wanted(world: &World, name: &str) -> Option<(u64, String)> {
    let of_it = world
        .commits()
        .iter()
        .rev()
        .filter(|written| written.commit.resource == DATABASES && written.commit.name == name);
    let mut newest = None;
    for written in of_it {
        let database: &Value = &written.commit.object;
        let is_going = !database["metadata"]["deletionTimestamp"].is_null();
        let spec = database["spec"].clone();
        match &newest {
            None if written.commit.change == ChangeKind::Deleted || is_going => return None,
            None => newest = Some(spec),
            Some(newest) if *newest != spec => break,
            Some(_) => {}
        }
        if world.now().saturating_sub(written.at) >= KNOWN {
            let spec = newest?;
            return Some((spec["replicas"].as_u64()?, config_hash(spec["config"].as_str()?)));
        }
    }
    None
}

fn label<'a>(object: &'a StoredObject, label: &str) -> &'a str {
    object["metadata"]["labels"][label].as_str().unwrap_or_default()
}

fn index(name: &str) -> u64 {
    name.rsplit_once('-').and_then(|(_, index)| index.parse().ok()).unwrap_or(0)
}

/// Returns the object of the newest commit, if that commit is a deletion by the operator.
fn deletion<'a>(world: &'a World, resource: &str) -> Option<&'a StoredObject> {
    let written = world.newest()?;
    let commit = &written.commit;
    let is_new = |object: &StoredObject| object["metadata"]["deletionTimestamp"].is_null();
    let begins = match commit.change {
        ChangeKind::Added => false,
        ChangeKind::Modified => !is_new(&commit.object) && commit.previous.as_ref().is_some_and(is_new),
        ChangeKind::Deleted => commit.previous.as_ref().is_some_and(is_new),
    };
    let by_operator = matches!(written.by, Writer::Process(_));
    (by_operator && begins && commit.resource == resource).then_some(&commit.object)
}

fn no_data_is_removed(world: &World) -> Result<(), String> {
    let Some(claim) = deletion(world, CLAIMS) else { return Ok(()) };
    let name = claim["metadata"]["name"].as_str().unwrap_or_default();
    match wanted(world, label(claim, DATABASE)) {
        Some((replicas, _)) if index(name) < replicas => {
            Err(format!("{name} is deleted, and the database has {replicas} members"))
        }
        _ => Ok(()),
    }
}

fn no_needless_restart(world: &World) -> Result<(), String> {
    let Some(pod) = deletion(world, "pods") else { return Ok(()) };
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    match wanted(world, label(pod, DATABASE)) {
        Some((replicas, hash)) if index(name) < replicas && label(pod, HASH) == hash => {
            Err(format!("{name} is restarted, and has the newest configuration"))
        }
        _ => Ok(()),
    }
}

fn is_ready(pod: &StoredObject) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    conditions.is_some_and(|conditions| conditions.iter().any(is_ready))
        && pod["metadata"]["deletionTimestamp"].is_null()
}

/// Checks that no member is restarted while the operator knows that another member is down.
fn no_restart_below_quorum(world: &World) -> Result<(), String> {
    let Some(pod) = deletion(world, "pods") else { return Ok(()) };
    let database = label(pod, DATABASE);
    let Some((replicas, _)) = wanted(world, database) else { return Ok(()) };
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    if index(name) >= replicas {
        return Ok(()); // the database gets smaller
    }
    let up = |pod: &&StoredObject| label(pod, DATABASE) == database && is_ready(pod);
    let left = world.objects("pods").filter(up).filter(|other| {
        let other = other["metadata"]["name"].as_str().unwrap_or_default();
        other != name && index(other) < replicas
    });
    let left = left.count() as u64;
    // It may restart one member while all others are up.
    if left + 1 >= replicas || !is_known(world, database) {
        return Ok(());
    }
    Err(format!("{name} is restarted while only {left} of the other members are up, of {}", replicas - 1))
}

/// Returns whether no member failed lately, except by the newest commit.
fn is_known(world: &World, database: &str) -> bool {
    let earlier = world.commits().iter().rev().skip(1);
    let lately = earlier.take_while(|written| world.now().saturating_sub(written.at) < KNOWN);
    lately.filter(|written| written.commit.resource == "pods").all(|written| {
        let commit = &written.commit;
        let was_up = commit.previous.as_ref().is_some_and(is_ready);
        let is_up = commit.change != ChangeKind::Deleted && is_ready(&commit.object);
        label(&commit.object, DATABASE) != database || !was_up || is_up
    })
}

/// Checks that each database has exactly its claims and Pods, and that nothing is left of a deleted database.
fn all_is_well(world: &World) -> Result<(), String> {
    let mut claims: BTreeMap<&str, u64> = BTreeMap::new();
    for claim in world.objects(CLAIMS) {
        let database = label(claim, DATABASE);
        if world.get(DATABASES, "default", database).is_none() {
            return Err(format!("{} is left of a database that is gone", claim["metadata"]["name"]));
        }
        *claims.entry(database).or_default() += 1;
    }
    for database in world.objects(DATABASES) {
        let name = database["metadata"]["name"].as_str().unwrap_or_default();
        if !database["metadata"]["deletionTimestamp"].is_null() {
            return Err(format!("{name} is still being deleted"));
        }
        let replicas = database["spec"]["replicas"].as_u64().unwrap_or(0);
        let hash = config_hash(database["spec"]["config"].as_str().unwrap_or_default());
        let has = claims.get(name).copied().unwrap_or(0);
        if has != replicas {
            return Err(format!("{name} has {has} claims, and should have {replicas}"));
        }
        let pods = world.objects("pods").filter(|pod| label(pod, DATABASE) == name);
        let (mut up, mut all) = (0, 0);
        for pod in pods {
            let has_joined = !pod["metadata"]["annotations"][JOINED].is_null();
            all += 1;
            up += u64::from(is_ready(pod) && has_joined && label(pod, HASH) == hash);
        }
        if up != replicas || all != replicas {
            return Err(format!(
                "{name} has {all} Pods, of which {up} are up, up to date and joined, of {replicas}"
            ));
        }
    }
    Ok(())
}
