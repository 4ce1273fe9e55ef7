//! URLs.

use std::rc::Rc;

use percent_encoding::percent_decode_str;

use super::{basic::charged, copy, one};
use crate::{
    function::Function,
    meter::{Failure, Meter},
    value::{Entries, Value},
};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("url", &["(string) url"], copy, |arguments, meter| match arguments {
        [value @ Value::String(text)] => {
            meter.traverse(value.size())?;
            let unreadable = || {
                Failure::error(format!("URL parse error during conversion from string: {:?}", text.as_str()))
            };
            Ok(Value::Url(Rc::new(Url::of(text.as_str()).ok_or_else(unreadable)?)))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("isURL", &["(string) bool"], one, |arguments, meter| match arguments {
        [value @ Value::String(text)] => {
            meter.traverse(value.size())?;
            Ok(Value::Bool(Url::of(text.as_str()).is_some()))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("getScheme", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.scheme.as_str()))
    }),
    Function::new("getHost", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.host.as_str()))
    }),
    Function::new("getHostname", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.host_name()))
    }),
    Function::new("getPort", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(port(&url.host)))
    }),
    Function::new("getEscapedPath", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.path.as_str()))
    }),
    Function::new("getQuery", &["url.() map<string, list<string>>"], one, |arguments, meter| {
        part(arguments, meter, Url::query)
    }),
];

/// An absolute URL, or an absolute path.
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
    /// Parses a URL; `None` if the text is none.
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

fn part<'a>(
    arguments: &[Value<'a>],
    meter: &mut Meter,
    part: impl Fn(&Url) -> Value<'a>,
) -> Result<Value<'a>, Failure> {
    match arguments {
        [Value::Url(url)] => charged(part(url), meter),
        _ => Err(Failure::NoOverload),
    }
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
