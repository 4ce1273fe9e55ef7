//! `EndpointSlice`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::status::Cause,
    registry::{
        Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
    },
};

/// The most entries that a cell shows.
const SHOWN: usize = 3;

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |slice| set_slice_defaults(defaults::whole(slice)),
    counts_generations: true,
    validate,
    ..Strategy::PLAIN
};

fn set_slice_defaults(slice: &mut Fields) {
    defaults::ports(slice);
    defaults::items(slice, "ports").for_each(|port| defaults::fill(port, [("name", json!(""))]));
    defaults::items(slice, "endpoints")
        .for_each(|endpoint| defaults::fill(endpoint, [("conditions", json!({}))]));
}

fn validate(slice: &Value, causes: &mut Vec<Cause>) {
    match validation::text(slice, "addressType") {
        "" => causes.push(Cause::required("addressType", "")),
        _ => validation::one_of(&slice["addressType"], || "addressType", &["FQDN", "IPv4", "IPv6"], causes),
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("AddressType", "/addressType"),
        column::computed("Ports", slice_ports),
        column::computed("Endpoints", slice_endpoints),
    ])
}

/// Returns the first three entries and the number of the others; `<unset>` if there are none.
fn first(all: &[String]) -> Value {
    match all.len() {
        0 => "<unset>".into(),
        1..=SHOWN => all.join(",").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(","), more - SHOWN).into(),
    }
}

fn slice_ports(slice: &Value, _: Timestamp) -> Value {
    let port = |port: &Value| match (port["port"].as_i64(), port["name"].as_str()) {
        (Some(number), _) => number.to_string(),
        (None, Some(name)) => name.to_owned(),
        (None, None) => "*".to_owned(),
    };
    first(&cells::array(slice, "/ports").iter().map(port).collect::<Vec<_>>())
}

fn slice_endpoints(slice: &Value, _: Timestamp) -> Value {
    let addresses =
        cells::array(slice, "/endpoints").iter().flat_map(|endpoint| cells::array(endpoint, "/addresses"));
    first(&addresses.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn what_a_slice_points_to_is_counted_beyond_three() {
        let slice = json!({
            "ports": [{"port": 80}, {"name": "web"}, {}],
            "endpoints": [{"addresses": ["a", "b"]}, {"addresses": ["c", "d", "e"]}],
        });
        assert_eq!(slice_ports(&slice, NOW), "80,web,*");
        assert_eq!(slice_endpoints(&slice, NOW), "a,b,c + 2 more...");
        assert_eq!(slice_endpoints(&json!({}), NOW), "<unset>");
    }
}
