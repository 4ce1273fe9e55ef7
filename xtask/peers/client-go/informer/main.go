// Command informer runs client-go's shared informer in our informer's benchmark, on the load or on a real API server.
//
//	informer -scenario sync|list|relist|latency -url http://127.0.0.1:PORT -objects N -events M -form whole|slim
//	informer -scenario real -kubeconfig FILE -namespace NAME -objects N -form proto-slim
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"trimtab.example/peers/client-go/measure"
)

// options are the scenario and the server.
type options struct {
	scenario, url, kubeconfig, namespace, form string
	objects, events, rate                      int
}

func main() {
	var o options
	flag.StringVar(&o.scenario, "scenario", "sync", "sync, list, relist, latency or real")
	flag.StringVar(&o.url, "url", "", "the load")
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "a real API server")
	flag.StringVar(&o.namespace, "namespace", "", "the namespace of its Pods")
	flag.StringVar(&o.form, "form", "whole", "whole objects, or slim ones by a transform; proto-slim asks for protobuf")
	flag.IntVar(&o.objects, "objects", 0, "the number of Pods")
	flag.IntVar(&o.events, "events", 0, "the number of changes to follow")
	flag.IntVar(&o.rate, "rate", 0, "the rate of changes a second")
	flag.Parse()
	if o.scenario == "list" {
		// client-go reads this variable at its first use: it then lists in pages instead of a stream.
		if err := os.Setenv("KUBE_FEATURE_WatchListClient", "false"); err != nil {
			fmt.Fprintln(os.Stderr, "informer:", err)
			os.Exit(1)
		}
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "informer:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	client, err := client(o)
	if err != nil {
		return err
	}
	empty := measure.SoFar()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(o.namespace))
	informer := factory.Core().V1().Pods().Informer()
	if strings.HasSuffix(o.form, "slim") {
		if err := informer.SetTransform(slim); err != nil {
			return err
		}
	}
	updates := newUpdates(o)
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: updates.take})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	defer close(stop)
	go informer.Run(stop)
	for !handler.HasSynced() {
		time.Sleep(time.Millisecond)
	}
	synced := measure.SoFar()
	if n := len(informer.GetStore().ListKeys()); n != o.objects {
		return fmt.Errorf("%d of %d objects after sync", n, o.objects)
	}
	// Garbage that is not collected yet does not count as the informer's memory.
	debug.FreeOSMemory()
	settled := measure.SoFar()
	switch o.scenario {
	case "sync":
		measure.Report("informer/sync-cpu/"+o.form, "µs", synced.CPUEach(empty, o.objects))
		measure.Report("informer/sync-rss/"+o.form, "KB", settled.RSSEach(empty, o.objects))
		return follow(o, updates)
	case "list":
		measure.Report("informer/list-cpu/"+o.form, "µs", synced.CPUEach(empty, o.objects))
		measure.Report("informer/list-rss/"+o.form, "KB", settled.RSSEach(empty, o.objects))
		measure.Report("informer/list-peak/"+o.form, "×", synced.PeakOver(settled, empty))
	case "relist":
		measure.ForgetPeak()
		if err := tell(o, "expire"); err != nil {
			return err
		}
		<-updates.all // a relist sends each object as an update
		measure.Report("informer/relist-peak/"+o.form, "×", measure.SoFar().PeakOver(settled, empty))
	case "latency":
		if err := tell(o, fmt.Sprintf("events?count=%d&rate=%d", o.events, o.rate)); err != nil {
			return err
		}
		<-updates.all
		slices.Sort(updates.took)
		measure.Report("informer/latency-p50", "µs", float64(updates.took[o.events/2])/1e3)
		measure.Report("informer/latency-p99", "µs", float64(updates.took[o.events*99/100])/1e3)
	case "real":
		measure.Report("informer/real-cpu/"+o.form, "µs", synced.CPUEach(empty, o.objects))
	default:
		return fmt.Errorf("-scenario %s is unknown", o.scenario)
	}
	return nil
}

func client(o options) (*kubernetes.Clientset, error) {
	config := &rest.Config{Host: o.url}
	if o.kubeconfig != "" {
		var err error
		if config, err = clientcmd.BuildConfigFromFlags("", o.kubeconfig); err != nil {
			return nil, err
		}
	}
	config.QPS = -1
	config.ContentType = "application/json"
	if strings.HasPrefix(o.form, "proto") {
		config.ContentType = "application/vnd.kubernetes.protobuf"
	}
	config.AcceptContentTypes = config.ContentType
	return kubernetes.NewForConfig(config)
}

func follow(o options, updates *updates) error {
	begun, before := time.Now(), measure.SoFar()
	if err := tell(o, fmt.Sprintf("events?count=%d", o.events)); err != nil {
		return err
	}
	<-updates.all
	after := measure.SoFar()
	measure.Report("informer/follow-cpu/"+o.form, "µs", after.CPUEach(before, o.events))
	measure.ReportMore("informer/follow-rate/"+o.form, "/s", float64(o.events)/time.Since(begun).Seconds())
	return nil
}

// tell sends a command to the load.
func tell(o options, what string) error {
	reply, err := http.Post(o.url+"/load/"+what, "application/json", nil)
	if err != nil {
		return err
	}
	return reply.Body.Close()
}

// updates counts the handler's calls, and the time of each since the load sent the change.
type updates struct {
	expected int64
	seen     atomic.Int64
	all      chan struct{}
	timed    bool
	took     []int64
}

func newUpdates(o options) *updates {
	u := &updates{expected: int64(o.events), all: make(chan struct{}), timed: o.scenario == "latency"}
	if o.scenario == "relist" {
		u.expected = int64(o.objects)
	}
	if u.timed {
		u.took = make([]int64, 0, o.events)
	}
	return u
}

// take is the handler; one goroutine calls it.
func (u *updates) take(_, object any) {
	if u.timed {
		now := time.Now().UnixNano()
		if pod, ok := object.(*corev1.Pod); ok {
			// The version is the time at which the load sent the change.
			sent, _ := strconv.ParseInt(pod.ResourceVersion, 10, 64)
			u.took = append(u.took, now-sent)
		}
	}
	if u.seen.Add(1) == u.expected {
		close(u.all)
	}
}

// slim keeps the ten fields of the views.
func slim(object any) (any, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:              pod.Name,
			Namespace:         pod.Namespace,
			UID:               pod.UID,
			ResourceVersion:   pod.ResourceVersion,
			Labels:            pod.Labels,
			OwnerReferences:   pod.OwnerReferences,
			DeletionTimestamp: pod.DeletionTimestamp,
		},
		Spec:   corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, PodIP: pod.Status.PodIP},
	}, nil
}
