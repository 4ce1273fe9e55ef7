//! Under which name somebody writes: `fieldManager`, or what the user agent begins with.

use http::{HeaderMap, header};
use serde_json::json;

use super::status::Cause;

/// How many bytes a name may have: upstream's limit.
const LONGEST: usize = 128;

/// The name in `fieldManager`, or the user agent up to its first `/`.
pub(crate) fn name(field_manager: Option<&str>, headers: &HeaderMap) -> String {
    if let Some(name) = field_manager.filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let user_agent = headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let user_agent = user_agent.unwrap_or_default();
    let mut name = String::new();
    for character in user_agent.split('/').next().unwrap_or_default().chars().filter(|c| is_printable(*c)) {
        if name.len() + character.len_utf8() > LONGEST {
            break;
        }
        name.push(character);
    }
    name
}

/// Returns the error of the name in `fieldManager`.
pub(crate) fn causes(name: &str) -> Vec<Cause> {
    let field = "fieldManager";
    let mut causes = Vec::new();
    if name.len() > LONGEST {
        let message = format!("Too long: may not be more than {LONGEST} bytes");
        causes.push(Cause::new("FieldValueTooLong", field, message));
    }
    for (position, character) in name.char_indices().filter(|(_, character)| !is_printable(*character)) {
        let because = format!("invalid character U+{:04X} (at position {position})", u32::from(character));
        causes.push(Cause::invalid(field, &json!(name), because));
    }
    causes
}

fn is_printable(character: char) -> bool {
    character == ' ' || !(character.is_control() || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_called_as_it_asks_or_as_its_user_agent_begins() {
        let agent =
            |text: &str| HeaderMap::from_iter([(header::USER_AGENT, text.parse().expect("a header"))]);
        assert_eq!(name(Some("me"), &agent("kubectl/v1.36")), "me");
        assert_eq!(name(Some(""), &agent("kubectl/v1.36 (linux/amd64)")), "kubectl");
        assert_eq!(name(None, &agent("a tab\there")), "a tabhere");
        assert_eq!(name(None, &HeaderMap::new()), "");
        assert_eq!(name(None, &agent(&"x".repeat(200))).len(), LONGEST);
    }

    #[test]
    fn names_are_short_and_can_be_printed() {
        assert!(causes("Ein Verwalter: ö").is_empty());
        let texts: Vec<String> =
            causes(&format!("a\nb{}", "x".repeat(LONGEST))).iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0], "fieldManager: Too long: may not be more than 128 bytes");
        assert!(texts[1].ends_with("invalid character U+000A (at position 1)"), "{}", texts[1]);
    }
}
