// Command workqueue runs client-go's queue in our queue's benchmarks: go run ./workqueue [--quick] [NAME…]
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

var quick = slices.Contains(os.Args, "--quick")

func main() {
	scenarios := []struct {
		name string
		run  func()
	}{
		{"memory", memory}, // first, because it measures the process
		{"backlog", backlog},
		{"cycle", cycle},
		{"contention", contention},
		{"storm", storm},
		{"delay", delay},
	}
	asked := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(argument string) bool {
		return strings.HasPrefix(argument, "--")
	})
	for _, scenario := range scenarios {
		if len(asked) == 0 || slices.Contains(asked, scenario.name) {
			scenario.run()
		}
	}
}

// keys makes count different keys of 35 characters.
func keys(count int) []string {
	keys := make([]string, count)
	for n := range keys {
		keys[n] = fmt.Sprintf("namespace-%04d/replicaset-%09d", n%100, n)
	}
	return keys
}

// median returns the median result of run in that many rounds.
func median(rounds int, run func() time.Duration) time.Duration {
	times := make([]time.Duration, rounds)
	for round := range times {
		times[round] = run()
	}
	slices.Sort(times)
	return times[rounds/2]
}

func nsEach(elapsed time.Duration, count int) float64 {
	return float64(elapsed.Nanoseconds()) / float64(count)
}

func backlog() {
	sizes := []struct {
		name          string
		count         int
		rounds, quick int
	}{{"1k", 1_000, 2001, 201}, {"100k", 100_000, 31, 7}, {"1m", 1_000_000, 5, 1}}
	each := map[string]float64{}
	for _, size := range sizes {
		keys := keys(size.count)
		rounds := size.rounds
		if quick {
			rounds = size.quick
		}
		elapsed := median(rounds, func() time.Duration { return addThenTake(keys) })
		each[size.name] = nsEach(elapsed, size.count)
		measure.Report("workqueue/backlog/"+size.name, "ns", each[size.name])
		// It has no cheaper call for a worker and none for a borrowed key: Go shares strings anyway.
		measure.Report("workqueue/backlog/"+size.name+"-worker", "ns", each[size.name])
	}
	measure.Report("workqueue/growth", "ratio", each["1m"]/each["1k"])
}

func addThenTake(keys []string) time.Duration {
	queue := workqueue.NewTyped[string]()
	defer queue.ShutDown()
	start := time.Now()
	for _, key := range keys {
		queue.Add(key)
	}
	for range keys {
		key, _ := queue.Get()
		queue.Done(key)
	}
	return time.Since(start)
}

func storm() {
	keys := keys(10_000)
	queue := workqueue.NewTyped[string]()
	defer queue.ShutDown()
	for _, key := range keys {
		queue.Add(key)
	}
	times, rounds := 1_000, 3
	if quick {
		times, rounds = 100, 1
	}
	elapsed := median(rounds, func() time.Duration {
		start := time.Now()
		for range times {
			for _, key := range keys {
				queue.Add(key)
			}
		}
		return time.Since(start)
	})
	measure.Report("workqueue/storm", "ns", nsEach(elapsed, times*len(keys)))
	measure.Report("workqueue/storm-ref", "ns", nsEach(elapsed, times*len(keys)))
}
