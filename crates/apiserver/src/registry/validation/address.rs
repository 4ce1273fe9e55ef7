//! Validation of IP addresses, and of ranges of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use crate::api::status::Cause;

/// Adds the errors of an address (`IsValidIPForLegacyField`).
pub(in crate::registry) fn address(
    address: &Value,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) {
    let text = address.as_str().unwrap_or_default();
    let because = match text.parse::<IpAddr>() {
        Ok(parsed) if is_mapped(parsed) => "must not be an IPv4-mapped IPv6 address",
        Ok(_) => return,
        Err(_) if sloppy(text).is_some() => "must not have leading 0s",
        Err(_) => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
    };
    causes.push(Cause::invalid(field, address, because));
}

/// Whether an address of IPv6 stands for one of IPv4.
pub(in crate::registry) fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// Parses an address whose numbers may begin with zeros (`ParseIPSloppy`).
pub(in crate::registry) fn sloppy(text: &str) -> Option<IpAddr> {
    let number = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        rest => rest.to_owned(),
    };
    let without_zeros = || text.split('.').map(number).collect::<Vec<_>>().join(".");
    text.parse().or_else(|_| without_zeros().parse::<Ipv4Addr>().map(IpAddr::V4)).ok()
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

/// A range of addresses: one of them, and the number of the bits that all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) struct Range {
    pub(in crate::registry) address: IpAddr,
    pub(in crate::registry) length: u32,
}

impl Range {
    /// Parses a range, whose numbers may begin with zeros (`ParseCIDRSloppy`).
    pub(in crate::registry) fn sloppy(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let address = sloppy(address)?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let length = length.parse().ok()?;
        (length <= bits(address)).then_some(Self { address, length })
    }

    /// Returns the first address of the range.
    pub(in crate::registry) fn first(self) -> IpAddr {
        let free = bits(self.address) - self.length;
        let masked = |number: u128| number.checked_shr(free).unwrap_or(0).checked_shl(free).unwrap_or(0);
        match self.address {
            IpAddr::V4(address) => {
                let number = u32::try_from(masked(u32::from(address).into()));
                Ipv4Addr::from(number.expect("no bits were added")).into()
            }
            IpAddr::V6(address) => Ipv6Addr::from(masked(address.into())).into(),
        }
    }

    /// Whether all of `other` and more is within the range.
    pub(in crate::registry) fn contains_more_than(self, other: Self) -> bool {
        let same_family = self.address.is_ipv4() == other.address.is_ipv4();
        same_family
            && other.length > self.length
            && Self { length: self.length, ..other }.first() == self.first()
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Adds the errors of a range of addresses (`IsValidCIDRForLegacyField`), and returns it, unless it is none at all.
pub(in crate::registry) fn range(
    range: &Value,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) -> Option<Range> {
    let text = range.as_str().unwrap_or_default();
    let Some(parsed) = Range::sloppy(text) else {
        let because = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
        causes.push(Cause::invalid(field, range, because));
        return None;
    };
    let because = if !is_strict(text) {
        "must not have leading 0s in IP or prefix length"
    } else if is_mapped(parsed.address) {
        "must not have an IPv4-mapped IPv6 address"
    } else if parsed.first() != parsed.address {
        "must not have bits set beyond the prefix length"
    } else {
        return Some(parsed);
    };
    causes.push(Cause::invalid(field, range, because));
    Some(parsed)
}

/// Whether no number of a range begins with a zero that says nothing.
fn is_strict(range: &str) -> bool {
    range.split_once('/').is_some_and(|(address, length)| {
        address.parse::<IpAddr>().is_ok() && (length == "0" || !length.starts_with('0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_as_exact_as_upstream_wants_it() {
        let error = |text: &str| {
            let mut causes = Vec::new();
            range(&text.into(), "f", &mut causes);
            causes.first().map(|cause| cause.message().to_owned())
        };
        let told = |text: &str| error(text).unwrap_or_default();
        for text in ["192.0.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::/64", "192.0.2.1/32"] {
            assert_eq!(error(text), None, "{text}");
        }
        assert!(told("192.0.2.1/24").ends_with("must not have bits set beyond the prefix length"));
        assert!(told("192.0.2.0/024").ends_with("must not have leading 0s in IP or prefix length"));
        assert!(told("192.0.02.0/24").ends_with("must not have leading 0s in IP or prefix length"));
        assert!(told("::ffff:192.0.2.0/120").ends_with("must not have an IPv4-mapped IPv6 address"));
        for text in ["", "192.0.2.0", "192.0.2.0/33", "192.0.2.0/+4", "a/8", "::/129"] {
            assert!(told(text).contains("must be a valid CIDR value"), "{text}");
        }
    }

    #[test]
    fn a_range_contains_smaller_ones() {
        let range = |text| Range::sloppy(text).expect("a range");
        assert!(range("10.0.0.0/8").contains_more_than(range("10.1.0.0/16")));
        assert!(!range("10.0.0.0/8").contains_more_than(range("10.0.0.0/8")));
        assert!(!range("10.0.0.0/8").contains_more_than(range("11.0.0.0/16")));
        assert!(!range("::/0").contains_more_than(range("10.0.0.0/8")));
        assert!(range("0.0.0.0/0").contains_more_than(range("10.0.0.0/8")));
    }
}
