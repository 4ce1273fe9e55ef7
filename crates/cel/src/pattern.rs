//! [`Pattern`]: a regular expression as Go's `regexp` reads it.

use std::fmt;

use regex::Regex;

/// A regular expression as Go's `regexp` reads it: the classes `\d`, `\s` and `\w` are of ASCII.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// The error of a text that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error parsing regexp: {}", self.0)
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// The text is no regular expression of RE2, or needs more than 10 MiB.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        Regex::new(&in_ascii(pattern)).map(Self).map_err(|error| PatternError(error.to_string()))
    }

    /// Returns whether the pattern matches somewhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The pattern in the syntax of the crate `regex`: `\d`, `\s` and `\w` are written out, which mean more than ASCII there;
/// `\b` is ASCII's; and in a class, `[`, `&`, `-` and `~` are literals, which can be operators there.
pub(crate) fn in_ascii(pattern: &str) -> String {
    let mut made = String::new();
    let mut rest = pattern.chars().peekable();
    // How many characters of a class were read: a bracket that comes first is a literal.
    let mut class_length: Option<usize> = None;
    while let Some(next) = rest.next() {
        match (next, class_length) {
            ('\\', _) => escape(rest.next(), class_length.is_some(), &mut made),
            ('[', None) => {
                made.push('[');
                if let Some('^') = rest.peek() {
                    made.extend(rest.next());
                }
                class_length = Some(0);
                continue;
            }
            // A class with a name, such as `[:alpha:]`.
            ('[', Some(_)) if rest.peek() == Some(&':') => {
                made.push('[');
                for named in rest.by_ref() {
                    made.push(named);
                    if named == ']' {
                        break;
                    }
                }
            }
            (']', Some(0)) => made += "\\]",
            (']', Some(_)) => {
                made.push(']');
                class_length = None;
            }
            ('[' | '&' | '~', Some(_)) => made.extend(['\\', next]),
            ('-', Some(_)) if made.ends_with('-') => made += "\\-",
            _ => made.push(next),
        }
        class_length = class_length.map(|length| length + 1);
    }
    made
}

/// Writes an escaped character.
fn escape(escaped: Option<char>, in_class: bool, made: &mut String) {
    let class = match escaped.map(|c| c.to_ascii_lowercase()) {
        Some('d') => "0-9",
        Some('s') => "\\t\\n\\f\\r ",
        Some('w') => "0-9A-Za-z_",
        _ => "",
    };
    match escaped {
        Some('d' | 's' | 'w') if in_class => *made += class,
        Some('d' | 's' | 'w') => *made += &format!("[{class}]"),
        Some('D' | 'S' | 'W') => *made += &format!("[^{class}]"),
        Some('b') if !in_class => *made += r"(?-u:\b)",
        Some('B') if !in_class => *made += r"(?-u:\B)",
        escaped => {
            made.push('\\');
            made.extend(escaped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_they_hold_in_go() {
        for (pattern, yes, no) in [
            (r"^[-_[A-Za-z0-9]+@[-_[a-z]+$", "a[b@c", "a]b@c"),
            (r#"^[^()<>@,;:\\"\/[\]?={} \t\x7f]+$"#, "a-b", "a[b"),
            (r"^[a&&b~~]+$", "a&b~", "c"),
            (r"^[+--]$", ",", "."),
            (r"^[]a]+$", "]a", "b"),
            (r"^[^]a]+$", "b", "]"),
            (r"^[[:alpha:]_]+$", "a_B", "1"),
            (r"^(\d*(\.\d*)?µs)+$", "1.5µs", "1.5us"),
        ] {
            let compiled = Pattern::new(pattern).expect(pattern);
            assert!(compiled.is_match(yes) && !compiled.is_match(no), "{pattern}");
        }
    }

    #[test]
    fn classes_are_of_ascii() {
        assert_eq!(
            in_ascii(r"^[\w.-]+\s\D\.\b[a\]\d]$"),
            r"^[0-9A-Za-z_.-]+[\t\n\f\r ][^0-9]\.(?-u:\b)[a\]0-9]$"
        );
        let pattern = Pattern::new(r"^\d+$").expect("a pattern");
        assert!(pattern.is_match("12") && !pattern.is_match("\u{0661}"));
        let error = Pattern::new("(").expect_err("no pattern");
        assert!(error.to_string().starts_with("error parsing regexp: "), "{error}");
    }
}
