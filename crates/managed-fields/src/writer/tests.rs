//! Properties of every configuration: the rules of applying, on random objects of a kind that has every sort of list and
//! map.

use std::sync::LazyLock;

use proptest::{collection::btree_map, option, prelude::*};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    applied, merge, prune,
    typedef::{ListType, Scalar, TypeDef},
    unowned::Paths,
    versions::OneVersion,
};

const API_VERSION: &str = "apply.example.com/v1";

static THING: LazyLock<TypeDef> = LazyLock::new(|| {
    let definition: Value = serde_json::from_str(include_str!("definition.json")).expect("JSON");
    TypeDef::from_openapi(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
});

/// A built-in type with a field that admission fills in, and fields that a Go struct has even if they are left out.
static POD: LazyLock<TypeDef> = LazyLock::new(|| {
    let text = || TypeDef::scalar(Scalar::String);
    let container =
        TypeDef::object().with_field("name", text().with_zero(json!(""))).with_field("image", text());
    let keys = ListType::Map(vec!["name".to_owned()]);
    let spec = TypeDef::object()
        .with_field("containers", TypeDef::list(container, Some(keys)).with_zero(Value::Null))
        .with_field("priority", TypeDef::scalar(Scalar::Number))
        .with_field("items", TypeDef::list(text(), Some(ListType::Set)))
        .with_field("map", TypeDef::map(text()))
        .with_field("any", TypeDef::any());
    TypeDef::object()
        .with_field("apiVersion", text())
        .with_field("kind", text())
        .with_field("metadata", TypeDef::object_meta().with_zero(json!({})))
        .with_field("spec", spec.with_zero(json!({})))
        .with_field("status", TypeDef::object().with_field("phase", text()).with_zero(json!({})))
});

static VERSIONS: LazyLock<OneVersion<'static>> =
    LazyLock::new(|| OneVersion::new(API_VERSION, Type::of_document(&THING)));

fn thing_type() -> Type<'static> {
    Type::of_document(&THING)
}

fn writer(manager: &str) -> Writer<'_, OneVersion<'static>> {
    let reset: Paths<'static> = &[&["status"]];
    Writer::new(&*VERSIONS, manager).time("2026-01-02T03:04:05Z").unowned(Unowned { reset, admitted: &[] })
}

fn thing(spec: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": "Thing", "metadata": {"name": "t"}, "spec": spec})
}

/// Applies to nothing, or to an object.
fn apply(live: Option<&Value>, manager: &str, spec: &Value, force: bool) -> Result<Value, String> {
    let applied = writer(manager).apply_object(live, &thing(spec), force);
    let object = applied.map_err(|error| error.to_string())?;
    // A manager that takes the last field out of an object leaves a null, which the kind's schema refuses.
    if has_null(&object) { Err(object.to_string()) } else { Ok(object) }
}

/// Takes the managers out of an object, as text.
fn managers(object: &mut Value) -> Option<String> {
    object::take_managers(object).map(|list| list.to_string())
}

/// Puts the managers into an object.
fn whole(object: &Value, managers: Option<&str>) -> Value {
    let mut object = object.clone();
    if let Some(text) = managers {
        object["metadata"]["managedFields"] = serde_json::from_str(text).expect("JSON");
    }
    object
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        other => other.is_null(),
    }
}

fn fields(object: &Value, manager: &str) -> FieldSet {
    let list = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    let mut entries = list.filter(|entry| entry["manager"] == manager);
    entries.next().map(|entry| FieldSet::stored(entry["fieldsV1"].to_string())).unwrap_or_default()
}

fn number() -> impl Strategy<Value = Value> {
    (0..3).prop_map(Value::from)
}

fn text() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(Value::from)
}

fn map(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec!["x", "y", "z"]).prop_map(str::to_owned);
    btree_map(keys, values, 0..3).prop_map(|map| map.into_iter().collect::<Map<_, _>>().into())
}

/// A list in which no two items have the same key. It is not empty: who applies an empty list of items has none of
/// them, in upstream, too, and what comes and goes with them is nobody's.
fn list(items: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    btree_map(0..3u8, items, 1..3).prop_shuffle_values()
}

/// Puts the values of a map into any order.
trait ShuffleValues {
    fn prop_shuffle_values(self) -> BoxedStrategy<Value>;
}

