//! [`ManagerArgs`]: flags of a program for clap.

use std::path::PathBuf;

use kube_client::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use trimtab_controller::{
    featuregate::{FeatureGates, FeatureGatesFlag},
    gates,
};

use crate::{ManagerError, error::Kind};

/// The flag that selects the cluster: `--kubeconfig` and `--context`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct KubeconfigArgs {
    /// The kubeconfig file. By default $KUBECONFIG, ~/.kube/config, or the service account of the Pod
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig. By default the current one
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// The flags of a program: those of [`KubeconfigArgs`] and `--feature-gates` with Trimtab's own gates.
///
/// A program with gates of its own uses [`KubeconfigArgs`] and a [`FeatureGatesFlag`] with its own set.
#[derive(Debug, Clone, clap::Args)]
pub struct ManagerArgs {
    #[command(flatten)]
    cluster: KubeconfigArgs,
    #[command(flatten)]
    feature_gates: FeatureGatesFlag<gates::Features>,
}

impl KubeconfigArgs {
    /// Reads the configuration of the client.
    ///
    /// # Errors
    ///
    /// The file cannot be read, lacks the context, or names unreadable credentials.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, it has only read files.
    pub async fn config(&self) -> Result<Config, ManagerError> {
        let failed = |cause| ManagerError::new(Kind::Kubeconfig(cause));
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        match (&self.kubeconfig, &self.context) {
            (Some(path), _) => {
                let file = Kubeconfig::read_from(path).map_err(|error| failed(error.into()))?;
                let config = Config::from_custom_kubeconfig(file, &options).await;
                config.map_err(|error| failed(format!("{}: {error}", path.display()).into()))
            }
            (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(|error| failed(error.into())),
            (None, None) => Config::infer().await.map_err(|error| failed(error.into())),
        }
    }
}

impl ManagerArgs {
    /// Reads the configuration of the client, as [`KubeconfigArgs::config`] does.
    ///
    /// # Errors
    ///
    /// As [`KubeconfigArgs::config`].
    ///
    /// # Cancel safety
    ///
    /// As [`KubeconfigArgs::config`].
    pub async fn config(&self) -> Result<Config, ManagerError> {
        self.cluster.config().await
    }

    /// Sets the gates of `--feature-gates` in `features`.
    ///
    /// # Errors
    ///
    /// If a gate is locked, or gates contradict each other; the exit code is 2. Unknown names are refused by the parser.
    pub fn set_gates(&self, features: &FeatureGates) -> Result<(), ManagerError> {
        self.feature_gates.apply(features).map_err(|error| ManagerError::new(Kind::Usage(error.into())))
    }
}
