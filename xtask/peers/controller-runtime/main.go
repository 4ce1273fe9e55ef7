// Command controller-runtime runs controller-runtime's priority queue in our queue's benchmark: go run . [--quick]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

const count = 100_000

func main() {
	rounds := 21
	if slices.Contains(os.Args, "--quick") {
		rounds = 5
	}
	keys := make([]string, count)
	for n := range keys {
		keys[n] = fmt.Sprintf("namespace-%04d/replicaset-%09d", n%100, n)
	}
	times := make([]time.Duration, rounds)
	for round := range times {
		times[round] = addThenTake(keys)
	}
	slices.Sort(times)
	err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"bench":  "workqueue/priority/100k",
		"unit":   "ns",
		"better": "lower",
		"value":  float64(times[rounds/2].Nanoseconds()) / count,
	})
	if err != nil {
		panic(err)
	}
}

func addThenTake(keys []string) time.Duration {
	queue := priorityqueue.New[string]("")
	defer queue.ShutDown()
	start := time.Now()
	for n, key := range keys {
		priority := n * 37 % 100
		queue.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, key)
	}
	for range keys {
		key, _, _ := queue.GetWithPriority()
		queue.Done(key)
	}
	return time.Since(start)
}
