package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

const (
	contentionPairs = 8
	contentionCount = 400_000
)

// contention runs more producers and workers than there are processors.
func contention() {
	keys := keys(contentionCount)
	rounds := 11
	if quick {
		rounds = 3
	}
	// Goroutines that are wired to threads of their own, as ours are.
	var latencies []time.Duration
	threads := median(rounds, func() time.Duration {
		return contend(keys, contentionPairs, true, &latencies)
	})
	measure.Report("workqueue/contention/8x8-threads", "ns", nsEach(threads, contentionCount))
	reportAdds("workqueue/contention/8x8-add", latencies)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, pairs := range []int{8, 32} {
		name := fmt.Sprintf("workqueue/contention/%dx%d-tasks", pairs, pairs)
		tasks := median(rounds, func() time.Duration { return contend(keys, pairs, false, nil) })
		measure.Report(name, "ns", nsEach(tasks, contentionCount))
	}
}

// contend lets that many producers add all keys, and as many workers take them. It appends the latency of each add to
// latencies, if it is not nil.
func contend(keys []string, pairs int, wired bool, latencies *[]time.Duration) time.Duration {
	queue := workqueue.NewTyped[string]()
	var producers, workers sync.WaitGroup
	var lock sync.Mutex
	run := func(group *sync.WaitGroup, work func()) {
		group.Add(1)
		go func() {
			defer group.Done()
			if wired {
				runtime.LockOSThread() // the thread ends with the goroutine
			}
			work()
		}()
	}
	start := time.Now()
	for range pairs {
		run(&workers, func() {
			for {
				key, shutdown := queue.Get()
				if shutdown {
					return
				}
				queue.Done(key)
			}
		})
	}
	for producer := range pairs {
		run(&producers, func() {
			var mine []time.Duration
			if latencies != nil {
				mine = make([]time.Duration, 0, len(keys)/pairs+1)
			}
			for n := producer; n < len(keys); n += pairs {
				if latencies == nil {
					queue.Add(keys[n])
					continue
				}
				start := time.Now()
				queue.Add(keys[n])
				mine = append(mine, time.Since(start))
			}
			if latencies != nil {
				lock.Lock()
				defer lock.Unlock()
				*latencies = append(*latencies, mine...)
			}
		})
	}
	producers.Wait()
	queue.ShutDown()
	workers.Wait()
	return time.Since(start)
}

// reportAdds prints the percentiles of latencies.
func reportAdds(name string, latencies []time.Duration) {
	slices.Sort(latencies)
	for _, percentile := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99.9", 0.999}, {"p99.99", 0.9999}} {
		at := int(float64(len(latencies)-1) * percentile.share)
		measure.Report(name+"-"+percentile.name, "us", float64(latencies[at].Nanoseconds())/1e3)
	}
}
