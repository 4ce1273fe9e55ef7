//! The program of `examples/controller-manager/`: flags, and the controllers in a manager.

use std::{error::Error, fmt, str::FromStr};

use clap::ArgAction::Set;
use trimtab_admin::{Admin, metrics};
use trimtab_controller::{
    featuregate::{BuildError, FeatureGates, Version},
    gates,
};
use trimtab_events::Form;
use trimtab_manager::{Manager, ManagerArgs, ManagerBuilder};

use crate::{
    deployment::Deployments,
    replicaset::{self, ReplicaSets},
};

/// The name of the process: in its Events, and by default of its Lease.
const NAME: &str = "trimtab-controller-manager";

/// The Kubernetes version whose controllers these are.
const VERSION: Version = Version::new(1, 36);

/// The flags, with the names and defaults of kube-controller-manager; `--context`, `--admin` and `--debug` are not upstream's.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = NAME, about = "Runs Kubernetes' Deployment and ReplicaSet controllers")]
pub struct Options {
    #[command(flatten)]
    manager: ManagerArgs,
    /// The controllers to run: names, `*` for all, `-name` for all but this one
    #[arg(long, value_name = "LIST", default_value = "*")]
    controllers: Selected,
    /// Requests to the API server in a second; negative for no limit
    #[arg(long, default_value_t = 20.0, allow_negative_numbers = true)]
    kube_api_qps: f64,
    /// Requests that may be sent at once
    #[arg(long, default_value_t = 30)]
    kube_api_burst: u32,
    /// Works only while it holds a Lease. `false` is for a single process alone
    #[arg(long, value_name = "BOOL", default_value_t = true, action = Set, num_args = 0..=1, default_missing_value = "true")]
    leader_elect: bool,
    /// The namespace of the Lease
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    leader_elect_resource_namespace: String,
    /// The name of the Lease
    #[arg(long, value_name = "NAME", default_value = NAME)]
    leader_elect_resource_name: String,
    /// Deployments that are synced at once
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    concurrent_deployment_syncs: usize,
    /// ReplicaSets that are synced at once
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    concurrent_replicaset_syncs: usize,
    /// The address of health checks and metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    admin: String,
    /// Serves the debug page, too. It names objects: keep the address private
    #[arg(long)]
    debug: bool,
}

/// One of the controllers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Deployments`].
    Deployment,
    /// [`ReplicaSets`].
    ReplicaSet,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Deployment, Self::ReplicaSet];

    /// Returns upstream's name and the short one.
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::Deployment => ["deployment-controller", "deployment"],
            Self::ReplicaSet => ["replicaset-controller", "replicaset"],
        }
    }

    /// Returns whether an item of the list, such as `deployment` or `-deployment`, names this controller.
    fn is_named_by(self, item: &str) -> bool {
        self.names().contains(&item.strip_prefix('-').unwrap_or(item))
    }
}

/// The controllers that run: the value of `--controllers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected(Vec<Kind>);

/// The value of `--controllers` names an unknown controller, or none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownController(String);

impl fmt::Display for UnknownController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Kind::ALL.map(|kind| kind.names().join(" or ")).join(", ");
        match self.0.as_str() {
            "" => write!(f, "no controller is selected; known are {known}"),
            name => write!(f, "{name:?} is not in the list of known controllers: {known}"),
        }
    }
}

impl Error for UnknownController {}

impl FromStr for Selected {
    type Err = UnknownController;

    /// Reads a list such as `deployment,replicaset` or `*,-replicaset`, as kube-controller-manager does: a name decides for
    /// its controller before `*` does.
    fn from_str(list: &str) -> Result<Self, UnknownController> {
        let items: Vec<_> = list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        let is_known = |item: &str| item == "*" || Kind::ALL.iter().any(|kind| kind.is_named_by(item));
        if let Some(item) = items.iter().find(|item| !is_known(item)) {
            return Err(UnknownController((*item).to_owned()));
        }
        let is_selected = |kind: &Kind| {
            let named = items.iter().find(|item| kind.is_named_by(item));
            named.map_or(items.contains(&"*"), |item| !item.starts_with('-'))
        };
        let selected: Vec<_> = Kind::ALL.into_iter().filter(is_selected).collect();
        if selected.is_empty() { Err(UnknownController(String::new())) } else { Ok(Self(selected)) }
    }
}

