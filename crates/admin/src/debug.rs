//! The debug page: every section as HTML without scripts.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::Section;

const STYLE: &str = "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2430;\
background:#fff}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .7rem;border-bottom:1px solid #dde2ea;vertical-align:top}th{font-weight:600;\
color:#55606f}td.n{text-align:right;font-variant-numeric:tabular-nums}.none{color:#8a94a3}nav a{margin-right:1rem}\
@media(prefers-color-scheme:dark){body{background:#12161c;color:#dfe5ee}th,td{border-color:#2b333f}th{color:#97a3b4}\
a{color:#7db4ff}}";

/// Returns all sections as one JSON object.
pub(crate) fn json(sections: &[Section]) -> Value {
    sections
        .iter()
        .map(|section| (section.name().to_owned(), section.content()))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns all sections as an HTML page.
pub(crate) fn page(sections: &[Section]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>debug</title><style>{STYLE}</style></head><body><h1>Debug</h1><nav>"
    );
    for section in sections {
        let name = escaped(section.name());
        _ = write!(html, "<a href=\"#{name}\">{name}</a>");
    }
    html.push_str("<a href=\"/debug.json\">JSON</a></nav>");
    for section in sections {
        let name = escaped(section.name());
        _ = write!(html, "<section id=\"{name}\"><h2>{name}</h2>");
        write_value(&mut html, &section.content(), section.first_columns());
        html.push_str("</section>");
    }
    html.push_str("</body></html>\n");
    html
}

fn write_value(html: &mut String, value: &Value, first: &[String]) {
    match value {
        Value::Array(items) if items.is_empty() => html.push_str("<p class=\"none\">none</p>"),
        Value::Array(items) if items.iter().all(Value::is_object) => write_table(html, items, first),
        Value::Array(items) => {
            html.push_str("<ul>");
            for item in items {
                html.push_str("<li>");
                write_value(html, item, first);
                html.push_str("</li>");
            }
            html.push_str("</ul>");
        }
        Value::Object(members) => {
            html.push_str("<table>");
            for (name, value) in members {
                _ = write!(html, "<tr><th>{}</th>", escaped(name));
                write_cell(html, value);
                html.push_str("</tr>");
            }
            html.push_str("</table>");
        }
        Value::Null => html.push_str("<span class=\"none\">none</span>"),
        Value::String(text) => html.push_str(&escaped(text)),
        Value::Bool(_) | Value::Number(_) => _ = write!(html, "{value}"),
    }
}

/// Writes objects as rows. The columns are those in `first` that occur, then the other members of all objects.
fn write_table(html: &mut String, items: &[Value], first: &[String]) {
    let names = || items.iter().filter_map(Value::as_object).flat_map(Map::keys);
    let mut columns: Vec<&String> = first.iter().filter(|name| names().any(|known| known == *name)).collect();
    for name in names() {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    html.push_str("<table><tr>");
    for column in &columns {
        _ = write!(html, "<th>{}</th>", escaped(column));
    }
    html.push_str("</tr>");
    for item in items {
        html.push_str("<tr>");
        for column in &columns {
            write_cell(html, item.get(column.as_str()).unwrap_or(&Value::Null));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
}

fn write_cell(html: &mut String, value: &Value) {
    html.push_str(if value.is_number() { "<td class=\"n\">" } else { "<td>" });
    write_value(html, value, &[]);
    html.push_str("</td>");
}

/// Escapes the characters with a meaning in HTML and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
