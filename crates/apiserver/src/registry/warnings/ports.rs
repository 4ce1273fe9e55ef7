//! The warnings about ports of a Pod that contradict each other.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use super::pod::CONTAINERS;
use crate::{
    api::path::Path,
    registry::validation::{items, text},
};

/// A port of a container, and its place, which becomes text as in a Pod: a template's own path is left out.
#[derive(Clone, Copy)]
struct Port<'v> {
    fields: &'v Value,
    /// The list of the container, and the container's position there.
    list: &'static str,
    container: usize,
    position: usize,
}

impl fmt::Display for Port<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, container, position, .. } = self;
        write!(f, "spec.{list}[{container}].ports[{position}]")
    }
}

fn all(spec: &Value) -> impl Iterator<Item = Port<'_>> + Clone {
    CONTAINERS.into_iter().flat_map(move |list| {
        items(spec, list).iter().enumerate().flat_map(move |(container, owner)| {
            items(owner, "ports").iter().enumerate().map(move |(position, fields)| Port {
                fields,
                list,
                container,
                position,
            })
        })
    })
}

/// Adds the warnings about the ports of a Pod whose spec is at `path`.
pub(super) fn ports(spec: &Value, path: &Path<'_>, warn: &mut impl FnMut(Path<'_>, &str)) {
    let all = all(spec);
    if all.clone().nth(1).is_none() {
        return; // one port contradicts none
    }
    let mut warn = |port: Port<'_>, told: &str| {
        warn(path.child(port.list).index(port.container).child("ports").index(port.position), told);
    };
    numbers(all.clone(), &mut warn);
    names(all, &mut warn);
}

fn numbers<'v>(all: impl Iterator<Item = Port<'v>>, warn: &mut impl FnMut(Port<'_>, &str)) {
    let mut numbers: BTreeMap<(i64, &str), Vec<Port<'_>>> = BTreeMap::new();
    let host = |port: Port<'v>| (text(port.fields, "hostIP"), port.fields["hostPort"].as_i64().unwrap_or(0));
    for port in all {
        let key = (port.fields["containerPort"].as_i64().unwrap_or(0), text(port.fields, "protocol"));
        let others = numbers.entry(key).or_default();
        let (address, number) = host(port);
        for &other in others.iter() {
            let (other_address, other_number) = host(other);
            if address == other_address && number == other_number {
                warn(port, &format!("duplicate port definition with {other}"));
            } else if number == 0 || other_number == 0 {
                warn(port, &format!("overlapping port definition with {other}"));
            } else if number == other_number && address.is_empty() != other_address.is_empty() {
                warn(port, &format!("dangerously ambiguous port definition with {other}"));
            }
        }
        others.push(port);
    }
}

fn names<'v>(all: impl Iterator<Item = Port<'v>>, warn: &mut impl FnMut(Port<'_>, &str)) {
    let mut names: BTreeMap<&str, Port<'_>> = BTreeMap::new();
    for port in all {
        let name = text(port.fields, "name");
        if name.is_empty() {
            continue;
        }
        match names.get(name) {
            None => drop(names.insert(name, port)),
            Some(other) => {
                let told = format!(
                    "duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
                );
                warn(port, &told);
            }
        }
    }
}
