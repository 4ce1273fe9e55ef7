//! One scenario, prepared for all subjects: the server of its objects, and the arguments of the programs.

use super::load::{Load, RunningLoad};
use super::operator::{self, Operators};
use super::real::Pods;
use super::results::Results;
use super::scenario::{LATENCY_SECONDS, Scenario, Source};
use super::subject::{Measurement, Subject};
use crate::failure::Failure;
use crate::workspace::Workspace;
use std::fmt::Display;
use std::path::Path;

#[derive(Debug)]
pub(super) struct Run {
    scenario: Scenario,
    server: Server,
    quick: bool,
}

/// The server that a subject reads its objects from.
#[derive(Debug)]
enum Server {
    None,
    Load(Load),
    /// A load that sends this many changes a second.
    Paced(Load, u32),
    Kubernetes(Pods),
    /// Our own benchmark's server, with so many objects.
    Own(Load, u32),
    /// Our own benchmark's server, for the programs that our own benchmark measures.
    Operators(Load, Operators),
}

impl Run {
    /// Prepares a scenario for subjects; `results` are those of the scenarios before.
    pub(super) fn prepare(
        workspace: &Workspace,
        scenario: Scenario,
        kubeconfig: Option<&Path>,
        quick: bool,
        (subjects, results): (&[Subject], &Results),
    ) -> Result<Self, Failure> {
        let of_bench = || -> Result<(&Path, Load), Failure> {
            let ours = subjects.iter().find(|subject| subject.is_ours());
            let ours = ours.ok_or_else(|| Failure::new("our benchmark, which serves, was not built"))?;
            Ok((&ours.program, Load::of_bench(&ours.program, scenario.name.unwrap_or_default())))
        };
        let server = match scenario.source {
            Source::None => Server::None,
            Source::OwnServer(objects) => Server::Own(of_bench()?.1, objects),
            Source::Operators => {
                let (driver, load) = of_bench()?;
                let load = load.with_manifest(&workspace.root.join(operator::DEFINITION));
                Server::Operators(load, Operators::build(workspace, driver, subjects))
            }
            Source::Load | Source::Loads(_) => Server::Load(Load::build(workspace)?),
            Source::PacedLoad => Server::Paced(Load::build(workspace)?, sustained_rate(results)?),
            Source::Kubernetes => {
                let kubeconfig = kubeconfig
                    .ok_or_else(|| Failure::new("it needs a kube-apiserver: pass --kubeconfig FILE"))?;
                Server::Kubernetes(Pods::create(workspace, kubeconfig, scenario.objects)?)
            }
        };
        Ok(Self { scenario, server, quick })
    }

    /// Runs a subject once, with a load of its own if the scenario has one.
    pub(super) fn measure(&self, subject: &Subject) -> Result<Vec<Measurement>, Failure> {
        let Scenario { name, objects, events, rate, source, .. } = self.scenario;
        let mut program = &*subject.program;
        let mut arguments = Arguments::default();
        let mut loads: Vec<RunningLoad> = Vec::new();
        if let Some(name) = name {
            arguments.add("scenario", &name);
            arguments.add("objects", &objects);
        }
        if self.quick && matches!(self.server, Server::None | Server::Own(..) | Server::Operators(..)) {
            arguments.0.push("--quick".to_owned());
        }
        match &self.server {
            Server::None => {}
            Server::Own(server, objects) => {
                loads.push(server.start(*objects)?);
                if rate > 0 {
                    arguments.add("events", &events);
                    arguments.add("rate", &rate);
                }
            }
            Server::Operators(server, operators) => {
                program = operators.driver();
                arguments.add("operator", &operators.program(subject)?.display());
                loads.push(server.start(objects)?);
            }
            Server::Load(load) => {
                loads.push(load.start(objects)?);
                arguments.add("events", &events);
                if let Source::Loads(few) = source {
                    let load = load.start(few)?;
                    arguments.add("few-url", &load.url());
                    arguments.add("few", &few);
                    loads.push(load);
                }
            }
            Server::Paced(load, rate) => {
                loads.push(load.start(objects)?);
                arguments.add("events", &(rate * LATENCY_SECONDS));
                arguments.add("rate", rate);
            }
            Server::Kubernetes(pods) => {
                arguments.add("kubeconfig", &pods.kubeconfig().display());
                arguments.add("namespace", &pods.namespace());
            }
        }
        if let Some(load) = loads.first() {
            arguments.add("url", &load.url());
        }
        subject.run(program, &arguments.0)
    }
}

/// Four fifths of the lowest rate of changes that any subject sustained.
fn sustained_rate(results: &Results) -> Result<u32, Failure> {
    match results.minimum("informer/follow-rate/").map(|rate| rate * 0.8) {
        Some(rate) if rate >= 1.0 => Ok(rate as u32),
        _ => Err(Failure::new("it needs the rates that the scenario `sync` measures")),
    }
}

/// Options on a command line.
#[derive(Debug, Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn add(&mut self, name: &str, value: &dyn Display) {
        self.0.extend([format!("--{name}"), value.to_string()]);
    }
}
