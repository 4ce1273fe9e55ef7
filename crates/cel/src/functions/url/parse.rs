//! [`Url`]: parsed as Go's `net/url` does, which accepts more than RFC 3986 and has errors of its own words.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

/// A part of a URL, which decides about the characters that it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    User,
    Host,
    Zone,
    Path,
    Query,
    Fragment,
}

/// An absolute URL, or an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// The URL as it is written.
    text: String,
    pub(super) scheme: String,
    /// With the port.
    pub(super) host: String,
    /// With its escapes.
    pub(super) path: String,
    query: String,
}

impl Url {
    /// Parses a URL.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        check(text)?;
        // Only the second look, which is less strict, knows fragments.
        let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut parsed = parse(url, false).map_err(|because| format!("parse {url:?}: {because}"))?;
        if !fragment.is_empty() {
            let fragment = escaped(fragment, Place::Fragment);
            parsed.text += &format!("#{}", fragment.map_err(|because| format!("parse {text:?}: {because}"))?);
        }
        Ok(parsed)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the host and its port, each of which can be empty.
    pub(super) fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rfind(':') {
            Some(colon) if is_port(&self.host[colon..]) => (&self.host[..colon], &self.host[colon + 1..]),
            _ => (self.host.as_str(), ""),
        };
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        (literal.unwrap_or(host), port)
    }

    /// Returns the keys and values of the query that are valid.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')).filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| unescaped(&text.replace('+', " "), Place::Query).ok();
            Some((decode(key)?, decode(value)?))
        })
    }
}

/// Checks that a text is an absolute URL or an absolute path.
pub(super) fn check(text: &str) -> Result<(), String> {
    parse(text, true).map(drop).map_err(|because| format!("parse {text:?}: {because}"))
}

/// Parses a URL. One of a request is absolute.
fn parse(text: &str, is_of_request: bool) -> Result<Url, String> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    if text.is_empty() && is_of_request {
        return Err("empty url".to_owned());
    }
    let empty = Url { text: text.to_owned(), ..Url::default() };
    if text == "*" {
        return Ok(Url { path: "*".to_owned(), ..empty });
    }
    let (scheme, rest) = scheme(text)?;
    let scheme = scheme.to_ascii_lowercase();
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let asked = query.map(|query| format!("?{query}")).unwrap_or_default();
    let url = Url { query: query.unwrap_or_default().to_owned(), scheme, ..empty };
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            return Ok(Url { text: format!("{}:{rest}{asked}", url.scheme), ..url });
        }
        if is_of_request {
            return Err("invalid URI for request".to_owned());
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    let has_authority = !url.scheme.is_empty() || !is_of_request && !rest.starts_with("///");
    let (authority, rest) = match rest.strip_prefix("//").filter(|_| has_authority) {
        Some(rest) => {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), rest)
        }
        None => (None, rest),
    };
    let (user, host) =
        authority.map(|text| parse_authority(&url.scheme, text)).transpose()?.unwrap_or_default();
    let path = escaped(rest, Place::Path)?;
    let colon = if url.scheme.is_empty() { "" } else { ":" };
    let is_written = !host.is_empty() || !user.is_empty() || authority.is_some() && !url.scheme.is_empty();
    let slashes =
        if is_written && !(host.is_empty() && user.is_empty() && path.is_empty()) { "//" } else { "" };
    let written = escape(&host, Place::Host);
    let text = format!("{}{colon}{slashes}{user}{written}{path}{asked}", url.scheme);
    Ok(Url { text, host, path, ..url })
}

impl Default for Url {
    fn default() -> Self {
        let empty = String::new;
        Self { text: empty(), scheme: empty(), host: empty(), path: empty(), query: empty() }
    }
}

/// Splits the scheme off; it is empty if there is none.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    let end = text.bytes().enumerate().take_while(|(position, byte)| {
        let is_later = byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.');
        byte.is_ascii_alphabetic() || *position > 0 && is_later
    });
    match text[end.count()..].strip_prefix(':') {
        Some(rest) if rest.len() + 1 == text.len() => Err("missing protocol scheme".to_owned()),
        Some(rest) => Ok((&text[..text.len() - rest.len() - 1], rest)),
        None => Ok(("", text)),
    }
}

/// Parses user and host. The user is returned as it is written, with its sign.
fn parse_authority(scheme: &str, text: &str) -> Result<(String, String), String> {
    let Some((user, host)) = text.rsplit_once('@') else {
        return Ok((String::new(), parse_host(scheme, text)?));
    };
    let host = parse_host(scheme, host)?;
    let is_of_user = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(is_of_user) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(password)),
        None => (user, None),
    };
    let mut written = escape(&unescaped(name, Place::User)?, Place::User);
    if let Some(password) = password {
        written += ":";
        written += &escape(&unescaped(password, Place::User)?, Place::User);
    }
    Ok((written + "@", host))
}

