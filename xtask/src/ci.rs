//! `cargo xtask ci`: runs every check, step by step, and prints its time and the command that repeats it.

mod features;
mod loom;
mod packages;
mod readmes;
mod report;
mod template;

use crate::cargo::{self, show};
use crate::failure::Failure;
use crate::workspace::Workspace;
use crate::{release, tidy};
use clap::Args;
use report::Report;
use std::process::{Command, ExitCode, Stdio};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Runs only this step; may be repeated.
    #[arg(long, value_name = "STEP", value_parser = STEPS.map(|step| step.name))]
    only: Vec<String>,
    /// Lints and tests the parts for this Kubernetes version instead; may be repeated.
    #[arg(long, value_name = "VERSION", value_parser = KUBERNETES, conflicts_with = "only")]
    kubernetes: Vec<String>,
    /// Lints and tests the parts for every Kubernetes version that k8s-openapi has types for.
    #[arg(long, conflicts_with_all = ["only", "kubernetes"])]
    every_version: bool,
}

/// One check. The steps run in the order of [`STEPS`]: cheap ones first, then those that share build artifacts together.
struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<(), Failure>,
    /// The step is skipped if this earlier step has failed.
    after: Option<&'static str>,
    /// The rustup component that it needs; the step has the name of the component's cargo command.
    component: Option<&'static str>,
    /// The step runs only if `--only` names it.
    on_request: bool,
}

const STEPS: [Step; 19] = [
    Step::new("fmt", fmt).needing("rustfmt"),
    Step::new("tidy", tidy),
    Step::new("clippy", clippy).needing("clippy"),
    Step::new("readmes", readmes::run).after("clippy"), // clippy builds the same dependencies
    Step::new("doc", doc),
    Step::new("build", build),
    Step::new("test", test).after("build"),
    Step::new("template", template::run).after("build"),
    Step::new("loom", loom::run).after("build"),
    Step::new("soak", soak).after("build"),
    Step::new("simulate", simulate).after("build"),
    Step::new("demo", demo).after("build"),
    Step::new("conformance", conformance).after("build"),
    Step::new("features", features::run).after("build"),
    Step::new("packages", packages::run).after("build"),
    Step::new("release", release::check_all),
    Step::new("each-feature", features::each).on_request(),
    Step::new("parts", parts).on_request(), // other systems, the declared Rust version, minimal versions
    Step::new("docs-rs", docs_rs).on_request(), // a nightly compiler
];

/// The Kubernetes versions that k8s-openapi has types for.
const KUBERNETES: [&str; 5] = ["1.33", "1.34", "1.35", "1.36", "1.37"];
/// The variable that k8s-openapi's build script reads if no feature names a version.
const KUBERNETES_VARIABLE: &str = "K8S_OPENAPI_ENABLED_VERSION";

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let mut report = Report::default();
    let every = KUBERNETES.map(str::to_owned);
    let versions = if options.every_version { &every[..] } else { &options.kubernetes };
    for version in versions {
        report.step(&format!("Kubernetes {version}"), || for_kubernetes(&workspace, version));
    }
    if versions.is_empty() {
        run_steps(&workspace, &options.only, &mut report);
    }
    println!("\n{report}");
    Ok(if report.is_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the steps in `only`, or all of them. A failed step does not end the run.
fn run_steps(workspace: &Workspace, only: &[String], report: &mut Report) {
    let chosen = |step: &&Step| match only {
        [] => !step.on_request,
        _ => only.iter().any(|name| name == step.name),
    };
    for step in STEPS.iter().filter(chosen) {
        match step.after.filter(|earlier| report.failed(earlier)) {
            Some(earlier) => report.skip(step.name, earlier),
            None => report.step(step.name, || step.ready().and_then(|()| (step.run)(workspace))),
        }
    }
}

impl Step {
    const fn new(name: &'static str, run: fn(&Workspace) -> Result<(), Failure>) -> Self {
        Self { name, run, after: None, component: None, on_request: false }
    }

    const fn after(self, earlier: &'static str) -> Self {
        Self { after: Some(earlier), ..self }
    }

    const fn on_request(self) -> Self {
        Self { on_request: true, ..self }
    }

    const fn needing(self, component: &'static str) -> Self {
        Self { component: Some(component), ..self }
    }

    /// Checks that the component is installed.
    ///
    /// # Errors
    ///
    /// The command that installs the component.
    fn ready(&self) -> Result<(), Failure> {
        let Some(component) = self.component else {
            return Ok(());
        };
        let mut probe = cargo::command([self.name, "--version"]);
        let found =
            probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        let missing = || Failure::new(format!("{component} is missing: rustup component add {component}"));
        if found { Ok(()) } else { Err(missing()) }
    }
}

fn fmt(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("fmt --all --check"))?;
    for package in ["model", "peers/kube-runtime", "peers/load", "peers/simulation"] {
        let manifest = format!("xtask/{package}/Cargo.toml"); // outside the workspace, in its style
        show(words("fmt --check --manifest-path").arg(manifest))?;
    }
    Ok(())
}

