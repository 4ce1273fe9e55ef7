package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"trimtab.example/peers/controller-runtime/measure"
)

const ofEachKind = 10

func kinds() []client.Object {
	return []client.Object{
		&corev1.ConfigMap{}, &discoveryv1.EndpointSlice{}, &coordinationv1.Lease{}, &corev1.LimitRange{},
		&networkingv1.NetworkPolicy{}, &policyv1.PodDisruptionBudget{}, &corev1.ResourceQuota{}, &rbacv1.Role{},
		&corev1.Secret{}, &corev1.ServiceAccount{},
	}
}

// many measures a hundred controllers over ten kinds: the time until all have begun, and the memory. The informers of a
// kind are shared, as a manager does.
func many(o options) error {
	begun, empty := time.Now(), measure.Resident()
	manager, err := newManager(o, cache.Options{})
	if err != nil {
		return err
	}
	var reconciles, controllers atomic.Int64
	total := int64(len(kinds()) * ofEachKind)
	allBegun := make(chan struct{})
	for number, kind := range kinds() {
		for copy := range ofEachKind {
			var first sync.Once
			reconciler := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
				reconciles.Add(1)
				first.Do(func() {
					if controllers.Add(1) == total {
						close(allBegun)
					}
				})
				return reconcile.Result{}, nil
			})
			name := fmt.Sprintf("bench-%d-%d", number, copy)
			if err := ctrl.NewControllerManagedBy(manager).For(kind).Named(name).Complete(reconciler); err != nil {
				return err
			}
		}
	}
	return whileRunning(manager, func(context.Context) error {
		<-allBegun
		took := time.Since(begun)
		for reconciles.Load() < total*int64(o.objects) {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(6 * time.Second)
		measure.Report("controller/many-s", "s", took.Seconds())
		measure.Report("controller/many-rss", "MB", float64(measure.Resident()-empty)/1e6)
		return nil
	})
}
