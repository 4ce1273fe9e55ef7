//! Lists of objects.

use crate::case::cases;
use serde_json::json;

cases! {
    /// A list has its own kind, apiVersion and resource version, and its items come in the order of their names.
    #[source("API concepts: collections")]
    async fn a_list_is_an_object(site) {
        site.secrets(&["b", "c", "a"]).await?;
        site.get("secrets").await?.code(200)?.is("/kind", "SecretList")?.is("/apiVersion", "v1")?
            .has("/metadata/resourceVersion")?.names(&["a", "b", "c"])?;
    }

    /// Items of a list of a built-in kind carry neither kind nor apiVersion.
    #[source("API concepts: collections")]
    async fn items_do_not_repeat_their_kind(site) {
        site.secrets(&["a"]).await?;
        site.get("secrets").await?.lacks("/items/0/kind")?.lacks("/items/0/apiVersion")?;
    }

    /// An empty list has an empty array of items, not null.
    #[source("API concepts: collections")]
    async fn an_empty_list_is_an_array(site) {
        site.get("secrets").await?.code(200)?.is("/items", json!([]))?;
    }

    /// A list across namespaces is ordered by namespace and name.
    #[source("etcd3 store: keys in order")]
    async fn lists_across_namespaces_are_ordered(site) {
        site.secrets(&["z", "a"]).await?;
        let all = site.get("/api/v1/secrets").await?.code(200)?;
        let keys: Vec<_> = all.list("/items").iter().map(|item| {
            let meta = &item["metadata"];
            format!("{}/{}", meta["namespace"].as_str().unwrap_or_default(), meta["name"].as_str().unwrap_or_default())
        }).collect();
        let ordered = keys.is_sorted();
        all.check(ordered, "items ordered by namespace and name")?;
    }

    /// A list of a namespace that does not exist is empty, not 404.
    #[source("API concepts: collections")]
    async fn a_list_in_no_namespace_is_empty(site) {
        site.get("/api/v1/namespaces/conf-there-is-no-such/secrets").await?.code(200)?.is("/items", json!([]))?;
    }

    /// The list's resource version is not older than any of its items'.
    #[source("API concepts: resource versions")]
    async fn a_list_is_as_new_as_its_items(site) {
        site.secrets(&["a"]).await?;
        let one = site.get("secrets/a").await?.code(200)?;
        let list = site.get("secrets").await?.code(200)?;
        let newer = list.version().parse::<u64>().ok() >= one.version().parse::<u64>().ok();
        list.check(newer, "a resource version that covers the items")?;
    }

    /// A list of cluster-scoped objects takes no namespace.
    #[source("API concepts: resource URIs")]
    async fn cluster_scoped_lists(site) {
        site.get("/api/v1/nodes").await?.code(200)?.is("/kind", "NodeList")?;
        site.get("nodes").await?.code(404)?;
    }

    /// A get of a name that is not there is 404 with name and resource in the details.
    #[source("apimachinery api/errors: NewNotFound")]
    async fn what_is_missing_is_named(site) {
        site.get("secrets/none").await?.refused(404, "NotFound")?.is("/message", "secrets \"none\" not found")?
            .is("/details/name", "none")?.is("/details/kind", "secrets")?.lacks("/details/group")?;
        site.get("apps/v1/deployments/none").await?.refused(404, "NotFound")?.is("/details/group", "apps")?
            .is("/message", "deployments.apps \"none\" not found")?;
    }

    /// A get answers with the object as it was stored.
    #[source("API concepts: get")]
    async fn a_get_is_the_object(site) {
        let made = site.create("configmaps", crate::objects::config_map("a")).await?;
        let got = site.get("configmaps/a").await?.code(200)?;
        let same = got.json == made.json;
        got.check(same, "what the creation answered")?;
    }

    /// A list with timeoutSeconds is an ordinary list.
    #[source("API concepts: collections")]
    async fn a_lists_timeout_changes_nothing(site) {
        site.secrets(&["a"]).await?;
        site.get("secrets?timeoutSeconds=5").await?.code(200)?.names(&["a"])?;
    }

    /// A fieldSelector on metadata.name picks one of the namespace's objects, with its metadata.
    #[source("API concepts: field selectors")]
    async fn a_list_of_one_name(site) {
        site.secrets(&["a", "b"]).await?;
        site.get("secrets?fieldSelector=metadata.name%3Db").await?.code(200)?.names(&["b"])?;
    }

    /// Parameters that nobody knows are ignored.
    #[source("apimachinery: parameter codec")]
    async fn unknown_parameters_are_ignored(site) {
        site.secrets(&["a"]).await?;
        site.get("secrets?colour=blue").await?.code(200)?.names(&["a"])?;
    }

    /// `pretty=true` indents the answer.
    #[source("API reference: pretty")]
    async fn pretty_answers_are_indented(site) {
        site.get("secrets?pretty=true").await?.code(200)?.says("{\n  \"kind\"")?;
    }

    /// Every new cluster has the four namespaces that Kubernetes itself uses.
    #[source("Namespaces: initial namespaces")]
    async fn a_new_cluster_has_four_namespaces(site) {
        let list = site.get("/api/v1/namespaces").await?.code(200)?;
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let there = list.item_names().contains(&name);
            list.clone().check(there, format!("the namespace {name}"))?;
        }
    }
}
