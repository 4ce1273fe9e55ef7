//! Warnings about addresses in a form that is not the usual one.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use crate::registry::validation::{address, items};

/// Returns the warning about an address in another form than the usual one (`GetWarningsForIP`).
pub(in crate::registry) fn of_address(address: &Value, field: impl std::fmt::Display) -> Option<String> {
    let text = address.as_str()?;
    if let (Err(_), Some(usual)) = (text.parse::<IpAddr>(), address::sloppy(text)) {
        return Some(format!("{field}: non-standard IP address {text:?} is invalid: use \"{usual}\""));
    }
    let usual = text.parse::<Ipv6Addr>().ok()?.to_string();
    (usual != text)
        .then(|| format!("{field}: IPv6 address {text:?} should be in RFC 5952 canonical format ({usual:?})"))
}

/// Returns the warning about a range of addresses that is valid (`GetWarningsForCIDR`).
pub(in crate::registry) fn of_range(range: &Value, field: impl std::fmt::Display) -> Option<String> {
    let text = range.as_str()?;
    let (address, length) = text.split_once('/')?;
    let usual = format!("{}/{length}", address.parse::<Ipv6Addr>().ok()?);
    (usual != text).then(|| {
        format!("{field}: IPv6 CIDR value {text:?} should be in RFC 5952 canonical format ({usual:?})")
    })
}

/// Returns the warnings about the addresses of a list.
pub(in crate::registry) fn of_all<'a>(
    owner: &'a Value,
    list: &'a str,
    path: &'a str,
) -> impl Iterator<Item = String> + use<'a> {
    let all = items(owner, list).iter().enumerate();
    all.filter_map(move |(position, address)| of_address(address, format!("{path}.{list}[{position}]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_forms_are_warned_of() {
        let told = of_address(&"2001:DB8::1".into(), "spec.ip");
        let wanted =
            "spec.ip: IPv6 address \"2001:DB8::1\" should be in RFC 5952 canonical format (\"2001:db8::1\")";
        assert_eq!(told.as_deref(), Some(wanted));
        let told = of_address(&"192.0.2.01".into(), "spec.ip");
        let wanted = "spec.ip: non-standard IP address \"192.0.2.01\" is invalid: use \"192.0.2.1\"";
        assert_eq!(told.as_deref(), Some(wanted));
        for usual in ["2001:db8::1", "192.0.2.1", "None"] {
            assert_eq!(of_address(&usual.into(), "spec.ip"), None, "{usual}");
        }
        assert!(of_range(&"2001:db8:0::/48".into(), "f").is_some_and(|told| told.contains("2001:db8::/48")));
        assert_eq!(of_range(&"2001:db8::/48".into(), "f"), None);
    }
}