fn parse_host(scheme: &str, host: &str) -> Result<String, String> {
    let port = |text: &str| {
        if is_port(text) { Ok(()) } else { Err(format!("invalid port {text:?} after host")) }
    };
    match host.rfind('[') {
        Some(0) => {
            let Some(end) = host.rfind(']') else { return Err("missing ']' in host".to_owned()) };
            port(&host[end + 1..])?;
            let literal = &host[1..end];
            let (address, zone) = literal.split_at(literal.find("%25").unwrap_or(literal.len()));
            let inside = unescaped(address, Place::Host)? + &unescaped(zone, Place::Zone)?;
            match crate::functions::network::parsed(&inside) {
                Err(error) => Err(format!("invalid host: {error}")),
                Ok(IpAddr::V4(_)) => Err("invalid IP-literal".to_owned()),
                Ok(IpAddr::V6(_)) => Ok(format!("[{inside}]{}", &host[end + 1..])),
            }
        }
        Some(_) => Err("invalid IP-literal".to_owned()),
        None => {
            // Other protocols than HTTP have hosts with several colons.
            let is_strict = matches!(scheme, "http" | "https");
            if let Some(colon) = if is_strict { host.find(':') } else { host.rfind(':') } {
                port(&host[colon..])?;
            }
            unescaped(host, Place::Host)
        }
    }
}

/// Returns whether a text is a colon with digits, or empty.
fn is_port(text: &str) -> bool {
    text.is_empty()
        || text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether a character can stand in a place without an escape.
fn is_plain(byte: u8, place: Place) -> bool {
    byte.is_ascii_alphanumeric()
        || b"-_.~".contains(&byte)
        || match place {
            Place::User => b"$&+,;=".contains(&byte),
            Place::Host | Place::Zone => b"!$&'()*+,;=:[]<>\"".contains(&byte),
            Place::Path => b"$&+,/:;=@".contains(&byte),
            Place::Query => false,
            Place::Fragment => b"$&+,/:;=?@!()*".contains(&byte),
        }
}

/// Decodes the escapes of a text.
fn unescaped(text: &str, place: Place) -> Result<String, String> {
    let bytes = text.as_bytes();
    for (position, byte) in text.bytes().enumerate() {
        let is_in_host = matches!(place, Place::Host | Place::Zone);
        if byte == b'%' {
            let shown = String::from_utf8_lossy(&bytes[position..bytes.len().min(position + 3)]);
            let code = text
                .get(position + 1..position + 3)
                .filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
            let is_allowed = code.is_some_and(|code| match place {
                Place::Host => !code.is_ascii() || code == b'%',
                Place::Zone => code == b'%' || code == b' ' || is_plain(code, Place::Host),
                _ => true,
            });
            if !is_allowed {
                return Err(format!("invalid URL escape {shown:?}"));
            }
        } else if is_in_host && byte.is_ascii() && !is_plain(byte, place) {
            return Err(format!("invalid character {:?} in host name", char::from(byte).to_string()));
        }
    }
    Ok(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

/// Escapes the characters of a text that cannot stand in a place.
fn escape(text: &str, place: Place) -> String {
    let escape = |byte: u8| {
        if is_plain(byte, place) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escape).collect()
}

/// Returns a text as it stands if its escapes are valid, or else with escapes of its own.
fn escaped(text: &str, place: Place) -> Result<String, String> {
    let decoded = unescaped(text, place)?;
    let is_valid = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || is_plain(byte, place);
    Ok(if text.bytes().all(is_valid) || text == "*" { text.to_owned() } else { escape(&decoded, place) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found() {
        let url = Url::of("HTTPS://me:pw@[::1]:80/a b/%20?k=1&k=%zz&x;y&+=2#end").expect("a URL");
        assert_eq!((&*url.scheme, &*url.host, url.host_and_port()), ("https", "[::1]:80", ("::1", "80")));
        assert_eq!(
            (&*url.path, url.text()),
            ("/a%20b/%20", "https://me:pw@[::1]:80/a%20b/%20?k=1&k=%zz&x;y&+=2#end")
        );
        let pairs: Vec<_> = url.query_pairs().collect();
        assert_eq!(pairs, [("k".to_owned(), "1".to_owned()), (" ".to_owned(), "2".to_owned())]);
        assert!(Url::of("/path").is_ok_and(|url| url.scheme.is_empty() && url.path == "/path"));
        assert!(Url::of("mailto:a@b").is_ok_and(|url| url.text() == "mailto:a@b" && url.path.is_empty()));
    }

    #[test]
    fn errors_have_the_words_of_net_url() {
        for (text, because) in [
            ("", "empty url"),
            ("../x", "invalid URI for request"),
            ("://x", "missing protocol scheme"),
            ("https://x:port/", "invalid port \":port\" after host"),
            ("https://x/%zz", "invalid URL escape \"%zz\""),
            ("https://a b", "invalid character \" \" in host name"),
            ("https://[::1/", "missing ']' in host"),
            ("https://[1.2.3.4]/", "invalid IP-literal"),
            ("a\u{1}", "net/url: invalid control character in URL"),
        ] {
            assert_eq!(check(text), Err(format!("parse {text:?}: {because}")));
        }
    }
}
