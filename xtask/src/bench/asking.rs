//! A question as it is put to one contender after the other: what serves it, and what the programs are told.

use super::Options;
use super::contender::{Contender, Line};
use super::load::{Load, Serving};
use super::question::{LATENCY_SECONDS, Question, Source};
use super::real::Pods;
use super::results::Results;
use crate::failure::Failure;
use crate::workspace::Workspace;
use std::fmt::Display;

#[derive(Debug)]
pub(super) struct Asking {
    question: Question,
    served: Served,
    quick: bool,
}

/// What a run reads its objects from.
#[derive(Debug)]
enum Served {
    Nothing,
    Load(Load),
    /// A load of changes, so many a second.
    Paced(Load, u32),
    Kubernetes(Pods),
}

impl Asking {
    /// Makes ready what all contenders need; `results` are those of the questions before.
    pub(super) fn begin(
        workspace: &Workspace,
        question: Question,
        options: &Options,
        results: &Results,
    ) -> Result<Self, Failure> {
        let served = match question.source {
            Source::Nothing => Served::Nothing,
            Source::Load | Source::Loads(_) => Served::Load(Load::build(workspace)?),
            Source::PacedLoad => Served::Paced(Load::build(workspace)?, paced(results)?),
            Source::Kubernetes => {
                let kubeconfig = options
                    .kubeconfig
                    .as_deref()
                    .ok_or_else(|| Failure::new("it needs a kube-apiserver: --kubeconfig FILE names one"))?;
                Served::Kubernetes(Pods::make(workspace, kubeconfig, question.objects)?)
            }
        };
        Ok(Self { question, served, quick: options.quick })
    }

    /// Runs a contender once, on a fresh load if there is one.
    pub(super) fn ask(&self, contender: &Contender) -> Result<Vec<Line>, Failure> {
        let Question { name, objects, events, source, .. } = self.question;
        let mut told = Told::default();
        let mut serving: Vec<Serving> = Vec::new();
        if let Some(name) = name {
            told.say("question", &name);
            told.say("objects", &objects);
        }
        match &self.served {
            Served::Nothing if self.quick => told.0.push("--quick".to_owned()),
            Served::Nothing => {}
            Served::Load(load) => {
                serving.push(load.serve(objects)?);
                told.say("events", &events);
                if let Source::Loads(few) = source {
                    let load = load.serve(few)?;
                    told.say("few-url", &load.url());
                    told.say("few", &few);
                    serving.push(load);
                }
            }
            Served::Paced(load, rate) => {
                serving.push(load.serve(objects)?);
                told.say("events", &(rate * LATENCY_SECONDS));
                told.say("rate", rate);
            }
            Served::Kubernetes(pods) => {
                told.say("kubeconfig", &pods.kubeconfig().display());
                told.say("namespace", &pods.namespace());
            }
        }
        if let Some(serving) = serving.first() {
            told.say("url", &serving.url());
        }
        contender.run(&told.0)
    }
}

/// Four fifths of what the slowest kept up with.
fn paced(results: &Results) -> Result<u32, Failure> {
    match results.least("informer/follow-rate/").map(|rate| rate * 0.8) {
        Some(rate) if rate >= 1.0 => Ok(rate as u32),
        _ => Err(Failure::new("it needs the rates that the question `sync` measures")),
    }
}

/// Options on a command line.
#[derive(Debug, Default)]
struct Told(Vec<String>);

impl Told {
    fn say(&mut self, name: &str, value: &dyn Display) {
        self.0.extend([format!("--{name}"), value.to_string()]);
    }
}
