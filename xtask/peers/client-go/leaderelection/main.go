// Command leaderelection runs client-go's elector in the benchmark of our election.
//
//	leaderelection -scenario failover -url http://127.0.0.1:PORT -objects PAIRS
//	leaderelection -scenario thousand -url http://127.0.0.1:PORT -objects FOLLOWERS [-quick]
//
// It has one way to learn of the Lease, so the rows with and without the suffixes /watch and /shared-watch are the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"trimtab.example/peers/client-go/measure"
)

const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
	settle        = 5 * time.Second
	// All at once, each follower would open a connection.
	spread = 4 * time.Millisecond
)

func main() {
	scenario := flag.String("scenario", "", "failover or thousand")
	url := flag.String("url", "", "the API server")
	objects := flag.Int("objects", 0, "the number of pairs, or of followers")
	quick := flag.Bool("quick", false, "measure for a shorter time")
	flag.Parse()
	klog.LogToStderr(false) // a line for each of the followers
	klog.SetOutput(io.Discard)
	var err error
	switch *scenario {
	case "failover":
		err = failover(*url, *objects)
	case "thousand":
		err = thousand(*url, *objects, *quick)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "leaderelection:", err)
		os.Exit(1)
	}
}

func client(url string, wrap func(http.RoundTripper) http.RoundTripper) (*kubernetes.Clientset, error) {
	config := &rest.Config{Host: url, QPS: -1, WrapTransport: wrap}
	return kubernetes.NewForConfig(config)
}

// elector makes an elector that reports the time of the start of its work to led.
func elector(
	client *kubernetes.Clientset, lease, identity string, release bool, led func(),
) (*leaderelection.LeaderElector, error) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: "default", Name: lease},
		Client:     client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
	}
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
		ReleaseOnCancel: release, Name: lease,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { led(); <-ctx.Done() },
			OnStoppedLeading: func() {},
		},
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// measured is what one pair has measured.
type measured struct{ failover, warm time.Duration }

func failover(url string, pairs int) error {
	var wait sync.WaitGroup
	var lock sync.Mutex
	var failed error
	results := map[string][]measured{}
	for _, end := range []string{"term", "kill"} {
		for number := range pairs {
			wait.Go(func() {
				phase := retryPeriod * time.Duration(number) / time.Duration(pairs)
				one, err := pair(url, fmt.Sprintf("go-%s-%d", end, number), end == "term", phase)
				lock.Lock()
				defer lock.Unlock()
				failed = errors.Join(failed, err)
				results[end] = append(results[end], one)
			})
		}
	}
	requests, err := settled(url, (pairs+1)/2)
	wait.Wait()
	if failed = errors.Join(failed, err); failed != nil {
		return failed
	}
	for _, suffix := range []string{"", "/watch"} {
		for end, pairs := range results {
			measure.Report("leaderelection/failover-"+end+suffix, "s", median(pairs, failoverOf))
		}
		slowest := slices.MaxFunc(results["kill"], func(a, b measured) int { return int(a.failover - b.failover) })
		measure.Report("leaderelection/failover-kill-slowest"+suffix, "s", slowest.failover.Seconds())
		all := append(slices.Clone(results["term"]), results["kill"]...)
		warm := median(all, func(one measured) time.Duration { return one.warm })
		measure.Report("leaderelection/warm"+suffix, "ms", warm*1e3)
		measure.Report("leaderelection/requests"+suffix, "/min", requests)
	}
	return nil
}

func failoverOf(one measured) time.Duration { return one.failover }

func median(pairs []measured, of func(measured) time.Duration) float64 {
	var values []time.Duration
	for _, one := range pairs {
		values = append(values, of(one))
	}
	slices.Sort(values)
	return values[len(values)/2].Seconds()
}

func pair(url, lease string, release bool, phase time.Duration) (measured, error) {
	first, err := client(url, nil)
	if err != nil {
		return measured{}, err
	}
	leader, err := elector(first, lease, "leader", release, func() {})
	if err != nil {
		return measured{}, err
	}
	// Without a release, the end of the context is that of a process: no request follows.
	leading, end := context.WithCancel(context.Background())
	defer end()
	go leader.Run(leading)
	time.Sleep(settle / 5)
	var responded atomic.Int64
	second, err := client(url, func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			responded.Store(time.Now().UnixNano())
			return response, err
		})
	})
	if err != nil {
		return measured{}, err
	}
	led := make(chan time.Time, 1)
	follower, err := elector(second, lease, "follower", false, func() { led <- time.Now() })
	if err != nil {
		return measured{}, err
	}
	following, stop := context.WithCancel(context.Background())
	defer stop()
	go follower.Run(following)
	time.Sleep(settle + phase)
	start := time.Now()
	end()
	at := <-led
	return measured{failover: at.Sub(start), warm: at.Sub(time.Unix(0, responded.Load()))}, nil
}

// settled returns the requests in a minute of a leader and a follower, on average of several pairs.
func settled(url string, pairs int) (float64, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var requests atomic.Int64
	for number := range pairs {
		for _, identity := range []string{"leader", "follower"} {
			counted, err := client(url, func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(request *http.Request) (*http.Response, error) {
					requests.Add(1)
					return next.RoundTrip(request)
				})
			})
			if err != nil {
				return 0, err
			}
			candidate, err := elector(counted, fmt.Sprintf("go-settled-%d", number), identity, false, func() {})
			if err != nil {
				return 0, err
			}
			go candidate.Run(ctx)
		}
	}
	time.Sleep(settle)
	before := requests.Load()
	time.Sleep(time.Minute)
	return float64(requests.Load()-before) / float64(pairs), nil
}

func thousand(url string, followers int, quick bool) error {
	period := 30 * time.Second
	if quick {
		period = 15 * time.Second
	}
	shared, err := client(url, nil)
	if err != nil {
		return err
	}
	runtime.GC()
	empty := measure.SoFar()
	for number := range followers {
		follower, err := elector(shared, fmt.Sprintf("held-%d", number), "follower", false, func() {})
		if err != nil {
			return err
		}
		go follower.Run(context.Background())
		time.Sleep(spread)
	}
	time.Sleep(2 * settle)
	before := measure.SoFar()
	time.Sleep(period)
	after := measure.SoFar()
	for _, suffix := range []string{"", "/watch", "/shared-watch"} {
		cpu := (after.CPU - before.CPU).Seconds() * 1e3 / period.Seconds()
		measure.Report("leaderelection/thousand-cpu"+suffix, "ms/s", cpu)
		measure.Report("leaderelection/thousand-rss"+suffix, "MB", float64(after.RSS-empty.RSS)/1e6)
	}
	return nil
}
