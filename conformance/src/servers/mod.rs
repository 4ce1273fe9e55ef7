//! The servers that the suite runs against: how each is started and reached.

mod embedded;
pub(crate) mod process;
mod real;

pub(crate) use embedded::Embedded;
pub(crate) use real::Real;

use kube_client::config::{KubeConfigOptions, Kubeconfig};
use kube_client::{Client, Config};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What an operation of this program fails with: shown to the person at the terminal, and matched by nobody.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Which server, as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The server of `trimtab-apiserver`, in this process, on a loopback address.
    Embedded,
    /// kube-apiserver, etcd and kube-controller-manager, started for this run.
    Real,
    /// Whatever a kubeconfig leads to.
    Kubeconfig(PathBuf),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.split_once('=')) {
            ("embedded", _) => Ok(Self::Embedded),
            ("real", _) => Ok(Self::Real),
            (_, Some(("kubeconfig", path))) if !path.is_empty() => Ok(Self::Kubeconfig(path.into())),
            _ => Err("expected embedded, real or kubeconfig=PATH".to_owned()),
        }
    }
}

/// A server that answers; what was started for it ends with this value.
#[derive(Debug)]
pub(crate) enum Server {
    Embedded(Embedded),
    Real(Real),
    Elsewhere(Config),
}

impl Server {
    /// Starts or finds the server.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, whatever was started has ended.
    pub(crate) async fn start(choice: &Choice, kube: Option<&Path>) -> Result<Self, Failure> {
        match choice {
            Choice::Embedded => Ok(Self::Embedded(Embedded::start(false).await?)),
            Choice::Real => {
                let kube = kube.ok_or("--server real needs --kube PROGRAM")?;
                Ok(Self::Real(Real::start(kube).await?))
            }
            Choice::Kubeconfig(path) => Ok(Self::Elsewhere(config_of(Kubeconfig::read_from(path)?).await?)),
        }
    }

    /// Starts or finds a server where RBAC decides; the client is an administrator's.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, whatever was started has ended.
    pub(crate) async fn start_with_rbac(choice: &Choice, kube: Option<&Path>) -> Result<Self, Failure> {
        match choice {
            Choice::Embedded => Ok(Self::Embedded(Embedded::start(true).await?)),
            other => Self::start(other, kube).await, // a kube-apiserver always has it
        }
    }

    /// A client that asks once: a refusal is an answer here, not a reason to try again.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let config = match self {
            Self::Embedded(embedded) => embedded.config(),
            Self::Real(real) => real.config(),
            Self::Elsewhere(config) => config,
        };
        asking_once(config)
    }

    /// Whether it is still there after the run.
    pub(crate) fn stays(&self) -> bool {
        matches!(self, Self::Elsewhere(_))
    }

    /// Whether this is ours, whose differences are listed.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Embedded(_))
    }
}

/// A client without the default one's retries.
fn asking_once(config: &Config) -> Result<Client, Failure> {
    let mut config = config.clone();
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

async fn config_of(kubeconfig: Kubeconfig) -> Result<Config, Failure> {
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_in_one_word() {
        assert_eq!("embedded".parse(), Ok(Choice::Embedded));
        assert_eq!("real".parse(), Ok(Choice::Real));
        assert_eq!("kubeconfig=/etc/k".parse(), Ok(Choice::Kubeconfig("/etc/k".into())));
        assert!("kubeconfig=".parse::<Choice>().is_err() && "ours".parse::<Choice>().is_err());
    }
}
