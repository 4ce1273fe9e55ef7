// Command elector stands for election with client-go's elector, for `cargo xtask failover`: see examples/src/bin/elector.
//
//	elector -kubeconfig FILE -lease NAME -identity ID
//
// It prints a line when it stands, when it starts to lead, whenever it acts as the leader, and when it has stopped, with
// the time in nanoseconds since 1970. SIGTERM makes it release the Lease and end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the API server")
	lease := flag.String("lease", "", "the name of the Lease in the namespace default")
	identity := flag.String("identity", "", "the identity of this candidate")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fail(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: "default", Name: *lease},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: *identity},
		},
		LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		ReleaseOnCancel: true, Name: *lease,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				say("leads")
				for ctx.Err() == nil {
					say("acts")
					time.Sleep(50 * time.Millisecond)
				}
			},
			OnStoppedLeading: func() { say("stopped") },
		},
	})
	if err != nil {
		fail(err)
	}
	say("stands")
	for ctx.Err() == nil {
		elector.Run(ctx) // again after a loss
	}
}

func say(what string) {
	fmt.Println(what, time.Now().UnixNano())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "elector:", err)
	os.Exit(1)
}
