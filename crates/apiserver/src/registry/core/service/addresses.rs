//! The addresses and ports that Services are given: of `10.0.0.0/24`, and from 30000 to 32767. What is taken is
//! read from the Services there are, and from the reservations of those that are about to be stored.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::{
    api::{
        key::Key,
        object,
        status::{Cause, Result, Status},
    },
    registry::Kind,
    store::Store,
};

/// The first three bytes of every address.
const NETWORK: [u8; 3] = [10, 0, 0];
/// Lower addresses are for writers that choose an address, as upstream.
const FIRST_DYNAMIC: u8 = 17;
const LAST: u8 = 254;
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;

/// Allocations that are not stored yet, by their Service.
pub(crate) type Reserved = Mutex<Vec<Arc<Held>>>;

/// The allocations of one writer for a Service: addresses, and ports as text.
#[derive(Debug)]
pub(crate) struct Held {
    /// `None` as long as the Service has no name: then no other one is the same.
    service: Option<Key>,
    what: Vec<String>,
}

impl Held {
    /// Returns whether it is for another Service. Two writers of one Service share its allocations: what both want
    /// is allocated once.
    fn is_another_s(&self, service: &Value) -> bool {
        self.service.as_ref() != Some(&object::key(service))
    }
}

/// Reserves the allocations of a Service until it is stored.
#[must_use]
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    reserved: &'a Reserved,
    held: Arc<Held>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.reserved.lock().retain(|other| !Arc::ptr_eq(other, &self.held));
    }
}

/// Allocates the addresses and ports that a Service asks for and does not have. `old` is its state before an update.
pub(crate) fn allocate<'a>(
    store: &Store,
    reserved: &'a Reserved,
    kind: &Kind,
    old: Option<&Value>,
    service: &mut Value,
) -> Result<Reservation<'a>> {
    // One at a time, and the store is read under the lock: whoever was given something has either stored it, or
    // still holds its reservation. Read before the lock is taken, two writers find the same address free.
    let mut held_by_all = reserved.lock();
    let mut taken = Taken::by_others(store, service);
    let others = held_by_all.iter().filter(|held| held.is_another_s(service));
    others.flat_map(|held| held.what.iter().cloned()).for_each(|held| taken.add(held));
    if let Some(old) = old {
        keep(old, service);
    }
    let mut causes = Vec::new();
    if service["spec"]["type"] == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            spec(service).remove(field);
        }
    } else {
        address(&taken, service, &mut causes)?;
    }
    node_ports(&taken, service, &mut causes)?;
    if !causes.is_empty() {
        return Err(Status::invalid(kind, object::name(service), &causes));
    }
    let name = (!object::name(service).is_empty()).then(|| object::key(service));
    let held = Arc::new(Held { service: name, what: allocated(service).collect() });
    held_by_all.push(held.clone());
    drop(held_by_all);
    Ok(Reservation { reserved, held })
}

/// Lists the addresses and ports of a Service that no other may have.
fn allocated(service: &Value) -> impl Iterator<Item = String> {
    let addresses = service["spec"]["clusterIPs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let addresses = addresses.filter(|address| *address != "None").map(str::to_owned);
    let ports = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|port| port["nodePort"].as_i64());
    addresses.chain(ports.chain(service["spec"]["healthCheckNodePort"].as_i64()).map(|port| port.to_string()))
}

fn spec(service: &mut Value) -> &mut Map<String, Value> {
    if !service["spec"].is_object() {
        service["spec"] = json!({});
    }
    service["spec"].as_object_mut().expect("made above")
}

/// The addresses and ports of the other Services.
#[derive(Debug, Default)]
struct Taken {
    addresses: BTreeSet<String>,
    ports: BTreeSet<i64>,
}

impl Taken {
    fn by_others(store: &Store, service: &Value) -> Self {
        let mut taken = Self::default();
        let this = object::key(service);
        let all = store.list("services", "", None, None, usize::MAX, |_| true);
        for other in all.map_or_else(|_| Vec::new(), |page| page.items) {
            let other = other.value();
            if object::key(&other) == this {
                continue;
            }
            allocated(&other).for_each(|held| taken.add(held));
        }
        taken
    }

