//! The peers of each part: other libraries for the same work, with programs in `xtask/peers/`.

use crate::conformance;
use crate::failure::Failure;
use crate::peer::{build_go, build_rust, folder, target};
use crate::workspace::Workspace;
use std::path::PathBuf;

/// A peer's column, and the source of its program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) source: Source,
    /// The form in which it holds objects, if it has several.
    pub(super) form: Option<&'static str>,
    /// Our forms that it is compared with.
    pub(super) beside: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A command of a Go module.
    Go { module: &'static str, command: &'static str },
    /// A binary of a Rust package.
    Rust { package: &'static str, bin: &'static str },
    /// kube-apiserver with etcd, measured by our benchmark.
    Kube,
}

/// Lists the peers of a part.
pub(super) fn peers(part: &str) -> &'static [Peer] {
    match part {
        "workqueue" => &WORKQUEUE,
        "cache" => &CACHE,
        "informer" => &INFORMER,
        "featuregate" => &FEATUREGATE,
        "apiserver" => &APISERVER,
        "controller" => &CONTROLLER,
        "expectations" | "ownership" => &PKG_CONTROLLER,
        "leaderelection" => &LEADERELECTION,
        _ => &[],
    }
}

const WORKQUEUE: [Peer; 3] = [
    client_go("client-go", "workqueue"),
    kube_runtime("kube-runtime", "workqueue"),
    Peer::new("controller-runtime", Source::Go { module: "controller-runtime", command: "." }),
];

const INFORMER: [Peer; 6] = [
    kube_runtime("kube-runtime", "informer").holding("whole", EITHER),
    kube_runtime("kube-runtime-view", "informer").holding("view", VIEW),
    client_go("client-go", "informer").holding("whole", EITHER),
    client_go("client-go-slim", "informer").holding("slim", VIEW),
    client_go("client-go-proto-slim", "informer").holding("proto-slim", VIEW),
    kube_runtime("limit", "limit").holding("bytes", VIEW),
];

const CACHE: [Peer; 2] = [client_go("client-go", "cache"), kube_runtime("kube-runtime", "cache")];

const FEATUREGATE: [Peer; 1] =
    [Peer::new("component-base", Source::Go { module: "component-base", command: "." })];

const CONTROLLER: [Peer; 2] = [
    kube_runtime("kube-runtime", "controller"),
    Peer::new("controller-runtime", Source::Go { module: "controller-runtime", command: "controller" }),
];

/// `k8s.io/kubernetes/pkg/controller`.
const PKG_CONTROLLER: [Peer; 1] =
    [Peer::new("controller", Source::Go { module: "controller", command: "." })];

const LEADERELECTION: [Peer; 1] = [client_go("client-go", "leaderelection")];

const APISERVER: [Peer; 1] = [Peer::new("kube-apiserver", Source::Kube)];

/// Peers without packed objects and views hold whole ones, so these are compared with all our forms.
const EITHER: &[&str] = &["whole", "packed", "view"];
const VIEW: &[&str] = &["view"];

const fn client_go(name: &'static str, command: &'static str) -> Peer {
    Peer::new(name, Source::Go { module: "client-go", command })
}

const fn kube_runtime(name: &'static str, bin: &'static str) -> Peer {
    Peer::new(name, Source::Rust { package: "kube-runtime", bin })
}

impl Peer {
    const fn new(name: &'static str, source: Source) -> Self {
        Self { name, source, form: None, beside: &[] }
    }

    const fn holding(self, form: &'static str, beside: &'static [&'static str]) -> Self {
        Self { form: Some(form), beside, ..self }
    }
}

impl Source {
    /// Compiles the program before the first round and returns its path.
    pub(super) fn build(self, workspace: &Workspace) -> Result<PathBuf, Failure> {
        let target = target(workspace);
        match self {
            Self::Go { module, command } => {
                let program = target.join(format!("{module}-{}", command.replace('.', "main")));
                build_go(&folder(workspace, module), command, &program, None).map(|()| program)
            }
            Self::Rust { package, bin } => build_rust(&folder(workspace, package), &target, bin, "release"),
            Self::Kube => conformance::kube(None),
        }
    }
}
