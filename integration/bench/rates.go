package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// logGap cuts the pauses of the access log, four days, to two minutes in all.
const logGap = "20ms"

// benchRates: is the rate that was asked for the one that arrives, and how late is
// each request? Even rates as the target sees them; and an access log with the
// times of real users, pauses cut, at several speeds.
func benchRates(ctx context.Context, o options) ([]result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	broker, err := startListening(ctx, anyCore, "kafka", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer broker.stop()
	results, err := evenRates(ctx, o, broker.address)
	if err != nil {
		return nil, err
	}
	data := os.Getenv("UNDERSTUDY_DATA")
	if data == "" {
		fmt.Fprintln(os.Stderr, "no access log: UNDERSTUDY_DATA is not set")
		return results, nil
	}
	more, err := logRates(ctx, o, broker.address, filepath.Join(data, "access-log", "apache_combined.log"))
	return append(results, more...), err
}

func evenRates(ctx context.Context, o options, broker string) ([]result, error) {
	target, err := startListening(ctx, anyCore, "target", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer target.stop()
	var results []result
	for _, rate := range []float64{1000, 5000, 10_000} {
		n, prefix := int(rate*o.length.Seconds()), fmt.Sprintf("even%.0f", rate)
		if err := publish(ctx, broker, prefix, n, rate); err != nil {
			return nil, fmt.Errorf("publish the trace: %w", err)
		}
		if _, err := replay(ctx, o, prefix, "even", target.address, broker); err != nil {
			return nil, err
		}
		s, err := fetchStamps(ctx, target.address)
		if err != nil {
			return nil, err
		}
		if len(s.Seq) != n {
			return nil, fmt.Errorf("understudy replay sent %d of %d requests", len(s.Seq), n)
		}
		late, _ := s.lateness(rate)
		achieved := float64(n-1) / (s.At[n-1] - s.At[0]).Seconds()
		fmt.Fprintf(os.Stderr, "%d requests at %.0f/s: the target saw %.1f/s, lag p50 %s p99 %s p99.9 %s max %s\n", n, rate, achieved,
			micros(quantile(late, .5)), micros(quantile(late, .99)), micros(quantile(late, .999)), micros(quantile(late, 1)))
		results = append(results, kept(fmt.Sprintf("rate of %d requests", n), achieved, rate))
	}
	return results, nil
}

// kept is a rate that was asked for and the one that came of it. Faster is no
// better than slower.
func kept(what string, achieved, planned float64) result {
	ratio := min(achieved/planned, planned/achieved)
	return result{
		what: what, goal: 0.999, moreIsBetter: true, ours: fmt.Sprintf("%.2f/s", achieved), peer: fmt.Sprintf("%.2f/s (plan)", planned),
		ratio: ratio, spread: [2]float64{ratio, ratio},
	}
}

func logRates(ctx context.Context, o options, broker, path string) ([]result, error) {
	for _, words := range [][]string{{"topics", "apply"}, {"import", "--format", "combined", "--authority", "log.example", path}} {
		c, err := start(ctx, anyCore, o.binary, append(words, "--kafka", broker, "--prefix", "log", "--log-level", "error")...)
		if err != nil {
			return nil, err
		}
		out, _ := io.ReadAll(c.stdout)
		if err := c.cmd.Wait(); err != nil {
			return nil, fmt.Errorf("understudy %v: %w\n%s", words, err, out)
		}
	}
	var results []result
	for _, speed := range []string{"0.5", "1", "2", "10"} {
		var seen arrivals
		server, err := seen.serve()
		if err != nil {
			return nil, err
		}
		_, err = replay(ctx, o, "log", "speed"+speed, server.Addr, broker, "--speed", speed, "--max-gap", logGap, "--isolated")
		server.Close()
		if err != nil {
			return nil, err
		}
		run, err := findRun(ctx, broker, "speed"+speed)
		if err != nil {
			return nil, err
		}
		n, achieved := seen.rate()
		if uint64(n) != run.GetReplayed() {
			return nil, fmt.Errorf("the run says %d requests, the target saw %d", run.GetReplayed(), n)
		}
		fmt.Fprintf(os.Stderr, "the access log at %s times: %d requests, %.3f/s of %.3f/s, the target saw %.3f/s; lag p50 %s p99 %s max %s; spread within their second: %d\n",
			speed, n, run.GetAchievedRate(), run.GetPlannedRate(), achieved, micros(float64(run.GetLagP50Nano())), micros(float64(run.GetLagP99Nano())), micros(float64(run.GetLagMaxNano())), run.GetSpread())
		results = append(results, kept(fmt.Sprintf("rate of the access log at %s times its speed", speed), achieved, run.GetPlannedRate()))
	}
	return results, nil
}

func findRun(ctx context.Context, broker, name string) (*understudyv1.Run, error) {
	runs, err := stream.Runs(ctx, stream.Config{Brokers: []string{broker}}, topic.NamesFor("log"))
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if r.GetName() == name {
			return r, nil
		}
	}
	return nil, errors.New("Kafka has no run " + name)
}

// arrivals are those at a candidate that answers everything with 204.
type arrivals struct {
	mu          sync.Mutex
	n           int
	first, last time.Time
}

func (a *arrivals) serve() (*http.Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &http.Server{Addr: address, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		a.mu.Lock()
		if a.n++; a.n == 1 {
			a.first = now
		}
		a.last = now
		a.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = s.ListenAndServe() }()
	return s, waitFor(context.Background(), address)
}

// rate is how many there were, and how many a second from the first to the last.
func (a *arrivals) rate() (n int, perSecond float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n, float64(a.n-1) / a.last.Sub(a.first).Seconds()
}