/// Returns the gates that `--feature-gates` sets, upstream's and Trimtab's own. Install them before the flags are parsed.
///
/// # Errors
///
/// Two gates have one name.
pub fn features() -> Result<FeatureGates, BuildError> {
    let builder = FeatureGates::builder(NAME, VERSION);
    builder.gates::<gates::Features>().gates::<replicaset::gates::Features>().build()
}

/// Runs the selected controllers until SIGTERM or Ctrl-C.
///
/// # Errors
///
/// The flags contradict each other, the kubeconfig cannot be read, a kind cannot be listed, or the process must exit.
///
/// # Cancel safety
///
/// Dropped early, the process holds its Lease until it expires.
pub async fn run(options: Options, features: &FeatureGates) -> Result<(), Box<dyn Error + Send + Sync>> {
    options.manager.set_gates(features)?;
    let config = options.manager.config().await?;
    let metrics = metrics::install()?; // before the parts that are measured
    let mut builder = configure(Manager::builder(NAME, config))
        .gates(features)
        .admin(&options.admin, Admin::builder().metrics(metrics).debug(options.debug));
    if options.leader_elect {
        builder = builder
            .leader_election(&options.leader_elect_resource_namespace, &options.leader_elect_resource_name);
    }
    if options.kube_api_qps >= 0.0 {
        builder = builder.rate_limit(options.kube_api_qps, options.kube_api_burst);
    }
    let mut manager = builder.build()?;
    let workers = [options.concurrent_deployment_syncs, options.concurrent_replicaset_syncs];
    add_to(&mut manager, &options.controllers, workers);
    Ok(manager.run().await?)
}

/// Sets core/v1 Events, of which similar ones become one, as upstream's kube-controller-manager does; and an election that
/// leads as soon as the Lease of a dead leader expires.
pub fn configure(builder: ManagerBuilder) -> ManagerBuilder {
    builder.events(|events| events.form(Form::Core)).election_settings(|elector| elector.watch(true))
}

/// Adds the selected controllers to a manager. `workers` are the numbers of Deployments and of ReplicaSets that are synced at
/// once.
pub fn add_to(manager: &mut Manager, selected: &Selected, workers: [usize; 2]) {
    for kind in &selected.0 {
        let controller = match kind {
            Kind::Deployment => Deployments::of(manager).controller().workers(workers[0]),
            Kind::ReplicaSet => ReplicaSets::of(manager).controller().workers(workers[1]),
        };
        manager.controller(controller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_selects_controllers_by_name_all_or_all_but_some() {
        let selected = |list: &str| list.parse::<Selected>().map(|Selected(kinds)| kinds);
        for both in ["*", "deployment,replicaset", "replicaset-controller, deployment-controller"] {
            assert_eq!(selected(both), Ok(Kind::ALL.to_vec()), "{both}");
        }
        for one in ["deployment", "*,-replicaset", "-replicaset-controller,*", "deployment,-replicaset"] {
            assert_eq!(selected(one), Ok(vec![Kind::Deployment]), "{one}");
        }
        let error = selected("deployment,daemonset").expect_err("unknown").to_string();
        let known = "deployment-controller or deployment, replicaset-controller or replicaset";
        assert_eq!(error, format!("\"daemonset\" is not in the list of known controllers: {known}"));
        let none = format!("no controller is selected; known are {known}");
        for list in ["", "-deployment", "*,-deployment,-replicaset"] {
            assert_eq!(selected(list).expect_err("none").to_string(), none, "{list}");
        }
    }
}
