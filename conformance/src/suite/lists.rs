//! Lists of objects.

use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::Site;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_list_is_an_object)
            .rule(
                "A list has its own kind, apiVersion and resource version, and its items come in the order \
                 of their names.",
            )
            .source("API concepts: collections"),
        case(items_do_not_repeat_their_kind)
            .rule("Items of a list of a built-in kind carry neither kind nor apiVersion.")
            .source("API concepts: collections"),
        case(an_empty_list_is_an_array)
            .rule("An empty list has an empty array of items, not null.")
            .source("API concepts: collections"),
        case(lists_across_namespaces_are_ordered)
            .rule("A list across namespaces is ordered by namespace and name.")
            .source("etcd3 store: keys in order"),
        case(a_list_in_no_namespace_is_empty)
            .rule("A list of a namespace that does not exist is empty, not 404.")
            .source("API concepts: collections"),
        case(a_list_is_as_new_as_its_items)
            .rule("The list's resource version is not older than any of its items'.")
            .source("API concepts: resource versions"),
        case(cluster_scoped_lists)
            .rule("A list of cluster-scoped objects takes no namespace.")
            .source("API concepts: resource URIs"),
        case(what_is_missing_is_named)
            .rule("A get of a name that is not there is 404 with name and resource in the details.")
            .source("apimachinery api/errors: NewNotFound"),
        case(a_get_is_the_object)
            .rule("A get answers with the object as it was stored.")
            .source("API concepts: get"),
        case(a_lists_timeout_changes_nothing)
            .rule("A list with timeoutSeconds is an ordinary list.")
            .source("API concepts: collections"),
        case(a_list_of_one_name)
            .rule("A fieldSelector on metadata.name picks one of the namespace's objects, with its metadata.")
            .source("API concepts: field selectors"),
        case(unknown_parameters_are_ignored)
            .rule("Parameters that nobody knows are ignored.")
            .source("apimachinery: parameter codec"),
        case(pretty_answers_are_indented)
            .rule("`pretty=true` indents the answer.")
            .source("API reference: pretty"),
        case(a_new_cluster_has_four_namespaces)
            .rule("Every new cluster has the four namespaces that Kubernetes itself uses.")
            .source("Namespaces: initial namespaces"),
    ]
}

async fn a_list_is_an_object(site: Site) -> Outcome {
    site.secrets(&["b", "c", "a"]).await?;
    site.get("secrets")
        .await?
        .code(200)?
        .is("/kind", "SecretList")?
        .is("/apiVersion", "v1")?
        .has("/metadata/resourceVersion")?
        .names(&["a", "b", "c"])?;
    Ok(())
}

async fn items_do_not_repeat_their_kind(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.get("secrets").await?.lacks("/items/0/kind")?.lacks("/items/0/apiVersion")?;
    Ok(())
}

async fn an_empty_list_is_an_array(site: Site) -> Outcome {
    site.get("secrets").await?.code(200)?.is("/items", json!([]))?;
    Ok(())
}

async fn lists_across_namespaces_are_ordered(site: Site) -> Outcome {
    site.secrets(&["z", "a"]).await?;
    let all = site.get("/api/v1/secrets").await?.code(200)?;
    let keys: Vec<_> = all
        .list("/items")
        .iter()
        .map(|item| {
            let meta = &item["metadata"];
            format!(
                "{}/{}",
                meta["namespace"].as_str().unwrap_or_default(),
                meta["name"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let ordered = keys.is_sorted();
    all.check(ordered, "items ordered by namespace and name")?;
    Ok(())
}

async fn a_list_in_no_namespace_is_empty(site: Site) -> Outcome {
    site.get("/api/v1/namespaces/conf-there-is-no-such/secrets").await?.code(200)?.is("/items", json!([]))?;
    Ok(())
}

async fn a_list_is_as_new_as_its_items(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let one = site.get("secrets/a").await?.code(200)?;
    let list = site.get("secrets").await?.code(200)?;
    let newer = list.version().parse::<u64>().ok() >= one.version().parse::<u64>().ok();
    list.check(newer, "a resource version that covers the items")?;
    Ok(())
}

async fn cluster_scoped_lists(site: Site) -> Outcome {
    site.get("/api/v1/nodes").await?.code(200)?.is("/kind", "NodeList")?;
    site.get("nodes").await?.code(404)?;
    Ok(())
}

async fn what_is_missing_is_named(site: Site) -> Outcome {
    site.get("secrets/none")
        .await?
        .refused(404, "NotFound")?
        .is("/message", "secrets \"none\" not found")?
        .is("/details/name", "none")?
        .is("/details/kind", "secrets")?
        .lacks("/details/group")?;
    site.get("apps/v1/deployments/none")
        .await?
        .refused(404, "NotFound")?
        .is("/details/group", "apps")?
        .is("/message", "deployments.apps \"none\" not found")?;
    Ok(())
}

async fn a_get_is_the_object(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    let got = site.get("configmaps/a").await?.code(200)?;
    let same = got.json == made.json;
    got.check(same, "what the creation answered")?;
    Ok(())
}

async fn a_lists_timeout_changes_nothing(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.get("secrets?timeoutSeconds=5").await?.code(200)?.names(&["a"])?;
    Ok(())
}

async fn a_list_of_one_name(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.get("secrets?fieldSelector=metadata.name%3Db").await?.code(200)?.names(&["b"])?;
    Ok(())
}

async fn unknown_parameters_are_ignored(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    site.get("secrets?colour=blue").await?.code(200)?.names(&["a"])?;
    Ok(())
}

async fn pretty_answers_are_indented(site: Site) -> Outcome {
    site.get("secrets?pretty=true").await?.code(200)?.says("{\n  \"kind\"")?;
    Ok(())
}

async fn a_new_cluster_has_four_namespaces(site: Site) -> Outcome {
    let list = site.get("/api/v1/namespaces").await?.code(200)?;
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let there = list.item_names().contains(&name);
        list.clone().check(there, format!("the namespace {name}"))?;
    }
    Ok(())
}
