//! The command line of a benchmark program and the JSON line of each measurement, which `cargo xtask bench` reads.

/// Returns whether `--quick` asks for less work and noisier figures.
pub fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// Returns N of `--instructions=N`: the program repeats one piece of work N times, in callgrind, and measures nothing.
pub fn instructions() -> Option<usize> {
    let value = |argument: String| argument.strip_prefix("--instructions=").map(str::parse::<usize>);
    match std::env::args().find_map(value)? {
        Ok(times) => Some(times),
        Err(error) => panic!("--instructions takes a number: {error}"),
    }
}

/// Runs the scenarios named on the command line, or all of them. Arguments that begin with `--` name none.
pub fn run_selected(scenarios: &[(&str, fn())]) {
    let selected: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    for (name, run) in scenarios {
        if selected.is_empty() || selected.iter().any(|selected| selected == name) {
            run();
        }
    }
}

/// Prints a measurement of which less is better. `bench` is its full name: `workqueue/backlog/1k`.
pub fn report_lower(bench: &str, unit: &str, value: f64) {
    println!("{}", line(bench, unit, "lower", value));
}

/// Prints a measurement of which more is better. `bench` is its full name: `apiserver/creates`.
pub fn report_higher(bench: &str, unit: &str, value: f64) {
    println!("{}", line(bench, unit, "higher", value));
}

fn line(bench: &str, unit: &str, better: &str, value: f64) -> String {
    assert!(value.is_finite(), "{bench} measured {value}, which JSON cannot express");
    format!(r#"{{"bench":"{bench}","unit":"{unit}","better":"{better}","value":{value}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_one_line_of_json() {
        let expected = r#"{"bench":"cache/snapshot","unit":"ns","better":"lower","value":12.5}"#;
        assert_eq!(line("cache/snapshot", "ns", "lower", 12.5), expected);
    }

    #[test]
    #[should_panic(expected = "cache/snapshot measured NaN")]
    fn a_measurement_that_is_not_a_number_names_its_bench() {
        line("cache/snapshot", "ns", "lower", f64::NAN);
    }
}
