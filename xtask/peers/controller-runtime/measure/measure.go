// Package measure measures the memory of this process and prints measurements for `cargo xtask bench`.
package measure

import (
	"encoding/json"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// Resident returns the resident memory in bytes after a garbage collection. It panics where there is no /proc.
func Resident() int64 {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				panic(err)
			}
			return kilobytes * 1024
		}
	}
	panic("no VmRSS: in /proc/self/status")
}

// Report prints a measurement of which lower is better.
func Report(bench, unit string, value float64) {
	report("lower", bench, unit, value)
}

// ReportMore prints a measurement of which higher is better.
func ReportMore(bench, unit string, value float64) {
	report("higher", bench, unit, value)
}

func report(better, bench, unit string, value float64) {
	line := struct {
		Bench  string  `json:"bench"`
		Unit   string  `json:"unit"`
		Better string  `json:"better"`
		Value  float64 `json:"value"`
	}{bench, unit, better, value}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}
