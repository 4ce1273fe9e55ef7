//! Templates are compared by content, with and without decoding them.

use super::*;

/// The comparisons without JSON have the outcome of the comparison of contents.
#[test]
fn templates_that_differ_in_a_field_or_an_image_are_told_apart_without_their_json() {
    let template = |value: Value| serde_json::from_value::<PodTemplateSpec>(value).expect("a template");
    let one = |image: &str, name: &str, hash: &str, policy: Value| {
        let spec = json!({"containers": [{"name": name, "image": image}], "restartPolicy": policy});
        template(json!({"metadata": {"labels": {"a": "1", POD_TEMPLATE_HASH: hash}}, "spec": spec}))
    };
    let plain = one("i", "c", "x", Value::Null);
    for other in [
        one("i", "c", "y", Value::Null),
        one("j", "c", "x", Value::Null),
        one("i", "d", "x", Value::Null),
        one("i", "c", "x", json!("Always")),
        template(json!({"metadata": {"labels": {"a": "1"}, "name": "n"}, "spec": plain.spec})),
        template(json!({"metadata": {"labels": {"a": "1"}, "annotations": {}}, "spec": plain.spec})),
        template(json!({"spec": plain.spec})),
        template(json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": []}})),
    ] {
        let expected = Content::of(Some(&plain)) == Content::of(Some(&other));
        assert_eq!(is_same_template(&plain, Some(&other)), expected, "{other:?}");
        let texts = [&plain, &other].map(|one| serde_json::to_string(&one.spec).expect("JSON"));
        let without_spec = PodTemplateSpec { spec: None, ..other.clone() };
        for own in [None, Some(&*texts[0])] {
            let matches = TemplateMatcher::new(&plain, own).matches(Some(&without_spec), Some(&texts[1]));
            assert_eq!(matches, expected, "{other:?}");
        }
    }
}

/// DP-T11.
#[test]
fn templates_are_equal_by_content_without_the_hash_and_without_empty_fields() {
    let content = |value: Value| Content::of(Some(&serde_json::from_value(value).expect("a template")));
    let plain = || content(json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": []}}));
    assert_eq!(
        plain(),
        content(
            json!({"metadata": {"labels": {"a": "1", POD_TEMPLATE_HASH: "x"}}, "spec": {"containers": []}})
        )
    );
    let with_empty = json!({"metadata": {"labels": {"a": "1"}, "annotations": {}}, "spec": {"containers": [], "volumes": []}});
    assert_eq!(plain(), content(with_empty));
    assert_ne!(plain(), content(json!({"metadata": {"labels": {"a": "2"}}, "spec": {"containers": []}})));
    let volume =
        |source: &str| content(json!({"spec": {"containers": [], "volumes": [{"name": "v", source: {}}]}}));
    assert_ne!(volume("emptyDir"), volume("other"), "an empty map may be a choice");
    let only_hash =
        content(json!({"metadata": {"labels": {POD_TEMPLATE_HASH: "x"}}, "spec": {"containers": []}}));
    assert_eq!(only_hash, content(json!({"spec": {"containers": []}})));
}
