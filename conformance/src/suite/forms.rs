//! The forms of an answer: Tables, metadata alone, YAML, compression.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, headless_service, pod, workload};
use crate::site::{MERGE, Site};
use http::Method;
use serde_json::{Value, json};

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
        case(metadata_of_one).rule("Metadata alone, of one object.").source("API concepts: metadata-only"),
        case(metadata_of_a_list).rule("Metadata alone, of a list.").source("API concepts: metadata-only"),
        case(metadata_of_a_patch)
            .rule("A write can be answered with metadata alone.")
            .source("apiserver: transformResponseObject"),
        case(the_first_form_that_there_is)
            .rule("The first form of Accept that the server has is taken.")
            .source("RFC 9110: Accept"),
        case(yaml_on_request)
            .rule("YAML is answered on request.")
            .source("API concepts: alternate representations"),
        case(yaml_is_taken).rule("YAML can be sent.").source("API concepts: alternate representations"),
        case(a_refusal_is_a_status)
            .rule("A refusal is a Status, in the form of the answer.")
            .source("API concepts: response status"),
        case(objects_in_protobuf)
            .rule(
                "Built-in kinds have a form in protobuf, alone, in lists and as refusals; a Table has none, \
                 and what is asked for next is sent.",
            )
            .source("apimachinery: runtime/serializer/protobuf"),
        case(an_unknown_form_is_not_acceptable)
            .rule("A form that the server does not have is 406.")
            .source("apiserver: NegotiateOutputMediaType"),
        case(long_lists_are_compressed)
            .rule("A long list comes compressed to whoever takes gzip.")
            .source("apiserver: APIResponseCompression"),
        case(short_answers_are_not_compressed)
            .rule("A short answer is not compressed.")
            .source("apiserver: APIResponseCompression"),
        case(nothing_is_compressed_unasked)
            .rule("Without being asked, nothing is compressed.")
            .source("apiserver: APIResponseCompression"),
        case(head_has_no_body)
            .rule("HEAD is answered like GET, without a body.")
            .source("apiserver: installer"),
    ]
}

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

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

async fn metadata_of_one(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    site.get_as(accept, "configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadata")?
        .is("/apiVersion", "meta.k8s.io/v1")?
        .is("/metadata/name", "a")?
        .lacks("/data")?;
    Ok(())
}

async fn metadata_of_a_list(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    site.get_as(accept, "secrets")
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadataList")?
        .has("/metadata/resourceVersion")?
        .is("/items/0/metadata/name", "a")?
        .lacks("/items/0/type")?;
    Ok(())
}

async fn metadata_of_a_patch(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.call(Method::PATCH, "configmaps/a")
        .json(&json!({"metadata": {"labels": {"x": "y"}}}))
        .header("content-type", MERGE)
        .accept("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
        .send()
        .await?
        .code(200)?
        .is("/kind", "PartialObjectMetadata")?
        .is("/metadata/labels/x", "y")?;
    Ok(())
}

async fn the_first_form_that_there_is(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get_as("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", "configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "ConfigMap")?;
    site.get_as("text/html,*/*", "configmaps/a")
        .await?
        .code(200)?
        .header("content-type", "application/json")?;
    Ok(())
}

async fn yaml_on_request(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get_as("application/yaml", "configmaps/a")
        .await?
        .code(200)?
        .header("content-type", "application/yaml")?
        .says("kind: ConfigMap\n")?;
    Ok(())
}

async fn yaml_is_taken(site: Site) -> Outcome {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: \"1\"\n";
    site.post_as("application/yaml", "configmaps", yaml).await?.code(201)?.is("/data/key", "1")?;
    Ok(())
}

async fn a_refusal_is_a_status(site: Site) -> Outcome {
    site.get("configmaps/none")
        .await?
        .refused(404, "NotFound")?
        .is("/metadata", json!({}))?
        .header("content-type", "application/json")?;
    site.get_as(TABLE, "configmaps/none").await?.refused(404, "NotFound")?;
    site.get_as("application/yaml", "configmaps/none").await?.code(404)?.says("reason: NotFound")?;
    Ok(())
}

async fn objects_in_protobuf(site: Site) -> Outcome {
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
    const PARTIAL: &str =
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const TABLE: &str = "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1";
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"key": "some-text"}})).await?;
    for (path, accept, parts) in [
        (
            "configmaps/a",
            PROTOBUF,
            ["k8s\0\n\x0f\n\x02v1\x12\tConfigMap", "\x12\x10\n\x03key\x12\tsome-text"],
        ),
        ("configmaps", PROTOBUF, ["ConfigMapList", "some-text"]),
        ("configmaps", PARTIAL, ["PartialObjectMetadataList", "meta.k8s.io/v1"]),
        ("configmaps", &format!("{PROTOBUF}, application/json"), ["ConfigMapList", "some-text"]),
    ] {
        let mut answer = site.get_as(accept, path).await?.code(200)?.header("content-type", PROTOBUF)?;
        for part in parts {
            answer = answer.says(part)?;
        }
    }
    let none = site.get_as(PROTOBUF, "configmaps/none").await?.code(404)?;
    none.header("content-type", PROTOBUF)?.says("configmaps \"none\" not found")?;
    site.get_as(TABLE, "configmaps").await?.code(406)?;
    let either = format!("{TABLE}, application/json");
    site.get_as(&either, "configmaps").await?.code(200)?.is("/kind", "ConfigMapList")?;
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    site.get_as(PROTOBUF, definitions).await?.code(200)?.says("CustomResourceDefinitionList")?;
    Ok(())
}

async fn an_unknown_form_is_not_acceptable(site: Site) -> Outcome {
    for accept in ["text/html", "application/json;as=Nonsense;g=meta.k8s.io;v=v1", "image/png"] {
        site.get_as(accept, "configmaps").await?.refused(406, "NotAcceptable")?;
    }
    Ok(())
}

async fn long_lists_are_compressed(site: Site) -> Outcome {
    for name in ["a", "b"] {
        site.create("secrets", json!({"metadata": {"name": name}, "stringData": {"x": "y".repeat(100_000)}}))
            .await?;
    }
    let answer = site
        .call(Method::GET, "secrets")
        .header("accept-encoding", "gzip")
        .send()
        .await?
        .code(200)?
        .header("content-encoding", "gzip")?;
    let gzip = answer.body.starts_with(&[0x1f, 0x8b]);
    answer.check(gzip, "a gzip body")?;
    Ok(())
}

async fn short_answers_are_not_compressed(site: Site) -> Outcome {
    site.call(Method::GET, "secrets")
        .header("accept-encoding", "gzip")
        .send()
        .await?
        .code(200)?
        .no_header("content-encoding")?;
    Ok(())
}

async fn nothing_is_compressed_unasked(site: Site) -> Outcome {
    site.create("secrets", json!({"metadata": {"name": "a"}, "stringData": {"x": "y".repeat(200_000)}}))
        .await?;
    site.get("secrets").await?.code(200)?.no_header("content-encoding")?.names(&["a"])?;
    Ok(())
}

async fn head_has_no_body(site: Site) -> Outcome {
    let answer = site.call(Method::HEAD, "secrets").send().await?;
    let empty = answer.body.is_empty();
    answer.check(empty, "no body")?;
    Ok(())
}
