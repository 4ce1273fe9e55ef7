// Package measure tells what this process has cost, and prints measurements as `cargo xtask bench` reads them.
package measure

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Cost is what a process has used since its start.
type Cost struct {
	// CPU is user and system time.
	CPU time.Duration
	// RSS is the resident memory in bytes.
	RSS int64
}

// SoFar is the cost of this process until now. It panics where there is no /proc.
func SoFar() Cost {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return Cost{CPU: time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), RSS: resident()}
}

func resident() int64 {
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
	panic("no VmRSS in /proc/self/status")
}

// Report prints one measurement, of which less is better.
func Report(bench, unit string, value float64) {
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
