//! IP addresses and their ranges.

use std::{fmt, net::IpAddr};

use super::Given;
use crate::cel::{
    meter::{Failure, Meter},
    value::Value,
};

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    fn of(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address = address_of(address)?;
        let is_number = prefix.bytes().all(|digit| digit.is_ascii_digit())
            && !(prefix.len() > 1 && prefix.starts_with('0'));
        let prefix = prefix.parse().ok().filter(|prefix| is_number && *prefix <= width(address))?;
        Some(Self { address, prefix })
    }

    /// The range's first address.
    fn masked(self) -> Self {
        let bits = u32::from(width(self.address) - self.prefix);
        let address = match self.address {
            IpAddr::V4(address) => {
                IpAddr::V4((u32::from(address) & u32::MAX.checked_shl(bits).unwrap_or(0)).into())
            }
            IpAddr::V6(address) => {
                IpAddr::V6((u128::from(address) & u128::MAX.checked_shl(bits).unwrap_or(0)).into())
            }
        };
        Self { address, ..self }
    }

    fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, ..self }.masked().address == self.masked().address
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An address; IPv4 in the dress of IPv6 and zones are not taken, as upstream does not.
fn address_of(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => None,
        _ => Some(address),
    }
}

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    match takes {
        [Value::String(text)] => of_text(name, text.as_str(), takes[0].size(), meter),
        [Value::Ip(address)] => {
            meter.charge(1)?;
            Ok(about(name, *address))
        }
        [Value::Cidr(range), rest @ ..] => of_range(name, *range, rest, meter),
        _ => Ok(None),
    }
}

fn of_text<'a>(name: &str, text: &str, size: u64, meter: &mut Meter) -> Given<'a> {
    let unreadable =
        |what: &str| Failure::error(format!("{what} parse error during conversion from string: {text:?}"));
    let given = match name {
        "ip" => Value::Ip(address_of(text).ok_or_else(|| unreadable("IP Address"))?),
        "isIP" => Value::Bool(address_of(text).is_some()),
        "ip.isCanonical" => {
            meter.traverse(size)?;
            Value::Bool(address_of(text).ok_or_else(|| unreadable("IP Address"))?.to_string() == text)
        }
        "cidr" => Value::Cidr(Cidr::of(text).ok_or_else(|| unreadable("network address"))?),
        "isCIDR" => Value::Bool(Cidr::of(text).is_some()),
        _ => return Ok(None),
    };
    meter.traverse(size)?;
    Ok(Some(given))
}

fn about<'a>(name: &str, address: IpAddr) -> Option<Value<'a>> {
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    let is_link_local_multicast = match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    };
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    Some(match name {
        "family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Value::Bool(address.is_unspecified()),
        "isLoopback" => Value::Bool(address.is_loopback()),
        "isLinkLocalMulticast" => Value::Bool(is_link_local_multicast),
        "isLinkLocalUnicast" => Value::Bool(is_link_local),
        "isGlobalUnicast" => Value::Bool(
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || is_link_local
                || is_broadcast),
        ),
        _ => return None,
    })
}

fn of_range<'a>(name: &str, range: Cidr, rest: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    if let [Value::String(text)] = rest {
        meter.traverse(rest[0].size())?;
        let read = match name {
            "containsIP" => of_text("ip", text.as_str(), 0, meter)?,
            "containsCIDR" => of_text("cidr", text.as_str(), 0, meter)?,
            _ => None,
        };
        return match read {
            Some(read) => of_range(name, range, &[read], meter),
            None => Ok(None),
        };
    }
    let given = match (name, rest) {
        ("containsIP", [Value::Ip(address)]) => Value::Bool(range.contains(*address)),
        ("containsCIDR", [Value::Cidr(other)]) => {
            Value::Bool(range.contains(other.address) && range.prefix <= other.prefix)
        }
        ("ip", []) => Value::Ip(range.address),
        ("masked", []) => Value::Cidr(range.masked()),
        ("prefixLength", []) => Value::Int(range.prefix.into()),
        _ => return Ok(None),
    };
    meter.charge(1)?;
    Ok(Some(given))
}
