//! [`Holder`]: the process with the Deployment and the ReplicaSet controller,
//! upstream's kube-controller-manager or ours.

use super::Programs;
use crate::servers::Failure;
use crate::servers::process::Process;
use std::fmt;
use std::path::Path;

/// Upstream's controllers that run all the time: all but the two, and but those that act on nodes or a cloud.
pub(super) const OTHERS: &str = "*,-deployment-controller,-replicaset-controller,-node-lifecycle-controller,\
                                 -taint-eviction-controller,-node-ipam-controller,-service-lb-controller,\
                                 -node-route-controller,-cloud-node-lifecycle-controller";

/// A process with the two controllers and no others, without a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    Upstream,
    Ours,
}

impl Holder {
    /// Starts the process, with the `kubeconfig` in this folder. It ends at once, in the
    /// middle of its work, when it is dropped.
    pub(super) fn start(self, programs: &Programs, folder: &Path) -> Result<Process, Failure> {
        self.start_with(programs, folder, false)
    }

    /// Starts a process that stands for election.
    pub(super) fn start_candidate(self, programs: &Programs, folder: &Path) -> Result<Process, Failure> {
        self.start_with(programs, folder, true)
    }

    fn start_with(self, programs: &Programs, folder: &Path, is_elected: bool) -> Result<Process, Failure> {
        match self {
            Self::Upstream => {
                let controllers = "deployment-controller,replicaset-controller";
                upstream(programs, folder, controllers, is_elected)
            }
            Self::Ours => {
                let mut arguments =
                    arguments(&["--controllers=deployment,replicaset", "--admin=127.0.0.1:0"]);
                if !is_elected {
                    arguments.push("--leader-elect=false".to_owned());
                }
                Process::start_program(&programs.manager, folder, "ours", &arguments)
            }
        }
    }
}

/// Starts upstream's program with these controllers, without an election.
pub(super) fn start_upstream(
    programs: &Programs,
    folder: &Path,
    controllers: &str,
) -> Result<Process, Failure> {
    upstream(programs, folder, controllers, false)
}

fn upstream(
    programs: &Programs,
    folder: &Path,
    controllers: &str,
    is_elected: bool,
) -> Result<Process, Failure> {
    let controllers = format!("--controllers={controllers}");
    let mut arguments =
        arguments(&[&controllers, "--secure-port=0", "--use-service-account-credentials=false"]);
    arguments.push(format!("--leader-elect={is_elected}"));
    match &programs.upstream {
        Some(program) => Process::start_program(program, folder, "upstream", &arguments),
        None => Process::start(&programs.kube, folder, "kube-controller-manager", &arguments),
    }
}

fn arguments(own: &[&str]) -> Vec<String> {
    let common = ["--kubeconfig=kubeconfig", "--kube-api-qps=-1"];
    common.iter().chain(own).map(|argument| (*argument).to_owned()).collect()
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upstream => "upstream",
            Self::Ours => "ours",
        })
    }
}
