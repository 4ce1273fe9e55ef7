//! Every kubectl that there is, through the same session.

use super::cluster::Cluster;
use super::script::{For, STEPS, Step};
use super::{Programs, Session, Verdict, shell};
use crate::servers::Failure;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use trimtab_apiserver::ApiServer;

/// The controllers of which kubectl's commands show the work; the server has the others itself.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller";

/// A kubectl and how it is called.
#[derive(Debug)]
struct Kubectl {
    program: PathBuf,
    /// `kubectl` for the program that holds others, too.
    prefix: Option<&'static str>,
    version: String,
    minor: u32,
}

/// A session for each kubectl.
pub(super) async fn run(programs: &Programs) -> Result<Vec<Session>, Failure> {
    let mut found: Vec<Kubectl> = Vec::new();
    let built = programs.kube.iter().map(|program| (program, Some("kubectl")));
    for (program, prefix) in programs.kubectl.iter().map(|program| (program, None)).chain(built) {
        match Kubectl::ask(program, prefix).await {
            Ok(kubectl) if found.iter().all(|other| other.version != kubectl.version) => found.push(kubectl),
            Ok(_) => {} // one version once
            Err(failure) => println!("{} is left out: {failure}", program.display()),
        }
    }
    if found.is_empty() {
        println!(
            "kubectl is left out: there is none on the PATH, and building one needs Go (https://go.dev/dl)"
        );
        return Ok(Vec::new());
    }
    found.sort_by_key(|kubectl| kubectl.minor);
    let mut cluster = Cluster::start(ApiServer::builder().root_certificates(true), "kubectl").await?;
    if let Some(kube) = &programs.kube {
        cluster.start_controllers(kube, CONTROLLERS)?;
    }
    let mut sessions = Vec::new();
    for kubectl in &found {
        sessions.push(kubectl.session(&cluster, programs.kube.is_some()).await?);
    }
    Ok(sessions)
}

impl Kubectl {
    /// Finds out which version a program is.
    async fn ask(program: &Path, prefix: Option<&'static str>) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(prefix).args(["version", "--client", "-o", "json"]).env("KUBECONFIG", "/dev/null");
        let ran = shell::run(command, String::new()).await?;
        let answer: Value = serde_json::from_str(&ran.text).unwrap_or_default();
        let version = answer["clientVersion"]["gitVersion"].as_str().unwrap_or_default().to_owned();
        let minor = answer["clientVersion"]["minor"].as_str().unwrap_or_default();
        let minor = minor.trim_end_matches('+').parse().map_err(|_| "it does not tell its version")?;
        Ok(Self { program: program.to_owned(), prefix, version, minor })
    }

    /// All steps in a namespace of its own.
    async fn session(&self, cluster: &Cluster, controllers: bool) -> Result<Session, Failure> {
        let namespace = format!("kubectl-{}", self.minor);
        let home = cluster.path().join(&namespace);
        std::fs::create_dir_all(&home)?;
        let mut steps = Vec::new();
        for step in STEPS {
            let skipped = match step.only {
                For::Controllers if !controllers => Some("needs controllers"),
                _ => None,
            };
            let verdict = match skipped {
                Some(reason) => Verdict::Skipped(reason),
                None => self.step(step, cluster, &namespace).await?,
            };
            steps.push((step.name.to_owned(), verdict));
            if step.name == "edited" {
                steps.push(("get -w".to_owned(), self.follow(cluster, &namespace).await?));
            }
        }
        Ok(Session { client: format!("kubectl {}", self.version), steps })
    }

    async fn step(&self, step: &Step, cluster: &Cluster, namespace: &str) -> Result<Verdict, Failure> {
        let here = |text: &str| text.replace("NAMESPACE", namespace);
        let mut command = self.command(cluster, namespace);
        // A column's title is in capitals, too.
        let titled = step.name == "get --sort-by";
        command.args(step.arguments.split(' ').map(here));
        let ran = shell::run(command, here(step.input)).await?;
        let missing = step.says.iter().find(|part| {
            let part = if titled { (**part).to_owned() } else { here(part) };
            !ran.text.contains(&part)
        });
        if ran.code == step.code && missing.is_none() {
            return Ok(Verdict::Passed);
        }
        println!("FAILED kubectl {}, {}: kubectl {}", self.version, step.name, here(step.arguments));
        println!(
            "    expected {} and {:?}, found {} and {}",
            step.code,
            step.says,
            ran.code,
            ran.text.trim_end()
        );
        Ok(Verdict::Failed)
    }

    /// `get -w` shows a change as a further line.
    async fn follow(&self, cluster: &Cluster, namespace: &str) -> Result<Verdict, Failure> {
        let mut watch = self.command(cluster, namespace);
        watch.args(["get", "configmap", "settings", "-w", "-o", "jsonpath={.metadata.labels}{\"\\n\"}"]);
        let mut change = self.command(cluster, namespace);
        change.args(["label", "configmap", "settings", "watched=yes"]);
        let mut child = watch.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
        let reading = tokio::task::spawn_blocking(move || {
            let mut lines = lines.into_iter().flatten().map_while(Result::ok);
            lines.next(); // the state: only then is the change one
            let ran = change.output();
            ran.is_ok_and(|ran| ran.status.success()) && lines.any(|line| line.contains("watched"))
        });
        let seen = tokio::time::timeout(Duration::from_secs(30), reading).await;
        let _ = child.kill(); // ends the reading, too
        let _ = child.wait();
        let seen = matches!(seen, Ok(Ok(true)));
        if !seen {
            println!("FAILED kubectl {}, get -w: the change was not shown", self.version);
        }
        Ok(if seen { Verdict::Passed } else { Verdict::Failed })
    }

    /// This kubectl, in the session's namespace, with caches of its own.
    fn command(&self, cluster: &Cluster, namespace: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(self.prefix)
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .args(["--namespace", namespace]);
        command.env("HOME", cluster.path().join(namespace)).env_remove("KUBECONFIG");
        command.env("KUBE_EDITOR", "sed -i s/blue/green/");
        command
    }
}