fn tidy(_: &Workspace) -> Result<(), Failure> {
    println!("$ cargo xtask tidy");
    let outcome = tidy::run(&tidy::Options::default())?;
    if outcome == ExitCode::SUCCESS { Ok(()) } else { Err(Failure::new("the tree is not tidy")) }
}

fn clippy(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("clippy --locked --workspace --all-features --all-targets -- -D warnings"))
}

fn doc(_: &Workspace) -> Result<(), Failure> {
    show(words("doc --locked --workspace --all-features --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
}

fn build(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("test --locked --workspace --all-features --no-run"))
}

fn test(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("test --locked --workspace --all-features --no-fail-fast"))
}

fn soak(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("xtask soak workqueue --seconds 5"))?;
    show(&mut words("xtask soak apiserver --hostile --seconds 20"))
}

/// Some ten seconds of the operator that everybody copies; the tests run a few histories of each scenario.
fn simulate(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("xtask simulate website --seeds 40"))
}

fn conformance(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("xtask conformance --server embedded"))
}

fn demo(_: &Workspace) -> Result<(), Failure> {
    show(&mut words("xtask demo"))?;
    show(&mut words("xtask demo --deployments"))
}

/// Lints and tests the parts against the types of one Kubernetes version. Programs have chosen their version and are left out.
fn for_kubernetes(workspace: &Workspace, version: &str) -> Result<(), Failure> {
    let exclude = without_programs(workspace);
    let parts = ["--locked", "--workspace"];
    let mut clippy = cargo::command(["clippy"]);
    clippy.args(parts).args(&exclude).args(["--all-targets", "--", "-D", "warnings"]);
    let mut test = cargo::command(["test"]);
    test.args(parts).args(&exclude).arg("--no-fail-fast");
    show(clippy.env(KUBERNETES_VARIABLE, version))?;
    show(test.env(KUBERNETES_VARIABLE, version))
}

/// Builds the parts without the programs, as users on other systems and with other compilers do.
fn parts(workspace: &Workspace) -> Result<(), Failure> {
    show(
        cargo::command(["build", "--locked", "--workspace", "--all-features"])
            .args(without_programs(workspace)),
    )
}

fn docs_rs(workspace: &Workspace) -> Result<(), Failure> {
    workspace.parts().try_for_each(release::docs)
}

/// Returns the flags that exclude everything but the parts.
fn without_programs(workspace: &Workspace) -> Vec<&str> {
    let programs = workspace.packages.iter().filter(|package| !workspace.is_part(package));
    programs.flat_map(|program| ["--exclude", &program.name]).collect()
}

/// Builds a cargo command from words.
fn words(line: &str) -> Command {
    cargo::command(line.split(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_waits_only_for_steps_before_it() {
        for (index, step) in STEPS.iter().enumerate() {
            let earlier = |name| STEPS[..index].iter().any(|before| before.name == name);
            assert!(step.after.is_none_or(earlier), "{}", step.name);
        }
    }

    #[test]
    fn the_error_of_a_missing_component_tells_how_to_install_it() {
        let step = Step::new("no-such-command", fmt).needing("rustfmt");
        let failure = step.ready().expect_err("cargo has no such command");
        assert_eq!(failure.to_string(), "rustfmt is missing: rustup component add rustfmt");
    }
}
