//! JSON patches and merge patches where upstream's library departs from the RFCs.

use crate::case::{Case, Outcome, case};
use crate::objects::config_map;
use crate::site::{JSON, MERGE, Site};
use http::Method;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_missing_field_is_null_to_a_test)
            .rule("A test for null passes where there is no field: how kube-rs adds a finalizer.")
            .source("evanphx/json-patch: test"),
        case(what_is_missing_is_added_as_null)
            .rule(
                "`copy` from a missing field and `add` without a value set null, which is an empty string to \
                 a map of strings.",
            )
            .source("evanphx/json-patch: copy, add"),
        case(indexes_are_go_s)
            .rule("Indexes count from the end if they are negative, and may have signs and leading zeros.")
            .source("evanphx/json-patch: SupportNegativeIndices, strconv.Atoi"),
        case(a_test_compares_texts)
            .rule("A test compares texts: `<` stands in an object as `\\u003c`, and 1.50 is not 1.5.")
            .source("evanphx/json-patch: lazyNode.equal"),
        case(a_path_begins_with_its_first_slash)
            .rule("The text before the first slash of a path is ignored.")
            .source("evanphx/json-patch: findObject"),
        case(a_replaced_document_has_to_be_the_object)
            .rule(
                "An object that a patch makes is of the kind that it was of, unless it says otherwise, and \
                 has to have its name.",
            )
            .source("apiserver: jsonPatcher.applyPatchToCurrentObject"),
        case(operations_are_decoded_before_they_are_carried_out)
            .rule("A patch that cannot be decoded as operations is 400; one that cannot be applied is 422.")
            .source("apiserver: applyJSPatch"),
        case(a_merge_takes_nulls_out_of_lists)
            .rule("A merge patch takes nulls out of the objects in lists that it sets.")
            .source("evanphx/json-patch: pruneNulls"),
    ]
}

async fn a_missing_field_is_null_to_a_test(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["example.com/a"]},
    ]);
    site.patch(JSON, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/metadata/finalizers", json!(["example.com/a"]))?;
    site.patch(JSON, "configmaps/a", json!([{"op": "test", "path": "/metadata/finalizers", "value": null}]))
        .await?
        .refused(422, "Invalid")?;
    site.patch(JSON, "configmaps/a", json!([{"op": "test", "path": "/data/none"}])).await?.code(200)?;
    site.patch(JSON, "configmaps/a", json!([{"op": "test", "path": "/none/none", "value": null}]))
        .await?
        .refused(422, "Invalid")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"finalizers": null}})).await?.code(200)?;
    Ok(())
}

async fn what_is_missing_is_added_as_null(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = json!([
        {"op": "copy", "from": "/data/none", "path": "/data/copied"},
        {"op": "add", "path": "/data/added"},
    ]);
    site.patch(JSON, "configmaps/a", patch)
        .await?
        .code(200)?
        .is("/data", json!({"key": "value", "copied": "", "added": ""}))?;
    site.patch(JSON, "configmaps/a", json!([{"op": "move", "from": "/data/none", "path": "/data/moved"}]))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn indexes_are_go_s(site: Site) -> Outcome {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [
        {"name": "a", "image": "a"}, {"name": "b", "image": "b"},
    ]}});
    site.create("pods", pod).await?;
    site.patch(JSON, "pods/a", json!([{"op": "replace", "path": "/spec/containers/-1/image", "value": "x"}]))
        .await?
        .code(200)?
        .is("/spec/containers/1/image", "x")?;
    site.patch(JSON, "pods/a", json!([{"op": "replace", "path": "/spec/containers/00/image", "value": "y"}]))
        .await?
        .code(200)?
        .is("/spec/containers/0/image", "y")?;
    site.patch(JSON, "pods/a", json!([{"op": "replace", "path": "/spec/containers/+1/image", "value": "z"}]))
        .await?
        .code(200)?
        .is("/spec/containers/1/image", "z")?;
    for index in ["-3", "2", "1.0", ""] {
        let path = format!("/spec/containers/{index}/image");
        site.patch(JSON, "pods/a", json!([{"op": "replace", "path": path, "value": "z"}]))
            .await?
            .refused(422, "Invalid")?;
    }
    Ok(())
}

