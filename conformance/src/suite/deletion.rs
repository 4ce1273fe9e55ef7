//! Deletions: their answers, and finalizers.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, finalized, headless_service};
use crate::site::{JSON, MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_deletion_answers_a_status)
            .rule("A deletion that is done at once answers a Status with the object's name and uid.")
            .source("API concepts: deletion"),
        case(a_deletion_needs_its_object)
            .rule("A deletion of what is not there is 404.")
            .source("API concepts: deletion"),
        case(some_kinds_answer_the_object)
            .rule("A Service is answered as an object even when it is gone.")
            .source("registry/core/service: ReturnDeletedObject"),
        case(finalizers_keep_an_object)
            .rule("With finalizers, an object stays, marked with a time and a grace of 0, and is answered.")
            .source("Finalizers"),
        case(the_last_finalizer_removes)
            .rule("The last finalizer takes the object with it.")
            .source("Finalizers"),
        case(a_second_deletion_changes_nothing)
            .rule("A second deletion of what waits for finalizers changes nothing.")
            .source("registry/rest: BeforeDelete"),
        case(no_new_finalizers_in_deletion)
            .rule("New finalizers are refused while an object is being deleted.")
            .source("apimachinery: ValidateObjectMetaUpdate"),
        case(the_deletion_time_is_the_servers)
            .rule("The deletion time cannot be written.")
            .source("registry/rest: BeforeUpdate"),
        case(a_name_is_taken_until_the_end)
            .rule("A name that waits for finalizers is taken: creating it again is refused.")
            .source("registry/rest: Create"),
    ]
}

async fn a_deletion_answers_a_status(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.delete("configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "Status")?
        .is("/status", "Success")?
        .is("/details/name", "a")?
        .is("/details/kind", "configmaps")?
        .is("/details/uid", made.text("/metadata/uid"))?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_deletion_needs_its_object(site: Site) -> Outcome {
    site.delete("configmaps/none").await?.refused(404, "NotFound")?;
    Ok(())
}

async fn some_kinds_answer_the_object(site: Site) -> Outcome {
    site.create("services", headless_service("a")).await?;
    let gone = site.delete("services/a").await?.code(200)?;
    let known = gone.json["kind"] == "Service" || gone.json["kind"] == "Status";
    gone.check(known, "a Service")?;
    Ok(())
}

async fn finalizers_keep_an_object(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a")
        .await?
        .code(200)?
        .is("/kind", "ConfigMap")?
        .has("/metadata/deletionTimestamp")?
        .is("/metadata/deletionGracePeriodSeconds", 0)?;
    site.get("configmaps/a").await?.code(200)?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn the_last_finalizer_removes(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "finalizers": ["example.com/a", "example.com/b"]}});
    site.create("configmaps", body).await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/metadata/finalizers/0"}]))
        .await?
        .code(200)?;
    site.get("configmaps/a").await?.code(200)?.is("/metadata/finalizers", json!(["example.com/b"]))?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/metadata/finalizers"}]))
        .await?
        .code(200)?;
    site.get("configmaps/a").await?.code(404)?;
    Ok(())
}

async fn a_second_deletion_changes_nothing(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    let first = site.delete("configmaps/a").await?.code(200)?;
    site.delete("configmaps/a").await?.code(200)?.is("/metadata/resourceVersion", first.version())?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn no_new_finalizers_in_deletion(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    let patch = json!({"metadata": {"finalizers": ["example.com/hold", "example.com/new"]}});
    site.patch(MERGE, "configmaps/a", patch).await?.invalid("FieldValueForbidden", "metadata.finalizers")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn the_deletion_time_is_the_servers(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!({"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}});
    let answer = site.patch(MERGE, "configmaps/a", patch).await?;
    let kept = answer.status == 422 || answer.json.pointer("/metadata/deletionTimestamp").is_none();
    answer.check(kept, "no deletion time")?;
    Ok(())
}

async fn a_name_is_taken_until_the_end(site: Site) -> Outcome {
    site.create("configmaps", finalized("a")).await?;
    site.delete("configmaps/a").await?.code(200)?;
    site.post("configmaps", config_map("a"))
        .await?
        .refused(409, "AlreadyExists")?
        .mentions("/message", "object is being deleted: configmaps \"a\" already exists")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}
