//! Named formats of texts: `format.dns1123Label().validate(text)`.

use super::{basic::charged, one, url};
use crate::{
    estimate::{Estimated, Range, TENTH, scaled},
    formats,
    function::Function,
    meter::{Failure, Meter},
    value::Value,
};

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
    end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
    character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
    '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("format.named", &["(string) optional<format>"], one, |arguments, meter| match arguments {
        [Value::String(text)] => {
            let name = NAMES.into_iter().find(|known| *known == text.as_str());
            charged(Value::optional(name.map(Value::Format)), meter)
        }
        _ => Err(Failure::NoOverload),
    }),
    Function::new("format.dns1123Label", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1123Label"), meter)
    }),
    Function::new("format.dns1123Subdomain", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1123Subdomain"), meter)
    }),
    Function::new("format.dns1035Label", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1035Label"), meter)
    }),
    Function::new("format.qualifiedName", CONSTANT, one, |_, meter| {
        charged(Value::Format("qualifiedName"), meter)
    }),
    Function::new("format.dns1123LabelPrefix", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1123LabelPrefix"), meter)
    }),
    Function::new("format.dns1123SubdomainPrefix", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1123SubdomainPrefix"), meter)
    }),
    Function::new("format.dns1035LabelPrefix", CONSTANT, one, |_, meter| {
        charged(Value::Format("dns1035LabelPrefix"), meter)
    }),
    Function::new("format.labelValue", CONSTANT, one, |_, meter| charged(Value::Format("labelValue"), meter)),
    Function::new("format.uri", CONSTANT, one, |_, meter| charged(Value::Format("uri"), meter)),
    Function::new("format.uuid", CONSTANT, one, |_, meter| charged(Value::Format("uuid"), meter)),
    Function::new("format.byte", CONSTANT, one, |_, meter| charged(Value::Format("byte"), meter)),
    Function::new("format.date", CONSTANT, one, |_, meter| charged(Value::Format("date"), meter)),
    Function::new("format.datetime", CONSTANT, one, |_, meter| charged(Value::Format("datetime"), meter)),
    Function::new(
        "validate",
        &["format.(string) optional<list<string>>"],
        |arguments| Estimated::cost(arguments.size(1).tenth().times(Range::exactly(32))),
        validate,
    ),
];

const CONSTANT: &[&str] = &["() format"];

/// The names for `format.named`.
const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn validate<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Failure> {
    let [Value::Format(format), value @ Value::String(text)] = arguments else {
        return Err(Failure::NoOverload);
    };
    meter.charge(
        scaled(value.size().saturating_add(1), TENTH).saturating_mul(pattern_size(format).div_ceil(4)),
    )?;
    let errors: Vec<_> = errors(format, text.as_str()).into_iter().map(Value::text).collect();
    Ok(Value::optional((!errors.is_empty()).then(|| Value::list(errors))))
}

/// Returns the length of the regular expression that a format has, or would have.
fn pattern_size(format: &str) -> u64 {
    match format {
        "dns1123Label" | "dns1123LabelPrefix" | "dns1035Label" | "dns1035LabelPrefix" => 30,
        "dns1123Subdomain" | "dns1123SubdomainPrefix" | "qualifiedName" => 60,
        "labelValue" => 40,
        "uri" => 1103,
        "uuid" => 70,
        "byte" => 84,
        _ => 71, // date and datetime
    }
}

/// Returns the errors of a text in this format; empty if it is valid.
fn errors(format: &str, text: &str) -> Vec<String> {
    // The end of a prefix may be a hyphen, which another character follows.
    let masked = match text.strip_suffix('-') {
        Some(rest) if format.ends_with("Prefix") && !rest.is_empty() => format!("{rest}a"),
        _ => text.to_owned(),
    };
    match format.strip_suffix("Prefix").unwrap_or(format) {
        "dns1123Label" => names(&masked, 63, is_label, LABEL, masked.split('.').all(is_label)),
        "dns1123Subdomain" => names(&masked, 253, |name| name.split('.').all(is_label), SUBDOMAIN, false),
        "dns1035Label" => {
            let is_old =
                |name: &str| is_label(name) && name.starts_with(|first: char| first.is_ascii_lowercase());
            names(&masked, 63, is_old, OLD_LABEL, false)
        }
        "labelValue" => names(text, 63, |value| value.is_empty() || is_value(value), LABEL_VALUE, false),
        "qualifiedName" => qualified(text),
        "uri" => url::error(text).into_iter().collect(),
        known => {
            let is_valid = formats::FORMATS.iter().any(|(name, check)| *name == known && check(text));
            let told = match known {
                _ if is_valid => return Vec::new(),
                "uuid" => "does not match the UUID format".to_owned(),
                "byte" => "invalid base64".to_owned(),
                other => format!("invalid {other}"),
            };
            vec![told]
        }
    }
}

fn names(name: &str, most: usize, holds: impl Fn(&str) -> bool, rule: &str, has_dots: bool) -> Vec<String> {
    let mut told = Vec::new();
    if name.len() > most {
        told.push(format!("must be no more than {most} characters"));
    }
    if !holds(name) {
        told.push(if has_dots { "must not contain dots".to_owned() } else { rule.to_owned() });
    }
    told
}

fn qualified(text: &str) -> Vec<String> {
    let (prefix, name) = match text.split('/').collect::<Vec<_>>()[..] {
        [name] => (None, name),
        [prefix, name] => (Some(prefix), name),
        _ => {
            let rule = QUALIFIED.replacen("name part", "a valid label key", 1);
            return vec![format!(
                "{rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    let mut told = Vec::new();
    match prefix {
        Some("") => told.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            let errors = names(prefix, 253, |name| name.split('.').all(is_label), SUBDOMAIN, false);
            told.extend(errors.into_iter().map(|error| format!("prefix part {error}")));
        }
        None => {}
    }
    if name.is_empty() {
        told.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        told.push("name part must be no more than 63 characters".to_owned());
    }
    if !is_value(name) {
        told.push(QUALIFIED.to_owned());
    }
    told
}

fn is_label(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_inside) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_value(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_end = |character: char| character.is_ascii_alphanumeric();
    text.bytes().all(is_inside) && text.starts_with(is_end) && text.ends_with(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_validated() {
        for (format, text, count) in [
            ("dns1123Label", "a-b", 0),
            ("dns1123Label", "a.b", 1),
            ("dns1123Label", "a-", 1),
            ("dns1123LabelPrefix", "a-", 0),
            ("dns1123Subdomain", "a.b", 0),
            ("dns1035Label", "1a", 1),
            ("labelValue", "", 0),
            ("labelValue", "-", 1),
            ("qualifiedName", "a.b/C", 0),
            ("qualifiedName", "/C", 1),
            ("qualifiedName", "a/b/c", 1),
            ("uri", "/a", 0),
            ("uri", "", 1),
            ("uuid", "x", 1),
            ("byte", "YQ==", 0),
            ("date", "2020-01-01", 0),
            ("datetime", "2020-01-01", 1),
        ] {
            assert_eq!(errors(format, text).len(), count, "{format} {text:?}");
        }
        assert_eq!(errors("dns1123Label", "a.b"), ["must not contain dots"]);
    }
}
