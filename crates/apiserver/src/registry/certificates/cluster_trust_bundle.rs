//! `ClusterTrustBundle`s.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, object, status::Cause},
    registry::{Kind, Strategy, cells, column, strategy::NameRule, validation},
};

/// The most bytes that a bundle may have.
const LIMIT: usize = 1024 * 1024;

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("certificates.k8s.io", "v1beta1", "ClusterTrustBundle", "clustertrustbundles")
        .cluster()
        .columns(vec![column::name(), column::computed("SignerName", signer_name)])
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    name: NameRule::Own,
    selectable_fields: &["spec.signerName"],
    updates_unconditionally: false,
    is_trust_bundle: true,
    reads_beyond_metadata: true, // a label, too, takes the right to attest
    validate,
    validate_change: |old, new, causes| validation::fixed(old, new, "/spec/signerName", causes),
    validates_change_last: true,
    ..Strategy::PLAIN
};

fn signer_name(bundle: &Value, _: Timestamp) -> Value {
    cells::text_or(bundle, "/spec/signerName", cells::NONE)
}

fn validate(bundle: &Value, causes: &mut Vec<Cause>) {
    let (name, signer) = (object::name(bundle), validation::text(&bundle["spec"], "signerName"));
    validate_name(name, signer, causes);
    if !signer.is_empty() {
        validate_signer(signer, causes);
    }
    let text = validation::text(&bundle["spec"], "trustBundle");
    if text.len() > LIMIT {
        let because = format!("Too long: may not be more than {LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", "spec.trustBundle", because));
    } else {
        let problems = anchor_problems(text).into_iter();
        let omitted = json!("<value omitted>");
        causes.extend(problems.map(|because| Cause::invalid("spec.trustBundle", &omitted, because)));
    }
}

/// Validates that the name of a bundle begins with its signer's, if it has one.
fn validate_name(name: &str, signer: &str, causes: &mut Vec<Cause>) {
    let mut invalid = |because: String| causes.push(Cause::invalid("metadata.name", &json!(name), because));
    let prefix = if signer.is_empty() { String::new() } else { signer.replacen('/', ":", 1) + ":" };
    match name.strip_prefix(&*prefix) {
        None => {
            invalid(format!("ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"))
        }
        Some(_) if signer.is_empty() && name.contains(':') => {
            invalid("ClusterTrustBundle without signer name must not have \":\" in its name".to_owned());
        }
        Some(rest) if !names::is_subdomain(rest) => invalid(names::SUBDOMAIN_RULE.to_owned()),
        Some(_) => {}
    }
}

/// Validates the name of a signer, such as `example.com/signer`.
fn validate_signer(signer: &str, causes: &mut Vec<Cause>) {
    let mut invalid = |value: &str, because: String| {
        causes.push(Cause::invalid("spec.signerName", &json!(value), because));
    };
    let parts: Vec<&str> = signer.split('/').collect();
    let [domain, path] = parts[..] else {
        let because = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return invalid(signer, because.to_owned());
    };
    for label in domain.split('.').filter(|label| !names::is_label(label)) {
        invalid(domain, format!("validating label {label:?}: {}", names::LABEL_RULE));
    }
    if !domain.contains('.') {
        invalid(domain, "should be a domain with at least two segments separated by dots".to_owned());
    }
    for label in path.split('.').filter(|label| !names::is_subdomain(label)) {
        invalid(path, format!("validating label {label:?}: {}", names::SUBDOMAIN_RULE));
    }
}

/// Returns the problems of the certificates in a bundle.
fn anchor_problems(bundle: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut places: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    let mut rest = bundle;
    let mut index = 0;
    while let Some((block, more)) = Block::first(rest) {
        rest = more;
        let problem = match block.kind {
            "CERTIFICATE" if block.has_headers => Some("has PEM block headers".to_owned()),
            "CERTIFICATE" => match is_authority(&block.bytes) {
                None => Some("does not parse as X.509".to_owned()),
                Some(false) => Some("does not have the CA bit set".to_owned()),
                Some(true) => None,
            },
            kind => Some(format!("has bad block type: {kind}")),
        };
        match problem {
            Some(problem) => problems.push(format!("entry {index} {problem}")),
            None => places.entry(block.bytes).or_default().push(index),
        }
        index += 1;
    }
    if index == 0 {
        problems.push("at least one trust anchor must be provided".to_owned());
    }
    for indices in places.into_values().filter(|indices| indices.len() > 1) {
        let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
        problems.push(format!("duplicate trust anchor (indices [{}])", indices.join(" ")));
    }
    problems
}

/// A PEM block.
struct Block<'a> {
    kind: &'a str,
    has_headers: bool,
    bytes: Vec<u8>,
}

impl<'a> Block<'a> {
    /// Returns the first well-formed block of a text, and the text behind it.
    fn first(text: &'a str) -> Option<(Self, &'a str)> {
        const BEGIN: &str = "-----BEGIN ";
        let mut rest = text;
        loop {
            let at = if rest.starts_with(BEGIN) { 0 } else { rest.find("\n-----BEGIN ")? + 1 };
            let (line, body) = rest[at + BEGIN.len()..].split_once('\n')?;
            rest = body;
            let Some(kind) = line.trim_end().strip_suffix("-----") else { continue };
            let end = format!("-----END {kind}-----");
            let Some((content, more)) = body.split_once(&*end) else { continue };
            let headers = content.lines().take_while(|line| line.contains(':')).count();
            let base64: String = content.lines().skip(headers).flat_map(str::split_whitespace).collect();
            if let Ok(bytes) = STANDARD.decode(base64) {
                return Some((Self { kind, has_headers: headers > 0, bytes }, more));
            }
        }
    }
}

