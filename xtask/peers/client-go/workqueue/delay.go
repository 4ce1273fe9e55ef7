package main

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

const (
	delayCount = 1_000_000
	// The first delay ends now. On a machine that is not overloaded, all keys were added before.
	delayLead   = 4 * time.Second
	delaySpread = time.Second
)

// delay measures the cost of a delay, and the lateness of the last of a million delays that end within one second.
func delay() {
	keys := keys(delayCount)
	queue := workqueue.NewTypedDelayingQueue[string]()
	start := time.Now()
	for n, key := range keys {
		place := n * 48_271 % delayCount // a permutation of all places
		due := delayLead + delaySpread*time.Duration(place)/delayCount
		queue.AddAfter(key, due-time.Since(start))
	}
	elapsed := time.Since(start)
	measure.Report("workqueue/delay-add/1m", "ns", nsEach(elapsed, delayCount))
	for range keys {
		key, _ := queue.Get()
		queue.Done(key)
	}
	late := max(0, time.Since(start)-delayLead-delaySpread)
	measure.Report("workqueue/delay-late/1m", "ms", float64(late.Microseconds())/1e3)
	queue.ShutDown()
}
