//! Tables: objects as rows of cells, which is what `kubectl get` asks for. Apart from the columns,
//! because those belong to the kinds and this is one of the forms of an answer.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Cell, Column, Kind, age::ago, in_version, json_path};

/// The object in a Table's rows: the query parameter `includeObject`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    /// The object's metadata: the default.
    #[default]
    Metadata,
    /// The whole object.
    Object,
    /// Nothing.
    None,
}

impl IncludeObject {
    /// Parses the query parameter; `None` if it is none of the three words. An absent or empty
    /// parameter is `Metadata`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Metadata" => Some(Self::Metadata),
            "Object" => Some(Self::Object),
            "None" => Some(Self::None),
            _ => None,
        }
    }
}

/// How a client wants its Tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableForm {
    /// `v1` or `v1beta1`, of `meta.k8s.io`.
    pub(crate) version: &'static str,
    /// The object in the rows.
    pub(crate) include: IncludeObject,
    /// Whether the columns are told: in a watch, only with the first event.
    pub(crate) headers: bool,
}

/// A Table of `objects`, all of one kind. `list` is the metadata of the list that they come from; of
/// an object alone, its own resource version.
pub(crate) fn table<'a>(
    kind: &Kind,
    form: TableForm,
    list: Value,
    objects: impl IntoIterator<Item = &'a Value>,
    now: Timestamp,
) -> Value {
    let columns = form.headers.then(|| kind.columns.iter().map(definition).collect::<Vec<_>>());
    let rows: Vec<Value> = objects.into_iter().map(|object| row(kind, form, object, now)).collect();
    let mut table = json!({
        "kind": "Table",
        "apiVersion": format!("meta.k8s.io/{}", form.version),
        "columnDefinitions": columns,
        "rows": rows,
    });
    table["metadata"] = list;
    table
}

/// The metadata of a Table that shows `object` alone.
pub(crate) fn metadata_of_one(object: &Value) -> Value {
    json!({ "resourceVersion": object["metadata"]["resourceVersion"] })
}

fn definition(column: &Column) -> Value {
    json!({
        "name": column.name,
        "type": column.kind,
        "format": if column.name == "Name" { "name" } else { &column.format },
        "description": "",
        "priority": column.priority,
    })
}

fn row(kind: &Kind, form: TableForm, object: &Value, now: Timestamp) -> Value {
    let cells = kind.columns.iter().map(|column| cell(column, object, now)).collect();
    let mut row = Map::from_iter([("cells".to_owned(), Value::Array(cells))]);
    if let Some(conditions) = (kind.strategy.row_conditions)(object) {
        row.insert("conditions".to_owned(), conditions);
    }
    let shown = match form.include {
        IncludeObject::Metadata => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": format!("meta.k8s.io/{}", form.version),
            "metadata": object["metadata"],
        }),
        IncludeObject::Object => in_version(kind, object).into_owned(),
        IncludeObject::None => Value::Null,
    };
    row.insert("object".to_owned(), shown);
    Value::Object(row)
}

fn cell(column: &Column, object: &Value, now: Timestamp) -> Value {
    match &column.cell {
        Cell::Pointer(pointer) => match (object.pointer(pointer), column.kind.as_str()) {
            (Some(value), _) if !value.is_null() => value.clone(),
            (_, "integer") => 0.into(),
            (_, "boolean") => false.into(),
            _ => "".into(),
        },
        Cell::Since(pointer) => since(object.pointer(pointer), now).into(),
        Cell::Path(path) => custom(column, path.first(object).as_deref(), now),
        Cell::Computed(compute) => compute(object, now),
    }
}

/// A custom kind's cell: what the path found, in the column's type; null if it found nothing.
fn custom(column: &Column, found: Option<&Value>, now: Timestamp) -> Value {
    let Some(found) = found else {
        return Value::Null;
    };
    match (column.kind.as_str(), found) {
        ("integer", Value::Number(number)) => {
            number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).into()
        }
        ("number", Value::Number(number)) => number.as_f64().into(),
        ("boolean", Value::Bool(boolean)) => (*boolean).into(),
        ("date", Value::String(_)) => since(Some(found), now).into(),
        ("string", value) => json_path::printed(value).into(),
        _ => Value::Null,
    }
}

