// Command informer is client-go's shared informer on the load: CPU and memory to sync, then CPU to follow changes.
//
//	informer -url http://127.0.0.1:PORT -objects N -events M -form whole|slim
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"trimtab.example/peers/client-go/measure"
)

func main() {
	url := flag.String("url", "", "the load")
	objects := flag.Int("objects", 0, "how many Pods it has")
	events := flag.Int("events", 0, "how many changes to follow")
	form := flag.String("form", "whole", "whole objects, or slim ones by a transform")
	flag.Parse()
	if err := run(*url, *objects, *events, *form); err != nil {
		fmt.Fprintln(os.Stderr, "informer:", err)
		os.Exit(1)
	}
}

func run(url string, objects, events int, form string) error {
	config := &rest.Config{Host: url, QPS: -1}
	config.ContentType = "application/json"
	config.AcceptContentTypes = "application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}

	empty := measure.SoFar()
	informer := informers.NewSharedInformerFactory(client, 0).Core().V1().Pods().Informer()
	if form == "slim" {
		if err := informer.SetTransform(slim); err != nil {
			return err
		}
	}
	var seen atomic.Int64
	followed := make(chan struct{})
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, _ any) {
			if seen.Add(1) == int64(events) {
				close(followed)
			}
		},
	})
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
	if n := len(informer.GetStore().ListKeys()); n != objects {
		return fmt.Errorf("%d of %d objects after sync", n, objects)
	}
	// What the collector has not got round to is not counted against the informer.
	debug.FreeOSMemory()
	settled := measure.SoFar()
	n := float64(objects)
	measure.Report("informer/sync-cpu/"+form, "µs", (synced.CPU-empty.CPU).Seconds()*1e6/n)
	measure.Report("informer/sync-rss/"+form, "KB", float64(settled.RSS-empty.RSS)/1e3/n)

	before := measure.SoFar()
	reply, err := http.Post(fmt.Sprintf("%s/load/events?count=%d", url, events), "application/json", nil)
	if err != nil {
		return err
	}
	if err := reply.Body.Close(); err != nil {
		return err
	}
	<-followed
	after := measure.SoFar()
	measure.Report("informer/follow-cpu/"+form, "µs", (after.CPU-before.CPU).Seconds()*1e6/float64(events))
	return nil
}

// slim keeps the ten fields that the views keep.
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
