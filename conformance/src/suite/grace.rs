//! Deletions of Pods: grace periods.

use crate::case::{Case, Outcome, case};
use crate::objects::{bound_pod, pod};
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_pod_goes_gracefully)
            .rule(
                "A Pod on a node goes after its grace period: until then it is there, with the time of its \
                 end.",
            )
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_pod_on_no_node_goes_at_once)
            .rule("A Pod on no node goes at once.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_pod_that_has_ended_goes_at_once)
            .rule("A Pod that has ended goes at once.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_graceful_deletion_is_a_generation)
            .rule("The beginning of a graceful deletion is a generation.")
            .source("registry/rest: BeforeDelete"),
        case(a_pod_names_its_grace)
            .rule("A Pod's own grace period holds when the deletion names none.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(a_deletion_names_the_grace)
            .rule("A deletion may name the grace period, as a parameter or in its options.")
            .source("API concepts: deletion"),
        case(grace_only_shrinks)
            .rule("A grace period can be shortened and never lengthened.")
            .source("registry/rest: BeforeDelete"),
        case(a_negative_grace_is_one_second)
            .rule("A negative grace period means 1 second.")
            .source("registry/core/pod: CheckGracefulDelete"),
        case(finalizers_outlast_grace)
            .rule("Finalizers outlast the grace period.")
            .source("registry/rest: BeforeDelete"),
    ]
}

async fn a_pod_goes_gracefully(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a")
        .await?
        .code(200)?
        .is("/kind", "Pod")?
        .has("/metadata/deletionTimestamp")?
        .is("/metadata/deletionGracePeriodSeconds", 30)?;
    site.get("pods/a").await?.code(200)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_pod_on_no_node_goes_at_once(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.delete("pods/a").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_pod_that_has_ended_goes_at_once(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Succeeded"}})).await?.code(200)?;
    site.delete("pods/a").await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_graceful_deletion_is_a_generation(site: Site) -> Outcome {
    let made = site.create("pods", bound_pod("a")).await?;
    let before = made.at("/metadata/generation").as_i64().unwrap_or_default();
    site.delete("pods/a").await?.is("/metadata/generation", before + 1)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_pod_names_its_grace(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["spec"]["terminationGracePeriodSeconds"] = json!(7);
    site.create("pods", made).await?;
    site.delete("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 7)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_deletion_names_the_grace(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete_with("pods/a", json!({"gracePeriodSeconds": 20}))
        .await?
        .is("/metadata/deletionGracePeriodSeconds", 20)?;
    site.delete("pods/a?gracePeriodSeconds=10").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn grace_only_shrinks(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a?gracePeriodSeconds=10").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=20").await?.code(200)?;
    site.get("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 10)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_negative_grace_is_one_second(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    site.delete("pods/a?gracePeriodSeconds=-1").await?.is("/metadata/deletionGracePeriodSeconds", 1)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn finalizers_outlast_grace(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["finalizers"] = json!(["example.com/hold"]);
    site.create("pods", made).await?;
    site.delete("pods/a?gracePeriodSeconds=0")
        .await?
        .code(200)?
        .is("/metadata/deletionGracePeriodSeconds", 0)?;
    site.get("pods/a").await?.code(200)?;
    site.patch(MERGE, "pods/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}
