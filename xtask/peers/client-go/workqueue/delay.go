package main

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

const (
	delayCount = 1_000_000
	// The first delay ends then: on a machine that is not overloaded, all keys were added before.
	delayLead   = 4 * time.Second
	delaySpread = time.Second
)

// delay asks what a delay costs, and how late the last of a million is that end within one second.
func delay() {
	keys := keys(delayCount)
	queue := workqueue.NewTypedDelayingQueue[string]()
	start := time.Now()
	for n, key := range keys {
		place := n * 48_271 % delayCount // every place once, in no order
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
