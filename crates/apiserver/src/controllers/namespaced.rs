//! The objects that every namespace gets: the service account `default`, and the `ConfigMap` with
//! which Pods check the server's certificate. Whoever deletes one gets it back.

use kube_client::Error;
use serde_json::{Value, json};

use super::{
    requests::{Requests, path},
    rounds::{self, Rounds},
};
use crate::{
    ChangeKind, Commit, Commits,
    api::{object, random::Random},
    bootstrap,
    registry::Context,
};

/// Which objects namespaces get.
#[derive(Debug, Clone)]
pub(crate) struct Gifts {
    pub(crate) account: bool,
    /// The certificate in PEM, if there is to be a `ConfigMap`; empty where there is no TLS.
    pub(crate) certificate: Option<String>,
}

/// The resource of an object, its name, and all of it but its metadata.
type Gift = (&'static str, &'static str, Value);

impl Gifts {
    fn all(&self) -> Vec<Gift> {
        let account = ("serviceaccounts", "default", json!({"apiVersion": "v1", "kind": "ServiceAccount"}));
        let certificate = self.certificate.as_ref().map(|certificate| {
            let data = json!({ "ca.crt": certificate });
            ("configmaps", "kube-root-ca.crt", json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data}))
        });
        self.account.then_some(account).into_iter().chain(certificate).collect()
    }

    /// Makes all of them in the namespaces of a new server, so that they are there from the beginning.
    pub(crate) fn give(&self, context: &Context, random: &Random, namespaces: &[&str]) {
        for namespace in namespaces {
            for (plural, name, mut object) in self.all() {
                object["metadata"] = json!({"name": name, "namespace": namespace});
                bootstrap::make(context, random, plural, object, None);
            }
        }
    }

    fn observe(&self, rounds: &mut Rounds, commit: &Commit) {
        if commit.resource == "namespaces" {
            let stays = commit.change != ChangeKind::Deleted && !object::is_being_deleted(&commit.object);
            rounds.set(&commit.name, stays);
        } else if let Some(namespace) = &commit.namespace
            && commit.change != ChangeKind::Added
            && self
                .all()
                .iter()
                .any(|(resource, name, _)| commit.resource == *resource && commit.name == *name)
        {
            rounds.touch(namespace);
        }
    }
}

/// Keeps `gifts` in all namespaces, of which `rounds` tends those that have them, until the server is dropped.
pub(crate) async fn run(requests: Requests, commits: Commits, gifts: Gifts, rounds: Rounds) {
    let round = |namespace: String| {
        let (requests, gifts) = (&requests, &gifts);
        async move { round(requests, gifts, &namespace).await }
    };
    rounds::go(rounds, commits, |rounds, commit| gifts.observe(rounds, commit), round).await;
}

/// Makes what is missing in the namespace, and puts back what was changed.
async fn round(requests: &Requests, gifts: &Gifts, namespace: &str) -> Result<(), Error> {
    for (plural, name, mut object) in gifts.all() {
        match requests.get(&path("v1", namespace, plural, name)).await? {
            None => {
                object["metadata"] = json!({ "name": name });
                requests.post(&path("v1", namespace, plural, ""), object).await?;
            }
            Some(found) if found.get("data") != object.get("data") => {
                let patch = json!({"data": object["data"], "metadata": {"uid": found["metadata"]["uid"]}});
                requests.merge(&path("v1", namespace, plural, name), patch).await?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}
