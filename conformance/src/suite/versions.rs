//! Resource versions in gets and lists: what each parameter promises.

use crate::answer::Answer;
use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::{MERGE, Site};
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(one_counter_for_all_kinds)
            .rule("One counter covers all kinds: a later write has a higher version, whatever it wrote.")
            .source("KEP-2340"),
        case(an_update_without_a_change_keeps_the_version)
            .rule("An update that changes nothing writes nothing: the version stays.")
            .source("etcd3 store: GuaranteedUpdate"),
        case(a_patch_without_a_change_keeps_the_version)
            .rule("A patch that changes nothing writes nothing.")
            .source("etcd3 store: GuaranteedUpdate"),
        case(a_stale_update_is_a_conflict)
            .rule("An update of an older version is 409, and says what to do.")
            .source("apiserver: OptimisticLockErrorMsg"),
        case(an_update_without_a_version_is_unconditional)
            .rule("An update without a version is unconditional for built-in kinds.")
            .source("registry: AllowUnconditionalUpdate"),
        case(a_creation_has_no_version)
            .rule("A resource version in an object to create is refused.")
            .source("registry/rest: BeforeCreate"),
        case(a_get_at_zero)
            .rule("A get at resource version 0 may be old; what was written long before is there.")
            .source("API concepts: resource versions, get"),
        case(a_get_is_not_older_than_asked)
            .rule("A get at a version is at least as new as that.")
            .source("API concepts: resource versions, get"),
        case(a_gets_version_is_a_number)
            .rule("A get with a version that is not a number is refused, with 500 of all codes.")
            .source("API concepts: resource versions, get"),
        case(a_list_not_older_than)
            .rule("A list that must not be older than a version has everything up to it.")
            .source("API concepts: resource versions, NotOlderThan"),
        case(a_lists_version_means_not_older)
            .rule("A list at a version without a match means not older than it.")
            .source("API concepts: resource versions, unset"),
        case(a_list_at_exactly_a_version)
            .rule("A list at exactly a version shows that moment.")
            .source("API concepts: resource versions, Exact"),
        case(an_exact_list_shows_old_contents)
            .rule("An exact list shows an object as it was then.")
            .source("KEP-4988"),
        case(a_limit_makes_a_version_exact)
            .rule("A list with a limit and a version but no match shows exactly that version.")
            .source("API concepts: resource versions, legacy rule"),
        case(a_match_needs_a_version)
            .rule("A match without a version is refused.")
            .source("apimachinery: ValidateListOptions"),
        case(exactly_zero_is_refused)
            .rule("Exactly 0 is refused: 0 means anything.")
            .source("apimachinery: ValidateListOptions"),
        case(an_unknown_match_is_refused)
            .rule("A match that nobody knows is refused, with the known ones named.")
            .source("apimachinery: ValidateListOptions"),
        case(a_version_from_the_future_times_out)
            .rule(
                "A version from the future is 504 with a cause and a time to wait, after the server has \
                 waited itself.",
            )
            .source("apiserver: NewTooLargeResourceVersionError"),
        case(an_exact_version_from_the_future)
            .rule("An exact list from the future is refused with the same cause.")
            .source("apiserver: NewTooLargeResourceVersionError"),
        case(a_lists_version_is_a_number)
            .rule("A list's version that is no number is refused.")
            .source("apiserver: ParseResourceVersion"),
        case(send_initial_events_on_a_list_is_refused)
            .rule("sendInitialEvents belongs to watches.")
            .source("KEP-3157"),
        case(a_patch_may_be_conditional)
            .rule("A merge patch with a resource version is conditional.")
            .source("API concepts: patch and update"),
        case(an_update_means_its_uid)
            .rule("An update with another uid is a conflict: it means another object of this name.")
            .source("registry/rest: UID precondition"),
        case(a_list_at_zero_ignores_the_limit)
            .rule("A list at version 0 ignores the limit.")
            .source("KEP-2340"),
    ]
}

async fn one_counter_for_all_kinds(site: Site) -> Outcome {
    let first = site.create("configmaps", config_map("a")).await?;
    let second = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    let third = site.create("configmaps", config_map("b")).await?;
    let number = |answer: &Answer| answer.version().parse::<u64>().unwrap_or_default();
    let rising = number(&first) < number(&second) && number(&second) < number(&third);
    third.check(rising, "rising resource versions")?;
    Ok(())
}

async fn an_update_without_a_change_keeps_the_version(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.put("configmaps/a", made.json.clone())
        .await?
        .code(200)?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn a_patch_without_a_change_keeps_the_version(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"key": "value"}}))
        .await?
        .code(200)?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn a_stale_update_is_a_conflict(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    let mut newer = made.json.clone();
    newer["data"]["key"] = json!("other");
    site.put("configmaps/a", newer.clone()).await?.code(200)?;
    newer["data"]["key"] = json!("third");
    site.put("configmaps/a", newer)
        .await?
        .refused(409, "Conflict")?
        .is(
            "/message",
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply \
             your changes to the latest version and try again",
        )?
        .is("/details/name", "a")?
        .is("/details/kind", "configmaps")?;
    Ok(())
}

async fn an_update_without_a_version_is_unconditional(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.put("configmaps/a", json!({"metadata": {"name": "a"}, "data": {"key": "other"}}))
        .await?
        .code(200)?
        .is("/data/key", "other")?;
    Ok(())
}

async fn a_creation_has_no_version(site: Site) -> Outcome {
    let body = json!({"metadata": {"name": "a", "resourceVersion": "1"}});
    let refused = site.post("configmaps", body.clone()).await?.code(500);
    refused.or(site.post("configmaps", body).await?.code(400))?;
    Ok(())
}