impl<S: Strategy<Value = std::collections::BTreeMap<u8, Value>> + 'static> ShuffleValues for S {
    fn prop_shuffle_values(self) -> BoxedStrategy<Value> {
        let keyed = self.prop_map(|map| {
            let named = map.into_iter().map(|(key, mut item)| {
                let name = ["a", "b", "c"][usize::from(key)];
                match item.as_object_mut() {
                    Some(fields) => drop(fields.insert("name".to_owned(), name.into())),
                    None => item = name.into(),
                }
                item
            });
            named.collect::<Vec<Value>>()
        });
        keyed.prop_shuffle().prop_map(Value::Array).boxed()
    }
}

/// An object of some of these fields.
fn object(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| {
            option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    fields.prop_map(|fields| fields.into_iter().flatten().collect::<Map<_, _>>().into()).boxed()
}

/// A random spec, as a client would send it.
fn spec() -> BoxedStrategy<Value> {
    let inner = || object(vec![("number", number().boxed()), ("text", text().boxed())]);
    let item = || object(vec![("value", number().boxed()), ("map", map(text()).boxed())]);
    object(vec![
        ("number", number().boxed()),
        ("text", text().boxed()),
        ("list", list(text()).boxed()),
        ("set", list(text()).boxed()),
        ("map", map(text()).boxed()),
        ("atomicMap", map(text()).boxed()),
        ("maps", map(map(text())).boxed()),
        ("struct", object(vec![("number", number().boxed()), ("inner", inner())])),
        ("atomicStruct", inner()),
        ("items", list(item()).boxed()),
        ("open", map(map(number())).boxed()),
    ])
}

/// Any JSON at all.
fn anything() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (0..4).prop_map(|number| json!(f64::from(number) / 2.0)),
        text(),
    ];
    let names =
        vec!["spec", "items", "set", "name", "map", "numbers", "ports", "port", "any", "metadata", "status"];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let keys = prop::sample::select(names.clone()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(keys, inner, 0..4).prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
    .boxed()
}

