//! Packed objects: the whole object, decoded when it is read.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
};

use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube_client::{Resource, core::DynamicObject};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use trimtab_cache::{
    Change, Json, ManagedFields, Metadata, Object, ObjectKey, Packed, StoreWriter, controller_uid,
};

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web-1", "namespace": "shop", "uid": "u-1", "resourceVersion": "42",
            "labels": {"app": "web", "managedFields": "a label", "ü\"": "q\"uote\n"},
            "annotations": {"note": "{\"a\": [1, 2]}", "empty": ""},
            "creationTimestamp": "2026-01-02T03:04:05Z", "deletionTimestamp": "2026-02-03T04:05:06Z",
            "managedFields": [{"manager": "test", "operation": "Update", "fieldsV1": {"f:metadata": {}}}],
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "other"},
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "set", "controller": true},
            ],
        },
        "spec": {
            "containers": [{"name": "c", "image": "shop:1", "ports": [{"containerPort": 80}]}],
            "nodeName": "node-1", "priority": -1,
        },
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    })
}

/// Packs an object as an informer does.
fn pack<K: Resource + Send + Sync + 'static>(json: &str, managed_fields: ManagedFields) -> Packed<K> {
    Packed::decode(&mut Json::new(json), managed_fields).expect("an object")
}

fn packed(object: &Value) -> Packed<Pod> {
    pack(&object.to_string(), ManagedFields::Dropped)
}

#[test]
fn a_packed_object_reads_as_the_whole_one_without_managed_fields() {
    let mut without = pod();
    without["metadata"].as_object_mut().unwrap().remove("managedFields");
    let expected: Pod = serde_json::from_value(without.clone()).unwrap();
    for text in [pod().to_string(), serde_json::to_string_pretty(&pod()).unwrap()] {
        let packed = pack::<Pod>(&text, ManagedFields::Dropped);
        assert_eq!(*packed.read().unwrap(), expected);
        assert_eq!(serde_json::from_str::<Value>(packed.json()).unwrap(), without);
    }
    for packed in [
        serde_json::from_str::<Packed<Pod>>(&pod().to_string()).unwrap(),
        serde_json::from_reader(pod().to_string().as_bytes()).unwrap(),
        serde_json::from_value(pod()).unwrap(),
        packed(&pod()).clone(),
    ] {
        assert_eq!(*packed.read().unwrap(), expected);
        assert_eq!(packed.key().as_str(), "shop/web-1");
    }
    let dynamic = pack::<DynamicObject>(&pod().to_string(), ManagedFields::Dropped);
    assert_eq!(dynamic.read().unwrap().data["spec"], pod()["spec"]);
}

#[test]
fn managed_fields_are_there_if_they_are_to_be_kept() {
    let kept = pack::<Pod>(&pod().to_string(), ManagedFields::Kept);
    assert_eq!(*kept.read().unwrap(), serde_json::from_value::<Pod>(pod()).unwrap());
    let whole = Pod::decode(&mut Json::new(&pod().to_string()), ManagedFields::Kept).unwrap();
    assert_eq!(whole.metadata.managed_fields.unwrap().len(), 1);
    let whole = Pod::decode(&mut Json::new(&pod().to_string()), ManagedFields::Dropped).unwrap();
    assert_eq!(whole.metadata.managed_fields, None);
}

#[test]
fn what_a_cache_needs_is_known_without_decoding() {
    let packed = packed(&pod());
    let whole: Pod = serde_json::from_value(pod()).unwrap();
    let (packed, whole) = (packed.metadata(), whole.metadata());
    assert_eq!(packed.name(), "web-1");
    assert_eq!(packed.namespace(), Some("shop"));
    assert_eq!(packed.uid(), "u-1");
    assert_eq!(packed.resource_version(), "42");
    for label in ["app", "managedFields", "ü\"", "none"] {
        assert_eq!(packed.label(label), whole.label(label), "{label}");
    }
    assert_eq!(packed.label("ü\""), Some("q\"uote\n"), "also where the text escapes it");
    assert_eq!(packed.labels(), whole.labels());
    assert_eq!(whole.labels().get("app"), whole.label("app"), "all labels are there");
    assert_eq!(packed.owner_references(), whole.owner_references());
    assert_eq!(packed.deletion_timestamp(), whole.deletion_timestamp());
    assert!(packed.is_being_deleted());
}

