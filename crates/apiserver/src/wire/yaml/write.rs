//! Writes YAML as sigs.k8s.io/yaml does.

use serde_json::{Map, Value};
use std::cmp::Ordering;

use super::resolve::{Resolved, resolve};

/// Where a line is broken at the next space.
const WIDTH: usize = 80;

/// Writes a value as a document.
pub(crate) fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block_map(map, 0, false, &mut text),
        Value::Array(list) if !list.is_empty() => block_list(list, 0, false, &mut text),
        other => {
            scalar(other, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

/// Writes the fields of a map; the first one goes on in the line if `inline`.
fn block_map(map: &Map<String, Value>, indent: usize, inline: bool, text: &mut String) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_by(|one, other| natural(one, other));
    for (position, key) in keys.into_iter().enumerate() {
        if position > 0 || !inline {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        string(key, indent, false, text);
        text.push(':');
        entry(&map[key], indent, text);
    }
}

/// Writes the items of a list.
fn block_list(list: &[Value], indent: usize, inline: bool, text: &mut String) {
    for (position, item) in list.iter().enumerate() {
        if position > 0 || !inline {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => block_map(map, indent + 2, true, text),
            Value::Array(inner) if !inner.is_empty() => block_list(inner, indent + 2, true, text),
            other => {
                scalar(other, indent, text);
                text.push('\n');
            }
        }
    }
}

/// Writes the value of a field.
fn entry(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            block_map(map, indent + 2, false, text);
        }
        // The items of a list stand below its name.
        Value::Array(list) if !list.is_empty() => {
            text.push('\n');
            block_list(list, indent, false, text);
        }
        other => {
            text.push(' ');
            scalar(other, indent, text);
            text.push('\n');
        }
    }
}

fn scalar(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::String(inner) => string(inner, indent, true, text),
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        other => text.push_str(&other.to_string()),
    }
}

/// Writes a string in the plainest style that reads as a string again.
fn string(inner: &str, indent: usize, may_break: bool, text: &mut String) {
    let is_printable = |c: char| matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}';
    if !inner.chars().all(is_printable) || inner.is_empty() {
        double_quoted(inner, text);
    } else if inner.contains('\n') && may_break && !inner.starts_with([' ', '\n']) && !inner.contains(" \n") {
        literal(inner, indent, text);
    } else if inner.contains('\n') || !is_read_as_string(inner) {
        double_quoted(inner, text);
    } else if can_be_plain(inner) {
        folded(inner, indent, may_break, text);
    } else {
        text.push('\'');
        folded(&inner.replace('\'', "''"), indent, may_break, text);
        text.push('\'');
    }
}

/// Whether the plain text is a string, and neither a time nor a number by the base of 60.
fn is_read_as_string(text: &str) -> bool {
    let is_number =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let date: Vec<&str> = text.splitn(3, '-').collect();
    let is_time = matches!(date[..], [year, month, day]
        if year.len() == 4 && is_number(year) && is_number(month) && day.starts_with(|c: char| c.is_ascii_digit()));
    let is_base_60 =
        text.contains(':') && text.trim_start_matches(['-', '+']).split([':', '.']).all(is_number);
    let old_words = ["y", "n", "yes", "no", "on", "off"];
    let is_old_word = old_words.iter().any(|word| text.eq_ignore_ascii_case(word));
    !is_time && !is_base_60 && !is_old_word && matches!(resolve("", text, true), Ok(Resolved::Text(_)))
}

fn can_be_plain(text: &str) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let is_followed = |at: usize| text[at..].chars().nth(1).is_none_or(char::is_whitespace);
    let is_indicator = "#,[]{}&*!|>'\"%@`".contains(first) || "-?:".contains(first) && is_followed(0);
    let has_end = text.char_indices().any(|(at, c)| {
        c == ':' && is_followed(at) || c == '#' && at > 0 && text[..at].ends_with(char::is_whitespace)
    });
    let is_marker = text.starts_with("---") || text.starts_with("...");
    !is_indicator && !has_end && !is_marker && !text.starts_with(' ') && !text.ends_with(' ')
}

/// Writes a text, with a new line at the first single space beyond the width.
fn folded(inner: &str, indent: usize, may_break: bool, text: &mut String) {
    let mut column = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
    let all: Vec<char> = inner.chars().collect();
    for (at, c) in all.iter().enumerate() {
        let is_single = *c == ' ' && at > 0 && at + 1 < all.len() && all[at - 1] != ' ' && all[at + 1] != ' ';
        if may_break && is_single && column > WIDTH {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent + 2));
            column = indent + 2;
        } else {
            text.push(*c);
            column += 1;
        }
    }
}

fn literal(inner: &str, indent: usize, text: &mut String) {
    let body = inner.strip_suffix('\n').unwrap_or(inner);
    text.push('|');
    if !inner.ends_with('\n') {
        text.push('-');
    } else if body.ends_with('\n') {
        text.push('+');
    }
    for line in body.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', indent + 2));
            text.push_str(line);
        }
    }
}

fn double_quoted(inner: &str, text: &mut String) {
    text.push('"');
    for c in inner.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            '\0' => text.push_str("\\0"),
            ' '..='~' | '\u{a0}'..='\u{fefe}' => text.push(c),
            c if u32::from(c) <= 0xff => text.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if u32::from(c) <= 0xffff => text.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => text.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    text.push('"');
}

/// The order of keys: numbers in them by their value, letters after other characters.
fn natural(one: &str, other: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(one, other)| one != other) else {
        return a.len().cmp(&b.len());
    };
    match (a[at].is_alphabetic(), b[at].is_alphabetic()) {
        (true, true) => return a[at].cmp(&b[at]),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let number = |of: &[char]| -> (u128, usize) {
        let digits: String = of[at..].iter().take_while(|c| c.is_ascii_digit()).take(38).collect();
        (digits.parse().unwrap_or(0), digits.len())
    };
    number(&a).cmp(&number(&b)).then_with(|| a[at].cmp(&b[at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_written_as_kubectl_shows_them() {
        let value = json!({
            "metadata": {"name": "a", "creationTimestamp": "2020-01-02T03:04:05Z", "annotations": {"on": "yes", "a b": "x: y"}},
            "fields": {"k:{\"name\":\"a\"}": {".": {}, "f:x": {}}},
            "list": [{"a": 1, "b": [true, null]}, "1.0", "", "a\nb\n"], "empty": [],
        });
        let text = "empty: []\nfields:\n  k:{\"name\":\"a\"}:\n    .: {}\n    f:x: {}\nlist:\n- a: 1\n  b:\n  - true\n  - null\n\
                    - \"1.0\"\n- \"\"\n- |\n  a\n  b\nmetadata:\n  annotations:\n    a b: 'x: y'\n    \"on\": \"yes\"\n\
                    \x20 creationTimestamp: \"2020-01-02T03:04:05Z\"\n  name: a\n";
        assert_eq!(write(&value), text);
    }

    #[test]
    fn long_lines_are_broken_at_a_space() {
        let words = "word ".repeat(30);
        let text = write(&json!({"message": words.trim_end()}));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("  word")), "{text}");
    }

    #[test]
    fn keys_are_in_natural_order() {
        let mut keys = ["a10", "a9", "b", ".", "a"];
        keys.sort_by(|one, other| natural(one, other));
        assert_eq!(keys, [".", "a", "a9", "a10", "b"]);
    }
}
