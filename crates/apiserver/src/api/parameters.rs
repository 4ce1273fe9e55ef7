//! [`Parameters`]: the parameters of a URL, decoded once for everybody who looks at them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The names and values that follow the `?`, in their order.
///
/// Where a name is repeated, upstream goes by its first value. Authorization and handlers both read this list, so that
/// they cannot see different requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes a query as Go does: a pair with a semicolon or with a malformed escape does not count.
    pub(crate) fn of(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';'));
        Self(pairs.filter_map(pair).collect())
    }

    /// The first value of `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of `name`.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| &**value)
    }

    /// The first value of each name.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_first = |at: usize, name: &str| !self.0[..at].iter().any(|(earlier, _)| earlier == name);
        let firsts = self.0.iter().enumerate().filter(move |(at, (name, _))| is_first(*at, name));
        firsts.map(|(_, (name, value))| (&**name, &**value))
    }
}

fn pair(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Some((decode(name)?, decode(value)?))
}

/// Decodes `+` and `%XX`; `None` if an escape is malformed.
fn decode(text: &str) -> Option<String> {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    unescape(&text)
}

/// Decodes `%XX`; `None` if an escape is malformed.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_has_its_first_value_however_it_is_escaped() {
        let parameters = Parameters::of("field%53elector=a&fieldSelector=b&limit=1");
        assert_eq!(parameters.first("fieldSelector"), Some("a"));
        assert_eq!(parameters.firsts().collect::<Vec<_>>(), [("fieldSelector", "a"), ("limit", "1")]);
        assert_eq!(parameters.all("fieldSelector").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn malformed_pairs_do_not_count() {
        let parameters = Parameters::of("a=%zz&b=1;c=2&d=x+y%2B&=e&f");
        assert_eq!(parameters.firsts().collect::<Vec<_>>(), [("d", "x y+"), ("", "e"), ("f", "")]);
    }
}