    fn add(&mut self, held: String) {
        match held.parse() {
            Ok(port) => self.ports.insert(port),
            Err(_) => self.addresses.insert(held),
        };
    }
}

/// Keeps allocations that a writer leaves out, and removes those that the new type does not have.
fn keep(old: &Value, service: &mut Value) {
    let had_address = old["spec"]["type"] != "ExternalName";
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"] {
        if had_address && service["spec"].get(field).is_none() && old["spec"].get(field).is_some() {
            service["spec"][field] = old["spec"][field].clone();
        }
    }
    let exposed = matches!(service["spec"]["type"].as_str(), Some("LoadBalancer" | "NodePort"));
    let before = old["spec"]["ports"].as_array().cloned().unwrap_or_default();
    for port in service["spec"]["ports"].as_array_mut().into_iter().flatten() {
        let same = |other: &&Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        let Some(known) = before.iter().find(same).and_then(|before| before.get("nodePort")).cloned() else {
            continue;
        };
        if exposed && port.get("nodePort").is_none() {
            port["nodePort"] = known;
        } else if !exposed && port.get("nodePort") == Some(&known) {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
    }
    let was_exposed = matches!(old["spec"]["type"].as_str(), Some("LoadBalancer" | "NodePort"));
    if was_exposed && !exposed {
        for field in ["allocateLoadBalancerNodePorts", "externalTrafficPolicy", "healthCheckNodePort"] {
            if service["spec"].get(field) == old["spec"].get(field) {
                spec(service).remove(field);
            }
        }
    }
}

fn address(taken: &Taken, service: &mut Value, causes: &mut Vec<Cause>) -> Result<()> {
    let is_headless = service["spec"]["clusterIP"] == "None";
    let policy = &service["spec"]["ipFamilyPolicy"];
    if !is_headless && policy == "RequireDualStack" {
        let because = "this cluster is not configured for dual-stack services";
        causes.push(Cause::invalid("spec.ipFamilyPolicy", policy, because));
    }
    let asked = service["spec"]["ipFamilies"].as_array().into_iter().flatten().enumerate();
    for (position, family) in asked.filter(|(_, family)| !is_headless && **family == "IPv6") {
        let field = format!("spec.ipFamilies[{position}]");
        causes.push(Cause::invalid(field, family, "not configured on this cluster"));
    }
    if service["spec"].get("ipFamilyPolicy").is_none() {
        let alone = is_headless && service["spec"].get("selector").is_none();
        service["spec"]["ipFamilyPolicy"] = if alone { "RequireDualStack" } else { "SingleStack" }.into();
    }
    if service["spec"].get("ipFamilies").is_none() {
        let families = if is_headless { families(spec(service)) } else { json!(["IPv4"]) };
        service["spec"]["ipFamilies"] = families;
    }
    let asked = service["spec"]["clusterIP"].as_str().unwrap_or_default().to_owned();
    let given = if is_headless {
        asked
    } else if asked.is_empty() {
        let free = (FIRST_DYNAMIC..=LAST).map(in_network).find(|address| !taken.addresses.contains(address));
        free.ok_or_else(|| {
            Status::internal("Internal error occurred: failed to allocate a serviceIP: range is full")
        })?
    } else {
        let refuse = |because: &str| {
            let because = format!("failed to allocate IP {asked}: {because}");
            Cause::invalid("spec.clusterIPs", &json!([asked]), because)
        };
        match asked.parse::<Ipv4Addr>() {
            Err(_) => {
                let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
                causes.push(Cause::invalid("spec.clusterIPs[0]", &json!(asked), because));
            }
            Ok(address) if address.octets()[..3] != NETWORK => {
                causes.push(refuse("the provided network does not match the current range"));
            }
            Ok(_) if taken.addresses.contains(&asked) => {
                causes.push(refuse("provided IP is already allocated"))
            }
            Ok(_) => {}
        }
        asked
    };
    service["spec"]["clusterIP"] = given.clone().into();
    service["spec"]["clusterIPs"] = json!([given]);
    Ok(())
}

