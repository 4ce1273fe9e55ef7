// Upstream's expectations and claims at the work of the benchmarks `expectations` and `ownership`.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	apps "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller"
)

func main() {
	quick := false
	for _, argument := range os.Args[1:] {
		quick = quick || argument == "--quick" || argument == "-quick"
	}
	rounds := 7
	if quick {
		rounds = 3
	}
	report("expectations/observe", "ns", best(rounds, observe))
	report("expectations/ready", "ns", best(rounds, ready))
	report("ownership/claim", "µs", best(rounds, claim)/1000)
}

// Nanoseconds of an observation, of 100,000 keys from 4 threads.
func observe() float64 {
	const keys, threads = 100_000, 4
	logger := klog.Background()
	expectations := controller.NewControllerExpectations()
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("default/web-%d", i)
		if err := expectations.ExpectCreations(logger, names[i], threads); err != nil {
			panic(err)
		}
	}
	var group sync.WaitGroup
	start := time.Now()
	for range threads {
		group.Go(func() {
			for _, name := range names {
				expectations.CreationObserved(logger, name)
			}
		})
	}
	group.Wait()
	took := time.Since(start)
	if !expectations.SatisfiedExpectations(logger, names[0]) {
		panic("all was observed")
	}
	return float64(took.Nanoseconds()) / (keys * threads)
}

// Nanoseconds of a check of a key that may act.
func ready() float64 {
	const keys, checks = 1_000, 1_000_000
	logger := klog.Background()
	expectations := controller.NewControllerExpectations()
	names := make([]string, keys)
	for i := range names {
		names[i] = fmt.Sprintf("default/web-%d", i)
		if err := expectations.SetExpectations(logger, names[i], 0, 0); err != nil {
			panic(err)
		}
	}
	acts := 0
	start := time.Now()
	for i := range checks {
		if expectations.SatisfiedExpectations(logger, names[i%keys]) {
			acts++
		}
	}
	took := time.Since(start)
	if acts != checks {
		panic("every key may act")
	}
	return float64(took.Nanoseconds()) / checks
}

// Nanoseconds to claim 500 owned Pods of 10,000 in a namespace, with nothing to patch, through an index by owner.
func claim() float64 {
	const pods, owned, claims = 10_000, 500, 50
	set := &apps.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web-0", UID: "uid-0"}}
	kind := apps.SchemeGroupVersion.WithKind("ReplicaSet")
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{
		"owner": func(object any) ([]string, error) {
			return []string{string(metav1.GetControllerOf(object.(*v1.Pod)).UID)}, nil
		},
	})
	for i := range pods {
		owner := i / owned
		reference := metav1.NewControllerRef(&apps.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("web-%d", owner), UID: types.UID(fmt.Sprintf("uid-%d", owner))}}, kind)
		pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: fmt.Sprintf("pod-%d", i), UID: types.UID(fmt.Sprintf("pod-%d", i)),
			Labels: map[string]string{"app": "web", "set": fmt.Sprint(owner)}, OwnerReferences: []metav1.OwnerReference{*reference}}}
		if err := indexer.Add(pod); err != nil {
			panic(err)
		}
	}
	selector := labels.SelectorFromSet(labels.Set{"app": "web", "set": "0"})
	start := time.Now()
	for range claims {
		objects, err := indexer.ByIndex("owner", "uid-0")
		if err != nil {
			panic(err)
		}
		mine := make([]*v1.Pod, len(objects))
		for i, object := range objects {
			mine[i] = object.(*v1.Pod)
		}
		manager := controller.NewPodControllerRefManager(controller.RealPodControl{}, set, selector, kind, nil)
		claimed, err := manager.ClaimPods(context.Background(), mine)
		if err != nil || len(claimed) != owned {
			panic("500 Pods are owned")
		}
	}
	return float64(time.Since(start).Nanoseconds()) / claims
}

func best(rounds int, measure func() float64) float64 {
	least := measure()
	for range rounds - 1 {
		least = min(least, measure())
	}
	return least
}

func report(bench, unit string, value float64) {
	line, err := json.Marshal(map[string]any{"bench": bench, "unit": unit, "better": "lower", "value": value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
