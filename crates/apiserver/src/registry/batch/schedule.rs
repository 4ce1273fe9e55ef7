//! The schedules and time zones of `CronJob`s, as robfig/cron and Go's `time.LoadLocation` read them.

use std::path::Path;

/// Returns the fault of a schedule, in upstream's words.
pub(super) fn fault(schedule: &str) -> Option<String> {
    parse(schedule).err().or_else(|| {
        let has_zone = schedule.contains("TZ");
        has_zone.then(|| "cannot use TZ or CRON_TZ in schedule, use timeZone field instead".to_owned())
    })
}

/// Returns the faults of a time zone, in upstream's words.
pub(super) fn zone_faults(zone: &str) -> Vec<String> {
    if zone.is_empty() {
        return vec!["timeZone must be nil or non-empty string".to_owned()];
    }
    let mut faults = Vec::new();
    if zone.eq_ignore_ascii_case("local") {
        let because = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        faults.push(because.to_owned());
    }
    if zone != "Local" && !is_zone(zone) {
        faults.push(format!("unknown time zone {zone}"));
    }
    faults
}

/// Returns whether the time zone exists. On a machine without a list of time zones, any name may be one.
fn is_zone(zone: &str) -> bool {
    const ZONES: &str = "/usr/share/zoneinfo";
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if zone == "UTC" {
        return true;
    }
    let is_plain = zone.chars().all(is_name) && zone.starts_with(|c: char| c.is_ascii_alphabetic());
    is_plain && (!Path::new(ZONES).is_dir() || Path::new(ZONES).join(zone).is_file())
}

fn parse(schedule: &str) -> Result<(), String> {
    let zoned = ["TZ=", "CRON_TZ="].iter().find_map(|prefix| schedule.strip_prefix(prefix));
    let spec = match zoned.map(|rest| rest.split_once(' ').unwrap_or((rest, ""))) {
        Some((zone, _)) if !is_zone(zone) => {
            return Err(format!("provided bad location {zone}: unknown time zone {zone}"));
        }
        Some((_, spec)) => spec.trim(),
        None => schedule,
    };
    if spec.starts_with('@') {
        return descriptor(spec);
    }
    let fields: Vec<&str> = spec.split_whitespace().collect();
    let &[minute, hour, day, month, weekday] = fields.as_slice() else {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    };
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    for (field, least, most, names) in [
        (minute, 0, 59, &[][..]),
        (hour, 0, 23, &[][..]),
        (day, 1, 31, &[][..]),
        (month, 1, 12, &months[..]),
        (weekday, 0, 6, &days[..]),
    ] {
        let parts = field.split(',').filter(|part| !part.is_empty());
        parts.into_iter().try_for_each(|part| range(part, least, most, names))?;
    }
    Ok(())
}

fn descriptor(spec: &str) -> Result<(), String> {
    match spec {
        "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly" => Ok(()),
        _ => match spec.strip_prefix("@every ") {
            Some(duration) if trimtab_cel::formats::is_go_duration(duration) => Ok(()),
            Some(duration) => {
                Err(format!("failed to parse duration {spec}: time: invalid duration {duration:?}"))
            }
            None => Err(format!("unrecognized descriptor: {spec}")),
        },
    }
}

/// A number, a range of them, or all, each with a step.
fn range(text: &str, least: i64, most: i64, names: &[&str]) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let bounds: Vec<&str> = parts[0].split('-').collect();
    let value = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let named = named.and_then(|position| i64::try_from(position).ok());
        named.map_or_else(|| number(text), |position| Ok(position + least))
    };
    let (start, mut end) = match bounds[..] {
        ["*" | "?", ..] => (least, most),
        [one] => (value(one)?, value(one)?),
        [from, to] => (value(from)?, value(to)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let step = match parts[..] {
        [_] => 1,
        [_, step] => {
            if bounds.len() == 1 {
                end = most;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number(text: &str) -> Result<i64, String> {
    let number: i64 = text.parse().map_err(|_| {
        format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax")
    })?;
    if number < 0 { Err(format!("negative number ({number}) not allowed: {text}")) } else { Ok(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are a kube-apiserver's.
    #[test]
    fn schedules_are_those_of_robfig() {
        for (schedule, expected) in [
            ("* * * * *", None),
            ("* * ? * *", None),
            ("* * * JAN MON-FRI", None),
            ("0,30 1-5/2 */2 * 0", None),
            ("@daily", None),
            ("@every 1h30m", None),
            ("* * * *", Some("expected exactly 5 fields, found 4: [* * * *]")),
            ("60 * * * *", Some("end of range (60) above maximum (59): 60")),
            ("@x", Some("unrecognized descriptor: @x")),
            ("*/0 * * * *", Some("step of range should be a positive number: */0")),
            (
                "JAN * * * *",
                Some("failed to parse int from JAN: strconv.Atoi: parsing \"JAN\": invalid syntax"),
            ),
            ("5-1 * * * *", Some("beginning of range (5) beyond end of range (1): 5-1")),
            ("TZ=UTC * * * * *", Some("cannot use TZ or CRON_TZ in schedule, use timeZone field instead")),
        ] {
            assert_eq!(fault(schedule).as_deref(), expected, "{schedule}");
        }
    }

    #[test]
    fn zones_are_explicit() {
        assert!(zone_faults("UTC").is_empty());
        assert_eq!(zone_faults("Local").len(), 1);
        assert_eq!(zone_faults(""), ["timeZone must be nil or non-empty string"]);
        for zone in ["../etc", " UTC", "/UTC"] {
            assert_eq!(zone_faults(zone), [format!("unknown time zone {zone}")]);
        }
    }
}
