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

/// The pattern with `\d`, `\s` and `\w` written out, which mean more than ASCII here; and with ASCII's `\b`.
pub(crate) fn in_ascii(pattern: &str) -> String {
    let (mut made, mut in_class) = (String::new(), false);
    let mut rest = pattern.chars();
    while let Some(next) = rest.next() {
        in_class = in_class && next != ']' || next == '[';
        if next != '\\' {
            made.push(next);
            continue;
        }
        let escaped = rest.next();
        let class = match escaped.map(|c| c.to_ascii_lowercase()) {
            Some('d') => "0-9",
            Some('s') => "\\t\\n\\f\\r ",
            Some('w') => "0-9A-Za-z_",
            _ => "",
        };
        match escaped {
            Some('d' | 's' | 'w') if in_class => made += class,
            Some('d' | 's' | 'w') => made += &format!("[{class}]"),
            Some('D' | 'S' | 'W') => made += &format!("[^{class}]"),
            Some('b') if !in_class => made += r"(?-u:\b)",
            Some('B') if !in_class => made += r"(?-u:\B)",
            escaped => {
                made.push('\\');
                made.extend(escaped);
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

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
