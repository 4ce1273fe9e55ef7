//! Carrying out a JSON patch, one operation after the other, within bounds: copies of copies of copies would
//! otherwise make a short patch into an object that no memory holds and no stack can walk through.

use std::{borrow::Cow, io};

use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;

use crate::object;

/// How many bytes all `copy` operations of a patch may copy: upstream's limit.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// Does to `document` what the operations say; `None` if one of them cannot be carried out, or is not to be.
pub(super) fn carry_out(operations: &[PatchOperation], document: &mut Value) -> Option<()> {
    let mut copied = 0;
    // At least the depth of the document, which is not measured after every operation.
    let mut depth = object::depth(document);
    for operation in operations {
        depth = match operation {
            PatchOperation::Add(add) => depth.max(steps(add.path.as_str()) + object::depth(&add.value)),
            PatchOperation::Replace(replace) => {
                depth.max(steps(replace.path.as_str()) + object::depth(&replace.value))
            }
            PatchOperation::Move(moved) => depth.max(deeper(depth, moved.from.as_str(), moved.path.as_str())),
            PatchOperation::Copy(copy) => {
                copied += length(document.pointer(copy.from.as_str())?);
                if copied > MOST_COPIED {
                    return None;
                }
                depth.max(deeper(depth, copy.from.as_str(), copy.path.as_str()))
            }
            PatchOperation::Remove(_) | PatchOperation::Test(_) => depth,
        };
        // Without undoing what was done before a refusal: it was done to a copy, and undoing a move whose target
        // does not exist panics.
        let operation = as_go_does(operation, document);
        json_patch::patch_unsafe(document, std::slice::from_ref(&*operation)).ok()?;
        if depth > object::DEEPEST_IN_ALL {
            depth = object::depth(document);
        }
        if depth > object::DEEPEST_IN_ALL {
            return None;
        }
    }
    Some(())
}

/// Where an operation reads and writes.
pub(super) fn paths(operation: &PatchOperation) -> impl Iterator<Item = &str> {
    let (path, from) = match operation {
        PatchOperation::Add(add) => (&add.path, None),
        PatchOperation::Remove(remove) => (&remove.path, None),
        PatchOperation::Replace(replace) => (&replace.path, None),
        PatchOperation::Test(test) => (&test.path, None),
        PatchOperation::Move(moved) => (&moved.path, Some(&moved.from)),
        PatchOperation::Copy(copy) => (&copy.path, Some(&copy.from)),
    };
    [Some(path), from].into_iter().flatten().map(|path| path.as_str())
}

/// Upstream's library replaces a key that is not there by adding it, against the RFC.
fn as_go_does<'a>(operation: &'a PatchOperation, document: &Value) -> Cow<'a, PatchOperation> {
    let PatchOperation::Replace(replace) = operation else { return Cow::Borrowed(operation) };
    let path = replace.path.as_str();
    let parent = path.rsplit_once('/').and_then(|(parent, _)| document.pointer(parent));
    if document.pointer(path).is_some() || !parent.is_some_and(Value::is_object) {
        return Cow::Borrowed(operation);
    }
    let add = AddOperation { path: replace.path.clone(), value: replace.value.clone() };
    Cow::Owned(PatchOperation::Add(add))
}

/// How deep a place is.
fn steps(path: &str) -> usize {
    path.matches('/').count()
}

/// How deep what goes from one place to another can reach then, in a document of this depth.
fn deeper(depth: usize, from: &str, to: &str) -> usize {
    depth.saturating_sub(steps(from)) + steps(to)
}

/// How long a value is as text.
fn length(value: &Value) -> usize {
    struct Counter(usize);

    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("a JSON value can be written");
    counter.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn carried_out(operations: Value, mut document: Value) -> Option<Value> {
        let operations: json_patch::Patch = serde_json::from_value(operations).expect("a patch");
        carry_out(&operations, &mut document).map(|()| document)
    }

    fn often(operations: &[Value], times: usize) -> Value {
        operations.iter().cycle().take(operations.len() * times).cloned().collect()
    }

    #[test]
    fn a_replacement_adds_a_key_but_no_item() {
        let replace = |path: &str| json!([{"op": "replace", "path": path, "value": 1}]);
        assert_eq!(carried_out(replace("/a/b"), json!({"a": {}})), Some(json!({"a": {"b": 1}})));
        assert_eq!(carried_out(replace("/a/0"), json!({"a": []})), None);
        assert_eq!(carried_out(replace("/c/b"), json!({"a": {}})), None);
    }

    /// Fails, by taking all memory, if what is copied is not counted.
    #[test]
    fn copies_of_copies_end_before_they_fill_the_memory() {
        let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
        let document = json!({"a": ["x".repeat(100)]});
        assert!(carried_out(vec![double.clone(); 3].into(), document.clone()).is_some());
        assert_eq!(carried_out(vec![double; 60].into(), document), None);
    }

    /// Fails, by a stack overflow, if how deep the document may be is not bounded.
    #[test]
    fn what_is_moved_into_itself_by_turns_does_not_become_too_deep() {
        let turn = [
            json!({"op": "add", "path": "/b", "value": {}}),
            json!({"op": "move", "from": "/a", "path": "/b/a"}),
            json!({"op": "move", "from": "/b", "path": "/a"}),
        ];
        assert!(carried_out(often(&turn, 50), json!({"a": 1})).is_some());
        assert_eq!(carried_out(often(&turn, 3_000), json!({"a": 1})), None);
        let up_and_down = [
            json!({"op": "move", "from": "/a", "path": "/b/a"}),
            json!({"op": "move", "from": "/b/a", "path": "/a"}),
        ];
        let document = json!({"a": 1, "b": {}});
        assert_eq!(carried_out(often(&up_and_down, 3_000), document.clone()), Some(document));
    }
}
