// Command conformance runs client-go's components against a server and prints a line of JSON for each.
//
//	conformance -url http://127.0.0.1:PORT
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

const namespace = "default"

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// session has the clients that all steps share.
type session struct {
	ctx    context.Context
	config *rest.Config
	client *kubernetes.Clientset
}

func main() {
	url := flag.String("url", "", "the server")
	encoding := flag.String("encoding", "json", "of typed objects: json or protobuf")
	flag.Parse()
	config := &rest.Config{Host: *url, QPS: -1}
	config.ContentType = "application/json"
	if *encoding == "protobuf" {
		config.ContentType = "application/vnd.kubernetes.protobuf"
	}
	config.AcceptContentTypes = config.ContentType + ",application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	steps := []struct {
		name string
		run  func(session) error
	}{
		{"discovery", discover},
		{"typed objects have the encoding that was asked for", negotiate},
		{"OpenAPI v2, which kubectl validates with", readOpenAPI},
		{"informer: initial list, additions, updates, deletions", follow},
		{"informer: a selection", followSelected},
		{"dynamic client and informer", dynamically},
		{"metadata client", metadataOnly},
		{"RetryOnConflict: ten at once", retryOnConflict},
		{"typed server-side apply", apply},
		{"pager", page},
		{"leader election: one leads, the next takes over", elect},
		{"event recorder", recordEvents},
		{"errors are told apart", tellErrors},
	}
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err := step.run(session{ctx, config, client})
		cancel()
		tell(step.name, err)
	}
}