fn since(time: Option<&Value>, now: Timestamp) -> String {
    match time.and_then(Value::as_str).map(str::parse) {
        Some(Ok(time)) => ago(time, now),
        Some(Err(_)) => "<invalid>".to_owned(),
        None => "<unknown>".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Kinds;

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    fn form(include: IncludeObject) -> TableForm {
        TableForm { version: "v1", include, headers: true }
    }

    #[test]
    fn a_pod_becomes_a_row_with_its_metadata() {
        let kinds = Kinds::built_in();
        let pods = kinds.get("", "v1", "pods").expect("a built-in kind");
        let pod = json!({
            "kind": "Pod", "apiVersion": "v1",
            "metadata": {"name": "web", "creationTimestamp": "2023-11-14T22:13:20Z", "resourceVersion": "7"},
            "spec": {"containers": [{"name": "c"}], "nodeName": "node-1"},
            "status": {"phase": "Succeeded"},
        });
        let table = table(&pods, form(IncludeObject::Metadata), metadata_of_one(&pod), [&pod], NOW);
        assert_eq!(table["apiVersion"], "meta.k8s.io/v1");
        assert_eq!(table["metadata"]["resourceVersion"], "7");
        let names: Vec<_> =
            table["columnDefinitions"].as_array().expect("columns").iter().map(|c| &c["name"]).collect();
        let headings =
            ["Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"];
        assert_eq!(names, headings);
        let row = &table["rows"][0];
        let cells = json!(["web", "0/1", "Succeeded", "0", "100s", "<none>", "node-1", "<none>", "<none>"]);
        assert_eq!(row["cells"], cells);
        assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
        assert_eq!(row["object"]["metadata"], pod["metadata"]);
        assert_eq!(row["conditions"][0]["type"], "Completed");
    }

    #[test]
    fn rows_carry_the_object_or_nothing_when_asked() {
        let kinds = Kinds::built_in();
        let maps = kinds.get("", "v1", "configmaps").expect("a built-in kind");
        let map = json!({"apiVersion": "v1", "metadata": {"name": "m"}, "data": {"a": "1"}});
        let with = |include| table(&maps, form(include), json!({}), [&map], NOW);
        assert_eq!(with(IncludeObject::Object)["rows"][0]["object"], map);
        assert_eq!(with(IncludeObject::None)["rows"][0]["object"], Value::Null);
        assert_eq!(with(IncludeObject::None)["rows"][0]["cells"], json!(["m", 1, "<unknown>"]));
        let bare = TableForm { headers: false, ..form(IncludeObject::None) };
        assert_eq!(table(&maps, bare, json!({}), [], NOW)["columnDefinitions"], Value::Null);
        assert_eq!(
            ["", "Metadata", "Object", "None"].map(IncludeObject::parse).map(|parsed| parsed.is_some()),
            [true; 4]
        );
        assert_eq!(IncludeObject::parse("All"), None);
    }

    #[test]
    fn a_custom_cell_is_null_unless_it_has_its_column_s_type() {
        let cell = |kind: &str, value: Value| {
            let path = json_path::Path::parse(".x").expect("a path");
            custom(&Column::new("X", kind, Cell::Path(path)), Some(&value), NOW)
        };
        assert_eq!(cell("integer", json!(3.0)), 3);
        assert_eq!(cell("integer", json!("3")), Value::Null);
        assert_eq!(cell("string", json!({"a": 1})), "{\"a\":1}");
        assert_eq!(cell("string", Value::Null), "<no value>");
        assert_eq!(cell("boolean", json!(true)), true);
        assert_eq!(cell("date", json!("2023-11-14T22:13:20Z")), "100s");
        assert_eq!(cell("date", json!("then")), "<invalid>");
    }
}
