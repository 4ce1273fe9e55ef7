//! The scenarios of each part. The informer, the election and the controller have several; the programs of other parts know
//! only one.

use super::subject::Subject;

/// The work of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scenario {
    /// The value of `--scenario`; `None` if the part has only one scenario.
    pub(super) name: Option<&'static str>,
    pub(super) objects: u32,
    pub(super) events: u32,
    /// The rate of the events a second; 0 if the scenario has no fixed one.
    pub(super) rate: u32,
    /// Our forms of objects that run it.
    forms: &'static [&'static str],
    /// The peers that run it.
    peers: &'static [&'static str],
    pub(super) source: Source,
}

/// The source of a scenario's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The program itself.
    None,
    Load,
    /// Two loads; the second has this many objects and is the baseline.
    Loads(u32),
    /// A load that sends changes at a rate that every subject sustains.
    PacedLoad,
    /// A kube-apiserver.
    Kubernetes,
    /// An API server in a process of our own benchmark, with this many objects.
    OwnServer(u32),
    /// The same without objects. Our benchmark measures the website operators on it, ours and the peers'.
    Operators,
}

const ALL_FORMS: &[&str] = &["whole", "packed", "view"];
const VIEW: &[&str] = &["view"];
const SYNCED: &[&str] = &["kube-runtime", "kube-runtime-view", "client-go", "client-go-slim"];
/// The duration for which `latency` sends changes.
pub(super) const LATENCY_SECONDS: u32 = 10;

/// Lists the scenarios of a part.
pub(super) fn scenarios(part: &str, quick: bool) -> Vec<Scenario> {
    let one =
        Scenario { name: None, objects: 0, events: 0, rate: 0, forms: &[], peers: &[], source: Source::None };
    if part == "leaderelection" {
        let election = Scenario { peers: &["client-go"], ..one };
        return vec![
            Scenario { name: Some("token"), peers: &[], ..one },
            Scenario { name: Some("failover"), objects: 20, source: Source::OwnServer(0), ..election },
            Scenario { name: Some("thousand"), objects: 1000, source: Source::OwnServer(1000), ..election },
        ];
    }
    if part == "controller" {
        return controller(one, quick);
    }
    if part != "informer" {
        return vec![one];
    }
    let (objects, events) = if quick { (10_000, 10_000) } else { (50_000, 100_000) };
    let load = Scenario { objects, source: Source::Load, forms: VIEW, peers: SYNCED, ..one };
    let mut scenarios = vec![
        Scenario {
            name: Some("sync"),
            events,
            forms: ALL_FORMS,
            peers: &["kube-runtime", "kube-runtime-view", "client-go", "client-go-slim", "limit"],
            ..load
        },
        Scenario { name: Some("list"), ..load },
        Scenario { name: Some("relist"), forms: ALL_FORMS, ..load },
        // After `sync`, which measures the rate of the slowest subject.
        Scenario { name: Some("latency"), objects: 10_000, source: Source::PacedLoad, ..load },
        Scenario {
            name: Some("real"),
            objects: 10_000,
            peers: &["client-go-proto-slim"],
            source: Source::Kubernetes,
            ..load
        },
    ];
    if !quick {
        let source = Source::Loads(10_000);
        scenarios.push(Scenario { name: Some("million"), objects: 1_000_000, peers: &[], source, ..load });
    }
    scenarios
}

fn controller(one: Scenario, quick: bool) -> Vec<Scenario> {
    let served = |name, objects| Scenario {
        name: Some(name),
        objects,
        peers: &["kube-runtime", "controller-runtime"],
        source: Source::OwnServer(objects),
        ..one
    };
    let changed = |scenario, seconds: u32, rate| Scenario {
        events: rate * if quick { seconds / 3 } else { seconds },
        rate,
        ..scenario
    };
    vec![
        changed(served("latency", 1), 30, 50),
        changed(served("loaded", 10_000), 15, 5_000),
        served("throughput", 100_000),
        changed(served("isolation", 100), 15, 100),
        served("many", 1_000),
        Scenario { source: Source::Operators, ..served("idle", 0) },
    ]
}

impl Scenario {
    /// Returns whether the subject runs it.
    pub(super) fn includes(&self, subject: &Subject) -> bool {
        match (self.name, subject.is_ours()) {
            (None, _) => true,
            (_, true) => subject.form.is_none_or(|form| self.forms.contains(&form)),
            (_, false) => self.peers.contains(&subject.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &'static str, form: Option<&'static str>) -> Subject {
        Subject { name, program: "/t/x".into(), arguments: Vec::new(), form, beside: &[] }
    }

    fn included<'a>(scenario: &Scenario, subjects: &'a [Subject]) -> Vec<(&'a str, Option<&'a str>)> {
        let included = subjects.iter().filter(|subject| scenario.includes(subject));
        included.map(|subject| (subject.name, subject.form)).collect()
    }

    #[test]
    fn every_form_runs_sync_and_relist_and_only_views_run_the_others() {
        let ours = ["whole", "packed", "view"].map(|form| subject("trimtab", Some(form)));
        for scenario in scenarios("informer", false) {
            let expected = if matches!(scenario.name, Some("sync" | "relist")) { 3 } else { 1 };
            assert_eq!(included(&scenario, &ours).len(), expected, "{scenario:?}");
        }
    }

    #[test]
    fn a_peer_runs_only_its_scenarios() {
        let peers = [subject("limit", Some("bytes")), subject("client-go-proto-slim", None)];
        let peers_of = |name| {
            let scenario = scenarios("informer", true).into_iter().find(|one| one.name == Some(name));
            let included = included(&scenario.expect("the scenario exists"), &peers);
            included.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(peers_of("sync"), ["limit"]);
        assert_eq!(peers_of("real"), ["client-go-proto-slim"]);
        assert_eq!(peers_of("relist"), [""; 0]);
    }

    #[test]
    fn the_peer_of_the_election_runs_all_but_the_token() {
        let subjects = [subject("trimtab", None), subject("client-go", None)];
        let run = scenarios("leaderelection", true)
            .iter()
            .map(|one| included(one, &subjects).len())
            .collect::<Vec<_>>();
        assert_eq!(run, [1, 2, 2]);
    }

    #[test]
    fn every_subject_of_the_controller_runs_every_scenario() {
        let subjects = ["trimtab", "kube-runtime", "controller-runtime"].map(|name| subject(name, None));
        for scenario in scenarios("controller", true) {
            assert_eq!(included(&scenario, &subjects).len(), 3, "{scenario:?}");
            assert_eq!(scenario.events > 0, scenario.rate > 0, "{scenario:?}");
        }
    }

    #[test]
    fn the_one_scenario_of_other_parts_includes_every_subject() {
        let [scenario] = scenarios("workqueue", false)[..] else { panic!("one scenario") };
        assert!(
            scenario.includes(&subject("client-go", None)) && scenario.includes(&subject("trimtab", None))
        );
    }
}