async fn a_test_compares_texts(site: Site) -> Outcome {
    site.create("configmaps", json!({"metadata": {"name": "a"}, "data": {"key": "a<b"}})).await?;
    let test = |value: &str| format!(r#"[{{"op":"test","path":"/data/key","value":{value}}}]"#);
    let patch = |body: String| site.call(Method::PATCH, "configmaps/a").body(JSON, body).send();
    patch(test(r#""a\u003cb""#)).await?.code(200)?;
    patch(test(r#""a<b""#)).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn a_path_begins_with_its_first_slash(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.patch(JSON, "configmaps/a", json!([{"op": "replace", "path": "x/data/key", "value": "y"}]))
        .await?
        .code(200)?
        .is("/data/key", "y")?;
    site.patch(JSON, "configmaps/a", json!([{"op": "test", "path": "data/key", "value": null}]))
        .await?
        .code(200)?;
    site.patch(JSON, "configmaps/a", json!([{"op": "test", "path": "data", "value": null}]))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn a_replaced_document_has_to_be_the_object(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let replace = |value: Value| {
        site.patch(JSON, "configmaps/a", json!([{"op": "replace", "path": "", "value": value}]))
    };
    replace(json!({})).await?.refused(400, "BadRequest")?.mentions("/message", "name must be provided")?;
    replace(json!([])).await?.invalid("FieldValueInvalid", "patch")?;
    replace(json!(7)).await?.refused(422, "Invalid")?;
    replace(json!({"kind": "Secret", "metadata": {"name": "a"}})).await?.refused(422, "Invalid")?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/kind"}]))
        .await?
        .code(200)?
        .is("/kind", "ConfigMap")?;
    site.patch(JSON, "configmaps/a", json!([{"op": "remove", "path": "/apiVersion"}]))
        .await?
        .refused(400, "BadRequest")?;
    Ok(())
}

async fn operations_are_decoded_before_they_are_carried_out(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    let patch = |query: &str, body: &'static str| {
        site.call(Method::PATCH, &format!("configmaps/a{query}")).body(JSON, body).send()
    };
    patch("", r#"[{"op":1,"path":"/data/b"}]"#).await?.refused(400, "BadRequest")?.is(
        "/message",
        "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type \
         string",
    )?;
    patch("?fieldValidation=Ignore", r#"[{"op":1,"path":"/data/b"}]"#).await?.refused(422, "Invalid")?;
    patch("?fieldValidation=Ignore", "{}")
        .await?
        .refused(400, "BadRequest")?
        .is("/message", "json: cannot unmarshal object into Go value of type jsonpatch.Patch")?;
    patch("", "[null]").await?.refused(422, "Invalid")?;
    patch("", r#"[{"path":"/data/b","value":"x"}]"#).await?.refused(422, "Invalid")?;
    patch("", "null").await?.code(200)?.is("/data/key", "value")?;
    Ok(())
}

async fn a_merge_takes_nulls_out_of_lists(site: Site) -> Outcome {
    let subjects =
        json!([{"kind": "User", "name": "ada", "apiGroup": "rbac.authorization.k8s.io", "namespace": null}]);
    site.create("configmaps", config_map("a")).await?;
    site.patch(MERGE, "configmaps/a", json!({"data": {"key": subjects}}))
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", r#"\"name\":\"ada\"}"#)?;
    site.call(Method::PATCH, "configmaps/a?fieldValidation=Ignore")
        .body(MERGE, "[{\"a\":null}]")
        .send()
        .await?
        .refused(422, "Invalid")?
        .mentions("/message", "[{}]")?;
    site.call(Method::PATCH, "configmaps/a?fieldValidation=Ignore")
        .body(MERGE, "7")
        .send()
        .await?
        .refused(400, "BadRequest")?
        .is("/message", "Invalid JSON Patch")?;
    Ok(())
}
