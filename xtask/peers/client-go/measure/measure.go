// Package measure measures the cost of this process and prints measurements for `cargo xtask bench`.
package measure

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Cost is the CPU time and memory of a process since its start.
type Cost struct {
	// CPU is user and system time.
	CPU time.Duration
	// RSS is the resident memory in bytes.
	RSS int64
	// Peak is the highest RSS since the start, or since ForgetPeak.
	Peak int64
}

// SoFar returns the cost of this process until now. It panics where there is no /proc.
func SoFar() Cost {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return Cost{
		CPU:  time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		RSS:  status("VmRSS:"),
		Peak: status("VmHWM:"),
	}
}

// CPUEach returns the CPU time since earlier for each of n, in microseconds.
func (c Cost) CPUEach(earlier Cost, n int) float64 {
	return (c.CPU - earlier.CPU).Seconds() * 1e6 / float64(n)
}

// RSSEach returns the memory beyond empty for each of n, in kilobytes.
func (c Cost) RSSEach(empty Cost, n int) float64 {
	return float64(c.RSS-empty.RSS) / 1e3 / float64(n)
}

// PeakOver returns the peak as a multiple of steady, both beyond empty.
func (c Cost) PeakOver(steady, empty Cost) float64 {
	return float64(c.Peak-empty.RSS) / float64(steady.RSS-empty.RSS)
}

// ForgetPeak resets the peak to the memory that is resident now. It panics where there is no /proc.
func ForgetPeak() {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		panic(err)
	}
}

func status(name string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if text, found := strings.CutPrefix(line, name); found {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				panic(err)
			}
			return kilobytes * 1024
		}
	}
	panic("no " + name + " in /proc/self/status")
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