/// Whether every member of `part` is one of `whole`.
fn is_within(part: &FieldSet, whole: &FieldSet) -> bool {
    let mut rest = part.clone();
    rest.subtract(whole);
    rest.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whoever applies the same again finds nothing to do.
    #[test]
    fn applying_twice_is_applying_once(first in spec(), other in spec(), again in spec()) {
        let live = apply(None, "other", &other, false).expect("nobody is in the way");
        let live = apply(Some(&live), "one", &first, true).expect("it is forced");
        let Ok(once) = apply(Some(&live), "one", &again, true) else {
            return Ok(());
        };
        let twice = apply(Some(&once), "one", &again, false).expect("it has what it wants");
        prop_assert_eq!(once, twice);
    }

    /// What was applied is there, and belongs to who applied it.
    #[test]
    fn an_applied_configuration_is_there_and_owned(live in spec(), config in spec()) {
        let object = apply(None, "other", &live, false).expect("nobody is in the way");
        let object = apply(Some(&object), "one", &config, true).expect("it is forced");
        prop_assert_eq!(merge::merge(thing_type(), &object, &thing(&config)), object.clone());
        let mut wanted = applied::paths(thing_type(), &thing(&config));
        wanted.subtract(&STRIPPED);
        prop_assert_eq!(fields(&object, "one"), wanted);
    }

    /// What only one applied, and does not apply any more, is gone; the rest is as if it had never been.
    #[test]
    fn what_is_no_longer_applied_is_gone(base in spec(), mut extra in spec()) {
        extra["number"] = json!(1); // so that dropping it never leaves nothing at all
        let alone = apply(None, "other", &base, false).expect("nobody is in the way");
        let Ok(both) = apply(Some(&alone), "one", &extra, false) else {
            return Ok(()); // they disagree
        };
        let Ok(left) = apply(Some(&both), "one", &json!({}), false) else {
            return Ok(());
        };
        let paths = |object: &Value| applied::paths(thing_type(), object);
        let mut kept = fields(&left, "other");
        kept.unite(&FieldSet::of_paths(&[&["spec"]]));
        let mut others = fields(&both, "one");
        others.subtract(&kept);
        prop_assert_eq!(paths(&left).intersection(&others), FieldSet::default());
        prop_assert!(is_within(&fields(&alone, "other"), &fields(&left, "other")));
    }

    /// Two who want nothing of each other's may come in any order.
    #[test]
    fn appliers_of_different_fields_commute(one in spec(), other in spec()) {
        let half = |spec: &Value, names: &[&str]| -> Value {
            let fields = spec.as_object().into_iter().flatten();
            let fields = fields.filter(|(name, _)| names.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
        };
        let one = half(&one, &["number", "list", "map", "struct", "open"]);
        let other = half(&other, &["text", "set", "maps", "atomicMap", "items"]);
        let both = |first: (&str, &Value), second: (&str, &Value)| {
            let object = apply(None, first.0, first.1, false).expect("nobody is in the way");
            let object = apply(Some(&object), second.0, second.1, false).expect("nobody is in the way");
            // Who found everything as it should be has no time.
            (object["spec"].clone(), fields(&object, "one"), fields(&object, "other"))
        };
        prop_assert_eq!(both(("one", &one), ("other", &other)), both(("other", &other), ("one", &one)));
    }

    /// Whoever changes a field otherwise has it alone.
    #[test]
    fn an_update_takes_what_it_changes(before in spec(), after in spec()) {
        let mut live = apply(None, "one", &before, false).expect("nobody is in the way");
        let stored = managers(&mut live);
        let mut object = live.clone();
        object["spec"] = after;
        let managers = writer("editor").update(&live, stored.as_deref(), &mut object);
        let object = whole(&object, managers.as_deref());
        let written = Comparison::of(thing_type(), &live, &object).written();
        prop_assert_eq!(fields(&object, "one").intersection(&written), FieldSet::default());
        let mut written = written;
        written.subtract(&STRIPPED);
        prop_assert_eq!(fields(&object, "editor"), written);
    }

    /// The creator of an object has the fields that differ from nothing.
    #[test]
    fn a_creator_has_what_differs_from_nothing(spec in spec(), anything in anything()) {
        let pods = OneVersion::new("v1", Type::of_struct(&POD));
        let of_pod = Unowned { reset: &[&["status"]], admitted: &[&["spec", "priority"]] };
        let pods = Writer::new(&pods, "one").unowned(of_pod);
        let pod = |spec: &Value| json!({
            "kind": "Pod", "metadata": {"name": "p", "labels": spec["map"], "uid": "u"}, "spec": spec, "status": {"a": 1},
        });
        let cases = [(writer("one"), thing(&spec)), (writer("one"), thing(&anything)), (pods, pod(&anything))];
        for (writer, object) in cases {
            let nothing = json!({"metadata": {}});
            let mut differs = writer.compare(&nothing, &object).written();
            differs.subtract(&STRIPPED);
            differs.subtract(&writer.unowned.admitted_fields());
            let (mut made, mut expected) = (String::new(), String::new());
            writer.made(&nothing, &object).write(&mut made);
            differs.write(&mut expected);
            prop_assert_eq!(made, expected);
        }
    }

    /// No two different objects compare as the same.
    #[test]
    fn what_differs_is_found(one in spec(), other in spec()) {
        let comparison = Comparison::of(thing_type(), &thing(&one), &thing(&other));
        let is_reordered = |name: &str| one.get(name).is_some() && other.get(name).is_some();
        let same = comparison.is_empty() && !is_reordered("set") && !is_reordered("items");
        prop_assert!(!same || one == other, "{one} {other}");
    }

    /// Whatever is sent, and whatever is there: an answer, not a panic.
    #[test]
    fn nothing_panics(live in anything(), config in anything(), managed in anything()) {
        for kind in [thing_type(), Type::of_struct(&POD), Type::DEDUCED] {
            let paths = applied::paths(kind, &config);
            applied::errors(kind, &config);
            let merged = merge::merge(kind, &live, &config);
            prune::without(kind, &merged, &prune::with_named_fields(kind, &paths));
            Comparison::of(kind, &live, &merged);
        }
        let mut object = thing(&config);
        object["metadata"]["managedFields"] = managed.clone();
        let stored = managed.to_string();
        writer("one").update(&thing(&live), Some(&stored), &mut object);
        drop(writer("one").apply(&thing(&live), Some(&stored), &thing(&config), true));
    }
}
