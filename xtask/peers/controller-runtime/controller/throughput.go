package main

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"trimtab.example/peers/controller-runtime/measure"
)

// throughput measures reconciles that do nothing: the median of some rounds, each of which adds every key to the queue once.
func throughput(o options) error {
	manager, err := newManager(o, cache.Options{})
	if err != nil {
		return err
	}
	var reconciles atomic.Int64
	over := make(chan struct{}, 1)
	reconciler := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
		if reconciles.Add(1)%int64(o.objects) == 0 {
			over <- struct{}{}
		}
		return reconcile.Result{}, nil
	})
	queues := make(chan workqueue.TypedRateLimitingInterface[reconcile.Request], 1)
	err = ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).WithOptions(withWorkers()).
		WatchesRawSource(source.Func(
			func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
				queues <- queue
				return nil
			})).
		Complete(reconciler)
	if err != nil {
		return err
	}
	return whileRunning(manager, func(ctx context.Context) error {
		<-over // the initial reconciles
		queue := <-queues
		var list corev1.ConfigMapList
		if err := manager.GetClient().List(ctx, &list); err != nil {
			return err
		}
		keys := make([]reconcile.Request, len(list.Items))
		for i := range list.Items {
			keys[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
		}
		rates := make([]float64, 11)
		if o.quick {
			rates = rates[:3]
		}
		for round := range rates {
			begun := time.Now()
			for _, key := range keys {
				queue.Add(key)
			}
			<-over
			rates[round] = float64(len(keys)) / time.Since(begun).Seconds()
		}
		slices.Sort(rates)
		measure.ReportMore("controller/throughput", "/s", rates[len(rates)/2])
		return nil
	})
}
