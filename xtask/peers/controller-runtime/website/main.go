// Command website is the website operator of `examples/website` on controller-runtime: the same kinds, watches, index,
// finalizer, conditions, Events, leader election, probes and metrics.
//
//	website --kubeconfig FILE --admin ADDRESS
package main

import (
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	admin := flag.String("admin", "0.0.0.0:8080", "the address of health checks and metrics; two ports if it is port 0")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(*admin); err != nil {
		fmt.Fprintln(os.Stderr, "website:", err)
		os.Exit(1)
	}
}

func run(admin string) error {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	addToScheme(scheme)
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       metricsserver.Options{BindAddress: admin},
		HealthProbeBindAddress:        admin,
		LeaderElection:                true,
		LeaderElectionNamespace:       "website-system",
		LeaderElectionID:              "website-operator",
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := addOperator(manager); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
