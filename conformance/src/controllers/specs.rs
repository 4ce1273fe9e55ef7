//! Upstream's end-to-end specs of Deployments and ReplicaSets, with
//! either implementation on either API server.

use super::Programs;
use super::holder::{self, Holder, OTHERS};
use crate::servers::process::{Folder, Process};
use crate::servers::{Failure, Real};
use comfy_table::Table;
use comfy_table::presets::ASCII_FULL_CONDENSED;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The specs of the two controllers.
const FOCUS: &str = "sig-apps. (Deployment|ReplicaSet)";
/// The specs that need a Pod that serves, or a cloud.
const SKIP: &str = "basic image|load-balancer";
/// The specs that run at the same time; each has a namespace of its own.
const CONCURRENCY: usize = 5;
/// The time that the embedded server may take to start.
const TIMEOUT: Duration = Duration::from_secs(30);

/// An API server with a Kubelet, and a `kubeconfig` in its folder.
enum Site {
    Real { server: Box<Real>, _kubelet: Process },
    Embedded { _quotas: Process, _server: Process, folder: Folder },
}

impl Site {
    async fn real(programs: &Programs) -> Result<Self, Failure> {
        let server = Real::start_with(&programs.kube, OTHERS).await?;
        let kubelet = programs.start_kubelet(server.folder(), 3, 1.0)?;
        Ok(Self::Real { server: Box::new(server), _kubelet: kubelet })
    }

    async fn embedded(programs: &Programs) -> Result<Self, Failure> {
        let folder = Folder::make("specs")?;
        let arguments = ["--listen=127.0.0.1:0", "--tls", "--kubelet=nodes=3", "--kubeconfig=kubeconfig"];
        let arguments = arguments.map(str::to_owned);
        let server = Process::start_program(&programs.kubelet, folder.path(), "server", &arguments)?;
        let deadline = Instant::now() + TIMEOUT;
        while !folder.path().join("kubeconfig").exists() {
            if Instant::now() >= deadline {
                return Err(format!("trimtab-apiserver did not start within {TIMEOUT:?}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        // The embedded server counts what is created; upstream's controller
        // writes the rest of a quota's status.
        let quotas = holder::start_upstream(programs, folder.path(), "resourcequota-controller")?;
        Ok(Self::Embedded { _quotas: quotas, _server: server, folder })
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Real { server, .. } => server.folder(),
            Self::Embedded { folder, .. } => folder.path(),
        }
    }
}

/// The outcomes of one implementation on one server.
struct Column {
    title: String,
    passed: Vec<bool>,
}

impl Column {
    fn count(&self) -> usize {
        self.passed.iter().filter(|passed| **passed).count()
    }
}

/// Runs all specs in four combinations; true if upstream's passes some and ours as many on each server.
pub(super) async fn run(programs: &Programs, e2e: &Path) -> Result<bool, Failure> {
    let names = names(e2e)?;
    let mut columns = Vec::new();
    for is_real in [true, false] {
        for holder in [Holder::Upstream, Holder::Ours] {
            let site = if is_real { Site::real(programs).await? } else { Site::embedded(programs).await? };
            let title = format!("{}, {holder}", if is_real { "kube-apiserver" } else { "embedded server" });
            let begun = Instant::now();
            let _process = holder.start(programs, site.folder())?;
            let specs = names.iter().enumerate().map(|(number, name)| spec(e2e, site.folder(), number, name));
            let passed: Vec<bool> = stream::iter(specs).buffered(CONCURRENCY).try_collect().await?;
            let column = Column { title, passed };
            let seconds = begun.elapsed().as_secs();
            println!("{}: {} of {} specs passed in {seconds} s", column.title, column.count(), names.len());
            columns.push(column);
        }
    }
    println!("\n{}", table(&names, &columns));
    let fewer = fewer(&columns);
    fewer.iter().for_each(|line| println!("FAILED: {line}"));
    Ok(fewer.is_empty())
}

/// Compares the columns of each server, upstream's before ours. Returns a line for each that proves nothing, or too little.
fn fewer(columns: &[Column]) -> Vec<String> {
    let mut lines = Vec::new();
    for pair in columns.chunks(2) {
        let [upstream, ours] = [&pair[0], &pair[1]];
        if upstream.count() == 0 {
            lines.push(format!("{}: no spec passed, so the comparison proves nothing", upstream.title));
        } else if ours.count() < upstream.count() {
            lines.push(format!("{}: {} of upstream's {} passed", ours.title, ours.count(), upstream.count()));
        }
    }
    lines
}

/// Lists the names of the specs.
fn names(e2e: &Path) -> Result<Vec<String>, Failure> {
    let listed = Command::new(e2e)
        .args(["-ginkgo.dry-run", "-ginkgo.v", "-ginkgo.no-color", "-provider=local"])
        .args(["-ginkgo.focus", FOCUS, "-ginkgo.skip", SKIP])
        .output()?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let name = |line: &str| Some(line.strip_prefix("[sig-apps] ")?.split(" [").next()?.to_owned());
    let mut names: Vec<_> = text.lines().filter_map(name).collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("{} has no spec of a Deployment", e2e.display()).into());
    }
    Ok(names)
}

/// Runs one spec; false if it failed, with the end of its log on the terminal.
async fn spec(e2e: &Path, folder: &Path, number: usize, name: &str) -> Result<bool, Failure> {
    let arguments = [
        "-kubeconfig=kubeconfig".to_owned(),
        "-provider=local".to_owned(),
        "-ginkgo.no-color".to_owned(),
        "-ginkgo.timeout=10m".to_owned(),
        "-dump-logs-on-failure=false".to_owned(),
        format!("-ginkgo.focus=sig-apps. {}( \\[|$)", regex::escape(name)),
    ];
    let log = format!("spec-{number}");
    let status = Process::start_program(e2e, folder, &log, &arguments)?.ended().await?;
    if !status.success() {
        let text = std::fs::read_to_string(folder.join(format!("{log}.log"))).unwrap_or_default();
        let failed = text.lines().filter(|line| line.contains("[FAILED]")).take(2).collect::<Vec<_>>();
        println!("FAILED {name}: {}", failed.join("; "));
    }
    Ok(status.success())
}

fn table(names: &[String], columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_FULL_CONDENSED);
    table
        .set_header(["spec".to_owned()].into_iter().chain(columns.iter().map(|column| column.title.clone())));
    for (row, name) in names.iter().enumerate() {
        let cells =
            columns.iter().map(|column| if column.passed[row] { "passed" } else { "FAILED" }.to_owned());
        table.add_row([name.clone()].into_iter().chain(cells));
    }
    let counts = columns.iter().map(|column| column.count().to_string());
    table.add_row(["passed".to_owned()].into_iter().chain(counts));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_which_upstream_passes_nothing_is_no_success() {
        let column = |title: &str, passed: usize| Column {
            title: title.to_owned(),
            passed: (0..3).map(|spec| spec < passed).collect(),
        };
        let compared = |upstream, ours| fewer(&[column("upstream", upstream), column("ours", ours)]);
        assert!(compared(3, 3).is_empty() && compared(2, 3).is_empty());
        assert_eq!(compared(3, 2), ["ours: 2 of upstream's 3 passed"]);
        for ours in [0, 3] {
            assert_eq!(compared(0, ours), ["upstream: no spec passed, so the comparison proves nothing"]);
        }
    }
}
