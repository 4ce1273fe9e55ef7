//! IP addresses and their ranges.

use std::{fmt, net::IpAddr};

use super::{basic::charged, one, traversal};
use crate::{
    estimate::{Arguments, Estimated, Range},
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
                address_of(text).map(Value::Ip).ok_or_else(|| ip_error(text))
            }
        },
    ),
    Function::new("isIP", &["(string) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(address_of(text(arguments, 1, meter)?).is_some()))
    }),
    Function::new("ip.isCanonical", &["(string) bool"], canonical, |arguments, meter| {
        let text = text(arguments, 2, meter)?;
        let address = address_of(text).ok_or_else(|| ip_error(text))?;
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
        Cidr::of(text).map(Value::Cidr).ok_or_else(|| cidr_error(text))
    }),
    Function::new("isCIDR", &["(string) bool"], traversal, |arguments, meter| {
        Ok(Value::Bool(Cidr::of(text(arguments, 1, meter)?).is_some()))
    }),
    Function::new(
        "containsIP",
        &["cidr.(ip) bool", "cidr.(string) bool"],
        containment,
        |arguments, meter| {
            let (range, address) = match arguments {
                [Value::Cidr(range), Value::Ip(address)] => (range, *address),
                [Value::Cidr(range), value @ Value::String(text)] => {
                    meter.traverse(value.size())?;
                    (range, address_of(text.as_str()).ok_or_else(|| ip_error(text.as_str()))?)
                }
                _ => return Err(Failure::NoOverload),
            };
            charged(Value::Bool(range.contains(address)), meter)
        },
    ),
    Function::new(
        "containsCIDR",
        &["cidr.(cidr) bool", "cidr.(string) bool"],
        containment,
        |arguments, meter| {
            let (range, other) = match arguments {
                [Value::Cidr(range), Value::Cidr(other)] => (range, *other),
                [Value::Cidr(range), value @ Value::String(text)] => {
                    meter.traverse(value.size())?;
                    (range, Cidr::of(text.as_str()).ok_or_else(|| cidr_error(text.as_str()))?)
                }
                _ => return Err(Failure::NoOverload),
            };
            charged(Value::Bool(range.contains(other.address) && range.prefix <= other.prefix), meter)
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

/// Parses an address. Mapped IPv4 addresses and zones are errors, as upstream has it.
fn address_of(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(six) if six.to_ipv4_mapped().is_some() => None,
        _ => Some(address),
    }
}

fn ip_error(text: &str) -> Failure {
    Failure::error(format!("IP Address parse error during conversion from string: {text:?}"))
}

fn cidr_error(text: &str) -> Failure {
    Failure::error(format!("network address parse error during conversion from string: {text:?}"))
}

/// Returns the only argument, a text, after charging for reading it so many times.
fn text<'v>(arguments: &'v [Value<'_>], times: u64, meter: &mut Meter) -> Result<&'v str, Failure> {
    let [value @ Value::String(text)] = arguments else { return Err(Failure::NoOverload) };
    for _ in 0..times {
        meter.traverse(value.size())?;
    }
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

fn containment(arguments: &Arguments<'_, '_>) -> Estimated {
    let text = if arguments.is_text(1) { arguments.size(1).tenth() } else { Range::exactly(0) };
    Estimated::cost(Range { min: 1, max: 7 }.plus(text))
}

fn canonical(arguments: &Arguments<'_, '_>) -> Estimated {
    let text = arguments.size(0);
    Estimated::cost(Range { min: text.min.div_ceil(5), max: text.max.div_ceil(5) })
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
