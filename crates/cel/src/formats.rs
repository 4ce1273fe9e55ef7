//! The string formats of OpenAPI schemas, each checked as kube-openapi's `strfmt` does. Many accept more than their name
//! says: a duration may be `3 days`.

use std::{net::IpAddr, sync::LazyLock};

use regex::Regex;

/// The check of a format: whether a string has it.
pub type Check = fn(&str) -> bool;

/// The formats, each under the name that a schema uses, with a hyphen or without.
pub const FORMATS: &[(&str, Check)] = &[
    ("bsonobjectid", is_object_id),
    ("byte", is_base64),
    ("cidr", is_cidr),
    ("creditcard", is_credit_card),
    ("date", is_date),
    ("date-time", is_date_time),
    ("datetime", is_date_time),
    ("duration", is_duration),
    ("email", is_email),
    ("hexcolor", is_hex_colour),
    ("hostname", is_hostname),
    ("ipv4", is_ipv4),
    ("ipv6", is_ipv6),
    ("isbn", |text| is_isbn_10(text) || is_isbn_13(text)),
    ("isbn10", is_isbn_10),
    ("isbn13", is_isbn_13),
    ("k8s-long-name", is_long_name),
    ("k8s-short-name", is_short_name),
    ("mac", is_mac),
    ("password", |_| true),
    ("rgbcolor", is_rgb_colour),
    ("ssn", is_social_security_number),
    ("uri", is_request_uri),
    ("uuid", |text| is_uuid(text, None, false)),
    ("uuid3", |text| is_uuid(text, Some('3'), false)),
    ("uuid4", |text| is_uuid(text, Some('4'), true)),
    ("uuid5", |text| is_uuid(text, Some('5'), true)),
];

/// Returns whether upstream knows a string format; it warns of definitions with others.
pub fn is_known(format: &str) -> bool {
    known(format).is_some()
}

/// Returns the name in [`FORMATS`] of a format that may be written with other hyphens.
pub fn known(format: &str) -> Option<&'static str> {
    let plain = |name: &str| name.replace('-', "");
    FORMATS.iter().map(|(known, _)| *known).find(|known| plain(known) == plain(format))
}

/// A pattern that is written here, and so can be compiled.
macro_rules! pattern {
    ($pattern:literal) => {{
        static PATTERN: LazyLock<Regex> = LazyLock::new(|| Regex::new($pattern).expect("a valid pattern"));
        &*PATTERN
    }};
}

fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !text.is_empty() && text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit)
}

/// The digits of a text, of which a check sum is made.
fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.chars().filter_map(|character| character.to_digit(10))
}

fn is_credit_card(text: &str) -> bool {
    let sanitized: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_issued = pattern!(
        r"^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})$"
    );
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits(&sanitized)
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(digit) } else { digit })
        .sum();
    is_issued.is_match(&sanitized) && sum.is_multiple_of(10)
}

/// Without white space and hyphens.
fn joined(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}' | '-')).collect()
}

fn is_isbn_10(text: &str) -> bool {
    let text = joined(text);
    let Some((first, last)) = text.split_at_checked(9) else { return false };
    let last = match last {
        "X" => 10,
        _ => match last.parse::<u32>() {
            Ok(digit) if last.len() == 1 && last.as_bytes()[0].is_ascii_digit() => digit,
            _ => return false,
        },
    };
    let sum: u32 = (1..).zip(digits(first)).map(|(factor, digit)| factor * digit).sum();
    first.bytes().all(|byte| byte.is_ascii_digit()) && (sum + 10 * last).is_multiple_of(11)
}

fn is_isbn_13(text: &str) -> bool {
    let text = joined(text);
    let sum: u32 = [1, 3].into_iter().cycle().zip(digits(&text)).map(|(factor, digit)| factor * digit).sum();
    text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) && sum.is_multiple_of(10)
}

fn is_social_security_number(text: &str) -> bool {
    text.len() == 11 && pattern!("^[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}$").is_match(text)
}

fn is_hex_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_rgb_colour(text: &str) -> bool {
    let Some(parts) = text.strip_prefix("rgb(").and_then(|text| text.strip_suffix(')')) else { return false };
    let is_part = |part: &str| {
        let part = part.trim_matches([' ', '\t', '\n', '\r', '\u{c}']);
        // As upstream's pattern has it, which takes `19` and `190`, but no `01`.
        pattern!("^(0|[1-9][0-9]?|1[0-9][0-9]?|2[0-4][0-9]|25[0-5])$").is_match(part)
    };
    parts.split(',').count() == 3 && parts.split(',').all(is_part)
}

fn is_hostname(text: &str) -> bool {
    let pattern = pattern!(
        r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
    );
    text.len() <= 255 && text.split('.').all(|label| label.len() <= 63) && pattern.is_match(text)
}

fn is_short_name(text: &str) -> bool {
    text.len() <= 63 && is_label(text)
}

fn is_long_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_part) && !text.starts_with('-') && !text.ends_with('-')
}

/// An address of version 4, in which upstream lets parts begin with zeros.
fn sloppy_ipv4(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.trim_start_matches('0').len() <= 3
            && part.parse().is_ok_and(|part: u64| part <= 255)
    };
    text.split('.').count() == 4 && text.split('.').all(is_part)
}

