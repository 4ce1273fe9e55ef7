//! The grammar of `--feature-gates`, against a naive model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trimtab_featuregate::{FeatureGates, Spec, Stage, Version};

const NAMES: [&str; 5] = ["A", "Bb", "C1", "AllAlpha", "AllBeta"];

fn gates() -> FeatureGates {
    let gate = |builder: trimtab_featuregate::FeatureGatesBuilder, name, stage| {
        builder.gate(name, "", [Spec::new(Version::ALWAYS, stage, false)])
    };
    let builder = FeatureGates::builder("test", Version::new(1, 35));
    let builder = gate(gate(gate(builder, "A", Stage::Alpha), "Bb", Stage::Beta), "C1", Stage::Ga);
    builder.build().expect("valid gates")
}

/// The meaning of the text between two commas: nothing, a setting, or an error.
#[derive(Debug, PartialEq)]
enum Meaning {
    Nothing,
    Setting(String, bool),
    Error,
}

/// Parses letter by letter: settings between commas, empty ones skipped, spaces trimmed, Go's spellings of a
/// bool.
fn meaning(piece: &str) -> Meaning {
    if piece.is_empty() {
        return Meaning::Nothing;
    }
    let letters: Vec<char> = piece.chars().collect();
    let Some(equals) = letters.iter().position(|letter| *letter == '=') else {
        return Meaning::Error;
    };
    let trimmed = |letters: &[char]| letters.iter().collect::<String>().trim().to_owned();
    let (name, value) = (trimmed(&letters[..equals]), trimmed(&letters[equals + 1..]));
    if ["1", "t", "T", "TRUE", "true", "True"].contains(&&*value) {
        Meaning::Setting(name, true)
    } else if ["0", "f", "F", "FALSE", "false", "False"].contains(&&*value) {
        Meaning::Setting(name, false)
    } else {
        Meaning::Error
    }
}

/// Returns the values that the settings give, or `None` if they are refused.
fn values(text: &str) -> Option<BTreeMap<&'static str, bool>> {
    let mut requested = BTreeMap::new();
    for piece in text.split(',') {
        match meaning(piece) {
            Meaning::Nothing => {}
            Meaning::Error => return None,
            Meaning::Setting(name, value) => {
                requested.insert(*NAMES.iter().find(|other| **other == name)?, value);
            }
        }
    }
    let follow = |name, all| requested.get(name).or(requested.get(all)).copied().unwrap_or(false);
    let itself = |name| requested.get(name).copied().unwrap_or(false);
    Some(BTreeMap::from([
        ("A", follow("A", "AllAlpha")),
        ("AllAlpha", itself("AllAlpha")),
        ("AllBeta", itself("AllBeta")),
        ("Bb", follow("Bb", "AllBeta")),
        ("C1", itself("C1")),
    ]))
}

/// Texts that are mostly valid settings, with every kind of mistake.
fn text() -> impl Strategy<Value = String> {
    let space = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\t"), 1 => Just("\u{a0}")];
    let name = prop_oneof![12 => prop::sample::select(&NAMES[..]), 1 => Just("Unknown"), 1 => Just("a"), 1 => Just("")];
    let equals = prop_oneof![16 => Just("="), 1 => Just(""), 1 => Just("==")];
    let value = prop_oneof![
        20 => prop::sample::select(&["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"][..]),
        1 => prop::sample::select(&["", "yes", "tRUE", "2", "null", "truefalse"][..]),
    ];
    let setting = (space.clone(), name, space.clone(), equals, space.clone(), value, space)
        .prop_map(|(a, name, b, equals, c, value, d)| [a, name, b, equals, c, value, d].concat());
    let piece = prop_oneof![12 => setting, 2 => Just(String::new()), 1 => "[ =a-z,]{0,6}"];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The printed text of a registry sets another registry to the same values.
    #[test]
    fn every_text_means_what_the_grammar_says(text in text()) {
        let gates = gates();
        let outcome = gates.set_from_flag(&text);
        let expected = values(&text);
        prop_assert_eq!(outcome.is_ok(), expected.is_some(), "{:?}: {:?}", text, outcome);
        let all_off = || NAMES.map(|name| (name, false)).into();
        let now = |gates: &FeatureGates| BTreeMap::from(NAMES.map(|name| (name, gates.is_enabled(name) == Some(true))));
        prop_assert_eq!(now(&gates), expected.unwrap_or_else(all_off));

        let other = gates.deep_copy_and_reset();
        other.set_from_flag(&gates.to_string()).expect("the printed text can be set");
        prop_assert_eq!(other.to_string(), gates.to_string());
        prop_assert_eq!(now(&other), now(&gates));
    }
}
