package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
)

const (
	finalizer = "example.com/directory"
	// directory is the ConfigMap of a namespace that lists its websites.
	directory = "websites"
	manager   = "website-operator"
	byTheme   = "theme"
)

// operator is the reconciler of websites.
type operator struct {
	client.Client
	events recorder.EventRecorder
}

func addOperator(m ctrl.Manager) error {
	indexer := m.GetFieldIndexer()
	err := indexer.IndexField(context.Background(), &Website{}, byTheme, func(object client.Object) []string {
		if theme := object.(*Website).Spec.Theme; theme != "" {
			return []string{theme}
		}
		return nil
	})
	if err != nil {
		return err
	}
	o := &operator{Client: m.GetClient(), events: m.GetEventRecorder(manager)}
	return ctrl.NewControllerManagedBy(m).
		For(&Website{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Service{}).
		Watches(&corev1.ConfigMap{}, handler.EnqueueRequestsFromMapFunc(o.websitesOf)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(o)
}

// websitesOf returns the websites whose theme a ConfigMap is.
func (o *operator) websitesOf(ctx context.Context, theme client.Object) []reconcile.Request {
	var websites WebsiteList
	fields := client.MatchingFields{byTheme: theme.GetName()}
	if err := o.List(ctx, &websites, client.InNamespace(theme.GetNamespace()), fields); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the websites of a theme")
		return nil
	}
	requests := make([]reconcile.Request, len(websites.Items))
	for i := range websites.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&websites.Items[i])
	}
	return requests
}

// Reconcile brings one website to its desired state.
func (o *operator) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var website Website
	if err := o.Get(ctx, request.NamespacedName, &website); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := website.deepCopy()
	switch {
	case !website.DeletionTimestamp.IsZero():
		if !controllerutil.RemoveFinalizer(&website, finalizer) {
			return ctrl.Result{}, nil
		}
		if err := o.list(ctx, before, ""); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, o.Patch(ctx, &website, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	case controllerutil.AddFinalizer(&website, finalizer):
		return ctrl.Result{}, o.Patch(ctx, &website, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	}
	return ctrl.Result{}, o.serve(ctx, &website)
}

// serve brings the objects of a website to their desired state, and its status to the observed one.
func (o *operator) serve(ctx context.Context, website *Website) error {
	style, found, err := o.style(ctx, website)
	if err != nil {
		return err
	}
	if !found {
		return o.report(ctx, website, 0, "ThemeMissing", "no ConfigMap of the theme with style.css")
	}
	for _, child := range []runtime.ApplyConfiguration{
		pages(website, style), service(website), deployment(website, style),
	} {
		if err := o.Apply(ctx, child, client.FieldOwner(manager), client.ForceOwnership); err != nil {
			return err
		}
	}
	if err := o.list(ctx, website, "http://"+website.Name); err != nil {
		return err
	}
	var deployment appsv1.Deployment
	if err := o.Get(ctx, client.ObjectKeyFromObject(website), &deployment); client.IgnoreNotFound(err) != nil {
		return err
	}
	ready, reason := deployment.Status.ReadyReplicas, "Starting"
	if ready >= website.Spec.Replicas {
		reason = "Serving"
	}
	return o.report(ctx, website, ready, reason, fmt.Sprintf("%d of %d Pods serve the page", ready, website.Spec.Replicas))
}

// style returns the style sheet of a website's theme, if it has one, and whether the theme exists.
func (o *operator) style(ctx context.Context, website *Website) (string, bool, error) {
	if website.Spec.Theme == "" {
		return "", true, nil
	}
	var theme corev1.ConfigMap
	key := client.ObjectKey{Namespace: website.Namespace, Name: website.Spec.Theme}
	if err := o.Get(ctx, key, &theme); err != nil {
		return "", false, client.IgnoreNotFound(err)
	}
	style, found := theme.Data["style.css"]
	return style, found, nil
}

// list writes or removes the website's entry in the directory of its namespace.
func (o *operator) list(ctx context.Context, website *Website, url string) error {
	var current corev1.ConfigMap
	key := client.ObjectKey{Namespace: website.Namespace, Name: directory}
	if err := o.Get(ctx, key, &current); client.IgnoreNotFound(err) != nil {
		return err
	}
	if current.Data[website.Name] == url {
		return nil
	}
	entry := coreapply.ConfigMap(directory, website.Namespace)
	if url != "" {
		entry.WithData(map[string]string{website.Name: url})
	}
	return o.Apply(ctx, entry, client.FieldOwner("website-"+website.Name), client.ForceOwnership)
}

// report writes the status if it has changed, and records an Event when the website starts or stops being ready.
func (o *operator) report(ctx context.Context, website *Website, ready int32, reason, message string) error {
	before := website.deepCopy()
	status := metav1.ConditionFalse
	if reason == "Serving" {
		status = metav1.ConditionTrue
	}
	website.Status.ReadyReplicas = ready
	meta.SetStatusCondition(&website.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: status, Reason: reason, Message: message, ObservedGeneration: website.Generation,
	})
	if equality.Semantic.DeepEqual(before.Status, website.Status) {
		return nil
	}
	if err := o.Status().Patch(ctx, website, client.MergeFrom(before)); err != nil {
		return err
	}
	if old := meta.FindStatusCondition(before.Status.Conditions, "Ready"); old == nil || old.Reason != reason {
		kind := corev1.EventTypeNormal
		if reason == "ThemeMissing" {
			kind = corev1.EventTypeWarning
		}
		o.events.Eventf(website, nil, kind, reason, "Reconcile", "%s", message)
	}
	return nil
}
