//! URLs.

mod parse;

use std::rc::Rc;

pub(crate) use self::parse::Url;
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
            let url = Url::of(text.as_str()).map_err(|error| {
                Failure::error(format!("URL parse error during conversion from string: {error}"))
            })?;
            Ok(Value::Url(Rc::new(url)))
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("isURL", &["(string) bool"], one, |arguments, meter| match arguments {
        [Value::String(text)] => {
            meter.charge(1)?;
            meter.work(text.as_str().len())?;
            Ok(Value::Bool(parse::check(text.as_str()).is_ok()))
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
        part(arguments, meter, |url| Value::text(url.host_and_port().0))
    }),
    Function::new("getPort", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.host_and_port().1))
    }),
    Function::new("getEscapedPath", &["url.() string"], one, |arguments, meter| {
        part(arguments, meter, |url| Value::text(url.path.as_str()))
    }),
    Function::new("getQuery", &["url.() map<string, list<string>>"], one, |arguments, meter| {
        part(arguments, meter, query)
    }),
];

/// Returns the error of a text that is no URL, as upstream's format `uri` reports it.
pub(super) fn error(text: &str) -> Option<String> {
    parse::check(text).err()
}

fn query<'a>(url: &Url) -> Value<'a> {
    let mut entries: Vec<(String, Vec<Value<'a>>)> = Vec::new();
    for (key, value) in url.query_pairs() {
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(Value::text(value)),
            None => entries.push((key, vec![Value::text(value)])),
        }
    }
    let entries = entries.into_iter().map(|(key, values)| (Value::text(key), Value::list(values)));
    Value::Map(Entries::Made(Rc::new(entries.collect())))
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
