//! The ten families of requests, in equal shares.

mod apply;
mod create;
pub(crate) mod custom;
mod delete;
mod json_patch;
mod merge;
pub(crate) mod read;
mod scalars;
mod update;
mod yaml;

use super::dice::Dice;
use super::probe::{Ask, Probe};

/// A family: its name, what its requests are, and how one is drawn.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) requests: &'static str,
    draw: fn(&mut Dice, &str) -> (Vec<Ask>, Ask),
}

/// All families.
pub(crate) const FAMILIES: [Family; 10] = [
    Family { name: "create", requests: "creations of built-in kinds from JSON", draw: create::draw },
    Family { name: "yaml", requests: "bodies in YAML 1.1, in many styles", draw: yaml::draw },
    Family {
        name: "json-patch",
        requests: "JSON patches, with broken paths and operations",
        draw: json_patch::draw,
    },
    Family { name: "merge", requests: "merge patches and strategic merge patches", draw: merge::draw },
    Family { name: "apply", requests: "server-side apply, with conflicts", draw: apply::draw },
    Family { name: "update", requests: "updates, and updates of subresources", draw: update::draw },
    Family {
        name: "custom",
        requests: "definitions, and objects of generated definitions",
        draw: custom::draw,
    },
    Family { name: "read", requests: "gets, lists and Tables: selectors, options, forms", draw: read::draw },
    Family { name: "delete", requests: "deletions, and the options of writes", draw: delete::draw },
    Family {
        name: "scalars",
        requests: "names, labels, quantities, times, numbers, base64",
        draw: scalars::draw,
    },
];

impl Family {
    /// Draws the request of that number of a seed.
    pub(crate) fn probe(&self, seed: u64, number: usize) -> Probe {
        let name = Probe::name(seed, number);
        let mut dice = Dice::new(seed << 32 | number as u64);
        let (given, ask) = (self.draw)(&mut dice, &name);
        Probe { family: self.name.to_owned(), name, given, ask }
    }
}

/// The requests of a seed: families take turns.
pub(crate) fn stream(seed: u64, count: usize) -> impl Iterator<Item = Probe> {
    (0..count).map(move |number| FAMILIES[number % FAMILIES.len()].probe(seed, number))
}

/// Adds query parameters to a path.
fn with_query(path: String, parameters: &[&str]) -> String {
    let parameters: Vec<_> = parameters.iter().copied().filter(|text| !text.is_empty()).collect();
    if parameters.is_empty() { path } else { format!("{path}?{}", parameters.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_equal_shares_and_a_seed_repeats_its_requests() {
        let probes: Vec<_> = stream(1, 1000).collect();
        for family in &FAMILIES {
            assert_eq!(probes.iter().filter(|probe| probe.family == family.name).count(), 100);
        }
        assert_eq!(probes, stream(1, 1000).collect::<Vec<_>>());
        assert_ne!(probes[0].ask.body, stream(2, 1).next().expect("one").ask.body);
    }

    /// Whether a creation is refused for want of a name.
    fn names_nothing(ask: &Ask) -> bool {
        let body: serde_json::Value = serde_json::from_str(&ask.body).unwrap_or_default();
        let metadata = &body["metadata"];
        let is_unset = |field: &str| metadata[field].as_str().is_none_or(str::is_empty);
        ask.method == "POST" && is_unset("name") && is_unset("generateName")
    }

    #[test]
    fn requests_are_about_objects_of_their_own() {
        for probe in stream(3, 1000).filter(|probe| probe.family != "read") {
            let ask = &probe.ask;
            assert!(
                ask.path.contains(&probe.name)
                    || ask.body.to_ascii_lowercase().contains(&probe.name)
                    || ask.path.contains("dryRun=All")
                    || ask.body.is_empty()
                    || names_nothing(ask)
                    || probe.family == "yaml",
                "{ask}"
            );
        }
    }
}
