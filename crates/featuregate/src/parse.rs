//! The grammar of `--feature-gates`. It does not know the gates.

use crate::error::Problem;

/// Parses the settings in `text`, in order: `A=true,B=false`. Skips empty settings and trims spaces.
pub(crate) fn settings(text: &str) -> impl Iterator<Item = Result<(&str, bool), Problem>> {
    text.split(',').filter(|piece| !piece.is_empty()).map(setting)
}

/// Parses one setting: `A=true`.
pub(crate) fn setting(piece: &str) -> Result<(&str, bool), Problem> {
    let Some((name, value)) = piece.split_once('=') else {
        return Err(Problem::missing_value(piece.trim()));
    };
    let (name, value) = (name.trim(), value.trim());
    match boolean(value) {
        Some(value) => Ok((name, value)),
        None => Err(Problem::invalid_value(name, value)),
    }
}

/// Parses a boolean in Go's spellings.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(&str, bool)>, Vec<String>> {
        let (good, bad): (Vec<_>, Vec<_>) = settings(text).partition(Result::is_ok);
        if bad.is_empty() {
            Ok(good.into_iter().flatten().collect())
        } else {
            Err(bad.into_iter().filter_map(Result::err).map(|problem| problem.to_string()).collect())
        }
    }

    #[test]
    fn empty_pieces_are_skipped_and_spaces_trimmed() {
        assert_eq!(parse(""), Ok(vec![]));
        assert_eq!(parse(",,A=true,, B\t= 0 ,"), Ok(vec![("A", true), ("B", false)]));
        assert_eq!(parse("=t"), Ok(vec![("", true)]), "no name: unknown, but well formed");
    }

    #[test]
    fn every_spelling_of_go_is_a_boolean_and_no_other() {
        for (text, value) in [("1", true), ("t", true), ("T", true), ("TRUE", true), ("True", true)] {
            assert_eq!(boolean(text), Some(value));
        }
        for text in ["0", "f", "F", "FALSE", "false", "False"] {
            assert_eq!(boolean(text), Some(false));
        }
        for text in ["", "tRUE", "yes", "on", "01", "truee"] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn all_problems_of_one_text_are_found() {
        let problems = parse("A, ,B=banana,C==true,D=true").expect_err("four pieces are wrong");
        assert_eq!(
            problems,
            [
                "missing bool value for A",
                "missing bool value for ",
                "invalid value of B=banana: expected true or false",
                "invalid value of C==true: expected true or false",
            ]
        );
    }
}
