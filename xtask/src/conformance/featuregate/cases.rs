//! Random cases: gates with stages and dependencies, mostly valid, and steps, mostly acceptable.

use super::random::Random;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The version of every binary; no case emulates a newer one.
pub(super) const BINARY: u16 = 37;
const OLDEST: u16 = 25;
const NAMES: [&str; 8] = ["Alpha", "Beta", "BetaMore", "C", "Data1", "Data", "Echo", "Zulu"];
const STAGES: [&str; 4] = ["Alpha", "Beta", "Ga", "Deprecated"];

#[derive(Debug)]
pub(super) struct Case {
    pub(super) emulation: String,
    pub(super) min_compatibility: String,
    pub(super) gates: BTreeMap<&'static str, Vec<Spec>>,
    pub(super) needs: BTreeMap<&'static str, Vec<&'static str>>,
    pub(super) steps: Vec<Step>,
}

/// One stage of a gate; versions are minor versions of 1.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) version: u16,
    pub(super) min_compatibility: Option<u16>,
    pub(super) stage: &'static str,
    pub(super) default: bool,
    pub(super) locked: bool,
}

#[derive(Debug)]
pub(super) enum Step {
    Set(String),
    Map(BTreeMap<String, bool>),
    Emulate(String, String),
    Override(String, bool),
    OverrideAt(String, bool, String),
    Reset(String),
    Copy,
    CopyAndReset,
}

impl Case {
    pub(super) fn random(seed: u64, number: u32) -> Self {
        let random = &mut Random::new(seed, number);
        let mut gates: BTreeMap<&'static str, Vec<Spec>> = BTreeMap::new();
        for _ in 0..=random.below(7) {
            let name = random.pick(&NAMES);
            // Gates with the same stages can depend on each other; with different stages they hardly ever can.
            let others: Vec<&Vec<Spec>> = gates.values().collect();
            let twin = (!others.is_empty() && random.percent(50)).then(|| random.pick(&others).clone());
            gates.insert(name, twin.unwrap_or_else(|| life(random)));
        }
        let mut needs: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
        let names: Vec<&'static str> = gates.keys().copied().collect();
        for _ in 0..random.below(4) {
            let (gate, need) = (random.pick(&names), random.pick(&names));
            let alike = gates[gate].len() == gates[need].len()
                && format!("{:?}", gates[gate]) == format!("{:?}", gates[need]);
            if (gate < need && alike) || random.percent(8) {
                let need = if random.percent(3) { "Unknown" } else { need };
                needs.entry(gate).or_default().push(need);
            }
        }
        let (emulation, min_compatibility) = versions(random);
        let steps = (0..=random.below(7)).map(|_| step(random, &names)).collect();
        Self { emulation, min_compatibility, gates, needs, steps }
    }

    /// Returns the line for the peer.
    pub(super) fn json(&self) -> Value {
        let gates: Map<_, _> = self
            .gates
            .iter()
            .map(|(name, life)| ((*name).to_owned(), life.iter().map(Spec::json).collect()))
            .collect();
        let steps: Vec<_> = self.steps.iter().map(Step::json).collect();
        json!({
            "emulation": self.emulation,
            "min_compatibility": self.min_compatibility,
            "gates": gates,
            "needs": self.needs,
            "steps": steps,
        })
    }
}

impl Spec {
    fn json(&self) -> Value {
        json!({
            "version": minor(self.version),
            "min_compatibility": self.min_compatibility.map(minor).unwrap_or_default(),
            "stage": self.stage,
            "default": self.default,
            "locked": self.locked,
        })
    }
}

impl Step {
    pub(super) fn names_all_gates(&self) -> bool {
        match self {
            Self::Set(text) => text.contains("All"),
            Self::Map(map) => map.keys().any(|name| name.starts_with("All")),
            _ => false,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Set(text) => json!({"do": "set", "text": text}),
            Self::Map(map) => json!({"do": "map", "map": map}),
            Self::Emulate(emulation, min_compatibility) => {
                json!({"do": "emulate", "emulation": emulation, "min_compatibility": min_compatibility})
            }
            Self::Override(gate, value) => json!({"do": "override", "gate": gate, "value": value}),
            Self::OverrideAt(gate, value, version) => {
                json!({"do": "override_at", "gate": gate, "value": value, "emulation": version})
            }
            Self::Reset(gate) => json!({"do": "reset", "gate": gate}),
            Self::Copy => json!({"do": "copy"}),
            Self::CopyAndReset => json!({"do": "copy_and_reset"}),
        }
    }
}

