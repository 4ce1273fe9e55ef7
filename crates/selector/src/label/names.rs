//! The syntax of label keys and label values, with upstream's error messages.

/// Maximum length of a label value, and of a label key's name part.
const NAME_LENGTH: usize = 63;

/// Maximum length of a DNS subdomain.
const SUBDOMAIN_LENGTH: usize = 253;

const KEY_HINT: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const VALUE_HINT: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or \
    '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex \
    used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const SUBDOMAIN_HINT: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Returns whether `key` can be the key of a label or an annotation: a name, or a DNS subdomain, `/` and a name.
pub fn is_qualified_name(key: &str) -> bool {
    key_problems(key).is_empty()
}

/// Returns whether `value` can be the value of a label.
pub fn is_label_value(value: &str) -> bool {
    value_problems(value).is_empty()
}

/// Upstream's messages about a label key, joined; empty if the key is valid.
pub(super) fn key_problems(key: &str) -> String {
    let mut problems = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > SUBDOMAIN_LENGTH {
                    problems.push(format!("prefix part {}", too_long(SUBDOMAIN_LENGTH)));
                }
                if !prefix.split('.').all(is_dns_label) {
                    problems.push(format!("prefix part {SUBDOMAIN_HINT}"));
                }
            }
            name
        }
        _ => {
            return format!(
                "a valid label key {KEY_HINT} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            );
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > NAME_LENGTH {
        problems.push(format!("name part {}", too_long(NAME_LENGTH)));
    }
    if name.is_empty() || !has_name_syntax(name) {
        problems.push(format!("name part {KEY_HINT}"));
    }
    problems.join("; ")
}

/// Upstream's messages about a label value, joined; empty if the value is valid.
pub(super) fn value_problems(value: &str) -> String {
    let mut problems = Vec::new();
    if value.len() > NAME_LENGTH {
        problems.push(too_long(NAME_LENGTH));
    }
    if !has_name_syntax(value) {
        problems.push(VALUE_HINT.to_owned());
    }
    problems.join("; ")
}

fn too_long(length: usize) -> String {
    format!("must be no more than {length} bytes")
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; or nothing.
fn has_name_syntax(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_none_or(u8::is_ascii_alphanumeric)
        && bytes.last().is_none_or(u8::is_ascii_alphanumeric)
}

fn is_dns_label(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}
