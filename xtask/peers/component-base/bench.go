package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/featuregate"
)

// Both report the best of several rounds, so that a busy moment of the machine does not count.
func bench(quick bool) {
	rounds, checks, parses := 9, 4_000_000, 4_000
	if quick {
		rounds, checks, parses = 5, 1_000_000, 500
	}
	report("featuregate/enabled", "ns", best(rounds, enabled(checks)))
	report("featuregate/parse-200", "µs", best(rounds, parse(parses))/1000)
}

// The time of a check in nanoseconds, of 100 gates in turn.
func enabled(checks int) func() float64 {
	gate, names := gates(100)
	if err := gate.Set(setting(names, 1)); err != nil {
		panic(err)
	}
	return func() float64 {
		on := 0
		start := time.Now()
		for i := range checks {
			if gate.Enabled(names[i%len(names)]) {
				on++
			}
		}
		took := time.Since(start)
		if on != checks/2 {
			panic("half of the gates are on")
		}
		return float64(took.Nanoseconds()) / float64(checks)
	}
}

// The time in nanoseconds to set 200 gates from one string, with other values each time.
func parse(parses int) func() float64 {
	gate, names := gates(200)
	texts := [2]string{setting(names, 0), setting(names, 1)}
	return func() float64 {
		start := time.Now()
		for i := range parses {
			if err := gate.Set(texts[i%2]); err != nil {
				panic(err)
			}
		}
		return float64(time.Since(start).Nanoseconds()) / float64(parses)
	}
}

func gates(count int) (featuregate.MutableVersionedFeatureGate, []featuregate.Feature) {
	gate := featuregate.NewVersionedFeatureGate(version.MajorMinor(1, 35))
	names := make([]featuregate.Feature, count)
	specs := map[featuregate.Feature]featuregate.VersionedSpecs{}
	for i := range names {
		names[i] = featuregate.Feature(fmt.Sprintf("BenchmarkedGate%03d", i))
		specs[names[i]] = featuregate.VersionedSpecs{
			{Version: version.MajorMinor(1, 30), Default: false, PreRelease: featuregate.Alpha},
			{Version: version.MajorMinor(1, 33), Default: true, PreRelease: featuregate.Beta},
		}
	}
	if err := gate.AddVersioned(specs); err != nil {
		panic(err)
	}
	return gate, names
}

// Every second gate is on.
func setting(names []featuregate.Feature, parity int) string {
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf("%s=%t", name, i%2 == parity)
	}
	return strings.Join(pairs, ",")
}

func best(rounds int, measure func() float64) float64 {
	least := measure()
	for range rounds - 1 {
		least = min(least, measure())
	}
	return least
}

func report(bench, unit string, value float64) {
	line := struct {
		Bench  string  `json:"bench"`
		Unit   string  `json:"unit"`
		Better string  `json:"better"`
		Value  float64 `json:"value"`
	}{bench, unit, "lower", value}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}
