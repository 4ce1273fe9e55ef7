//! Addresses on the web.

use std::rc::Rc;

use percent_encoding::percent_decode_str;

use super::Given;
use crate::cel::{
    meter::{Failure, Meter},
    value::{Entries, Value},
};

/// An absolute address, or an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    scheme: String,
    /// With the port.
    host: String,
    path: String,
    query: String,
}

impl Url {
    /// Takes an address apart; `None` if it is none.
    fn of(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().any(|c| c.is_control() || c == ' ' || "<>\"".contains(c)) {
            return None;
        }
        let is_escaped = |part: &str| {
            part.split('%').skip(1).all(|after| {
                let digits: Vec<bool> = after.chars().take(2).map(|c| c.is_ascii_hexdigit()).collect();
                digits == [true, true]
            })
        };
        let (scheme, rest) = match text.split_once(':') {
            _ if text.starts_with('/') => ("", text),
            Some((scheme, rest)) => (scheme, rest),
            None => return None,
        };
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let is_named = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme);
        if !is_named && !text.starts_with('/') {
            return None;
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) if !scheme.is_empty() => {
                let end = rest.find('/').unwrap_or(rest.len());
                rest.split_at(end)
            }
            _ => ("", rest),
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let port = port(host);
        let is_port = port.chars().all(|c| c.is_ascii_digit());
        if !is_port || !is_escaped(path) || host.starts_with('[') && !host.contains(']') {
            return None;
        }
        let [scheme, host, path, query] =
            [&scheme.to_ascii_lowercase(), host, path, query].map(str::to_owned);
        Some(Self { text: text.to_owned(), scheme, host, path, query })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn host_name(&self) -> &str {
        let host = self.host.strip_suffix(port(&self.host)).unwrap_or(&self.host);
        let host = if host.len() < self.host.len() { host.trim_end_matches(':') } else { host };
        host.trim_start_matches('[').trim_end_matches(']')
    }

    fn query<'a>(&self) -> Value<'a> {
        let mut entries: Vec<(String, Vec<Value<'a>>)> = Vec::new();
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode =
                |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            let (key, value) = (decode(key), Value::text(decode(value)));
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => entries.push((key, vec![value])),
            }
        }
        let entries = entries.into_iter().map(|(key, values)| (Value::text(key), Value::list(values)));
        Value::Map(Entries::Made(Rc::new(entries.collect())))
    }
}

/// The port at the end of a host; empty if there is none.
fn port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((before, port)) if !host.starts_with('[') || before.ends_with(']') => port,
        _ => "",
    }
}

pub(super) fn apply<'a>(name: &str, takes: &[Value<'a>], meter: &mut Meter) -> Given<'a> {
    if let ("url" | "isURL", [Value::String(text)]) = (name, takes) {
        meter.traverse(takes[0].size())?;
        let url = Url::of(text.as_str());
        if name == "isURL" {
            return Ok(Some(Value::Bool(url.is_some())));
        }
        let unreadable =
            || Failure::error(format!("URL parse error during conversion from string: {:?}", text.as_str()));
        return Ok(Some(Value::Url(Rc::new(url.ok_or_else(unreadable)?))));
    }
    let [Value::Url(url)] = takes else { return Ok(None) };
    meter.charge(1)?;
    let text = match name {
        "getScheme" => &url.scheme,
        "getHost" => &url.host,
        "getHostname" => url.host_name(),
        "getPort" => port(&url.host),
        "getEscapedPath" => &url.path,
        "getQuery" => return Ok(Some(url.query())),
        _ => return Ok(None),
    };
    Ok(Some(Value::text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let url = Url::of("https://me:pw@[::1]:80/a%20b?k=1&k=2").expect("an address");
        assert_eq!(
            (&*url.scheme, &*url.host, url.host_name(), port(&url.host)),
            ("https", "[::1]:80", "::1", "80")
        );
        assert_eq!((&*url.path, &*url.query), ("/a%20b", "k=1&k=2"));
        assert_eq!(Url::of("https://example.com:443/").as_ref().map(Url::host_name), Some("example.com"));
        assert!(Url::of("/path").is_some_and(|url| url.scheme.is_empty() && url.path == "/path"));
        for wrong in ["", "example.com", "://x", "https://x:port/", "https://x/%zz", "../x", "1http://x"] {
            assert_eq!(Url::of(wrong), None, "{wrong}");
        }
    }
}
