// Command controller runs controller-runtime's controllers in the benchmark of ours.
//
//	controller -scenario latency|loaded|isolation -url http://127.0.0.1:PORT -objects N -events N -rate N
//	controller -scenario throughput -url http://127.0.0.1:PORT -objects N [-quick]
//	controller -scenario many -url http://127.0.0.1:PORT -objects N
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// workers is the number of workers of a controller that is measured, ours and the peers'.
const workers = 8

// options are the scenario and the server.
type options struct {
	scenario, url         string
	objects, events, rate int
	quick                 bool
}

func main() {
	var o options
	flag.StringVar(&o.scenario, "scenario", "", "latency, loaded, throughput, isolation or many")
	flag.StringVar(&o.url, "url", "", "the API server")
	flag.IntVar(&o.objects, "objects", 0, "the number of objects")
	flag.IntVar(&o.events, "events", 0, "the number of changes")
	flag.IntVar(&o.rate, "rate", 0, "the rate of changes a second")
	flag.BoolVar(&o.quick, "quick", false, "measure fewer rounds")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "controller:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	switch o.scenario {
	case "latency":
		return latency(o, row{"controller/latency-p50", 50}, row{"controller/latency-p99", 99})
	case "loaded":
		return latency(o, row{"controller/loaded-p99", 99})
	case "throughput":
		return throughput(o)
	case "isolation":
		return isolation(o)
	case "many":
		return many(o)
	}
	return fmt.Errorf("-scenario %s is not known", o.scenario)
}

func newManager(o options, cacheOptions cache.Options) (ctrl.Manager, error) {
	return ctrl.NewManager(&rest.Config{Host: o.url, QPS: -1}, ctrl.Options{
		Cache:   cacheOptions,
		Metrics: metricsserver.Options{BindAddress: "0"}, // they are counted, and not served
	})
}

func withWorkers() controller.Options {
	return controller.Options{MaxConcurrentReconciles: workers}
}

// whileRunning runs the manager until measure returns.
func whileRunning(manager ctrl.Manager, measure func(context.Context) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 2)
	go func() {
		err := manager.Start(ctx)
		ended <- errors.Join(errors.New("the manager has ended"), err)
	}()
	go func() { ended <- measure(ctx) }()
	return <-ended
}

// startChanges lets the server change its objects.
func startChanges(ctx context.Context, client client.Client, command string, o options) error {
	return send(ctx, client, command, map[string]string{
		"changes": strconv.Itoa(o.events), "rate": strconv.Itoa(o.rate),
	})
}

// startRefusing lets the server end the watches of a resource, and refuse all further requests for it.
func startRefusing(ctx context.Context, client client.Client, resource string) error {
	return send(ctx, client, "refuse", map[string]string{"refuse": resource})
}

// send sends a command: a Lease with annotations.
func send(ctx context.Context, client client.Client, name string, annotations map[string]string) error {
	return client.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: annotations},
	})
}