pub(super) fn minor(minor: u16) -> String {
    format!("1.{minor}")
}

fn versions(random: &mut Random) -> (String, String) {
    let emulation = random.between(OLDEST, BINARY);
    let min_compatibility =
        if random.percent(60) { emulation - 1 } else { random.between(emulation - 3, emulation) };
    (minor(emulation), minor(min_compatibility))
}

/// Draws the stages of a gate; one in twenty is invalid.
fn life(random: &mut Random) -> Vec<Spec> {
    let mut stage = random.below(3);
    let mut version = if random.percent(15) { 0 } else { random.between(OLDEST - 2, BINARY - 2) };
    let mut life = vec![Spec {
        version,
        min_compatibility: None,
        stage: STAGES[stage],
        default: random.percent(if stage == 0 { 10 } else { 60 }),
        locked: random.percent(8),
    }];
    for _ in 0..random.below(4) {
        let last = life[life.len() - 1].clone();
        let raised = life.iter().any(|spec| spec.min_compatibility.is_some());
        if random.percent(20) && !raised && version > OLDEST {
            let min_compatibility = Some(version - u16::from(random.percent(30)));
            life.push(Spec { min_compatibility, default: !last.default, ..last });
            continue;
        }
        version = version.max(OLDEST - 1) + random.between(1, 3);
        stage = (stage + random.below(3)).min(3);
        let locked = last.locked || (stage >= 2 && random.percent(40));
        let mut next = Spec {
            version,
            min_compatibility: None,
            stage: STAGES[stage],
            default: random.percent(70),
            locked,
        };
        if next.stage == last.stage && next.locked == last.locked {
            next.default = !last.default;
        }
        life.push(next);
    }
    if random.percent(5) {
        spoil(&mut life, random);
    }
    life
}

fn spoil(life: &mut Vec<Spec>, random: &mut Random) {
    let at = random.below(life.len());
    match random.below(6) {
        0 => life.push(life[at].clone()),
        1 => life[at].version = random.between(OLDEST, BINARY),
        2 => life[at].stage = random.pick(&STAGES),
        3 => life[at].locked = !life[at].locked,
        4 => life[at].min_compatibility = Some(random.between(OLDEST, BINARY)),
        _ => life[at].default = !life[at].default,
    }
}

fn step(random: &mut Random, names: &[&'static str]) -> Step {
    match random.below(20) {
        0..10 => Step::Set(text(random, names)),
        10..12 => {
            let pairs = (0..=random.below(3)).map(|_| (name(random, names), random.percent(50)));
            Step::Map(pairs.collect())
        }
        12..15 => {
            let (emulation, min_compatibility) = versions(random);
            Step::Emulate(emulation, min_compatibility)
        }
        15 | 16 => Step::Override(name(random, names), random.percent(50)),
        17 => Step::OverrideAt(name(random, names), random.percent(50), versions(random).0),
        18 => Step::Reset(name(random, names)),
        _ if random.percent(60) => Step::Copy,
        _ => Step::CopyAndReset,
    }
}

fn name(random: &mut Random, names: &[&'static str]) -> String {
    match random.below(100) {
        0..3 => "Unknown".to_owned(),
        3..10 => "AllAlpha".to_owned(),
        10..17 => "AllBeta".to_owned(),
        _ => random.pick(names).to_owned(),
    }
}

fn text(random: &mut Random, names: &[&'static str]) -> String {
    let pieces: Vec<_> = (0..random.below(5)).map(|_| piece(random, names)).collect();
    pieces.join(",")
}

fn piece(random: &mut Random, names: &[&'static str]) -> String {
    if random.percent(4) {
        return random.pick(&["", " ", "=", "Alpha", "=true", "Beta=", "C==true", "a=b=c"]).to_owned();
    }
    let space = random.pick(&["", "", "", " ", "\t", "\u{a0}", " \n "]);
    let value = if random.percent(3) {
        random.pick(&["yes", "tRUE", "2", "on", "true false"])
    } else {
        random.pick(&["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
    };
    format!("{space}{}{space}={space}{value}{space}", name(random, names))
}