async fn a_get_at_zero(site: Site) -> Outcome {
    site.get("/api/v1/namespaces/default?resourceVersion=0")
        .await?
        .code(200)?
        .is("/metadata/name", "default")?;
    Ok(())
}

async fn a_get_is_not_older_than_asked(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.get(&format!("configmaps/a?resourceVersion={}", made.version()))
        .await?
        .code(200)?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn a_gets_version_is_a_number(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get("configmaps/a?resourceVersion=blue")
        .await?
        .code(500)?
        .is("/kind", "Status")?
        .mentions("/message", "resourceVersion: Invalid value: \"blue\"")?;
    Ok(())
}

async fn a_list_not_older_than(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    let path = format!("secrets?resourceVersion={}&resourceVersionMatch=NotOlderThan", made.version());
    site.get(&path).await?.code(200)?.names(&["a"])?;
    Ok(())
}

async fn a_lists_version_means_not_older(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    site.secrets(&["b"]).await?;
    let list = site.get(&format!("secrets?resourceVersion={}", made.version())).await?.code(200)?;
    let first = list.item_names().contains(&"a");
    list.check(first, "at least the first Secret")?;
    Ok(())
}

async fn a_list_at_exactly_a_version(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    site.secrets(&["b"]).await?;
    let path = format!("secrets?resourceVersion={}&resourceVersionMatch=Exact", made.version());
    site.get(&path).await?.code(200)?.names(&["a"])?.is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn an_exact_list_shows_old_contents(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"key": "new"}})).await?.code(200)?;
    let path = format!(
        "configmaps?fieldSelector=metadata.name%3Da&resourceVersion={}&resourceVersionMatch=Exact",
        made.version()
    );
    site.get(&path).await?.code(200)?.is("/items/0/data/key", "value")?;
    Ok(())
}

async fn a_limit_makes_a_version_exact(site: Site) -> Outcome {
    let made = site.create("secrets", json!({"metadata": {"name": "a"}})).await?;
    site.secrets(&["b"]).await?;
    site.get(&format!("secrets?limit=10&resourceVersion={}", made.version()))
        .await?
        .code(200)?
        .names(&["a"])?
        .is("/metadata/resourceVersion", made.version())?;
    Ok(())
}

async fn a_match_needs_a_version(site: Site) -> Outcome {
    for way in ["Exact", "NotOlderThan"] {
        site.get(&format!("secrets?resourceVersionMatch={way}"))
            .await?
            .invalid("FieldValueForbidden", "resourceVersionMatch")?;
    }
    Ok(())
}

async fn exactly_zero_is_refused(site: Site) -> Outcome {
    site.get("secrets?resourceVersion=0&resourceVersionMatch=Exact")
        .await?
        .invalid("FieldValueForbidden", "resourceVersionMatch")?;
    Ok(())
}

async fn an_unknown_match_is_refused(site: Site) -> Outcome {
    site.get("secrets?resourceVersion=1&resourceVersionMatch=About")
        .await?
        .invalid("FieldValueNotSupported", "resourceVersionMatch")?
        .mentions("/message", "NotOlderThan")?;
    Ok(())
}

async fn a_version_from_the_future_times_out(site: Site) -> Outcome {
    let now = site.get("secrets").await?;
    let version = now.version().parse::<u64>().unwrap_or_default() + 1_000_000;
    site.get(&format!("secrets?resourceVersion={version}&resourceVersionMatch=NotOlderThan"))
        .await?
        .refused(504, "Timeout")?
        .mentions("/message", "Too large resource version")?
        .is("/details/retryAfterSeconds", 1)?
        .is("/details/causes/0/reason", "ResourceVersionTooLarge")?;
    Ok(())
}

async fn an_exact_version_from_the_future(site: Site) -> Outcome {
    let now = site.get("secrets").await?;
    let version = now.version().parse::<u64>().unwrap_or_default() + 1_000_000;
    site.get(&format!("secrets?resourceVersion={version}&resourceVersionMatch=Exact"))
        .await?
        .refused(504, "Timeout")?
        .is("/details/causes/0/reason", "ResourceVersionTooLarge")?;
    Ok(())
}

async fn a_lists_version_is_a_number(site: Site) -> Outcome {
    site.get("secrets?resourceVersion=blue")
        .await?
        .code(400)?
        .is("/reason", "BadRequest")?
        .mentions("/message", "invalid resource version")?;
    Ok(())
}

async fn send_initial_events_on_a_list_is_refused(site: Site) -> Outcome {
    site.get("secrets?sendInitialEvents=true").await?.invalid("FieldValueForbidden", "sendInitialEvents")?;
    Ok(())
}

async fn a_patch_may_be_conditional(site: Site) -> Outcome {
    let made = site.create("configmaps", config_map("a")).await?;
    let patch = |key: &str| json!({"metadata": {"resourceVersion": made.version()}, "data": {"key": key}});
    site.patch(MERGE, "configmaps/a", patch("b")).await?.code(200)?;
    site.patch(MERGE, "configmaps/a", patch("c")).await?.refused(409, "Conflict")?;
    Ok(())
}

async fn an_update_means_its_uid(site: Site) -> Outcome {
    let mut made = site.create("configmaps", config_map("a")).await?.json;
    made["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    made["metadata"]["resourceVersion"] = json!("");
    site.put("configmaps/a", made)
        .await?
        .refused(409, "Conflict")?
        .mentions("/message", "Precondition failed: UID in precondition")?;
    Ok(())
}

async fn a_list_at_zero_ignores_the_limit(site: Site) -> Outcome {
    let list = site.get("/api/v1/namespaces?resourceVersion=0&limit=1").await?.code(200)?;
    let all = list.list("/items").len() >= 4;
    list.check(all, "all namespaces")?.lacks("/metadata/continue")?;
    Ok(())
}