#[test]
fn escaped_names_and_absent_metadata_are_understood() {
    let odd = pack::<Pod>(
        r#"{"meta\u0064ata": {"n\u0061me": "\u0061\"b", "uid": "\u0075", "labels": null, "ownerReferences": null,
            "namespace": null, "deletionTimestamp": null, "managed\u0046ields": [{}]}, "x\ty": 1}"#,
        ManagedFields::Dropped,
    );
    assert_eq!((odd.metadata().name(), odd.metadata().uid()), ("a\"b", "u"));
    assert_eq!((odd.metadata().namespace(), odd.metadata().is_being_deleted()), (None, false));
    assert!(!odd.json().contains("ields"), "{}", odd.json());
    assert_eq!(odd.read().unwrap().metadata.name.as_deref(), Some("a\"b"));
    assert_eq!(packed(&json!({})).metadata().name(), "");
}

#[test]
fn what_is_no_object_is_refused_when_it_is_decoded() {
    for text in [
        "[]",
        "{",
        "7",
        r#"{"metadata": 7}"#,
        r#"{"metadata": {"name": 7}}"#,
        r#"{"metadata": {"labels": ["x"]}}"#,
        r#"{"metadata": {"name": "a"}, "spec": {]}"#,
    ] {
        assert!(serde_json::from_str::<Packed<Pod>>(text).is_err(), "{text}");
    }
}

#[test]
fn an_object_that_cannot_be_read_is_named_and_still_known_by_its_metadata() {
    let mut wrong = pod();
    wrong["spec"]["containers"] = json!("text");
    let packed = packed(&wrong);
    assert_eq!(packed.metadata().label("app"), Some("web"));
    let error = packed.read().expect_err("containers are a list");
    assert_eq!(error.key(), &packed.key());
    let (said, prefix) = (error.to_string(), "object shop/web-1 cannot be read as ");
    assert!(said.starts_with(prefix) && said.ends_with("::Pod"), "{said}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains("invalid type: string \"text\""), "{cause}");
}

#[test]
fn a_few_fields_can_be_read_without_the_rest_and_borrow_from_the_text() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec<'a> {
        #[serde(borrow)]
        node_name: Cow<'a, str>,
    }
    #[derive(Deserialize)]
    struct OnNode<'a> {
        #[serde(borrow)]
        spec: Spec<'a>,
    }
    let packed = packed(&pod());
    let read: OnNode<'_> = packed.read_as().unwrap();
    assert!(matches!(read.spec.node_name, Cow::Borrowed("node-1")));
}

#[test]
fn a_field_is_read_by_its_path_wherever_it_is() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Port<'a> {
        #[serde(borrow)]
        name: &'a str,
    }
    let text = r#" {"n": null, "metadata": {"name": "web", "managedFields": [{}], "labels": {"a.b/c": "x"}},
        "sp\u0065c" : { "a": [1, {"port": 7}], "port" : {"name" : "http"} , "end": "{\"port\": 8}" },
        "status": {"twice": 1, "twice": 2}, "text": "port"}"#;
    let packed = pack::<Pod>(text, ManagedFields::Dropped);
    assert_eq!(packed.field(&["spec", "port"]).unwrap(), Some(r#"{"name" : "http"}"#));
    assert_eq!(packed.read_field(&["spec", "port"]).unwrap(), Some(Port { name: "http" }));
    assert_eq!(packed.field(&["metadata", "labels", "a.b/c"]).unwrap(), Some("\"x\""));
    assert_eq!(packed.read_field(&["status", "twice"]).unwrap(), Some(2));
    assert_eq!(packed.field(&[]).unwrap(), Some(packed.json()));
    for absent in
        [&["n"][..], &["n", "x"], &["port"], &["spec", "a", "port"], &["text", "port"], &["spec", "a", "1"]]
    {
        assert_eq!(packed.field(absent).unwrap(), None, "{absent:?}");
        assert_eq!(packed.read_field::<Value>(absent).unwrap(), None, "{absent:?}");
    }
    let error = packed.read_field::<u32>(&["spec", "port"]).expect_err("an object");
    assert_eq!(error.to_string(), "spec.port of object web cannot be read as u32");
}

#[test]
fn an_object_is_read_without_a_field_whose_text_is_beside_it() {
    let mut expected: Pod = serde_json::from_value(pod()).unwrap();
    expected.metadata.managed_fields = None;
    expected.metadata.annotations = None;
    let packed = packed(&pod());
    let (pod, annotations) = packed.read_without(&["metadata", "annotations"]).unwrap();
    assert_eq!(pod, expected);
    let annotations: Value = serde_json::from_str(annotations.expect("their text")).unwrap();
    assert_eq!(annotations, json!({"note": "{\"a\": [1, 2]}", "empty": ""}));

    let (pod, nothing) = packed.read_without(&["status", "hostIP"]).unwrap();
    assert_eq!((&pod, nothing), (&*packed.read().unwrap(), None));
    let mut wrong = self::pod();
    wrong["spec"]["containers"] = json!("text");
    let wrong = self::packed(&wrong);
    let error = wrong.read_without(&["status"]).map(drop).expect_err("containers are a list");
    assert!(error.to_string().starts_with("object shop/web-1 cannot be read as "), "{error}");
    let (pod, text) = wrong.read_without(&["spec", "containers"]).unwrap();
    assert_eq!((pod.spec.map(|spec| spec.containers), text), (Some(vec![]), Some("\"text\"")));
}

/// The number of times that a [`Counted`] was decoded.
static DECODED: AtomicUsize = AtomicUsize::new(0);

/// A kind that counts how often it is decoded.
struct Counted(ObjectMeta);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        DECODED.fetch_add(1, Ordering::SeqCst);
        Value::deserialize(deserializer)?;
        Ok(Self(ObjectMeta::default()))
    }
}

