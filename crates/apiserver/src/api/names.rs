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

/// Whether `name` can be a segment of a path: all that RBAC's objects ask of their names.
pub(crate) fn is_path_segment(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '%'])
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
        assert!(is_path_segment("system:node") && !is_path_segment("a/b"));
    }
}
