//! The cost of a check and of a flag: `cargo bench -p trimtab-featuregate -- [--quick]`. The peer program
//! `xtask/peers/component-base` does the same work.

use std::{hint::black_box, time::Duration};

use trimtab_featuregate::{FeatureGates, Gate, Spec, Stage, Version};
use trimtab_test_support::bench::{quick, report_lower};

/// Declares a hundred gates.
macro_rules! hundred {
    ($($gate:ident $name:literal,)+) => {
        trimtab_featuregate::gates! {
            /// The gates that are read.
            pub set Hundred;
            $(
                /// One of a hundred.
                pub $gate = $name { 1.30 => Alpha, off; 1.33 => Beta, on }
            )+
        }

        const GATES: [Gate<Hundred>; 100] = [$($gate),+];
    };
}

hundred! {
    G00 "BenchmarkedGate000", G01 "BenchmarkedGate001", G02 "BenchmarkedGate002", G03 "BenchmarkedGate003", G04 "BenchmarkedGate004",
    G05 "BenchmarkedGate005", G06 "BenchmarkedGate006", G07 "BenchmarkedGate007", G08 "BenchmarkedGate008", G09 "BenchmarkedGate009",
    G10 "BenchmarkedGate010", G11 "BenchmarkedGate011", G12 "BenchmarkedGate012", G13 "BenchmarkedGate013", G14 "BenchmarkedGate014",
    G15 "BenchmarkedGate015", G16 "BenchmarkedGate016", G17 "BenchmarkedGate017", G18 "BenchmarkedGate018", G19 "BenchmarkedGate019",
    G20 "BenchmarkedGate020", G21 "BenchmarkedGate021", G22 "BenchmarkedGate022", G23 "BenchmarkedGate023", G24 "BenchmarkedGate024",
    G25 "BenchmarkedGate025", G26 "BenchmarkedGate026", G27 "BenchmarkedGate027", G28 "BenchmarkedGate028", G29 "BenchmarkedGate029",
    G30 "BenchmarkedGate030", G31 "BenchmarkedGate031", G32 "BenchmarkedGate032", G33 "BenchmarkedGate033", G34 "BenchmarkedGate034",
    G35 "BenchmarkedGate035", G36 "BenchmarkedGate036", G37 "BenchmarkedGate037", G38 "BenchmarkedGate038", G39 "BenchmarkedGate039",
    G40 "BenchmarkedGate040", G41 "BenchmarkedGate041", G42 "BenchmarkedGate042", G43 "BenchmarkedGate043", G44 "BenchmarkedGate044",
    G45 "BenchmarkedGate045", G46 "BenchmarkedGate046", G47 "BenchmarkedGate047", G48 "BenchmarkedGate048", G49 "BenchmarkedGate049",
    G50 "BenchmarkedGate050", G51 "BenchmarkedGate051", G52 "BenchmarkedGate052", G53 "BenchmarkedGate053", G54 "BenchmarkedGate054",
    G55 "BenchmarkedGate055", G56 "BenchmarkedGate056", G57 "BenchmarkedGate057", G58 "BenchmarkedGate058", G59 "BenchmarkedGate059",
    G60 "BenchmarkedGate060", G61 "BenchmarkedGate061", G62 "BenchmarkedGate062", G63 "BenchmarkedGate063", G64 "BenchmarkedGate064",
    G65 "BenchmarkedGate065", G66 "BenchmarkedGate066", G67 "BenchmarkedGate067", G68 "BenchmarkedGate068", G69 "BenchmarkedGate069",
    G70 "BenchmarkedGate070", G71 "BenchmarkedGate071", G72 "BenchmarkedGate072", G73 "BenchmarkedGate073", G74 "BenchmarkedGate074",
    G75 "BenchmarkedGate075", G76 "BenchmarkedGate076", G77 "BenchmarkedGate077", G78 "BenchmarkedGate078", G79 "BenchmarkedGate079",
    G80 "BenchmarkedGate080", G81 "BenchmarkedGate081", G82 "BenchmarkedGate082", G83 "BenchmarkedGate083", G84 "BenchmarkedGate084",
    G85 "BenchmarkedGate085", G86 "BenchmarkedGate086", G87 "BenchmarkedGate087", G88 "BenchmarkedGate088", G89 "BenchmarkedGate089",
    G90 "BenchmarkedGate090", G91 "BenchmarkedGate091", G92 "BenchmarkedGate092", G93 "BenchmarkedGate093", G94 "BenchmarkedGate094",
    G95 "BenchmarkedGate095", G96 "BenchmarkedGate096", G97 "BenchmarkedGate097", G98 "BenchmarkedGate098", G99 "BenchmarkedGate099",
}

const VERSION: Version = Version::new(1, 35);

fn main() {
    let (rounds, checks, parses) = if quick() { (5, 1_000_000, 2_000) } else { (9, 20_000_000, 20_000) };
    report_lower("featuregate/enabled", "ns", best(rounds, || enabled(checks)));
    report_lower("featuregate/parse-200", "µs", best(rounds, || parse(parses)) / 1000.0);
}

/// Returns the nanoseconds per check, over 100 gates in turn.
fn enabled(checks: u32) -> f64 {
    let gates = FeatureGates::builder("bench", VERSION).gates::<Hundred>().build().expect("valid gates");
    gates.install();
    let pairs = GATES.iter().enumerate().map(|(i, gate)| (gate, i % 2 == 1));
    gates.set_from_map(pairs).expect("accepted");
    let mut on = 0;
    let took = time(|| {
        for _ in 0..checks / 100 {
            for gate in black_box(&GATES) {
                on += u32::from(gate.enabled());
            }
        }
    });
    assert_eq!(on, checks / 2, "half of the gates are on");
    took.as_secs_f64() * 1e9 / f64::from(checks)
}

/// Returns the nanoseconds to set 200 gates from one string, with different values each time.
fn parse(parses: u32) -> f64 {
    let names: Vec<_> = (0..200).map(|i| format!("BenchmarkedGate{i:03}")).collect();
    let specs = [
        Spec::new(Version::new(1, 30), Stage::Alpha, false),
        Spec::new(Version::new(1, 33), Stage::Beta, true),
    ];
    let builder = FeatureGates::builder("bench", VERSION);
    let builder = names.iter().fold(builder, |builder, name| builder.gate(name, "", specs));
    let gates = builder.build().expect("valid gates");
    let text = |parity| {
        let pairs: Vec<_> =
            names.iter().enumerate().map(|(i, name)| format!("{name}={}", i % 2 == parity)).collect();
        pairs.join(",")
    };
    let texts = [text(0), text(1)];
    let took = time(|| {
        for i in 0..parses as usize {
            gates.set(black_box(&texts[i % 2])).expect("accepted");
        }
    });
    took.as_secs_f64() * 1e9 / f64::from(parses)
}

#[expect(clippy::disallowed_types, reason = "a benchmark measures real time")]
fn time(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

/// Returns the best of several rounds, so that other load on the machine does not count.
fn best(rounds: usize, measure: impl Fn() -> f64) -> f64 {
    (0..rounds).map(|_| measure()).fold(f64::INFINITY, f64::min)
}
