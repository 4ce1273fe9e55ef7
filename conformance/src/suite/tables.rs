//! The forms of an answer: Tables.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, headless_service, pod, workload};
use crate::site::Site;
use serde_json::Value;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_table)
            .rule("A Table has columns and rows, each with cells and the object's metadata.")
            .source("kubernetes/test/e2e/apimachinery/table_conversion.go"),
        case(a_column_is_defined)
            .rule("A column says its type, its format, what it is and how important it is.")
            .source("apimachinery: TableColumnDefinition"),
        case(a_table_of_one_object)
            .rule("A Table of one object has one row.")
            .source("kubernetes/test/e2e/apimachinery/table_conversion.go"),
        case(rows_carry_what_is_asked)
            .rule("includeObject decides whether rows carry the whole object or nothing.")
            .source("apimachinery: TableOptions"),
        case(the_columns_of_pods)
            .rule("The columns of Pods.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_deployments)
            .rule("The columns of Deployments.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_replica_sets)
            .rule("The columns of ReplicaSets.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_other_workloads)
            .rule("The columns of StatefulSets and DaemonSets.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_jobs)
            .rule("The columns of Jobs and CronJobs.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_services)
            .rule("The columns of Services.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_cluster_scoped_kinds)
            .rule("The columns of Nodes and Namespaces.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_core_kinds)
            .rule("The columns of Secrets, ServiceAccounts and Events.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_leases)
            .rule("The columns of Leases.")
            .source("kubernetes/pkg/printers/internalversion"),
        case(the_columns_of_claims_and_budgets)
            .rule("The columns of claims and budgets.")
            .source("kubernetes/pkg/printers/internalversion"),
    ]
}

pub(super) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

async fn table(site: &Site, path: &str) -> Result<Answer, Mismatch> {
    site.get_as(TABLE, path).await?.code(200)?.is("/kind", "Table")
}

/// The names of a Table's columns, of which those with a priority are only for wide output.
fn columns(answer: &Answer) -> Vec<String> {
    answer
        .list("/columnDefinitions")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .map(str::to_owned)
        .collect()
}

/// Checks the columns of a kind against their names, which commas separate.
async fn has_columns(site: &Site, path: &str, names: &str) -> Outcome {
    let names: Vec<_> = names.split(", ").collect();
    let answer = table(site, path).await?;
    let found = columns(&answer);
    answer.check(found == names, format!("the columns {names:?}, not {found:?}"))?;
    Ok(())
}

async fn a_table(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let answer = table(&site, "configmaps?fieldSelector=metadata.name%3Da")
        .await?
        .is("/apiVersion", "meta.k8s.io/v1")?
        .is("/rows/0/cells/0", "a")?
        .is("/rows/0/cells/1", 1)?
        .is("/rows/0/object/kind", "PartialObjectMetadata")?
        .is("/rows/0/object/metadata/name", "a")?
        .lacks("/rows/0/object/data")?
        .has("/metadata/resourceVersion")?;
    let named = columns(&answer) == ["Name", "Data", "Age"];
    answer.check(named, "the columns Name, Data and Age")?;
    Ok(())
}

async fn a_column_is_defined(site: Site) -> Outcome {
    table(&site, "configmaps")
        .await?
        .is("/columnDefinitions/0/type", "string")?
        .is("/columnDefinitions/0/format", "name")?
        .has("/columnDefinitions/0/description")?
        .is("/columnDefinitions/0/priority", 0)?;
    Ok(())
}

async fn a_table_of_one_object(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let answer = table(&site, "configmaps/a").await?;
    let one = answer.list("/rows").len() == 1;
    answer.check(one, "one row")?;
    Ok(())
}

async fn rows_carry_what_is_asked(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let only = "configmaps?fieldSelector=metadata.name%3Da&includeObject=";
    table(&site, &format!("{only}Object"))
        .await?
        .is("/rows/0/object/data/key", "value")?
        .is("/rows/0/object/kind", "ConfigMap")?;
    table(&site, &format!("{only}None")).await?.is("/rows/0/object", Value::Null)?;
    site.get_as(TABLE, &format!("{only}Half")).await?.code(400)?;
    Ok(())
}

async fn the_columns_of_pods(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    let columns = "Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates";
    has_columns(&site, "pods", columns).await?;
    table(&site, "pods")
        .await?
        .is("/rows/0/cells/1", "0/1")?
        .is("/rows/0/cells/2", "Pending")?
        .is("/rows/0/cells/3", "0")?
        .is("/rows/0/cells/5", "<none>")?;
    Ok(())
}

async fn the_columns_of_deployments(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 2)).await?;
    let columns = "Name, Ready, Up-to-date, Available, Age, Containers, Images, Selector";
    has_columns(&site, "apps/v1/deployments", columns).await?;
    table(&site, "apps/v1/deployments")
        .await?
        .is("/rows/0/cells/1", "0/2")?
        .is("/rows/0/cells/7", "app=a")?;
    Ok(())
}

async fn the_columns_of_replica_sets(site: Site) -> Outcome {
    let columns = "Name, Desired, Current, Ready, Age, Containers, Images, Selector";
    has_columns(&site, "apps/v1/replicasets", columns).await?;
    Ok(())
}

async fn the_columns_of_other_workloads(site: Site) -> Outcome {
    has_columns(&site, "apps/v1/statefulsets", "Name, Ready, Age, Containers, Images").await?;
    let columns = "Name, Desired, Current, Ready, Up-to-date, Available, Node Selector, Age, Containers, \
                   Images, Selector";
    has_columns(&site, "apps/v1/daemonsets", columns).await?;
    Ok(())
}

async fn the_columns_of_jobs(site: Site) -> Outcome {
    let columns = "Name, Status, Completions, Duration, Age, Containers, Images, Selector";
    has_columns(&site, "batch/v1/jobs", columns).await?;
    let columns =
        "Name, Schedule, Timezone, Suspend, Active, Last Schedule, Age, Containers, Images, Selector";
    has_columns(&site, "batch/v1/cronjobs", columns).await?;
    Ok(())
}

async fn the_columns_of_services(site: Site) -> Outcome {
    site.create("services", headless_service("a")).await?;
    has_columns(&site, "services", "Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector").await?;
    table(&site, "services")
        .await?
        .is("/rows/0/cells/1", "ClusterIP")?
        .is("/rows/0/cells/2", "None")?
        .is("/rows/0/cells/4", "80/TCP")?;
    Ok(())
}

async fn the_columns_of_cluster_scoped_kinds(site: Site) -> Outcome {
    let columns = "Name, Status, Roles, Age, Version, Internal-IP, External-IP, OS-Image, Kernel-Version, \
                   Container-Runtime";
    has_columns(&site, "/api/v1/nodes", columns).await?;
    has_columns(&site, "/api/v1/namespaces", "Name, Status, Age").await?;
    Ok(())
}

async fn the_columns_of_core_kinds(site: Site) -> Outcome {
    has_columns(&site, "secrets", "Name, Type, Data, Age").await?;
    has_columns(&site, "serviceaccounts", "Name, Age").await?;
    let columns = "Last Seen, Type, Reason, Object, Subobject, Source, Message, First Seen, Count, Name";
    has_columns(&site, "events", columns).await?;
    Ok(())
}

async fn the_columns_of_leases(site: Site) -> Outcome {
    has_columns(&site, "coordination.k8s.io/v1/leases", "Name, Holder, Age").await?;
    Ok(())
}

async fn the_columns_of_claims_and_budgets(site: Site) -> Outcome {
    let columns =
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode";
    has_columns(&site, "persistentvolumeclaims", columns).await?;
    let columns = "Name, Min Available, Max Unavailable, Allowed Disruptions, Age";
    has_columns(&site, "policy/v1/poddisruptionbudgets", columns).await?;
    Ok(())
}