impl Resource for Counted {
    type DynamicType = ();
    type Scope = kube_client::core::NamespaceResourceScope;
    fn kind((): &()) -> Cow<'_, str> {
        "Counted".into()
    }
    fn group((): &()) -> Cow<'_, str> {
        "test".into()
    }
    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }
    fn plural((): &()) -> Cow<'_, str> {
        "counted".into()
    }
    fn meta(&self) -> &ObjectMeta {
        &self.0
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0
    }
}

/// Fails if `read` unlocks before it decodes, and if it does not keep the decoded object.
#[test]
fn an_object_is_decoded_once_while_it_is_held_and_forgotten_after() {
    let packed = pack::<Counted>(&pod().to_string(), ManagedFields::Dropped);
    let before = DECODED.load(Ordering::SeqCst);
    for round in 1..=200 {
        let start = Barrier::new(4);
        let read: Vec<Arc<Counted>> = std::thread::scope(|scope| {
            let reader = || {
                start.wait();
                packed.read().unwrap()
            };
            let readers: Vec<_> = (0..4).map(|_| scope.spawn(reader)).collect();
            readers.into_iter().map(|reader| reader.join().unwrap()).collect()
        });
        assert!(read.iter().all(|one| Arc::ptr_eq(one, &read[0])));
        assert_eq!(DECODED.load(Ordering::SeqCst) - before, round);
        let forgotten = Arc::downgrade(&read[0]);
        drop(read);
        assert!(forgotten.upgrade().is_none());
    }
}

#[test]
fn packed_objects_are_stored_selected_and_indexed_like_whole_ones() {
    let mut writer = StoreWriter::<Packed<Pod>>::new();
    let store = writer.store().clone();
    let by_owner = store.add_index("owner", controller_uid);
    let by_node =
        store.add_index("node", |pod: &Packed<Pod>| pod.read().ok()?.spec.as_ref()?.node_name.clone());
    writer.apply(packed(&pod()));
    let mut other = pod();
    other["metadata"]["name"] = json!("web-2");
    other["spec"] = json!("text"); // cannot be read, and is missing from the index that reads it
    other["metadata"]["labels"] = json!({"app": "shop"});
    writer.apply(packed(&other));

    let key = ObjectKey::namespaced("shop", "web-1");
    assert_eq!(by_node.keys("node-1"), std::slice::from_ref(&key));
    assert_eq!(by_owner.count("set"), 2);
    let selected = store.select(Some("shop"), &"app in (web)".parse().unwrap());
    assert_eq!(selected.iter().map(|pod| pod.key()).collect::<BTreeSet<_>>(), [key.clone()].into());
    assert_eq!(store.resource_version().as_deref(), Some("42"));

    let before = store.get(&key).unwrap();
    let changes = writer.replace(vec![packed(&pod())], "50");
    assert!(matches!(&changes[..], [Change::Deleted(last)] if last.key.name() == "web-2"), "{changes:?}");
    assert!(Arc::ptr_eq(&before, &store.get(&key).unwrap()), "unchanged, by UID and version");
}