func tell(step string, err error) {
	line := map[string]string{"step": step}
	if err != nil {
		line["error"] = err.Error()
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func negotiate(s session) error {
	var encoding string
	request := s.client.CoreV1().RESTClient().Get().Resource("namespaces")
	if err := request.Do(s.ctx).ContentType(&encoding).Error(); err != nil {
		return err
	}
	if encoding != s.config.ContentType {
		return fmt.Errorf("asked for %s, got %s", s.config.ContentType, encoding)
	}
	return nil
}

func readOpenAPI(s session) error {
	document, err := s.client.Discovery().OpenAPISchema()
	if err != nil {
		return err
	}
	for _, definition := range document.GetDefinitions().GetAdditionalProperties() {
		if definition.Name == "io.k8s.api.core.v1.Pod" {
			return nil
		}
	}
	return errors.New("there is no definition of Pods")
}

func discover(s session) error {
	groups, resources, err := s.client.Discovery().ServerGroupsAndResources()
	if err != nil {
		return err
	}
	if len(groups) < 10 {
		return fmt.Errorf("%d groups", len(groups))
	}
	available, err := discovery.GroupVersionResources(resources)
	if err != nil {
		return err
	}
	if _, ok := available[schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}]; !ok {
		return errors.New("no deployments")
	}
	if _, err := s.client.Discovery().ServerPreferredResources(); err != nil {
		return err
	}
	if _, err := s.client.Discovery().OpenAPIV3().Paths(); err != nil {
		return err
	}
	version, err := s.client.Discovery().ServerVersion()
	if err == nil && version.Major != "1" {
		err = fmt.Errorf("version %v", version)
	}
	return err
}

func secret(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

// until waits for a condition, at most until the step's deadline.
func until(ctx context.Context, what string, condition func() bool) error {
	err := wait.PollUntilContextCancel(ctx, 10*time.Millisecond, true, func(context.Context) (bool, error) {
		return condition(), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	return nil
}

func follow(s session) error {
	for i := range 5 {
		if _, err := s.client.CoreV1().Secrets(namespace).Create(s.ctx, secret(fmt.Sprintf("follow-%d", i)), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().Secrets().Informer()
	var added, updated, deleted atomic.Int64
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { added.Add(1) },
		UpdateFunc: func(any, any) { updated.Add(1) },
		DeleteFunc: func(any) { deleted.Add(1) },
	})
	if err != nil {
		return err
	}
	factory.Start(s.ctx.Done())
	if !cache.WaitForCacheSync(s.ctx.Done(), informer.HasSynced) {
		return errors.New("the informer did not get in sync")
	}
	if err := until(s.ctx, "five additions", func() bool { return added.Load() == 5 }); err != nil {
		return err
	}
	patch := []byte(`{"metadata":{"labels":{"x":"y"}}}`)
	if _, err := s.client.CoreV1().Secrets(namespace).Patch(s.ctx, "follow-0", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	if err := until(s.ctx, "an update", func() bool { return updated.Load() == 1 }); err != nil {
		return err
	}
	if err := s.client.CoreV1().Secrets(namespace).DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	return until(s.ctx, "five deletions", func() bool { return deleted.Load() == 5 })
}

func followSelected(s session) error {
	selected := func(options *metav1.ListOptions) { options.LabelSelector = "colour=blue" }
	factory := informers.NewSharedInformerFactoryWithOptions(s.client, 0, informers.WithNamespace(namespace), informers.WithTweakListOptions(selected))
	lister := factory.Core().V1().ConfigMaps().Lister()
	factory.Start(s.ctx.Done())
	factory.WaitForCacheSync(s.ctx.Done())
	maps := s.client.CoreV1().ConfigMaps(namespace)
	if _, err := maps.Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "selected"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, colour := range []string{"blue", "red"} {
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{"colour":%q}}}`, colour)
		if _, err := maps.Patch(s.ctx, "selected", types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
		wanted := colour == "blue"
		err := until(s.ctx, colour, func() bool {
			_, err := lister.ConfigMaps(namespace).Get("selected")
			return (err == nil) == wanted
		})
		if err != nil {
			return err
		}
	}
	return maps.Delete(s.ctx, "selected", metav1.DeleteOptions{})
}

func dynamically(s session) error {
	client, err := dynamic.NewForConfig(s.config)
	if err != nil {
		return err
	}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	lister := factory.ForResource(secrets).Lister()
	factory.Start(s.ctx.Done())
	factory.WaitForCacheSync(s.ctx.Done())
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "dynamic"},
	}}
	made, err := client.Resource(secrets).Namespace(namespace).Create(s.ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	err = until(s.ctx, "the object", func() bool {
		_, err := lister.ByNamespace(namespace).Get("dynamic")
		return err == nil
	})
	if err != nil {
		return err
	}
	made.SetLabels(map[string]string{"x": "y"})
	if _, err := client.Resource(secrets).Namespace(namespace).Update(s.ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return client.Resource(secrets).Namespace(namespace).Delete(s.ctx, "dynamic", metav1.DeleteOptions{})
}

func metadataOnly(s session) error {
	client, err := metadata.NewForConfig(s.config)
	if err != nil {
		return err
	}
	namespaces := schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	list, err := client.Resource(namespaces).List(s.ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(list.Items) < 4 {
		return fmt.Errorf("%d namespaces", len(list.Items))
	}
	_, err = client.Resource(namespaces).Get(s.ctx, "default", metav1.GetOptions{})
	return err
}

func retryOnConflict(s session) error {
	maps := s.client.CoreV1().ConfigMaps(namespace)
	if _, err := maps.Create(s.ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "counted"}, Data: map[string]string{}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	const writers = 10
	outcomes := make(chan error, writers)
	backoff := wait.Backoff{Steps: 100, Duration: time.Millisecond, Factor: 1.2, Jitter: 0.5}
	for i := range writers {
		go func() {
			outcomes <- retry.RetryOnConflict(backoff, func() error {
				found, err := maps.Get(s.ctx, "counted", metav1.GetOptions{})
				if err != nil {
					return err
				}
				if found.Data == nil {
					found.Data = map[string]string{}
				}
				found.Data[fmt.Sprint(i)] = "done"
				_, err = maps.Update(s.ctx, found, metav1.UpdateOptions{})
				return err
			})
		}()
	}
	for range writers {
		if err := <-outcomes; err != nil {
			return err
		}
	}
	found, err := maps.Get(s.ctx, "counted", metav1.GetOptions{})
	if err == nil && len(found.Data) != writers {
		err = fmt.Errorf("%d of %d writes are there", len(found.Data), writers)
	}
	return err
}

func apply(s session) error {
	body := corev1apply.ConfigMap("applied", namespace).WithData(map[string]string{"x": "1"})
	maps := s.client.CoreV1().ConfigMaps(namespace)
	made, err := maps.Apply(s.ctx, body, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	extracted, err := corev1apply.ExtractConfigMap(made, "one")
	if err != nil {
		return err
	}
	if extracted.Data["x"] != "1" {
		return fmt.Errorf("extracted %v", extracted.Data)
	}
	_, err = maps.Apply(s.ctx, corev1apply.ConfigMap("applied", namespace).WithData(map[string]string{"x": "2"}), metav1.ApplyOptions{FieldManager: "two"})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("expected a conflict, found %w", err)
	}
	return nil
}

func page(s session) error {
	for i := range 25 {
		if _, err := s.client.CoreV1().Secrets(namespace).Create(s.ctx, secret(fmt.Sprintf("page-%02d", i)), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	pages := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		return s.client.CoreV1().Secrets(namespace).List(s.ctx, options)
	}))
	pages.PageSize = 10
	count := 0
	err := pages.EachListItem(s.ctx, metav1.ListOptions{}, func(runtime.Object) error {
		count++
		return nil
	})
	if err == nil && count != 25 {
		err = fmt.Errorf("%d of 25 items", count)
	}
	return err
}

func elect(s session) error {
	leading := make(chan string, 4)
	candidate := func(ctx context.Context, identity string) {
		lock := &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: "elected", Namespace: namespace},
			Client:     s.client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, ReleaseOnCancel: true,
			LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) { leading <- identity; <-ctx.Done() },
				OnStoppedLeading: func() {},
			},
		})
	}
	first, resign := context.WithCancel(s.ctx)
	defer resign()
	go candidate(first, "one")
	if err := expectLeader(s.ctx, leading, "one"); err != nil {
		return err
	}
	go candidate(s.ctx, "two")
	resign()
	return expectLeader(s.ctx, leading, "two")
}

func expectLeader(ctx context.Context, leading <-chan string, wanted string) error {
	select {
	case leader := <-leading:
		if leader != wanted {
			return fmt.Errorf("%s leads, not %s", leader, wanted)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s never led", wanted)
	}
}

func recordEvents(s session) error {
	about, err := s.client.CoreV1().Secrets(namespace).Create(s.ctx, secret("recorded"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: s.client.CoreV1().Events("")})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "conformance"})
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Tested", "the same each time")
	}
	return until(s.ctx, "an Event that is counted three times", func() bool {
		options := metav1.ListOptions{FieldSelector: "involvedObject.name=recorded,reason=Tested"}
		events, err := s.client.CoreV1().Events(namespace).List(s.ctx, options)
		return err == nil && len(events.Items) == 1 && events.Items[0].Count == 3
	})
}

func tellErrors(s session) error {
	client := s.client.CoreV1().Secrets(namespace)
	if _, err := client.Get(s.ctx, "none", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("expected not found: %w", err)
	}
	made, err := client.Create(s.ctx, secret("told"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if _, err := client.Create(s.ctx, secret("told"), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("expected already exists: %w", err)
	}
	if _, err := client.Create(s.ctx, secret("Not-A-Name"), metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
		return fmt.Errorf("expected invalid: %w", err)
	}
	other := types.UID("other")
	err = client.Delete(s.ctx, "told", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}})
	if !apierrors.IsConflict(err) {
		return fmt.Errorf("expected a conflict: %w", err)
	}
	stale := made.DeepCopy()
	made.Labels = map[string]string{"x": "y"}
	if _, err := client.Update(s.ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if _, err := client.Update(s.ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("expected a conflict: %w", err)
	}
	return nil
}
