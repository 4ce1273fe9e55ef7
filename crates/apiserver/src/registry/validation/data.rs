//! Validation of the data of `ConfigMap`s and Secrets, of amounts and of addresses.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    api::{path::Path, status::Cause},
    registry::quantity,
};

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
    'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// The most bytes that a `ConfigMap`'s or a Secret's data may have.
const DATA_LIMIT: usize = 1024 * 1024;

/// Validates the data of a `ConfigMap` or a Secret. The field `encoded` holds bytes in base64; the error of too many bytes is
/// that of the field `whole`.
pub(in crate::registry) fn map(map: &Value, encoded: &str, whole: &str, causes: &mut Vec<Cause>) {
    let mut size = 0;
    let other = map["binaryData"].as_object();
    for field in ["data", "binaryData"] {
        for (key, value) in map[field].as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            size += if field == encoded { decoded_len(text) } else { text.len() };
            let whole = Path::Root(field);
            let place = whole.key(key);
            let faults = causes.len();
            self::key(key, place, causes);
            if causes.len() == faults && field == "data" && other.is_some_and(|other| other.contains_key(key))
            {
                causes.push(Cause::invalid(place, &json!(key), "duplicate of key present in binaryData"));
            }
        }
    }
    if size > DATA_LIMIT {
        let because = format!("Too long: may not be more than {DATA_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", whole, because));
    }
}

/// Returns the number of bytes that a text in canonical base64 stands for.
fn decoded_len(text: &str) -> usize {
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

/// Adds the errors of a key of a `ConfigMap` or a Secret.
pub(in crate::registry) fn key(key: &str, place: impl Into<String>, causes: &mut Vec<Cause>) {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.is_empty() || !key.chars().all(is_key) {
        causes.push(Cause::invalid(place, &json!(key), KEY_RULE));
    } else if key == "." || key == ".." {
        causes.push(Cause::invalid(place, &json!(key), format!("must not be '{key}'")));
    } else if key.starts_with("..") {
        causes.push(Cause::invalid(place, &json!(key), "must not start with '..'"));
    }
}

/// Adds the errors of an amount of a resource (`ValidateResourceQuantityValue`).
pub(in crate::registry) fn amount(
    resource: &str,
    amount: &Value,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) {
    let Some(quantity) = quantity::of(amount) else { return };
    if quantity.signum() < 0 {
        causes.push(Cause::invalid(field, amount, "must be greater than or equal to 0"));
    }
    let counts = [
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ];
    let is_whole = counts.contains(&resource)
        || resource.contains('/')
            && !resource.contains("kubernetes.io/")
            && !resource.starts_with("requests.");
    if is_whole && quantity.milli_value() % 1000 != 0 {
        causes.push(Cause::invalid(field, amount, "must be an integer"));
    }
}

/// Whether a name without a domain is that of a resource.
pub(in crate::registry) fn is_standard_resource(name: &str) -> bool {
    let known = [
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "storage",
        "requests.storage",
        "services.nodeports",
        "services.loadbalancers",
    ];
    known.contains(&name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")
}

/// Adds the errors of an address (`IsValidIPForLegacyField`).
pub(in crate::registry) fn address(address: &Value, field: impl Into<String>, causes: &mut Vec<Cause>) {
    let text = address.as_str().unwrap_or_default();
    let has_zeros = |text: &str| {
        text.split('.')
            .any(|part| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit()))
    };
    if text.parse::<std::net::IpAddr>().is_ok() {
        return;
    }
    let trimmed: Vec<&str> = text.split('.').map(|part| part.trim_start_matches('0')).collect();
    let padded =
        trimmed.iter().map(|part| if part.is_empty() { "0" } else { part }).collect::<Vec<_>>().join(".");
    if has_zeros(text) && padded.parse::<std::net::Ipv4Addr>().is_ok() {
        causes.push(Cause::invalid(field, address, "must not have leading 0s"));
    } else {
        let because = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
        causes.push(Cause::invalid(field, address, because));
    }
}

/// Adds the errors of an address that clients are to reach (`ValidateEndpointIP`).
pub(in crate::registry) fn reachable(
    address: IpAddr,
    text: &str,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) {
    let mut unfit = |because: &str| causes.push(Cause::invalid(field, &json!(text), because));
    if address.is_unspecified() {
        unfit(&format!("may not be unspecified ({text})"));
    }
    if address.is_loopback() {
        unfit("may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    let (is_local, is_local_group) = match address {
        IpAddr::V4(address) => (address.is_link_local(), address.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    if is_local {
        unfit("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if is_local_group {
        unfit("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
}

/// Adds the errors of a range of addresses (`IsValidCIDRForLegacyField`).
pub(in crate::registry) fn range(range: &Value, field: impl Into<String>, causes: &mut Vec<Cause>) {
    let parsed = range.as_str().and_then(|text| text.split_once('/')).and_then(|(address, length)| {
        let address: IpAddr = address.parse().ok()?;
        let length: u32 = length.parse().ok()?;
        let bits = if address.is_ipv4() { 32_u32 } else { 128 };
        bits.checked_sub(length).map(|free| (address, free))
    });
    let Some((address, free)) = parsed else {
        let because = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        causes.push(Cause::invalid(field, range, because));
        return;
    };
    let number = match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    if number & 1_u128.checked_shl(free).unwrap_or(0).wrapping_sub(1) != 0 {
        causes.push(Cause::invalid(field, range, "must not have bits set beyond the prefix length"));
    }
}
