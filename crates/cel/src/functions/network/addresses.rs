//! Parsing of addresses and their ranges. The errors have the words of Go's `netip`.

use std::net::IpAddr;

/// Parses an address and the zone behind it, which is empty if there is none.
pub(super) fn address(text: &str) -> Result<(IpAddr, &str), String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) if address.contains(':') && !zone.is_empty() => (address, zone),
        _ => (text, ""),
    };
    let parsed = address.parse().map(|address| (address, zone));
    parsed.map_err(|_| {
        let error = explain(text);
        let place = error.rest.map(|rest| format!(" (at {rest:?})")).unwrap_or_default();
        format!("ParseAddr({text:?}): {}{place}", error.because)
    })
}

/// Parses an address and the length of its prefix.
pub(super) fn prefix(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = |because: &str| format!("netip.ParsePrefix({text:?}): {because}");
    let Some((before, length)) = text.rsplit_once('/') else { return Err(wrong("no '/'")) };
    let (address, zone) = address(before).map_err(|error| wrong(&error))?;
    if !zone.is_empty() {
        return Err(wrong("IPv6 zones cannot be present in a prefix"));
    }
    let is_number = length.bytes().all(|digit| digit.is_ascii_digit()) && !length.is_empty();
    if !is_number || length.len() > 1 && length.starts_with('0') {
        return Err(wrong(&format!("bad bits after slash: {length:?}")));
    }
    let widest = super::width(address);
    match length.parse::<u64>().map(u8::try_from) {
        Ok(Ok(length)) if length <= widest => Ok((address, length)),
        Ok(_) => Err(wrong("prefix length out of range")),
        Err(_) => Err(wrong(&format!("bad bits after slash: {length:?}"))),
    }
}

/// Why a text is no address, and the part of it that is wrong.
struct Unreadable<'t> {
    because: &'static str,
    rest: Option<&'t str>,
}

const fn whole(because: &'static str) -> Unreadable<'static> {
    Unreadable { because, rest: None }
}

fn explain(text: &str) -> Unreadable<'_> {
    match text.find(['.', ':', '%']).map(|first| text.as_bytes()[first]) {
        Some(b'.') => explain_four(text).unwrap_or(whole("unable to parse IP")),
        Some(b':') => explain_six(text),
        Some(_) => whole("missing IPv6 address"),
        None => whole("unable to parse IP"),
    }
}

/// Finds the error of an address of version 4.
fn explain_four(text: &str) -> Option<Unreadable<'_>> {
    let (mut octets, mut start) = (1, 0);
    for (position, byte) in text.bytes().enumerate() {
        let octet = &text.as_bytes()[start..position];
        match byte {
            b'0'..=b'9' if octet == b"0" => return Some(whole("IPv4 field has octet with leading zero")),
            b'0'..=b'9' => {
                let value = text[start..=position].parse::<u16>().unwrap_or(u16::MAX);
                if value > 255 {
                    return Some(whole("IPv4 field has value >255"));
                }
            }
            b'.' if octet.is_empty() || position + 1 == text.len() => {
                let because = "IPv4 field must have at least one digit";
                return Some(Unreadable { because, rest: Some(&text[position..]) });
            }
            b'.' if octets == 4 => return Some(whole("IPv4 address too long")),
            b'.' => (octets, start) = (octets + 1, position + 1),
            _ => {
                return Some(Unreadable { because: "unexpected character", rest: text.get(position..) });
            }
        }
    }
    (octets < 4).then_some(whole("IPv4 address too short"))
}

/// Finds the error of an address of version 6.
fn explain_six(text: &str) -> Unreadable<'_> {
    let (address, zone) = text.split_once('%').unwrap_or((text, "-"));
    if zone.is_empty() {
        return whole("zone must be a non-empty string");
    }
    let (mut rest, mut has_ellipsis) = match address.strip_prefix("::") {
        Some(rest) => (rest, true),
        None => (address, false),
    };
    let mut groups = 0;
    while groups < 8 {
        let at = |because| Unreadable { because, rest: Some(rest) };
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let after = &rest[digits..];
        match digits {
            0 => return at("each colon-separated field must have at least one digit"),
            1..=4 => {}
            _ => return at("each group must have 4 or less digits"),
        }
        if after.starts_with('.') {
            return match groups {
                _ if !has_ellipsis && groups != 6 => {
                    at("embedded IPv4 address must replace the final 2 fields of the address")
                }
                7 => at("too many hex fields to fit an embedded IPv4 at the end of the address"),
                _ => explain_four(rest).unwrap_or(whole("address string too short")),
            };
        }
        groups += 1;
        rest = after;
        if rest.is_empty() {
            break;
        }
        let at = |because| Unreadable { because, rest: Some(after) };
        match rest.strip_prefix(':') {
            None => return at("unexpected character, want colon"),
            Some("") => return at("colon must be followed by more characters"),
            Some(next) => rest = next,
        }
        if let Some(next) = rest.strip_prefix(':') {
            if has_ellipsis {
                return Unreadable { because: "multiple :: in address", rest: Some(rest) };
            }
            (rest, has_ellipsis) = (next, true);
            if rest.is_empty() {
                break;
            }
        }
    }
    match (rest.is_empty(), has_ellipsis) {
        (false, _) => Unreadable { because: "trailing garbage after address", rest: Some(rest) },
        (true, false) => whole("address string too short"),
        (true, true) => whole("the :: must expand to at least one field of zeros"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_words_of_netip() {
        for (text, because) in [
            ("a", "unable to parse IP"),
            ("1.2.3", "IPv4 address too short"),
            ("1.2.3.4.5", "IPv4 address too long"),
            ("1.2.3.256", "IPv4 field has value >255"),
            ("010.0.0.1", "IPv4 field has octet with leading zero"),
            ("1..2.3", "IPv4 field must have at least one digit (at \".2.3\")"),
            ("1.2.x.3", "unexpected character (at \"x.3\")"),
            ("2001:db8:::68", "each colon-separated field must have at least one digit (at \":68\")"),
            ("::1::", "multiple :: in address (at \":\")"),
            ("12345::", "each group must have 4 or less digits (at \"12345::\")"),
            ("1:2", "address string too short"),
            ("1:2:3:4:5:6:7:8:9", "trailing garbage after address (at \"9\")"),
            ("::1%", "zone must be a non-empty string"),
            ("%x", "missing IPv6 address"),
        ] {
            assert_eq!(address(text), Err(format!("ParseAddr({text:?}): {because}")));
        }
        assert!(address("fe80::1%eth0").is_ok_and(|(_, zone)| zone == "eth0"));
        assert!(prefix("10.0.0.0/8").is_ok() && prefix("10.0.0.0/08").is_err() && prefix("::/129").is_err());
    }
}
