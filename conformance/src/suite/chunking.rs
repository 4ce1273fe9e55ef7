//! Lists in chunks: `limit` and `continue`.

use crate::case::{Case, Outcome, case};
use crate::site::Site;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(chunks_add_up_to_the_list)
            .rule("A limit cuts the list, and a token leads to the rest; the last chunk has none.")
            .source("kubernetes/test/e2e/apimachinery/chunking.go"),
        case(chunks_show_one_moment)
            .rule("All chunks carry one resource version, whatever is written meanwhile.")
            .source("kubernetes/test/e2e/apimachinery/chunking.go"),
        case(the_remaining_items_are_counted)
            .rule("Without selectors, a chunk tells how many items are left.")
            .source("API concepts: retrieving large results in chunks"),
        case(with_a_selector_nothing_is_counted)
            .rule("With a selector, the remaining items are not counted.")
            .source("API concepts: retrieving large results in chunks"),
        case(a_limit_counts_what_is_selected)
            .rule("A limit counts items that the selector picks, not those that were looked at.")
            .source("API concepts: retrieving large results in chunks"),
        case(a_limit_that_suffices_gives_no_token)
            .rule("A limit as large as the list gives no token.")
            .source("API concepts: retrieving large results in chunks"),
        case(a_limit_of_zero_is_none)
            .rule("A limit of 0 is none.")
            .source("API concepts: retrieving large results in chunks"),
        case(a_negative_limit_is_none).rule("A limit below 0 is none, too.").source("etcd3 store: GetList"),
        case(a_limit_is_a_number)
            .rule("A limit that is no number is refused.")
            .source("apimachinery: parameter codec"),
        case(a_token_that_nobody_gave_is_refused)
            .rule("A token that nobody gave is refused.")
            .source("apiserver: DecodeContinue"),
        case(a_token_takes_no_version)
            .rule("A token and a resource version exclude each other.")
            .source("apimachinery: ValidateListOptions"),
        case(a_token_takes_no_match)
            .rule("A token and a match exclude each other.")
            .source("apimachinery: ValidateListOptions"),
        case(the_limit_may_change)
            .rule("The limit may change from chunk to chunk.")
            .source("kubernetes/test/e2e/apimachinery/chunking.go"),
        case(an_exact_list_in_chunks)
            .rule("An exact list may be cut, and its chunks keep to the version.")
            .source("API concepts: resource versions, Exact"),
        case(tables_come_in_chunks)
            .rule("A Table in chunks has the token, too.")
            .source("kubernetes/test/e2e/apimachinery/table_conversion.go"),
    ]
}

async fn chunks_add_up_to_the_list(site: Site) -> Outcome {
    site.secrets(&["a", "b", "c", "d", "e"]).await?;
    let first = site.get("secrets?limit=2").await?.code(200)?.names(&["a", "b"])?;
    let second = site
        .get(&format!("secrets?limit=2&continue={}", first.text("/metadata/continue")))
        .await?
        .code(200)?
        .names(&["c", "d"])?;
    site.get(&format!("secrets?limit=2&continue={}", second.text("/metadata/continue")))
        .await?
        .code(200)?
        .names(&["e"])?
        .lacks("/metadata/continue")?;
    Ok(())
}

async fn chunks_show_one_moment(site: Site) -> Outcome {
    site.secrets(&["a", "b", "d"]).await?;
    let first = site.get("secrets?limit=1").await?.code(200)?;
    site.secrets(&["c"]).await?;
    site.delete("secrets/d").await?.code(200)?;
    site.get(&format!("secrets?limit=5&continue={}", first.text("/metadata/continue")))
        .await?
        .code(200)?
        .names(&["b", "d"])?
        .is("/metadata/resourceVersion", first.version())?;
    Ok(())
}

async fn the_remaining_items_are_counted(site: Site) -> Outcome {
    site.secrets(&["a", "b", "c"]).await?;
    let first = site.get("secrets?limit=1").await?.is("/metadata/remainingItemCount", 2)?;
    site.get(&format!("secrets?limit=1&continue={}", first.text("/metadata/continue")))
        .await?
        .is("/metadata/remainingItemCount", 1)?;
    site.get("secrets?limit=3").await?.lacks("/metadata/remainingItemCount")?;
    Ok(())
}