fn is_ipv4(text: &str) -> bool {
    // An address of version 6 with one of version 4 in it has dots, too.
    text.contains('.') && (sloppy_ipv4(text) || text.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_ipv6(text: &str) -> bool {
    text.contains(':') && text.parse::<IpAddr>().is_ok()
}

/// Returns whether the text is an address with the length of a prefix; IPv4 addresses may have leading zeros.
pub fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let most = match sloppy_ipv4(address) {
        true => 32,
        false if is_ipv6(address) => 128,
        false => return false,
    };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    is_number && length.parse().is_ok_and(|length: u32| length <= most)
}

fn is_mac(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return matches!(text.len(), 12 | 16 | 40);
    }
    let (separator, digits) = match text.as_bytes() {
        [_, _, separator @ (b':' | b'-'), ..] => (*separator, 2),
        [_, _, _, _, b'.', ..] => (b'.', 4),
        _ => return false,
    };
    let mut octets = 0;
    let are_groups = text.as_bytes().split(|byte| *byte == separator).all(|group| {
        octets += digits / 2;
        group.len() == digits && group.iter().all(u8::is_ascii_hexdigit)
    });
    are_groups && matches!(octets, 6 | 8 | 20)
}

fn is_uuid(text: &str, version: Option<char>, has_variant: bool) -> bool {
    let mut groups = [8, 4, 4, 4, 12].into_iter();
    let mut rest = text;
    let is_hexadecimal = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut place = 0;
    let are_groups = groups.all(|length| {
        if place > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        let fits = match place {
            2 => version.is_none_or(|version| group.starts_with(version)),
            3 => !has_variant || group.starts_with(['8', '9', 'a', 'b', 'A', 'B']),
            _ => true,
        };
        (rest, place) = (after, place + 1);
        fits && is_hexadecimal(group)
    });
    are_groups && rest.is_empty()
}

fn is_date(text: &str) -> bool {
    let is_like = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(0);
    is_like && {
        let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&day)
    }
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let pattern = pattern!("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$");
    let Some(found) = pattern.captures(time) else { return false };
    is_date(date) && found[1] <= *"23" && found[2] <= *"59" && found[3] <= *"59"
}

fn is_duration(text: &str) -> bool {
    is_go_duration(text) || is_scala_duration(text)
}

/// Returns whether `time.ParseDuration` accepts the text.
pub fn is_go_duration(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    text == "0" || pattern!(r"^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$").is_match(text)
}

/// Returns whether the text has a number with a unit anywhere, as in `3 days`.
fn is_scala_duration(text: &str) -> bool {
    let exact = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
    let begun = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];
    let mut is_one = false;
    for found in pattern!(r"([0-9]+)[\t\n\f\r ]*([A-Za-zµ]+)").captures_iter(text) {
        if found[1].parse::<i64>().is_err() {
            return false;
        }
        let unit = found[2].to_lowercase();
        is_one |= exact.contains(&&*unit) || begun.iter().any(|beginning| unit.starts_with(beginning));
    }
    is_one
}

/// Returns whether `url.ParseRequestURI` accepts the text: a path, or a URI with a scheme.
fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let is_part = |(place, byte): (usize, u8)| {
        byte.is_ascii_alphabetic()
            || place > 0 && (byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'))
    };
    let scheme = text.find(':').filter(|end| text[..*end].bytes().enumerate().all(is_part));
    let rest = match scheme {
        Some(0) => return false,
        Some(end) => &text[end + 1..],
        None => text,
    };
    let path = rest.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return scheme.is_some(); // opaque
    }
    let (authority, path) = match path.strip_prefix("//").filter(|_| scheme.is_some()) {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", path),
    };
    are_escapes(path) && is_authority(authority)
}

/// Returns whether every percent sign begins an escape.
fn are_escapes(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|after| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').map_or(("", text), |(user, host)| (user, host));
    let is_of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    let is_port = |port: &str| {
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_host = match host.strip_prefix('[') {
        Some(literal) => match literal.rsplit_once(']') {
            Some((address, port)) => is_port(port) && address.split('%').next().is_some_and(is_ipv6),
            None => false,
        },
        None => {
            let port = host.rfind(':').map_or("", |start| &host[start..]);
            let is_of_host = |byte: u8| {
                !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte)
            };
            is_port(port) && host.bytes().all(is_of_host) && are_escapes(host)
        }
    };
    is_host && user.bytes().all(is_of_user) && are_escapes(user)
}

/// Returns whether `mail.ParseAddress` accepts the text: an address, which may stand in angle brackets behind a name.
fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    let address = match text.strip_suffix('>') {
        None => text,
        Some(named) => match named.rsplit_once('<') {
            Some((name, address)) if is_phrase(name.trim_matches([' ', '\t'])) => address,
            _ => return false,
        },
    };
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let is_literal = domain.strip_prefix('[').is_some_and(|domain| {
        domain.strip_suffix(']').is_some_and(|domain| !domain.is_empty() && domain.parse::<IpAddr>().is_ok())
    });
    (is_dotted(local) || is_quoted(local)) && (is_dotted(domain) || is_literal)
}

fn is_atom(text: &str) -> bool {
    let is_part = |character: char| {
        !character.is_ascii()
            || character.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(character)
    };
    !text.is_empty() && text.chars().all(is_part)
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(is_atom)
}

fn is_quoted(text: &str) -> bool {
    let Some(inside) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    let mut is_escaped = false;
    let are_parts = inside.chars().all(|character| {
        let is_part = is_escaped || character != '"';
        is_escaped = !is_escaped && character == '\\';
        is_part && !character.is_control()
    });
    are_parts && !is_escaped
}

/// The name before an address: words, which may be quoted or have dots; or nothing.
fn is_phrase(text: &str) -> bool {
    is_quoted(text)
        || text
            .split([' ', '\t'])
            .filter(|word| !word.is_empty())
            .all(|word| is_dotted(word.trim_end_matches('.')))
}

#[cfg(test)]
mod tests;
