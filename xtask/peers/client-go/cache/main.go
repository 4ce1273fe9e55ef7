// Command cache runs client-go's indexer in our store's benchmark, with the same objects.
package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"trimtab.example/peers/client-go/measure"
)

const (
	count  = 100_000
	rounds = 21
	batch  = 100
)

func main() {
	runtime.LockOSThread()
	objects := make([]*corev1.ConfigMap, count)
	for number := range objects {
		objects[number] = object(number, 0)
	}
	empty := live()
	store := indexer()
	for _, object := range objects {
		must(store.Add(object))
	}
	measure.Report("cache/overhead", "bytes", (live()-empty)/count)

	must(store.AddIndexers(cache.Indexers{"app": label("app")}))
	measure.Report("cache/index-1pct", "µs", median(func() {
		found, err := store.ByIndex("app", "app-7")
		must(err)
		check(len(found))
	}))
	selector := labels.SelectorFromSet(labels.Set{"app": "app-7"})
	measure.Report("cache/label-1pct", "µs", median(func() {
		var found []*corev1.ConfigMap
		must(cache.ListAll(store, selector, func(object any) { found = append(found, object.(*corev1.ConfigMap)) }))
		check(len(found))
	}))
	runtime.KeepAlive(objects)
	measure.Report("cache/update-3-indexes", "ns", updates())
}

// updates measures one update: the object's node changes, its namespace and owner stay. The new object was just
// created, as after decoding; the collection of the old one is not measured.
func updates() float64 {
	store := indexer()
	for number := range count {
		must(store.Add(object(number, 0)))
	}
	runtime.GC()
	var spent time.Duration
	for first := 0; first < count; first += batch {
		changed := make([]*corev1.ConfigMap, batch)
		for step := range changed {
			changed[step] = object((first+step)*7_919%count, 1)
		}
		begun := cpu()
		for _, object := range changed {
			must(store.Update(object))
		}
		spent += cpu() - begun
	}
	return float64(spent.Nanoseconds()) / count
}

func indexer() cache.Indexer {
	return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
		"owner": func(object any) ([]string, error) {
			if owner := metav1.GetControllerOf(object.(metav1.Object)); owner != nil {
				return []string{string(owner.UID)}, nil
			}
			return nil, nil
		},
		"node": label("node"),
	})
}

func label(key string) cache.IndexFunc {
	return func(object any) ([]string, error) {
		if value, found := object.(*corev1.ConfigMap).Labels[key]; found {
			return []string{value}, nil
		}
		return nil, nil
	}
}

func object(number, round int) *corev1.ConfigMap {
	owner, node, controller := number/10, (number+round)%500, true
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace:       fmt.Sprintf("shop-%05d", number/250),
		Name:            fmt.Sprintf("shop-checkout-%010x-%05x", owner, number),
		UID:             types.UID(fmt.Sprintf("%08x-0000-4000-8000-%012x", number, number)),
		ResourceVersion: fmt.Sprint(1_000_000 + number + round*count),
		Labels: map[string]string{
			"app":               fmt.Sprintf("app-%d", number%100),
			"node":              fmt.Sprintf("ip-10-20-%d-%d.internal", node/200, node%200),
			"pod-template-hash": fmt.Sprintf("%010x", owner),
		},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "apps/v1",
			Kind:       "ReplicaSet",
			Name:       fmt.Sprintf("shop-checkout-%010x", owner),
			UID:        types.UID(fmt.Sprintf("%08x-1111-4000-8000-%012x", owner, owner)),
			Controller: &controller,
		}},
	}}
}

// median returns the median of many runs, in microseconds.
func median(run func()) float64 {
	times := make([]time.Duration, rounds)
	for round := range times {
		begun := cpu()
		run()
		times[round] = cpu() - begun
	}
	slices.Sort(times)
	return float64(times[rounds/2].Nanoseconds()) / 1e3
}

// cpu returns the CPU time of this thread, without the collector's threads and other programs.
func cpu() time.Duration {
	var spent unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &spent))
	return time.Duration(spent.Nano())
}

func live() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

func check(found int) {
	if found != count/100 {
		panic(fmt.Sprintf("found %d of %d", found, count/100))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
