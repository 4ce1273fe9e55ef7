//! `IPAddress`es.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{object, status::Cause},
    registry::{Column, Kind, Strategy, cells, column, strategy::NameRule},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "IPAddress", "ipaddresses")
        .short("ip")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { name: NameRule::Own, validate, ..Strategy::PLAIN };

fn validate(address: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(address);
    if name.parse::<std::net::IpAddr>().is_err() {
        let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        causes.push(Cause::invalid("metadata.name", &json!(name), because));
    }
    if address["spec"].get("parentRef").is_none() {
        causes.push(Cause::required("spec.parentRef", ""));
    }
}

fn columns() -> Vec<Column> {
    vec![column::name(), column::computed("ParentRef", parent_ref)]
}

/// The owner of an address, as `services/default/kubernetes`.
fn parent_ref(address: &Value, _: Timestamp) -> Value {
    let Some(parent) = address.pointer("/spec/parentRef") else { return cells::NONE.into() };
    let (group, resource) = (cells::text(parent, "/group"), cells::text(parent, "/resource"));
    let dot = if group.is_empty() { "" } else { "." };
    let what = format!("{resource}{dot}{group}").to_lowercase();
    let names = [cells::text(parent, "/namespace"), cells::text(parent, "/name")];
    let names = names.into_iter().filter(|name| !name.is_empty());
    [what.as_str()].into_iter().chain(names).collect::<Vec<_>>().join("/").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_address_names_its_service() {
        let address = json!({"spec": {"parentRef":
            {"group": "", "resource": "services", "namespace": "default", "name": "kubernetes"}}});
        assert_eq!(parent_ref(&address, NOW), "services/default/kubernetes");
        assert_eq!(parent_ref(&json!({}), NOW), cells::NONE);
    }
}