fn in_network(last: u8) -> String {
    let [a, b, c] = NETWORK;
    Ipv4Addr::new(a, b, c, last).to_string()
}

fn node_ports(taken: &Taken, service: &mut Value, causes: &mut Vec<Cause>) -> Result<()> {
    let kind = service["spec"]["type"].as_str().unwrap_or_default().to_owned();
    let wanted = kind == "NodePort"
        || kind == "LoadBalancer" && service["spec"]["allocateLoadBalancerNodePorts"] != false;
    if !matches!(&*kind, "LoadBalancer" | "NodePort") {
        return Ok(());
    }
    let mut own = BTreeSet::new();
    let full = || Status::internal("Internal error occurred: failed to allocate a nodePort: range is full");
    for (position, port) in service["spec"]["ports"].as_array_mut().into_iter().flatten().enumerate() {
        match port["nodePort"].as_i64().filter(|port| *port != 0) {
            Some(asked) => {
                let because = match () {
                    () if taken.ports.contains(&asked) => Some("provided port is already allocated"),
                    () if !NODE_PORTS.contains(&asked) => Some(
                        "provided port is not in the valid range. The range of valid ports is 30000-32767",
                    ),
                    () => None,
                };
                let field = format!("spec.ports[{position}].nodePort");
                causes.extend(because.map(|because| Cause::invalid(field, &json!(asked), because)));
                own.insert(asked);
            }
            None if wanted => {
                let free = NODE_PORTS.clone().find(|port| !taken.ports.contains(port) && !own.contains(port));
                let free = free.ok_or_else(full)?;
                port["nodePort"] = free.into();
                own.insert(free);
            }
            None => {}
        }
    }
    if kind == "LoadBalancer"
        && service["spec"]["externalTrafficPolicy"] == "Local"
        && service["spec"].get("healthCheckNodePort").is_none()
    {
        let free = NODE_PORTS.clone().find(|port| !taken.ports.contains(port) && !own.contains(port));
        service["spec"]["healthCheckNodePort"] = free.ok_or_else(full)?.into();
    }
    Ok(())
}

/// Returns the IP families of a headless Service, which needs no allocation.
fn families(spec: &Map<String, Value>) -> Value {
    let is_dual = matches!(
        spec.get("ipFamilyPolicy").and_then(Value::as_str),
        Some("PreferDualStack" | "RequireDualStack")
    );
    if is_dual { json!(["IPv4", "IPv6"]) } else { json!(["IPv4"]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Kinds;

    /// Fails if `allocate` does not look whom a reservation is for.
    #[test]
    fn two_writers_of_one_service_do_not_take_its_address_from_each_other() {
        let (store, reserved) = (&*Store::new(1024), &Reserved::default());
        let kind = Kinds::built_in().get("", "v1", "services").expect("built in");
        let service = |name: &str| {
            json!({"metadata": {"name": name, "namespace": "default"},
                "spec": {"type": "NodePort", "clusterIP": "10.0.0.9", "ports": [{"port": 80, "nodePort": 30_001}]}})
        };
        let first = allocate(store, reserved, &kind, None, &mut service("web")).expect("both are free");
        let second = allocate(store, reserved, &kind, None, &mut service("web")).expect("they are its own");
        drop(first);
        assert!(
            allocate(store, reserved, &kind, None, &mut service("other")).is_err(),
            "the second still holds them"
        );
        drop(second);
        assert!(allocate(store, reserved, &kind, None, &mut service("other")).is_ok());
    }

    #[test]
    fn services_without_a_name_yet_get_addresses_of_their_own() {
        let (store, reserved) = (&*Store::new(1024), &Reserved::default());
        let kind = Kinds::built_in().get("", "v1", "services").expect("built in");
        let mut all =
            [(); 2].map(|()| json!({"metadata": {"namespace": "default"}, "spec": {"type": "ClusterIP"}}));
        let _held = all
            .each_mut()
            .map(|service| allocate(store, reserved, &kind, None, service).expect("some are free"));
        assert_ne!(all[0]["spec"]["clusterIP"], all[1]["spec"]["clusterIP"]);
    }
}
