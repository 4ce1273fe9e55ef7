//! Writes values as YAML in many styles, those of YAML 1.1 among them.

use super::dice::Dice;
use serde_json::Value;
use std::fmt::Write as _;

/// Writes an object as a YAML document. About one scalar in eight has an uncommon spelling; one document in
/// four has comments, markers or a second document.
pub(crate) fn document(dice: &mut Dice, value: &Value) -> String {
    let mut text = String::new();
    write_block(dice, value, 0, &mut text);
    let text = text.replace("@@", "");
    match dice.below(24) {
        0 => format!("---\n{text}"),
        1 => format!("# a comment\n{text}...\n"),
        2 => format!("{text}---\nkind: Other\n"),
        3 => format!("%YAML 1.1\n---\n{text}"),
        4 => text.replacen("\n", "\n\n# between\n", 1),
        5 => format!("{text}{}", text.lines().next().unwrap_or_default()),
        6 => text.replacen("  ", "\t", 1),
        7 => format!("{text}unknown: &anchor {{a: 1}}\nother: *anchor\n"),
        8 => format!("{text}other: *missing\n"),
        9 => format!("base: &base {{a: 1}}\nmerged: {{<<: *base, b: 2}}\n{text}"),
        10 => text.replace('\n', "\r\n"),
        _ => text,
    }
}

fn write_block(dice: &mut Dice, value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                let _ = write!(text, "{pad}{}:", self::key(dice, key, &pad));
                write_inner(dice, inner, indent + 2, text);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for inner in list {
                let _ = write!(text, "{pad}-");
                write_inner(dice, inner, indent + 2, text);
            }
        }
        other => {
            let _ = writeln!(text, "{pad}{}", scalar(dice, other));
        }
    }
}

fn write_inner(dice: &mut Dice, value: &Value, indent: usize, text: &mut String) {
    let empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => true,
    };
    if empty || dice.one_in(30) {
        let _ = writeln!(text, " {}", if empty { scalar(dice, value) } else { value.to_string() });
    } else {
        text.push('\n');
        write_block(dice, value, indent, text);
    }
}

fn key(dice: &mut Dice, key: &str, pad: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "._/".contains(c));
    match dice.below(60) {
        0 => format!("? {key:?}\n{pad}"),
        1 => format!("'{}'", key.replace('\'', "''")),
        _ if plain => key.to_owned(),
        _ => format!("{key:?}"),
    }
}

fn scalar(dice: &mut Dice, value: &Value) -> String {
    let uncommon = dice.one_in(8);
    match value {
        Value::Null if uncommon => dice.pick(&["~", "", "Null", "NULL"]).to_owned(),
        Value::Bool(true) if uncommon => dice.pick(&["yes", "on", "True", "TRUE", "y", "Yes"]).to_owned(),
        Value::Bool(false) if uncommon => dice.pick(&["no", "off", "False", "n", "Off"]).to_owned(),
        Value::Number(number) if uncommon => {
            let number = number.to_string();
            match dice.below(9) {
                0 => format!("0{number}"),
                1 => format!("{number}.0"),
                2 => format!("+{number}"),
                3 => format!("0x{number}"),
                4 => format!("{number}_0"),
                5 => format!("0o{number}"),
                6 => format!("{number}e0"),
                7 => format!("!!str {number}"),
                _ => format!("\"{number}\""),
            }
        }
        Value::String(text) => string(dice, text, uncommon),
        other => other.to_string(),
    }
}

fn string(dice: &mut Dice, text: &str, uncommon: bool) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/@:-=%".contains(c));
    let plain = plain && !text.starts_with(['-', '@', ':', '=', '%']) && !text.ends_with(':')
        || text.starts_with("@@");
    match (uncommon, dice.below(6)) {
        (true, 0) => format!("'{}'", text.replace('\'', "''")),
        (true, 1) => format!("!!str {text:?}"),
        (true, 2) => text.to_owned(),
        (true, 3) => {
            dice.pick(&["yes", "1.0", "2020-01-02", "0x10", "1:30", "null", "1e3", ".inf"]).to_owned()
        }
        // A bare number or word would be another type.
        _ if plain && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@') => text.to_owned(),
        _ => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_are_indented() {
        let mut text = String::new();
        // No scalar of this draw is uncommon.
        write_block(&mut Dice::new(3), &json!({"a": {"b": [{"c": "d"}, {}]}}), 0, &mut text);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.starts_with("a:\n  b:\n"), "{text}");
    }
}
