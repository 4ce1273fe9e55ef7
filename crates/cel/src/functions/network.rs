//! IP addresses and their ranges.

mod addresses;

use std::{fmt, net::IpAddr};

use super::{basic::charged, one, traversal};
use crate::{
    estimate::{Arguments, Estimated, Range, TENTH},
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new(
        "ip",
        &["(string) ip", "cidr.() ip"],
        |arguments| if arguments.is_text(0) { traversal(arguments) } else { one(arguments) },
        |arguments, meter| match arguments {
            [Value::Cidr(range)] => charged(Value::Ip(range.address), meter),
            _ => {
                let text = text(arguments, 1, meter)?;
                address_of(text).map(Value::Ip).map_err(Failure::error)
            }
        },
    ),
    Function::new("isIP", &["(string) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(address_of(text(arguments, 1, meter)?).is_ok()))
    }),
    Function::new("ip.isCanonical", &["(string) bool"], canonical, |arguments, meter| {
        let text = text(arguments, 2, meter)?;
        let address = address_of(text).map_err(Failure::error)?;
        Ok(Value::Bool(address.to_string() == text))
    }),
    Function::new("family", &["ip.() int"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Int(if address.is_ipv4() { 4 } else { 6 }))
    }),
    Function::new("isUnspecified", &["ip.() bool"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Bool(address.is_unspecified()))
    }),
    Function::new("isLoopback", &["ip.() bool"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Bool(address.is_loopback()))
    }),
    Function::new("isLinkLocalMulticast", &["ip.() bool"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Bool(is_link_local_multicast(address)))
    }),
    Function::new("isLinkLocalUnicast", &["ip.() bool"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Bool(is_link_local(address)))
    }),
    Function::new("isGlobalUnicast", &["ip.() bool"], one, |arguments, meter| {
        of_address(arguments, meter, |address| Value::Bool(is_global_unicast(address)))
    }),
    Function::new("cidr", &["(string) cidr"], traversal, |arguments, meter| {
        let text = text(arguments, 1, meter)?;
        cidr(text).map(Value::Cidr)
    }),
    Function::new("isCIDR", &["(string) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(Cidr::of(text(arguments, 1, meter)?).is_ok()))
    }),
    Function::new(
        "containsIP",
        &["cidr.(string) bool", "cidr.(ip) bool"],
        |arguments| Estimated::cost(ADDRESSES.tenth().plus(text_cost(arguments))),
        |arguments, meter| {
            let [value @ Value::Cidr(range), other] = arguments else { return Err(Failure::NoOverload) };
            meter.traverse(value.size().saturating_mul(2))?;
            let address = match other {
                Value::Ip(address) => *address,
                value @ Value::String(text) => {
                    meter.traverse(value.size())?;
                    address_of(text.as_str()).map_err(|_| Failure::error("no such overload"))?
                }
                _ => return Err(Failure::NoOverload),
            };
            Ok(Value::Bool(range.contains(address)))
        },
    ),
    Function::new(
        "containsCIDR",
        &["cidr.(string) bool", "cidr.(cidr) bool"],
        |arguments| {
            let masked = ADDRESS.tenth().plus(Range::ONE);
            Estimated::cost(ADDRESSES.tenth().plus(masked).plus(text_cost(arguments)))
        },
        |arguments, meter| {
            let [value @ Value::Cidr(range), other] = arguments else { return Err(Failure::NoOverload) };
            meter.traverse(value.size().saturating_mul(2))?;
            meter.traverse(value.size())?;
            meter.charge(1)?;
            let other = match other {
                Value::Cidr(other) => *other,
                value @ Value::String(text) => {
                    meter.traverse(value.size())?;
                    cidr(text.as_str())?
                }
                _ => return Err(Failure::NoOverload),
            };
            Ok(Value::Bool(range.contains(other.address) && range.prefix <= other.prefix))
        },
    ),
    Function::new("masked", &["cidr.() cidr"], one, |arguments, meter| {
        of_range(arguments, meter, |range| Value::Cidr(range.masked()))
    }),
    Function::new("prefixLength", &["cidr.() int"], one, |arguments, meter| {
        of_range(arguments, meter, |range| Value::Int(range.prefix.into()))
    }),
];

/// A range of addresses, such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    fn of(text: &str) -> Result<Self, String> {
        let (address, prefix) = addresses::prefix(text)
            .map_err(|error| format!("network address parse error during conversion from string: {error}"))?;
        if is_mapped(address) {
            return Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"));
        }
        Ok(Self { address, prefix })
    }

    pub(crate) fn prefix(self) -> u8 {
        self.prefix
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

/// Parses an address in any notation, with the errors of Go's `netip`.
pub(super) fn parsed(text: &str) -> Result<IpAddr, String> {
    addresses::address(text).map(|(address, _)| address)
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.to_ipv4_mapped().is_some())
}

/// Parses a range of addresses. Upstream tells twice what it does.
fn cidr(text: &str) -> Result<Cidr, Failure> {
    let because = "network address parse error during conversion from string";
    Cidr::of(text).map_err(|error| Failure::error(format!("{because}: {error}")))
}

/// Parses an address. Mapped IPv4 addresses and zones are errors, as upstream has it.
fn address_of(text: &str) -> Result<IpAddr, String> {
    let (address, zone) = addresses::address(text)
        .map_err(|error| format!("IP Address {text:?} parse error during conversion from string: {error}"))?;
    if !zone.is_empty() {
        return Err(format!("IP address {text:?} with zone value is not allowed"));
    }
    if is_mapped(address) {
        return Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"));
    }
    Ok(address)
}

/// Returns the only argument, a text, after charging for reading it so many times.
fn text<'v>(arguments: &'v [Value<'_>], times: u64, meter: &mut Meter) -> Result<&'v str, Failure> {
    let [value @ Value::String(text)] = arguments else { return Err(Failure::NoOverload) };
    meter.traverse(value.size().saturating_mul(times))?;
    Ok(text.as_str())
}

fn of_address<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    of: impl Fn(IpAddr) -> Value<'a>,
) -> Result<Value<'a>, Failure> {
    match arguments {
        [Value::Ip(address)] => charged(of(*address), meter),
        _ => Err(Failure::NoOverload),
    }
}

fn of_range<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    of: impl Fn(Cidr) -> Value<'a>,
) -> Result<Value<'a>, Failure> {
    match arguments {
        [Value::Cidr(range)] => charged(of(*range), meter),
        _ => Err(Failure::NoOverload),
    }
}

/// The size of an address in bytes, and of two.
const ADDRESS: Range = Range { min: 4, max: 16 };
const ADDRESSES: Range = Range { min: 8, max: 32 };

/// The estimate of reading the second argument, if it is a text.
fn text_cost(arguments: &Arguments<'_, '_>) -> Range {
    if arguments.is_text(1) { arguments.size(1).tenth() } else { Range::exactly(0) }
}

fn canonical(arguments: &Arguments<'_, '_>) -> Estimated {
    Estimated::cost(arguments.size(0).scaled(2.0 * TENTH))
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_global_unicast(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let is_special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !(is_special || is_link_local(address) || is_broadcast)
}
