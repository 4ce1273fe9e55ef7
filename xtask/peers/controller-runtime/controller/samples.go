package main

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// settle is the time after the initial reconciles until changes begin.
const settle = time.Second

// samples is a reconciler that measures the time from a change at the server to the start of its reconcile.
type samples struct {
	client      client.Client
	reconciles  atomic.Int64
	lock        sync.Mutex
	nanoseconds []int64
	last        chan struct{}
}

func newSamples(client client.Client) *samples {
	return &samples{client: client, last: make(chan struct{}, 1)}
}

func (s *samples) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	started := time.Now().UnixNano()
	var object corev1.ConfigMap
	if err := s.client.Get(ctx, request.NamespacedName, &object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s.reconciles.Add(1)
	sent, err := strconv.ParseInt(object.Data["sent"], 10, 64)
	if err != nil {
		return ctrl.Result{}, nil // an object that was not changed yet
	}
	s.lock.Lock()
	s.nanoseconds = append(s.nanoseconds, max(started-sent, 0))
	s.lock.Unlock()
	if object.Data["last"] != "" {
		s.last <- struct{}{}
	}
	return ctrl.Result{}, nil
}

// waitForInitial waits until every object has been reconciled.
func (s *samples) waitForInitial(objects int) {
	for s.reconciles.Load() < int64(objects) {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(settle)
}

// waitForLast waits for the reconcile of the last change, and returns all samples in ascending order.
func (s *samples) waitForLast() []int64 {
	<-s.last
	s.lock.Lock()
	defer s.lock.Unlock()
	sorted := s.nanoseconds
	s.nanoseconds = nil
	slices.Sort(sorted)
	return sorted
}

func percentile(sorted []int64, percent int) float64 {
	return float64(sorted[len(sorted)*percent/100])
}
