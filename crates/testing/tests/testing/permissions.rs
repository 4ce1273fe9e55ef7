//! Roles of a run, and a committed manifest beside them.

use trimtab_testing::{TestCluster, rbac::ManifestError};

use crate::world::{add_copier, create_map};

const ROLES: &str = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "copier"
rules:
  - apiGroups: [""]
    resources: ["configmaps", "secrets"]
    verbs: ["list", "watch"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: "copier"
  namespace: "default"
rules:
  - apiGroups: [""]
    resources: ["secrets"]
    verbs: ["create", "patch"]
  - apiGroups: ["coordination.k8s.io"]
    resources: ["leases"]
    verbs: ["create"]
  - apiGroups: ["coordination.k8s.io"]
    resources: ["leases"]
    resourceNames: ["copier"]
    verbs: ["get", "update"]
  - apiGroups: ["events.k8s.io"]
    resources: ["events"]
    verbs: ["create"]
"#;

async fn run() -> TestCluster {
    let cluster = TestCluster::start();
    let manager = cluster.manager("copier").leader_election("default", "copier").build();
    let running = cluster.run(add_copier(manager.expect("sound settings"), true));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    running.stop().await.expect("no failure");
    cluster
}

#[tokio::test(start_paused = true)]
async fn the_smallest_roles_of_a_run_are_printed_and_fit() {
    let permissions = run().await.requests().permissions();
    let manifest = permissions.manifest("copier");
    assert_eq!(manifest, ROLES);
    permissions.assert_fits(&manifest);
    let everywhere = permissions.in_every_namespace();
    let manifest = everywhere.manifest("copier");
    let cluster_role = manifest.split("---").next().expect("a document");
    assert!(cluster_role.contains(r#"resources: ["secrets"]"#), "{manifest}");
    everywhere.assert_fits(&manifest);
}

/// The printed roles suffice on a server with RBAC, where each request is checked.
#[tokio::test(start_paused = true)]
async fn a_server_with_rbac_allows_the_run_with_the_printed_roles() {
    use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
    use kube_client::{Api, Client, api::PostParams};
    use serde_json::json;
    use trimtab_apiserver::{ApiServer, User, Verb};

    let cluster = TestCluster::with(ApiServer::builder().rbac(true));
    let admin: Client = cluster.client();
    let (cluster_role, role) = ROLES.split_once("---\n").expect("two documents");
    let params = PostParams::default();
    let cluster_role: ClusterRole = serde_saphyr::from_str(cluster_role).expect("a ClusterRole");
    Api::all(admin.clone()).create(&params, &cluster_role).await.expect("created");
    let role: Role = serde_saphyr::from_str(role).expect("a Role");
    Api::default_namespaced(admin.clone()).create(&params, &role).await.expect("created");
    let binding = |kind: &str| {
        json!({
            "metadata": {"name": "copier"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "copier"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "controller:copier"}],
        })
    };
    let bound: ClusterRoleBinding = serde_json::from_value(binding("ClusterRole")).expect("a binding");
    Api::all(admin.clone()).create(&params, &bound).await.expect("created");
    let bound: RoleBinding = serde_json::from_value(binding("Role")).expect("a binding");
    Api::default_namespaced(admin).create(&params, &bound).await.expect("created");

    let client = cluster.server().client_for(User::new("controller:copier"));
    let manager = trimtab_manager::Manager::with_client_that_may_retry("copier", client);
    let manager = manager.leader_election("default", "copier").build().expect("sound settings");
    let running = cluster.run(add_copier(manager, true));
    create_map(&cluster, "a").await;
    cluster.until_idle().await;
    running.stop().await.expect("no failure");
    let refused: Vec<_> = cluster.requests().iter().filter(|one| one.code == Some(403)).cloned().collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(cluster.requests().iter().any(|one| one.verb == Verb::Patch && one.code == Some(201)));
}

#[tokio::test(start_paused = true)]
async fn missing_permissions_and_vain_ones_are_named() {
    let permissions = run().await.requests().permissions();
    let manifest = ROLES
        .replace(r#"["create", "patch"]"#, r#"["create", "delete"]"#)
        .replace(r#"["configmaps", "secrets"]"#, r#"["configmaps", "secrets", "pods"]"#);
    let report = permissions.check(&manifest).expect("roles");
    assert!(!report.suffices());
    assert_eq!(
        report.to_string(),
        "not granted:\n  patch secrets in default\ngranted in vain:\n  ClusterRole copier: list pods\n  \
         ClusterRole copier: watch pods\n  Role copier in default: delete secrets"
    );
    let all = "kind: ClusterRole\nmetadata: {name: all}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    assert!(permissions.check(all).expect("a role").is_exact(), "wildcards are used");
}

#[tokio::test(start_paused = true)]
async fn manifests_that_cannot_be_used_are_refused() {
    let permissions = run().await.requests().permissions();
    assert!(matches!(permissions.check("kind: [\n"), Err(ManifestError::Invalid(_))));
    assert!(matches!(permissions.check("kind: ConfigMap\n"), Err(ManifestError::NoRole)));
    assert!(matches!(permissions.check(""), Err(ManifestError::NoRole)));
}
