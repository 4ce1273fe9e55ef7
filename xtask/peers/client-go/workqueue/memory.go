package main

import (
	"runtime"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

const memoryCount = 1_000_000

// memory measures the memory of a queued key besides its text, and the memory that remains after a burst. It counts
// live memory after a collection; the process takes more from the system.
func memory() {
	keys := keys(memoryCount)
	queue := workqueue.NewTyped[string]()
	empty := live()
	for _, key := range keys {
		queue.Add(key)
	}
	report := func(name string) {
		measure.Report("workqueue/bytes-per-key/"+name, "bytes", max(0, live()-empty)/memoryCount)
	}
	report("1m")
	for range keys {
		key, _ := queue.Get()
		queue.Done(key)
	}
	report("1m-left")
	queue.ShutDown()
	runtime.KeepAlive(keys)
}

func live() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
