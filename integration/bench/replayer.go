package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// benchReplayer: how late requests leave against their plan, `understudy
// replay` beside vegeta, both seen by the target, all on the same cores. What
// was planned while the machine itself stalled is left out on both sides.
func benchReplayer(ctx context.Context, o options) ([]result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	target, err := startListening(ctx, anyCore, "target", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer target.stop()
	broker, err := startListening(ctx, anyCore, "kafka", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer broker.stop()
	var results []result
	for _, rate := range []float64{2000, 5000, 10_000} {
		rs, err := lagAt(ctx, o, rate, target.address, broker.address)
		if err != nil {
			return nil, fmt.Errorf("at %.0f/s: %w", rate, err)
		}
		results = append(results, rs...)
	}
	cost, err := controlCost(ctx, o, 2000, target.address, broker.address)
	if err != nil {
		return nil, fmt.Errorf("with a control sample: %w", err)
	}
	sending, err := benchSender(ctx, o)
	return append(results, cost, sending), err
}

// benchSender compares the CPU of an exchange by the sender's own engine with
// that by net/http's Transport, a server that does next to nothing included.
func benchSender(ctx context.Context, o options) (result, error) {
	times, err := goBenchmarks(ctx, o, "^BenchmarkExchange$", "understudy.dev/exchange/target/sender")
	if err != nil {
		return result{}, err
	}
	ours, peer := times["Exchange/wire"], times["Exchange/net/http"]
	if len(ours) == 0 || len(peer) == 0 {
		return result{}, errors.New("no benchmark Exchange in the output")
	}
	ratio, spread := paired(ours, peer)
	return result{
		what: "replayer: CPU of an exchange, vs net/http", goal: 0.6,
		ours: micros2(median(ours)), peer: micros2(median(peer)), ratio: ratio, spread: spread,
	}, nil
}

// controlCost: what a control sample of a tenth costs the replayer, beside the
// same run without. Only its own CPU counts, not that of the systems.
func controlCost(ctx context.Context, o options, rate float64, target, broker string) (result, error) {
	control, err := startListening(ctx, anyCore, "target", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	defer control.stop()
	n := int(rate * o.length.Seconds())
	if err := publish(ctx, broker, "control", n, rate); err != nil {
		return result{}, fmt.Errorf("publish the trace: %w", err)
	}
	var with, without []float64
	for i := range o.pairs {
		a, err := replay(ctx, o, "control", fmt.Sprintf("without%d", i), target, broker)
		if err != nil {
			return result{}, err
		}
		b, err := replay(ctx, o, "control", fmt.Sprintf("with%d", i), target, broker, "--control", "0.1", "--control-url", "http://"+control.address)
		if err != nil {
			return result{}, err
		}
		fmt.Fprintf(os.Stderr, "pair %d: %s without a control sample, %s with one\n", i+1, a, b)
		with, without = append(with, float64(b)/float64(n)), append(without, float64(a)/float64(n))
	}
	ratio, spread := paired(with, without)
	return result{
		what: "replayer: CPU of a request with a control sample of 0.1, vs without", goal: 1.15,
		ours: micros(median(with)), peer: micros(median(without)), ratio: ratio, spread: spread,
	}, nil
}

func lagAt(ctx context.Context, o options, rate float64, target, broker string) ([]result, error) {
	n := int(rate * o.length.Seconds())
	prefix := fmt.Sprintf("bench%.0f", rate)
	if err := publish(ctx, broker, prefix, n, rate); err != nil {
		return nil, fmt.Errorf("publish the trace: %w", err)
	}
	var ours, peer, achieved []float64
	for i := range o.pairs {
		if _, err := replay(ctx, o, prefix, fmt.Sprintf("r%d", i), target, broker); err != nil {
			return nil, err
		}
		a, err := fetchStamps(ctx, target)
		if err != nil {
			return nil, err
		}
		if err := attack(ctx, o, rate, target); err != nil {
			return nil, err
		}
		b, err := fetchStamps(ctx, target)
		if err != nil {
			return nil, err
		}
		if len(a.Seq) != n {
			return nil, fmt.Errorf("understudy replay sent %d of %d requests", len(a.Seq), n)
		}
		x, xDropped := a.lateness(rate)
		y, yDropped := b.lateness(rate)
		planned := float64(n-1) / rate
		span := (a.At[n-1] - a.At[0]).Seconds()
		fmt.Fprintf(os.Stderr, "pair %d at %.0f/s: replay p50 %s p99 %s (%d left out), vegeta p50 %s p99 %s (%d left out), achieved %.3f%%\n",
			i+1, rate, micros(quantile(x, .5)), micros(quantile(x, .99)), xDropped,
			micros(quantile(y, .5)), micros(quantile(y, .99)), yDropped, 100*planned/span)
		ours, peer = append(ours, quantile(x, .99)), append(peer, quantile(y, .99))
		achieved = append(achieved, min(1, planned/span))
	}
	ratio, spread := paired(ours, peer)
	reached := median(achieved)
	return []result{
		{
			what: fmt.Sprintf("replayer: schedule lag p99 at %.0f/s, vs vegeta", rate), goal: 0.4,
			ours: micros(median(ours)), peer: micros(median(peer)), ratio: ratio, spread: spread,
		},
		{
			what: fmt.Sprintf("replayer: achieved / planned rate at %.0f/s", rate), goal: 0.999, moreIsBetter: true,
			ours: fmt.Sprintf("%.1f/s", rate*reached), peer: fmt.Sprintf("%.0f/s (plan)", rate),
			ratio: reached, spread: [2]float64{achieved[0], achieved[len(achieved)-1]},
		},
	}, nil
}

func micros(ns float64) string { return fmt.Sprintf("%.0f us", ns/1e3) }

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}

// publish writes a trace of n exchanges at an even rate.
func publish(ctx context.Context, broker, prefix string, n int, rate float64) error {
	client, err := stream.Dial(ctx, stream.Config{Brokers: []string{broker}})
	if err != nil {
		return err
	}
	defer client.Close()
	names := topic.NamesFor(prefix)
	if _, err := stream.Apply(ctx, client, topic.Specs(names, topic.Sizing{})); err != nil {
		return err
	}
	start := time.Now().Add(-time.Hour).UnixNano()
	for i := range n {
		record, err := stream.ExchangeRecord(names, &understudyv1.Exchange{
			Id: uuid.Must(uuid.NewV7()).String(), Recorder: "bench", Sequence: uint64(i + 1),
			Session: "s" + strconv.Itoa(i%500), Route: "GET /orders/{id}", Source: "bench",
			StartUnixNano: start + int64(float64(i)/rate*1e9), DurationNano: 1e6,
			ServedBy: understudyv1.Side_SIDE_BASELINE,
			Request: &understudyv1.Request{
				Method: "GET", Target: fmt.Appendf(nil, "/orders/%d", i), Authority: "bench", Scheme: "http",
				Headers: []*understudyv1.Header{{Name: "X-Seq", Value: strconv.AppendInt(nil, int64(i), 10)}},
			},
			Response: &understudyv1.Response{Status: 200},
		})
		if err != nil {
			return err
		}
		client.Produce(ctx, record, nil)
	}
	return client.Flush(ctx)
}

// runPublish writes a trace, for looking into a replay by hand. args: broker,
// topic prefix, number of exchanges, rate per second.
func runPublish(args []string) error {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(args[3], 64)
	if err != nil {
		return err
	}
	return publish(context.Background(), args[0], args[1], n, rate)
}

// replay runs the built binary and says what CPU it took.
func replay(ctx context.Context, o options, prefix, run, target, broker string, more ...string) (time.Duration, error) {
	args := append([]string{"replay", "--run", run, "--prefix", prefix, "--kafka", broker,
		"--candidate", "http://" + target, "--isolated", "--speed", "1", "--completion", "none", "--log-level", "error"}, more...)
	c, err := start(ctx, anyCore, o.binary, args...)
	if err != nil {
		return 0, err
	}
	out, _ := io.ReadAll(c.stdout)
	if err := c.cmd.Wait(); err != nil {
		return 0, fmt.Errorf("understudy replay: %w\n%s", err, out)
	}
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime(), nil
}

func attack(ctx context.Context, o options, rate float64, target string) error {
	c, err := startRole(ctx, anyCore, "vegeta", "http://"+target, fmt.Sprint(int(rate)), o.length.String())
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, c.stdout)
	return c.cmd.Wait()
}

// runVegeta is the peer. args: target URL, rate per second, duration.
func runVegeta(args []string) error {
	rate, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: args[0] + "/orders/1"})
	attacker := vegeta.NewAttacker(vegeta.KeepAlive(true), vegeta.Connections(1024))
	failed := 0
	for r := range attacker.Attack(targeter, vegeta.Rate{Freq: rate, Per: time.Second}, length, "bench") {
		if r.Error != "" {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d requests failed", failed)
	}
	return nil
}

func fetchStamps(ctx context.Context, target string) (stamps, error) {
	var s stamps
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+target+"/report", nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}
