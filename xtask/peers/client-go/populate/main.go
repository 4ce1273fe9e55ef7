// Command populate creates the load's Pods on a real API server, or deletes them.
//
//	populate -kubeconfig FILE -namespace NAME -objects N -template pod.json
//	populate -kubeconfig FILE -namespace NAME -delete
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// workers is the number of goroutines that create Pods.
const workers = 16

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the API server")
	namespace := flag.String("namespace", "", "where the Pods are")
	objects := flag.Int("objects", 0, "how many Pods there shall be")
	template := flag.String("template", "", "the load's Pod")
	remove := flag.Bool("delete", false, "delete the Pods and their namespace")
	flag.Parse()
	if err := run(*kubeconfig, *namespace, *template, *objects, *remove); err != nil {
		fmt.Fprintln(os.Stderr, "populate:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, namespace, template string, objects int, remove bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if remove {
		now := int64(0)
		pods := client.CoreV1().Pods(namespace)
		gone := metav1.DeleteOptions{GracePeriodSeconds: &now}
		if err := pods.DeleteCollection(ctx, gone, metav1.ListOptions{}); err != nil {
			return err
		}
		return client.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
	}
	text, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := client.CoreV1().Namespaces().Create(ctx, made, metav1.CreateOptions{}); exists(err) != nil {
		return err
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	accounts := client.CoreV1().ServiceAccounts(namespace)
	if _, err := accounts.Create(ctx, account, metav1.CreateOptions{}); exists(err) != nil {
		return err
	}
	return makeAll(ctx, client, namespace, string(text), objects)
}

func makeAll(ctx context.Context, client kubernetes.Interface, namespace, template string, objects int) error {
	numbers, failures := make(chan int), make(chan error, workers)
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for number := range numbers {
				if err := makeOne(ctx, client, namespace, template, number); err != nil {
					failures <- fmt.Errorf("Pod %d: %w", number, err)
					return
				}
			}
		})
	}
	var failure error
	for number := 0; number < objects && failure == nil; number++ {
		select {
		case numbers <- number:
		case failure = <-failures:
		}
	}
	close(numbers)
	working.Wait()
	if failure == nil && len(failures) > 0 {
		failure = <-failures
	}
	return failure
}

func makeOne(ctx context.Context, client kubernetes.Interface, namespace, template string, number int) error {
	pod, err := pod(namespace, template, number)
	if err != nil {
		return err
	}
	status := pod.Status
	pods := client.CoreV1().Pods(namespace)
	made, err := pods.Create(ctx, pod, metav1.CreateOptions{FieldManager: "kube-controller-manager"})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	made.Status = status
	_, err = pods.UpdateStatus(ctx, made, metav1.UpdateOptions{FieldManager: "kubelet"})
	return err
}

// pod fills the template's gaps as the load does, with other values.
func pod(namespace, template string, number int) (*corev1.Pod, error) {
	set := number / 10
	text := strings.NewReplacer(
		"$NAMESPACE", namespace,
		"$SET_UID", uid(set+1<<40),
		"$VERSION", "",
		"$HOST_IP", fmt.Sprintf("10.20.0.%d", number%200),
		"$POD_IP", fmt.Sprintf("10.64.%d.%d", number/256%256, number%256),
		"$TOKEN", fmt.Sprintf("%05x", number),
		"$NAME", fmt.Sprintf("shop-checkout-%010x-%05x", set, number),
		"$HASH", fmt.Sprintf("%010x", set),
		"$NODE", fmt.Sprintf("ip-10-20-0-%d.internal", number%200),
		"$NOTE", "Carts keep their vouchers when the session moves between zones.",
		"$UID", "",
		"$SET", fmt.Sprintf("shop-checkout-%010x", set),
	).Replace(template)
	pod := &corev1.Pod{}
	if err := json.Unmarshal([]byte(text), pod); err != nil {
		return nil, err
	}
	pod.ManagedFields = nil // the server sets its own
	return pod, nil
}

func uid(number int) string {
	return fmt.Sprintf("%08x-%04x-4000-8000-%012x", number>>16&0xffffffff, number&0xffff, number)
}

// exists ignores the error that the object already exists.
func exists(err error) error {
	if errors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
