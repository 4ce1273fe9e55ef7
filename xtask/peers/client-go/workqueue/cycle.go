package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	"trimtab.example/peers/client-go/measure"
)

const cycleRounds = 5

// cycle runs producers and workers on one queue, on two threads.
func cycle() {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for _, pairs := range []int{1, 2} {
		for _, size := range []struct {
			name           string
			count, repeats int
		}{{"1k", 1_000, 101}, {"100k", 100_000, 5}} {
			repeats := size.repeats
			if quick {
				repeats /= 5
			}
			keys := keys(size.count)
			elapsed := median(repeats, func() time.Duration { return meet(keys, pairs) })
			name := fmt.Sprintf("workqueue/cycle/%dx%d/%s", pairs, pairs, size.name)
			measure.Report(name, "ns", nsEach(elapsed, cycleRounds*size.count))
		}
	}
}

// meet runs the rounds: in each the producers add all keys and the workers take them.
func meet(keys []string, pairs int) time.Duration {
	queue := workqueue.NewTyped[string]()
	var left atomic.Int64
	allDone := make(chan struct{}, 1)
	for range pairs {
		go func() {
			for {
				key, shutdown := queue.Get()
				if shutdown {
					return
				}
				queue.Done(key)
				if left.Add(-1) == 0 {
					allDone <- struct{}{}
				}
			}
		}()
	}
	start := time.Now()
	for range cycleRounds {
		left.Store(int64(len(keys)))
		for producer := range pairs {
			go func() {
				for n := producer; n < len(keys); n += pairs {
					queue.Add(keys[n])
				}
			}()
		}
		<-allDone
	}
	elapsed := time.Since(start)
	queue.ShutDown()
	return elapsed
}
