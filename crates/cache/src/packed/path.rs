//! [`locate`]: finds a field of an object in its JSON text.

use std::ops::Range;

use crate::{Json, JsonError};

/// Returns the position of the field at `path` in the text of an object; `None` if there is none, or if it is null.
///
/// Of members with equal names the last one counts, as in the maps of `serde_json`.
pub(super) fn locate(json: &str, path: &[&str]) -> Result<Option<Range<usize>>, JsonError> {
    let found = value_at(&mut Json::new(json), path)?;
    Ok(found.filter(|field| &json[field.clone()] != "null"))
}

/// Passes the next value, and returns the position of the part of it at `path`.
fn value_at(json: &mut Json<'_>, path: &[&str]) -> Result<Option<Range<usize>>, JsonError> {
    let is_object = json.next() == Some(b'{'); // behind white space
    let start = json.offset();
    match path {
        [name, rest @ ..] if is_object => {
            let mut found = None;
            json.members(|key, json| {
                if key == *name {
                    found = value_at(json, rest)?;
                    return Ok(());
                }
                json.skip().map(drop)
            })?;
            Ok(found)
        }
        _ => {
            let text = json.skip()?;
            Ok(path.is_empty().then(|| start..start + text.len()))
        }
    }
}
