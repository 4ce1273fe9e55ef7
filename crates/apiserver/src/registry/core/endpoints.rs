//! Endpoints.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::status::Cause,
    registry::{Column, Kind, Strategy, cells, column, defaults, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Endpoints", "endpoints")
        .short("ep")
        .singular("endpoints")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |endpoints| {
        defaults::items(defaults::whole(endpoints), "subsets").for_each(defaults::ports);
    },
    creates_on_update: true,
    validate,
    deprecation: Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ..Strategy::PLAIN
};

fn validate(endpoints: &Value, causes: &mut Vec<Cause>) {
    for (position, subset) in validation::items(endpoints, "subsets").iter().enumerate() {
        if validation::items(subset, "addresses").is_empty()
            && validation::items(subset, "notReadyAddresses").is_empty()
        {
            let because = "must specify `addresses` or `notReadyAddresses`";
            causes.push(Cause::required(format!("subsets[{position}]"), because));
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("Endpoints", addresses)])
}

/// Returns the first three addresses and the number of the others.
fn addresses(endpoints: &Value, _: Timestamp) -> Value {
    const SHOWN: usize = 3;
    let all: Vec<String> = cells::array(endpoints, "/subsets")
        .iter()
        .flat_map(|subset| {
            let ports = cells::array(subset, "/ports");
            cells::array(subset, "/addresses").iter().flat_map(move |address| {
                let ip = cells::text(address, "/ip");
                let bare = ports.is_empty().then(|| ip.to_owned());
                bare.into_iter()
                    .chain(ports.iter().map(move |port| format!("{ip}:{}", cells::number(port, "/port"))))
            })
        })
        .collect();
    match all.len() {
        0 => cells::NONE.into(),
        1..=SHOWN => all.join(",").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(","), more - SHOWN).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn endpoints_beyond_three_are_counted() {
        let subset = json!({"subsets": [{"ports": [{"port": 80}], "addresses":
            [{"ip": "a"}, {"ip": "b"}, {"ip": "c"}, {"ip": "d"}]}]});
        assert_eq!(addresses(&subset, NOW), "a:80,b:80,c:80 + 1 more...");
        assert_eq!(addresses(&json!({}), NOW), cells::NONE);
    }
}
