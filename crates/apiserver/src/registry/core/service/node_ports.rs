//! The ports of the nodes that lead to Services: from 30000 to 32767.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use serde_json::{Value, json};

use super::spec::{self, allocates_node_ports, has_health_check, has_node_ports, node_port};
use crate::{
    api::{
        path::Path,
        status::{Cause, Result, Status},
    },
    registry::validation::{items, text},
};

const PORTS: Path<'static> = Path::Root("spec.ports");
const VALID: RangeInclusive<i64> = 30_000..=32_767;

/// Allocates the ports that a Service asks for and does not have, or returns the error of the first one that it does not get.
/// `old` is its state before an update.
pub(super) fn allocate(
    taken: &mut BTreeSet<i64>,
    old: Option<&Value>,
    service: &mut Value,
) -> Result<Result<(), Cause>> {
    if has_node_ports(&service["spec"]) {
        let allocated = match old {
            None => of_new(taken, service)?,
            Some(old) => of_changed(taken, &old["spec"], service)?,
        };
        if allocated.is_err() {
            return Ok(allocated);
        }
    }
    let had_health_check = old.is_some_and(|old| has_health_check(&old["spec"]));
    if has_health_check(&service["spec"]) && !had_health_check {
        health_check(taken, service)?;
    }
    Ok(Ok(()))
}

/// Allocates the ports of a new Service. Ports with the same number, such as 53/TCP and 53/UDP, share one.
fn of_new(taken: &mut BTreeSet<i64>, service: &mut Value) -> Result<Result<(), Cause>> {
    let allocates = allocates_node_ports(&service["spec"]);
    let asked = asked_by_number(&service["spec"]);
    let mut given = BTreeMap::new();
    for (position, port) in ports_mut(service).enumerate() {
        let (number, own) = (port["port"].as_i64().unwrap_or(0), node_port(port));
        if own.is_none() && !allocates {
            continue;
        }
        let shared: Option<i64> = given.get(&number).copied();
        let wanted = own.filter(|_| shared.is_some()).or(shared).or_else(|| asked.get(&number).copied());
        let is_new = shared.is_none() || wanted != shared;
        if let (Some(wanted), true) = (wanted, is_new)
            && let Err(because) = take(taken, wanted)
        {
            return Ok(Err(refused(position, wanted, because)));
        }
        let found = wanted.map_or_else(|| take_any(taken), Ok)?;
        given.entry(number).or_insert(found);
        port["nodePort"] = found.into();
    }
    Ok(Ok(()))
}

/// Returns the first port of the nodes that is asked for, by the number of the Service's port.
fn asked_by_number(spec: &Value) -> BTreeMap<i64, i64> {
    let mut asked = BTreeMap::new();
    for port in items(spec, "ports") {
        if let Some(node_port) = node_port(port) {
            asked.entry(port["port"].as_i64().unwrap_or(0)).or_insert(node_port);
        }
    }
    asked
}

/// Allocates the ports that a changed Service does not have yet.
fn of_changed(taken: &mut BTreeSet<i64>, before: &Value, service: &mut Value) -> Result<Result<(), Cause>> {
    let allocates = allocates_node_ports(&service["spec"]);
    let mut own: BTreeSet<i64> = spec::node_ports(before).collect();
    let mut seen = BTreeSet::new();
    for (position, port) in ports_mut(service).enumerate() {
        let found = match node_port(port) {
            Some(wanted) => {
                if own.insert(wanted)
                    && let Err(because) = take(taken, wanted)
                {
                    return Ok(Err(refused(position, wanted, because)));
                }
                wanted
            }
            None if allocates => take_any(taken)?,
            None => continue,
        };
        port["nodePort"] = found.into();
        let protocol = text(port, "protocol").to_owned();
        if !seen.insert((protocol.clone(), found)) {
            return Err(Status::internal(format!("duplicate nodePort: {{{protocol} {found}}}")));
        }
    }
    Ok(Ok(()))
}

/// Allocates the port at which the nodes say whether they have endpoints.
fn health_check(taken: &mut BTreeSet<i64>, service: &mut Value) -> Result<()> {
    let asked = service["spec"]["healthCheckNodePort"].as_i64().filter(|port| *port != 0);
    let Some(asked) = asked else {
        service["spec"]["healthCheckNodePort"] = take_any(taken)?.into();
        return Ok(());
    };
    take(taken, asked).map_err(|because| {
        let what = format!("failed to allocate requested HealthCheck NodePort {asked}");
        Status::internal(format!("Internal error occurred: {what}: {because}"))
    })
}

fn ports_mut(service: &mut Value) -> impl Iterator<Item = &mut Value> {
    service["spec"]["ports"].as_array_mut().into_iter().flatten()
}

fn refused(position: usize, port: i64, because: &str) -> Cause {
    Cause::invalid(PORTS.index(position).child("nodePort"), &json!(port), because)
}

/// Takes a port that is asked for.
fn take(taken: &mut BTreeSet<i64>, port: i64) -> Result<(), &'static str> {
    if !VALID.contains(&port) {
        return Err("provided port is not in the valid range. The range of valid ports is 30000-32767");
    }
    if taken.insert(port) { Ok(()) } else { Err("provided port is already allocated") }
}

/// Takes the lowest free port.
fn take_any(taken: &mut BTreeSet<i64>) -> Result<i64> {
    let free = VALID.clone().find(|port| !taken.contains(port));
    let free = free.ok_or_else(|| {
        Status::internal("Internal error occurred: failed to allocate a nodePort: range is full")
    })?;
    taken.insert(free);
    Ok(free)
}
