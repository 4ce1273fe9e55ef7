//! What programs are asked: each run answers one question, and most parts have a single one.

use super::contender::Contender;

/// One run's work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    /// As `--question` names it; `None` where a part's programs know but one.
    pub(super) name: Option<&'static str>,
    pub(super) objects: u32,
    pub(super) events: u32,
    /// The forms of ours that answer it.
    forms: &'static [&'static str],
    /// The peers that do.
    peers: &'static [&'static str],
    pub(super) source: Source,
}

/// Where the objects of a question come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// From nowhere: the program makes its own.
    Nothing,
    Load,
    /// From two loads: one with so many, to compare with.
    Loads(u32),
    /// From a load that sends changes at a rate that every contender keeps up with.
    PacedLoad,
    /// From a kube-apiserver.
    Kubernetes,
}

const ALL_FORMS: &[&str] = &["whole", "packed", "view"];
const VIEW: &[&str] = &["view"];
const SYNCED: &[&str] = &["kube-runtime", "kube-runtime-view", "client-go", "client-go-slim"];
/// So long the changes of `latency` are sent.
pub(super) const LATENCY_SECONDS: u32 = 10;

/// The questions of a part.
pub(super) fn questions(part: &str, quick: bool) -> Vec<Question> {
    let one = Question { name: None, objects: 0, events: 0, forms: &[], peers: &[], source: Source::Nothing };
    if part != "informer" {
        return vec![one];
    }
    let (objects, events) = if quick { (10_000, 10_000) } else { (50_000, 100_000) };
    let load = Question { objects, source: Source::Load, forms: VIEW, peers: SYNCED, ..one };
    let mut questions = vec![
        Question {
            name: Some("sync"),
            events,
            forms: ALL_FORMS,
            peers: &["kube-runtime", "kube-runtime-view", "client-go", "client-go-slim", "limit"],
            ..load
        },
        Question { name: Some("list"), ..load },
        Question { name: Some("relist"), forms: ALL_FORMS, ..load },
        // Behind `sync`, which finds out how fast the slowest is.
        Question { name: Some("latency"), objects: 10_000, source: Source::PacedLoad, ..load },
        Question {
            name: Some("real"),
            objects: 10_000,
            peers: &["client-go-proto-slim"],
            source: Source::Kubernetes,
            ..load
        },
    ];
    if !quick {
        let source = Source::Loads(10_000);
        questions.push(Question { name: Some("million"), objects: 1_000_000, peers: &[], source, ..load });
    }
    questions
}

impl Question {
    /// Whether the contender answers it.
    pub(super) fn is_for(&self, contender: &Contender) -> bool {
        match (self.name, contender.is_ours()) {
            (None, _) => true,
            (_, true) => contender.form.is_some_and(|form| self.forms.contains(&form)),
            (_, false) => self.peers.contains(&contender.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(name: &'static str, form: Option<&'static str>) -> Contender {
        Contender { name, program: "/t/x".into(), arguments: Vec::new(), form, beside: &[] }
    }

    fn who<'a>(question: &Question, contenders: &'a [Contender]) -> Vec<(&'a str, Option<&'a str>)> {
        let asked = contenders.iter().filter(|contender| question.is_for(contender));
        asked.map(|contender| (contender.name, contender.form)).collect()
    }

    #[test]
    fn every_form_syncs_and_lists_again_and_views_alone_are_asked_the_rest() {
        let ours = ["whole", "packed", "view"].map(|form| contender("trimtab", Some(form)));
        for question in questions("informer", false) {
            let expected = if matches!(question.name, Some("sync" | "relist")) { 3 } else { 1 };
            assert_eq!(who(&question, &ours).len(), expected, "{question:?}");
        }
    }

    #[test]
    fn a_peer_is_asked_what_it_answers() {
        let peers = [contender("limit", Some("bytes")), contender("client-go-proto-slim", None)];
        let asked = |name| {
            let question = questions("informer", true).into_iter().find(|one| one.name == Some(name));
            who(&question.expect("a question"), &peers).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(asked("sync"), ["limit"]);
        assert_eq!(asked("real"), ["client-go-proto-slim"]);
        assert_eq!(asked("relist"), [""; 0]);
    }

    #[test]
    fn other_parts_are_asked_once_whoever_they_are() {
        let [question] = questions("workqueue", false)[..] else { panic!("one question") };
        assert!(
            question.is_for(&contender("client-go", None)) && question.is_for(&contender("trimtab", None))
        );
    }
}
