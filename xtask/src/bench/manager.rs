//! `cargo xtask bench manager`: the example `trimtab-controller-manager` and upstream's kube-controller-manager with the same two
//! controllers, on the same build of kube-apiserver.

use super::Options;
use super::machine::busy_percent;
use super::operator::DIST;
use super::results::Results;
use super::subject::{Measurement, OURS, Subject};
use crate::cargo;
use crate::conformance::{VERSION, kube};
use crate::failure::{Failure, While};
use crate::peer::{build_go, folder, target};
use crate::workspace::Workspace;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name of the part, which is measured only if it is named: it needs Go and a kube-apiserver.
pub(super) const PART: &str = "manager";
/// The column of upstream's program.
const UPSTREAM: &str = "kube-controller-manager";

/// The example, which is measured.
const MANAGER: &str = "trimtab-controller-manager";
/// The Kubelet, and the program that measures.
const HELPERS: [&str; 2] = ["trimtab-apiserver", "trimtab-conformance"];

pub(super) fn measure(workspace: &Workspace, options: &Options) -> Result<Results, Failure> {
    let mut results = Results::new(std::iter::once(UPSTREAM));
    let kube = kube(None)?;
    let upstream = target(workspace).join(UPSTREAM);
    build_go(&folder(workspace, "kube-apiserver"), UPSTREAM, &upstream, Some(VERSION))?;
    let [manager, kubelet, driver] = build_ours(workspace)?;
    results.set_busy(busy_percent()?);
    let subjects = [(OURS, &manager), (UPSTREAM, &upstream)].map(|(name, program)| Subject {
        name,
        program: program.clone(),
        arguments: Vec::new(),
        form: None,
        beside: &[],
    });
    let wants =
        |scenario: &str| options.scenario.is_empty() || options.scenario.iter().any(|one| one == scenario);
    if wants("image") {
        for subject in &subjects {
            results.add(subject, vec![image(&subject.program)?]);
        }
    }
    let scenarios: Vec<_> = ["rollout", "failover", "rss"].into_iter().filter(|one| wants(one)).collect();
    if scenarios.is_empty() {
        return Ok(results);
    }
    let mut run = Command::new(driver);
    run.arg("--controllers").arg("--measure").arg("--kube").arg(kube);
    run.arg("--manager").arg(&manager).arg("--kubelet").arg(kubelet).arg("--upstream").arg(&upstream);
    for scenario in scenarios {
        run.args(["--scenario", scenario]);
    }
    if options.quick {
        run.arg("--quick");
    }
    let output = run.stderr(Stdio::inherit()).output().doing("starting the measurement")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let subject = subjects.iter().find(|subject| value["subject"] == subject.name);
        if let (Some(subject), Some(measurement)) = (subject, Measurement::read(line)) {
            results.add(subject, vec![measurement]);
        }
    }
    if let Err(failure) = cargo::checked(output.status) {
        results.skip(OURS, &failure);
    }
    Ok(results)
}

/// Builds the manager, the Kubelet and the program that measures, and returns their paths.
fn build_ours(workspace: &Workspace) -> Result<[PathBuf; 3], Failure> {
    // By itself and in the profile of programs that are shipped, as the operators of `cargo xtask bench operator` are.
    let mut build = cargo::command(["build", "--quiet", "--profile", DIST, "--locked"]);
    build.args(["--package", "trimtab-examples", "--bin", MANAGER]);
    cargo::run(build.current_dir(&workspace.root)).doing("cargo build")?;
    let mut build =
        cargo::command(["build", "--quiet", "--release", "--locked", "--workspace", "--all-features"]);
    for bin in HELPERS {
        build.args(["--bin", bin]);
    }
    cargo::run(build.current_dir(&workspace.root)).doing("cargo build")?;
    let program = |profile: &str, bin: &str| {
        workspace.target.join(profile).join(bin).with_extension(std::env::consts::EXE_EXTENSION)
    };
    let [kubelet, driver] = HELPERS.map(|bin| program("release", bin));
    Ok([program(DIST, MANAGER), kubelet, driver])
}

/// Measures the size of a stripped program.
fn image(program: &Path) -> Result<Measurement, Failure> {
    let bytes = std::fs::metadata(program).doing(program.display())?.len();
    Ok(Measurement {
        bench: "manager/image".to_owned(),
        unit: "MiB".to_owned(),
        better: "lower".to_owned(),
        value: bytes as f64 / f64::from(1 << 20),
    })
}
