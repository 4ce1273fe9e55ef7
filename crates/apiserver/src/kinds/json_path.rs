//! The JSON paths of printer columns: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`.
//! Apart from the cells, because it is a small language of its own.

use serde_json::Value;

/// What `path` finds in `value`, in order; nothing if it is no path that we know.
pub(crate) fn find<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    parse(path).map_or_else(Vec::new, |steps| {
        steps
            .iter()
            .fold(vec![value], |found, step| found.into_iter().flat_map(|value| step.take(value)).collect())
    })
}

/// Whether `path` can be followed at all.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with('.') && parse(path).is_some()
}

#[derive(Debug, PartialEq)]
enum Step {
    /// `.name` or `['name']`.
    Field(String),
    /// `[0]`, `[-1]`.
    Index(i64),
    /// `[*]` or `.*`.
    All,
    /// `[?(@.type=="Ready")]`: the elements of which this holds.
    Filter { path: Vec<Step>, equal: bool, to: Value },
}

impl Step {
    fn take<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let elements = || match value {
            Value::Array(array) => array.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        };
        match self {
            Self::Field(name) => value.get(name).into_iter().collect(),
            Self::Index(index) => value.as_array().and_then(|array| at(array, *index)).into_iter().collect(),
            Self::All => elements(),
            Self::Filter { path, equal, to } => {
                let holds = |element: &&Value| {
                    let found = path.iter().fold(vec![*element], |found, step| {
                        found.into_iter().flat_map(|value| step.take(value)).collect()
                    });
                    found.first().is_some_and(|found| (*found == to) == *equal)
                };
                elements().into_iter().filter(holds).collect()
            }
        }
    }
}

/// The element at `index`, counted from the end if it is negative.
fn at(array: &[Value], index: i64) -> Option<&Value> {
    let index = if index < 0 { index + i64::try_from(array.len()).ok()? } else { index };
    array.get(usize::try_from(index).ok()?)
}

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while let Some(first) = rest.chars().next() {
        let (step, after) = match first {
            '.' => field(&rest[1..])?,
            '[' => bracket(rest)?,
            _ => return None,
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// A name up to the next dot or bracket; a backslash makes either part of the name.
fn field(text: &str) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => name.push(characters.next()?.1),
            '.' | '[' => {
                end = index;
                break;
            }
            _ => name.push(character),
        }
    }
    let step = match name.as_str() {
        "" => return None,
        "*" => Step::All,
        _ => Step::Field(name),
    };
    Some((step, &text[end..]))
}

/// What stands in brackets, and what follows them.
fn bracket(text: &str) -> Option<(Step, &str)> {
    let end = end_of_bracket(text)?;
    let (inside, after) = (&text[1..end], &text[end + 1..]);
    let step = if inside == "*" {
        Step::All
    } else if let Some(condition) = inside.strip_prefix("?(") {
        filter(condition.strip_suffix(')')?)?
    } else if let Some(name) = quoted(inside) {
        Step::Field(name.to_owned())
    } else {
        Step::Index(inside.parse().ok()?)
    };
    Some((step, after))
}

/// Where the bracket that `text` opens with is closed, quotes aside.
fn end_of_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            (None, _) => {}
        }
    }
    None
}

fn filter(condition: &str) -> Option<Step> {
    let (left, right, equal) = match condition.split_once("==") {
        Some((left, right)) => (left, right, true),
        None => condition.split_once("!=").map(|(left, right)| (left, right, false))?,
    };
    let right = right.trim();
    let to = match quoted(right) {
        Some(text) => text.into(),
        None => serde_json::from_str(right).ok()?,
    };
    Some(Step::Filter { path: parse(left.trim().strip_prefix('@')?)?, equal, to })
}

/// The inside of a text in single or double quotes.
fn quoted(text: &str) -> Option<&str> {
    let inside = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_of_printer_columns_find_their_values() {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "x"}},
            "spec": {"hosts": [{"name": "p"}, {"name": "q"}], "n": 3},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
        });
        let found = |path: &str| find(&object, path).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(found(".spec.n"), [json!(3)]);
        assert_eq!(found("$.spec.n"), [json!(3)]);
        assert_eq!(found(".spec.hosts[*].name"), [json!("p"), json!("q")]);
        assert_eq!(found(".spec.hosts[-1].name"), [json!("q")]);
        assert_eq!(found(".metadata.labels.a\\.b/c"), [json!("x")]);
        assert_eq!(found(".metadata.labels['a.b/c']"), [json!("x")]);
        assert_eq!(found(".status.conditions[?(@.type==\"Ready\")].status"), [json!("True")]);
        assert_eq!(found(".status.conditions[?(@.type!='Ready')].status"), [json!("False")]);
        assert_eq!(found(".spec.absent.deeper"), Vec::<Value>::new());
    }

    #[test]
    fn what_is_no_path_is_told_apart() {
        for path in [".spec.replicas", ".a[0].b", ".a['b']"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["spec", "", ".", ".a[", ".a[x]", ".a..b", ".a[?(x)]"] {
            assert!(!is_path(path), "{path}");
        }
    }
}