async fn with_a_selector_nothing_is_counted(site: Site) -> Outcome {
    for name in ["a", "b", "c"] {
        site.create("secrets", json!({"metadata": {"name": name, "labels": {"x": "y"}}})).await?;
    }
    site.get("secrets?limit=1&labelSelector=x%3Dy")
        .await?
        .names(&["a"])?
        .has("/metadata/continue")?
        .lacks("/metadata/remainingItemCount")?;
    Ok(())
}

async fn a_limit_counts_what_is_selected(site: Site) -> Outcome {
    for (name, label) in [("a", "n"), ("b", "y"), ("c", "n"), ("d", "y"), ("e", "y")] {
        site.create("secrets", json!({"metadata": {"name": name, "labels": {"x": label}}})).await?;
    }
    let first = site.get("secrets?limit=2&labelSelector=x%3Dy").await?.names(&["b", "d"])?;
    site.get(&format!("secrets?limit=2&labelSelector=x%3Dy&continue={}", first.text("/metadata/continue")))
        .await?
        .names(&["e"])?;
    Ok(())
}

async fn a_limit_that_suffices_gives_no_token(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.get("secrets?limit=2").await?.names(&["a", "b"])?.lacks("/metadata/continue")?;
    Ok(())
}

async fn a_limit_of_zero_is_none(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.get("secrets?limit=0").await?.names(&["a", "b"])?.lacks("/metadata/continue")?;
    Ok(())
}

async fn a_negative_limit_is_none(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    site.get("secrets?limit=-1").await?.code(200)?.names(&["a", "b"])?;
    Ok(())
}

async fn a_limit_is_a_number(site: Site) -> Outcome {
    site.get("secrets?limit=many").await?.refused(400, "BadRequest")?;
    Ok(())
}

async fn a_token_that_nobody_gave_is_refused(site: Site) -> Outcome {
    site.get("secrets?limit=1&continue=nonsense")
        .await?
        .refused(400, "BadRequest")?
        .mentions("/message", "continue key is not valid")?;
    Ok(())
}

async fn a_token_takes_no_version(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    let first = site.get("secrets?limit=1").await?;
    let token = first.text("/metadata/continue");
    site.get(&format!("secrets?limit=1&resourceVersion=5&continue={token}"))
        .await?
        .code(400)?
        .mentions("/message", "specifying resource version is not allowed when using continue")?;
    Ok(())
}

async fn a_token_takes_no_match(site: Site) -> Outcome {
    site.secrets(&["a", "b"]).await?;
    let first = site.get("secrets?limit=1").await?;
    let token = first.text("/metadata/continue");
    site.get(&format!(
        "secrets?limit=1&resourceVersion=5&resourceVersionMatch=NotOlderThan&continue={token}"
    ))
    .await?
    .invalid("FieldValueForbidden", "resourceVersionMatch")?;
    Ok(())
}

async fn the_limit_may_change(site: Site) -> Outcome {
    site.secrets(&["a", "b", "c", "d"]).await?;
    let first = site.get("secrets?limit=1").await?;
    site.get(&format!("secrets?continue={}", first.text("/metadata/continue")))
        .await?
        .names(&["b", "c", "d"])?
        .lacks("/metadata/continue")?;
    Ok(())
}

async fn an_exact_list_in_chunks(site: Site) -> Outcome {
    site.secrets(&["a"]).await?;
    let made = site.create("secrets", json!({"metadata": {"name": "b"}})).await?;
    site.secrets(&["c"]).await?;
    let path = format!("secrets?limit=1&resourceVersion={}&resourceVersionMatch=Exact", made.version());
    let first = site.get(&path).await?.names(&["a"])?;
    site.get(&format!("secrets?limit=5&continue={}", first.text("/metadata/continue")))
        .await?
        .names(&["b"])?;
    Ok(())
}

async fn tables_come_in_chunks(site: Site) -> Outcome {
    site.secrets(&["a", "b", "c"]).await?;
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let first = site
        .get_as(table, "secrets?limit=2")
        .await?
        .code(200)?
        .is("/kind", "Table")?
        .has("/metadata/continue")?;
    first.clone().check(first.list("/rows").len() == 2, "two rows")?;
    Ok(())
}