/// Returns whether an X.509 certificate may sign others; `None` if the bytes are no certificate.
fn is_authority(der: &[u8]) -> Option<bool> {
    const SEQUENCE: u8 = 0x30;
    const EXTENSIONS: u8 = 0xa3;
    /// The object identifier 2.5.29.19, basic constraints.
    const CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    let inside = |der| element(der).filter(|(tag, ..)| *tag == SEQUENCE).map(|(_, content, _)| content);
    let mut fields = inside(inside(der)?)?;
    let mut is_authority = false;
    while !fields.is_empty() {
        let (tag, content, rest) = element(fields)?;
        fields = rest;
        if tag != EXTENSIONS {
            continue;
        }
        let mut extensions = inside(content)?;
        while !extensions.is_empty() {
            let (_, extension, rest) = element(extensions)?;
            extensions = rest;
            let (_, identifier, mut value) = element(extension)?;
            if identifier != CONSTRAINTS {
                continue;
            }
            let (tag, critical, rest) = element(value)?;
            let constraints =
                if tag == 0x01 && !critical.is_empty() { element(rest)?.1 } else { element(value)?.1 };
            value = inside(constraints)?;
            is_authority = matches!(element(value), Some((0x01, &[flag], _)) if flag != 0);
        }
    }
    Some(is_authority)
}

/// Splits the first DER element off: its tag, its content, and the bytes behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The messages are a kube-apiserver's.
#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/authority.pem"));
    const LEAF: &str = "-----BEGIN CERTIFICATE-----
MIIBTDCB9KADAgECAhQNXexenBMDjICvZXHT7sVzZeiRSzAKBggqhkjOPQQDAjAP
MQ0wCwYDVQQDDARsZWFmMCAXDTI2MTEyOTIxMzY0MloYDzIxMjYxMTA1MjEzNjQy
WjAPMQ0wCwYDVQQDDARsZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEda3z
gkjdI3eIfZcZEVYUi4CIBj5ENR/lHsCIp0F4TZrt3ChH/FkpYSOvPN/M2pr6nJrE
CyFfC6v8Usq+xzUgfKMsMCowCQYDVR0TBAIwADAdBgNVHQ4EFgQUOyyZ7XT8+Ba9
dlZacP65FFX+a0QwCgYIKoZIzj0EAwIDRwAwRAIgclZI0WNYp2McAaxI9KdyQQJI
RL1p+AWVMTIk+3i95QwCICZZTfH5Knzzbre+TrWNZ6BoGeZHLSXOJzKNUaUVXjdu
-----END CERTIFICATE-----
";

    fn told(name: &str, spec: &Value) -> Vec<String> {
        let mut causes = Vec::new();
        validate(&json!({"metadata": {"name": name}, "spec": spec}), &mut causes);
        causes
            .iter()
            .map(|cause| cause.to_string().replace("Invalid value: \"<value omitted>\": ", ""))
            .collect()
    }

    #[test]
    fn a_bundle_holds_certificates_of_authorities() {
        let bundle = |text: String| told("a", &json!({"trustBundle": text}));
        let with_headers = AUTHORITY.replacen("-----\n", "-----\nA: b\n\n", 1);
        let malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, expected) in [
            (AUTHORITY.to_owned(), None),
            (format!("# a comment\n{AUTHORITY}more\n"), None),
            (String::new(), Some("at least one trust anchor must be provided")),
            ("xx".to_owned(), Some("at least one trust anchor must be provided")),
            (LEAF.to_owned(), Some("entry 0 does not have the CA bit set")),
            (AUTHORITY.to_owned() + LEAF, Some("entry 1 does not have the CA bit set")),
            (AUTHORITY.repeat(2), Some("duplicate trust anchor (indices [0 1])")),
            (
                AUTHORITY.replace("CERTIFICATE", "PRIVATE KEY"),
                Some("entry 0 has bad block type: PRIVATE KEY"),
            ),
            (with_headers, Some("entry 0 has PEM block headers")),
            (malformed.to_owned(), Some("entry 0 does not parse as X.509")),
        ] {
            let expected: Vec<String> =
                expected.map(|told| format!("spec.trustBundle: {told}")).into_iter().collect();
            assert_eq!(bundle(text.clone()), expected, "{text}");
        }
    }

    #[test]
    fn a_bundle_is_named_after_its_signer() {
        let named =
            |name: &str, signer: &str| told(name, &json!({"signerName": signer, "trustBundle": AUTHORITY}));
        assert_eq!(named("k8s.io:foo:x", "k8s.io/foo"), [""; 0]);
        let because = "ClusterTrustBundle for signerName k8s.io/foo must be named with prefix k8s.io:foo:";
        assert_eq!(named("x", "k8s.io/foo"), [format!("metadata.name: Invalid value: \"x\": {because}")]);
        let because = "ClusterTrustBundle without signer name must not have \":\" in its name";
        assert_eq!(named("a:b", ""), [format!("metadata.name: Invalid value: \"a:b\": {because}")]);
        let because = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        assert_eq!(named("foo:x", "foo"), [format!("spec.signerName: Invalid value: \"foo\": {because}")]);
        let [label, segments] = &named("Foo:x:y", "Foo/x")[..] else { panic!("two errors") };
        assert!(
            label.starts_with(
                "spec.signerName: Invalid value: \"Foo\": validating label \"Foo\": a lowercase"
            )
        );
        assert!(segments.ends_with("should be a domain with at least two segments separated by dots"));
    }
}
