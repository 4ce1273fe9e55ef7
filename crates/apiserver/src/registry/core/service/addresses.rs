//! The allocations of Services: addresses of `10.0.0.0/24`, and ports of the nodes. Those that are taken are read from the
//! Services there are, and from the reservations of those that are about to be stored.

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    families, kept, node_ports,
    spec::{self, has_node_ports, is_external_name, is_headless},
    type_change,
};

use crate::{
    api::{
        key::Key,
        object,
        status::{Cause, Result, Status},
    },
    registry::{Kind, validation::items},
    store::Store,
};

/// The first three bytes of every address.
const NETWORK: [u8; 3] = [10, 0, 0];
/// Lower addresses are for writers that choose an address, as upstream.
const FIRST_DYNAMIC: u8 = 17;
const LAST: u8 = 254;

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

/// Allocates addresses and ports on behalf of one write.
#[derive(Debug)]
pub(crate) struct Allocator<'a> {
    /// The Services that hold allocations.
    pub(crate) store: &'a Store,
    /// The allocations of other writes.
    pub(crate) reserved: &'a Reserved,
    /// Whether nothing will be stored.
    pub(crate) dry_run: bool,
}

impl<'a> Allocator<'a> {
    /// Allocates the addresses and ports that a Service asks for and does not have. `old` is its state before an update;
    /// the fields that only its old type had are dropped.
    pub(crate) fn allocate(
        &self,
        kind: &Kind,
        old: Option<&Value>,
        service: &mut Value,
    ) -> Result<Reservation<'a>> {
        match old {
            Some(old) => kept::keep(old, service),
            None => kept::complete(service),
        }
        let invalid =
            |service: &Value, causes: &[Cause]| Status::invalid(kind, object::name(service), causes);
        families::complete(old, service).map_err(|causes| invalid(service, &causes))?;
        // One at a time, and the store is read under the lock: whoever was given something has either stored it, or
        // still holds its reservation. Read before the lock is taken, two writers find the same address free.
        let mut held_by_all = self.reserved.lock();
        let mut taken = Taken::by_stored(self.store, service, old);
        let others = held_by_all.iter().filter(|held| held.is_another_s(service));
        others.flat_map(|held| held.what.iter().cloned()).for_each(|held| taken.add(held));
        if old.is_none_or(|old| is_external_name(&old["spec"])) {
            let is_recorded = !self.dry_run && old.is_none();
            address(&taken, is_recorded, service)?.map_err(|cause| invalid(service, &[cause]))?;
        }
        node_ports::allocate(&mut taken.ports, old, service)?.map_err(|cause| invalid(service, &[cause]))?;
        if let Some(old) = old {
            type_change::drop_fields(old, service);
        }
        let name = (!object::name(service).is_empty()).then(|| object::key(service));
        let held = Arc::new(Held { service: name, what: allocated(service).collect() });
        held_by_all.push(held.clone());
        drop(held_by_all);
        Ok(Reservation { reserved: self.reserved, held })
    }
}

/// Lists the addresses and ports of a Service that no other may have.
fn allocated(service: &Value) -> impl Iterator<Item = String> {
    let spec = &service["spec"];
    let has_address = !is_external_name(spec);
    let addresses = items(spec, "clusterIPs").iter().filter(move |_| has_address).filter_map(Value::as_str);
    let addresses = addresses.filter(|address| *address != "None").map(str::to_owned);
    let has_ports = has_node_ports(spec);
    let ports = spec::node_ports(spec).filter(move |_| has_ports).chain(spec["healthCheckNodePort"].as_i64());
    addresses.chain(ports.map(|port| port.to_string()))
}

/// The addresses and ports that are allocated.
#[derive(Debug, Default)]
struct Taken {
    addresses: BTreeSet<String>,
    ports: BTreeSet<i64>,
}

impl Taken {
    /// Reads the allocations of all Services. A changed one counts with its old state.
    fn by_stored(store: &Store, service: &Value, old: Option<&Value>) -> Self {
        let mut taken = Self::default();
        let this = old.map(|_| object::key(service));
        let all = store.list("services", "", None, None, usize::MAX, |_| true);
        for other in all.map_or_else(|_| Vec::new(), |page| page.items) {
            if Some(&other.key) != this.as_ref() {
                allocated(&other.value()).for_each(|held| taken.add(held));
            }
        }
        old.into_iter().flat_map(allocated).for_each(|held| taken.add(held));
        taken
    }

