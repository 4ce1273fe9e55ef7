//! Writing JSON as `serde_json` writes it, in fewer steps: nearly no text has anything in it to be escaped, and a text
//! that has nothing is copied as it is. Floats are written as Go writes them.

use bytes::Bytes;
use serde_json::Value;
use trimtab_schema::go_number;

/// Returns `value` as JSON text.
pub(crate) fn to_json(value: &Value) -> Bytes {
    let mut json = Vec::new();
    write(&mut json, value);
    json.into()
}

/// Writes a value.
pub(crate) fn write(json: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => write_text(json, text),
        Value::Array(items) => {
            json.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    json.push(b',');
                }
                write(json, item);
            }
            json.push(b']');
        }
        Value::Object(fields) => {
            json.push(b'{');
            for (position, (name, value)) in fields.iter().enumerate() {
                if position > 0 {
                    json.push(b',');
                }
                write_text(json, name);
                json.push(b':');
                write(json, value);
            }
            json.push(b'}');
        }
        Value::Null => json.extend_from_slice(b"null"),
        Value::Bool(flag) => json.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(number) if number.is_i64() => {
            serde_json::to_writer(json, value).expect("a number can be written");
        }
        Value::Number(number) => json.extend_from_slice(go_number::text(number).as_bytes()),
    }
}

/// Writes a text.
pub(crate) fn write_text(json: &mut Vec<u8>, text: &str) {
    // All bytes are looked at, whatever comes first: that is done for many at a time.
    let is_plain =
        text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if is_plain {
        json.reserve(text.len() + 2);
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        serde_json::to_writer(json, text).expect("a text can be written");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_as_serde_json_writes_it() {
        let value = json!({
            "": null, "numbers": [0, -1, 1.5, 7], "flags": [true, false], "empty": [{}, [], ""],
            "texts": ["plain, and long enough for many bytes at a time", "\"", "\\", "a\nb", "\u{7f}", "\u{1}", "ä/é", "<&>"],
            "na\"me": {"deep": [{"er": {}}]},
        });
        let mut written = Vec::new();
        write(&mut written, &value);
        assert_eq!(String::from_utf8(written).expect("text"), value.to_string());
    }

    #[test]
    fn floats_are_written_as_go_writes_them() {
        let mut written = Vec::new();
        write(&mut written, &json!([1e300, 1e20, 0.5, u64::MAX]));
        assert_eq!(
            String::from_utf8(written).expect("text"),
            "[1e+300,100000000000000000000,0.5,18446744073709552000]"
        );
    }
}
