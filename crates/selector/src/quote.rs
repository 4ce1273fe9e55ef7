//! Go's quoting of strings, which is part of upstream's error messages.

use std::fmt::Write;

/// Quotes a string as Go's `%q` does.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            '\x0b' => quoted.push_str("\\v"),
            '\x0c' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => push(&mut quoted, character),
        }
    }
    quoted.push('"');
    quoted
}

fn push(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let is_printable = character == '\'' || character.escape_debug().len() == 1;
    let written = match code {
        _ if is_printable => {
            quoted.push(character);
            Ok(())
        }
        0..=0x7f => write!(quoted, "\\x{code:02x}"),
        0x80..=0xffff => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
    written.expect("a string takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_as_go_quotes_them() {
        for (text, expected) in [
            ("a'b", r#""a'b""#),
            ("ü", r#""ü""#),
            ("\"\\", r#""\"\\""#),
            ("\n\x0b\x01", r#""\n\v\x01""#),
            ("\u{a0}a", r#""\u00a0a""#),
            ("\u{e0001}", r#""\U000e0001""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