    fn add(&mut self, held: String) {
        match held.parse() {
            Ok(port) => self.ports.insert(port),
            Err(_) => self.addresses.insert(held),
        };
    }
}

/// Allocates the address of a Service, or returns why it does not get the one that it asks for. Upstream records an
/// address as an `IPAddress` under the name of its Service, if `is_recorded`.
fn address(taken: &Taken, is_recorded: bool, service: &mut Value) -> Result<Result<(), Cause>> {
    if is_external_name(&service["spec"]) || is_headless(&service["spec"]) {
        return Ok(Ok(()));
    }
    let asked = items(&service["spec"], "clusterIPs").to_vec();
    let given = asked.first().and_then(Value::as_str).unwrap_or_default().to_owned();
    let refuse = |because: String| {
        let asked = if asked.is_empty() { vec![json!("")] } else { asked.clone() };
        Ok(Err(Cause::invalid("spec.clusterIPs", &asked.into(), because)))
    };
    let (address, failed) = match &*given {
        "" => (taken.free_address()?, "failed to allocate IP".to_owned()),
        given => (given.to_owned(), format!("failed to allocate IP {given}")),
    };
    if let (false, Some(because)) = (given.is_empty(), taken.refusal(&address)) {
        return refuse(format!("{failed}: {because}"));
    }
    let metadata = &service["metadata"];
    if is_recorded && metadata["name"].is_null() && metadata["generateName"].is_null() {
        let record = format!("IPAddress.networking.k8s.io {address:?} is invalid");
        return refuse(format!("{failed}: {record}: spec.parentRef.name: Required value"));
    }
    service["spec"]["clusterIP"] = address.clone().into();
    service["spec"]["clusterIPs"] = json!([address]);
    Ok(Ok(()))
}

impl Taken {
    fn free_address(&self) -> Result<String> {
        let free = (FIRST_DYNAMIC..=LAST).map(in_network).find(|address| !self.addresses.contains(address));
        free.ok_or_else(|| {
            Status::internal("Internal error occurred: failed to allocate a serviceIP: range is full")
        })
    }

    /// Returns why an address cannot be allocated.
    fn refusal(&self, address: &str) -> Option<&'static str> {
        let octets = address.parse::<Ipv4Addr>().map(|address| address.octets());
        let is_inside = octets.is_ok_and(|octets| octets[..3] == NETWORK && (1..=LAST).contains(&octets[3]));
        if !is_inside {
            return Some("the provided network does not match the current range");
        }
        self.addresses.contains(address).then_some("provided IP is already allocated")
    }
}

fn in_network(last: u8) -> String {
    let [a, b, c] = NETWORK;
    Ipv4Addr::new(a, b, c, last).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Kinds;

    /// Fails if `allocate` does not look whom a reservation is for.
    #[test]
    fn two_writers_of_one_service_do_not_take_its_address_from_each_other() {
        let (store, reserved) = (&*Store::new(1024), &Reserved::default());
        let allocator = Allocator { store, reserved, dry_run: false };
        let kind = Kinds::built_in().get("", "v1", "services").expect("built in");
        let service = |name: &str| {
            json!({"metadata": {"name": name, "namespace": "default"},
                "spec": {"type": "NodePort", "clusterIP": "10.0.0.9", "ports": [{"port": 80, "nodePort": 30_001}]}})
        };
        let first = allocator.allocate(&kind, None, &mut service("web")).expect("both are free");
        let second = allocator.allocate(&kind, None, &mut service("web")).expect("they are its own");
        drop(first);
        assert!(
            allocator.allocate(&kind, None, &mut service("other")).is_err(),
            "the second still holds them"
        );
        drop(second);
        assert!(allocator.allocate(&kind, None, &mut service("other")).is_ok());
    }

    #[test]
    fn services_without_a_name_yet_get_addresses_of_their_own() {
        let (store, reserved) = (&*Store::new(1024), &Reserved::default());
        let allocator = Allocator { store, reserved, dry_run: false };
        let kind = Kinds::built_in().get("", "v1", "services").expect("built in");
        let mut all =
            [(); 2].map(|()| json!({"metadata": {"namespace": "default", "generateName": "a"}, "spec": {"type": "ClusterIP"}}));
        let _held =
            all.each_mut().map(|service| allocator.allocate(&kind, None, service).expect("some are free"));
        assert_ne!(all[0]["spec"]["clusterIP"], all[1]["spec"]["clusterIP"]);
    }
}
