//! Rules for names: the DNS rules that upstream checks.

/// Whether `name` is a DNS label (RFC 1123): what a namespace's name must be.
pub(crate) fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: char| c != '-';
    (1..=63).contains(&name.len())
        && name.chars().all(inner)
        && name.starts_with(edge)
        && name.ends_with(edge)
}

/// Whether `name` is a DNS subdomain (RFC 1123): what most names must be.
pub(crate) fn is_subdomain(name: &str) -> bool {
    let edge = |part: &str| !part.starts_with('-') && !part.ends_with('-') && !part.is_empty();
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=253).contains(&name.len()) && name.split('.').all(|part| edge(part) && part.chars().all(inner))
}

/// Returns the faults of a name as a segment of a path; empty if it is valid.
pub(crate) fn path_segment_faults(name: &str) -> Vec<String> {
    match name {
        "." | ".." => vec![format!("may not be '{name}'")],
        _ => path_prefix_faults(name),
    }
}

/// Returns the faults of the beginning of a segment of a path.
pub(crate) fn path_prefix_faults(name: &str) -> Vec<String> {
    let parts = ['/', '%'].into_iter().filter(|part| name.contains(*part));
    parts.map(|part| format!("may not contain '{part}'")).collect()
}

/// Upstream's message for a name that is no DNS label.
pub(crate) const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
    '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// Returns the faults of a name as a DNS label; empty if it is valid.
pub(crate) fn label_faults(name: &str) -> Vec<&'static str> {
    let is_part = |text: &str| {
        let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty() && text.bytes().all(is_inside) && !text.starts_with('-') && !text.ends_with('-')
    };
    let mut faults = Vec::new();
    if name.len() > 63 {
        faults.push("must be no more than 63 characters");
    }
    if !is_part(name) {
        faults.push(if name.split('.').all(is_part) { "must not contain dots" } else { LABEL_RULE });
    }
    faults
}

/// Returns the faults of a name as a DNS subdomain; empty if it is valid.
pub(crate) fn subdomain_faults(name: &str) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if name.len() > 253 {
        faults.push("must be no more than 253 characters");
    }
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(is_inside) && !part.starts_with('-') && !part.ends_with('-')
    };
    if !name.split('.').all(is_part) {
        faults.push(SUBDOMAIN_RULE);
    }
    faults
}

/// Returns the faults of a text as the name of a label, `[dns/]name`; empty if it is valid.
pub(crate) fn qualified_faults(name: &str) -> Vec<String> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    let (prefix, part) = match name.split_once('/') {
        None => (None, name),
        Some((_, part)) if part.contains('/') => return vec![MANY_PARTS_RULE.to_owned()],
        Some((prefix, part)) => (Some(prefix), part),
    };
    let mut faults = Vec::new();
    match prefix {
        None => {}
        Some("") => faults.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            faults.extend(subdomain_faults(prefix).iter().map(|fault| format!("prefix part {fault}")));
        }
    }
    if part.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if part.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if part.is_empty()
        || !part.chars().all(is_inside)
        || !part.starts_with(is_edge)
        || !part.ends_with(is_edge)
    {
        faults.push(QUALIFIED_RULE.to_owned());
    }
    faults
}

/// Returns the faults of a text as the value of a label; empty if it is valid.
pub(crate) fn value_faults(value: &str) -> Vec<&'static str> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    let mut faults = Vec::new();
    if value.len() > 63 {
        faults.push("must be no more than 63 bytes");
    }
    let is_valid = value.chars().all(is_inside) && value.starts_with(is_edge) && value.ends_with(is_edge);
    if !value.is_empty() && !is_valid {
        faults.push(VALUE_RULE);
    }
    faults
}

/// Returns the faults of a port's name.
pub(crate) fn port_name_faults(name: &str) -> Vec<&'static str> {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut faults = Vec::new();
    if name.len() > 15 {
        faults.push("must be no more than 15 characters");
    }
    if !name.bytes().all(is_inside) || name.is_empty() {
        faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    }
    if !name.bytes().any(|byte| byte.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        faults.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        faults.push("must not begin or end with a hyphen");
    }
    faults
}

/// Upstream's message for a key with more than one slash.
const MANY_PARTS_RULE: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must \
    start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
    validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
    'example.com/MyName')";

/// Upstream's message for a key that is no qualified name.
pub(crate) const QUALIFIED_RULE: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used \
    for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// Upstream's message for a text that is no label value.
pub(crate) const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, \
    '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or \
    '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Upstream's message for a name that is no DNS subdomain.
pub(crate) const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case \
    alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Returns whether `name` is a DNS label (RFC 1035): a DNS label that begins with a letter.
pub(crate) fn is_dns_1035(name: &str) -> bool {
    is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

/// Upstream's message for a name that is no DNS label of RFC 1035.
pub(crate) const DNS_1035_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
    start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
    'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rfc_1123() {
        for name in ["web", "a", "0", "a-b", "1.2-3.x"] {
            assert!(is_subdomain(name), "{name}");
        }
        for name in ["", "-a", "a-", "A", "a_b", "a..b", ".a", "a/b", "ä"] {
            assert!(!is_subdomain(name) && !is_label(name), "{name}");
        }
        assert!(is_label("a-b") && !is_label("a.b") && !is_label(&"a".repeat(64)));
        assert!(path_segment_faults("system:node").is_empty() && path_segment_faults("..").len() == 1);
        assert_eq!(path_segment_faults("a/b"), ["may not contain '/'"]);
    }
}
