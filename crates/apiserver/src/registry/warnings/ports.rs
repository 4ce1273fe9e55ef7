//! The warnings about ports of a Pod that contradict each other.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pod::CONTAINERS;
use crate::{
    api::path::Path,
    registry::validation::{items, text},
};

/// A port of a container, and its place.
#[derive(Clone, Copy)]
struct Port<'v> {
    fields: &'v Value,
    /// The list of the container, and the container's position there.
    list: &'static str,
    container: usize,
    position: usize,
}

impl Port<'_> {
    /// The text of the port's path in the Pod whose spec is at `spec`.
    fn at(&self, spec: &Path<'_>) -> String {
        spec.child(self.list).index(self.container).child("ports").index(self.position).into()
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
    let mut warn = |port: Port<'_>, told: &str| {
        warn(path.child(port.list).index(port.container).child("ports").index(port.position), told);
    };
    let all = all(spec);
    let is_alone = all.clone().nth(1).is_none(); // one port contradicts none
    numbers(all.clone(), is_alone, path, &mut warn);
    if !is_alone {
        names(all, path, &mut warn);
    }
}

fn numbers<'v>(
    all: impl Iterator<Item = Port<'v>>,
    is_alone: bool,
    path: &Path<'_>,
    warn: &mut impl FnMut(Port<'_>, &str),
) {
    let mut numbers: BTreeMap<(i64, &str), Vec<Port<'_>>> = BTreeMap::new();
    let number_of = |port: Port<'_>, field: &str| port.fields[field].as_i64().unwrap_or(0);
    for port in all {
        let (address, number) = (text(port.fields, "hostIP"), number_of(port, "hostPort"));
        let (inner, protocol) = (number_of(port, "containerPort"), text(port.fields, "protocol"));
        if !address.is_empty() && number == 0 {
            let name = text(port.fields, "name");
            // As Go prints a struct.
            let told = format!(
                "hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{inner} Protocol:{protocol} HostIP:{address}}}"
            );
            warn(port, &told);
        }
        if is_alone {
            return;
        }
        let others = numbers.entry((inner, protocol)).or_default();
        for &other in others.iter() {
            let (other_address, other_number) = (text(other.fields, "hostIP"), number_of(other, "hostPort"));
            let contradiction = if address == other_address && number == other_number {
                "duplicate"
            } else if number == 0 || other_number == 0 {
                "overlapping"
            } else if number == other_number && address.is_empty() != other_address.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warn(port, &format!("{contradiction} port definition with {}", other.at(path)));
        }
        others.push(port);
    }
}

fn names<'v>(all: impl Iterator<Item = Port<'v>>, path: &Path<'_>, warn: &mut impl FnMut(Port<'_>, &str)) {
    let mut names: BTreeMap<&str, Port<'_>> = BTreeMap::new();
    for port in all {
        let name = text(port.fields, "name");
        if name.is_empty() {
            continue;
        }
        match names.get(name) {
            None => drop(names.insert(name, port)),
            Some(other) => {
                let other = other.at(path);
                let told = format!(
                    "duplicate port name {name:?} with {other}, services and probes that select ports by name will use {other}"
                );
                warn(port, &told);
            }
        }
    }
}
