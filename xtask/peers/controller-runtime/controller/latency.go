package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"trimtab.example/peers/controller-runtime/measure"
)

// row is the name of a benchmark, and the percentile that it reports.
type row struct {
	bench   string
	percent int
}

// latency measures a controller of all objects.
func latency(o options, rows ...row) error {
	manager, err := newManager(o, cache.Options{})
	if err != nil {
		return err
	}
	samples := newSamples(manager.GetClient())
	err = ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).WithOptions(withWorkers()).Complete(samples)
	if err != nil {
		return err
	}
	return whileRunning(manager, func(ctx context.Context) error {
		samples.waitForInitial(o.objects)
		if err := startChanges(ctx, manager.GetClient(), "changes", o); err != nil {
			return err
		}
		sorted := samples.waitForLast()
		for _, row := range rows {
			measure.Report(row.bench, "µs", percentile(sorted, row.percent)/1e3)
		}
		return nil
	})
}

// failing is the time from the first refusal to the first change.
const failing = 3 * time.Second

// isolation measures the latency of a source without and with another source that fails for ever. The other source
// fails after the start, because a controller without a first list of every source does not start.
func isolation(o options) error {
	var failures atomic.Int64
	manager, err := newManager(o, cache.Options{
		DefaultWatchErrorHandler: func(context.Context, *toolscache.Reflector, error) { failures.Add(1) },
	})
	if err != nil {
		return err
	}
	samples := newSamples(manager.GetClient())
	err = ctrl.NewControllerManagedBy(manager).For(&corev1.ConfigMap{}).Owns(&corev1.Secret{}).
		WithOptions(withWorkers()).Complete(samples)
	if err != nil {
		return err
	}
	return whileRunning(manager, func(ctx context.Context) error {
		samples.waitForInitial(o.objects)
		if err := startChanges(ctx, manager.GetClient(), "alone", o); err != nil {
			return err
		}
		alone := percentile(samples.waitForLast(), 99) / 1e6
		if err := startRefusing(ctx, manager.GetClient(), "secrets"); err != nil {
			return err
		}
		time.Sleep(failing)
		if err := startChanges(ctx, manager.GetClient(), "failing", o); err != nil {
			return err
		}
		beside := percentile(samples.waitForLast(), 99) / 1e6
		if failures.Load() == 0 {
			return errors.New("the watch of Secrets does not fail")
		}
		measure.Report("controller/isolation-p99", "ms", beside)
		measure.Report("controller/isolation-alone-p99", "ms", alone)
		measure.Report("controller/isolation-more", "ms", beside-alone)
		return nil
	})
}
