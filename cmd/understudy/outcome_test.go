package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// recording is a broker that holds two exchanges of one recorder.
func recordingPlatform(t *testing.T) (*kfake.Cluster, string, *stream.Producer) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	broker := cluster.ListenAddrs()[0]
	if code, _, errOut := run1(t, "topics", "apply", "--kafka", broker, "--partitions", "1"); code != exitOK {
		t.Fatal(errOut)
	}
	p, err := stream.NewProducer(t.Context(), stream.Config{Brokers: []string{broker}}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	names, at := topic.NamesFor(defaultConfig().Kafka.Prefix), time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var records []*kgo.Record
	keep := func(r *kgo.Record, err error) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	for i, method := range []string{"GET", "POST"} {
		keep(stream.ExchangeRecord(names, &understudyv1.Exchange{
			Id: method, Session: "s", Recorder: "web", Sequence: uint64(i + 1), StartUnixNano: at.UnixNano(),
			Request:  &understudyv1.Request{Method: method, Target: []byte("/"), Body: &understudyv1.Body{}},
			Response: &understudyv1.Response{Status: 200, Body: &understudyv1.Body{}},
		}))
	}
	keep(stream.TallyRecord(names, &understudyv1.Tally{
		Recorder: "web", Number: 1, StartUnixNano: at.UnixNano(), TimeUnixNano: at.Add(time.Minute).UnixNano(), Served: 2, Recorded: 2, Final: true,
	}))
	old := at.Add(-time.Hour).UnixNano()
	keep(stream.RunRecord(names, &understudyv1.Run{Name: "killed", State: understudyv1.Run_STATE_RUNNING, Version: 1, TimeUnixNano: old}))
	if err := p.ProduceSync(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	return cluster, broker, p
}

// TestNoFalseSuccess: a replay that has shown nothing does not end well, and
// says what to do.
func TestNoFalseSuccess(t *testing.T) {
	_, broker, _ := recordingPlatform(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + ln.Addr().String()
	ln.Close()
	f := func(want int, say string, args ...string) {
		t.Helper()
		code, _, errOut := run1(t, append(args, "--kafka", broker)...)
		if code != want || !strings.Contains(errOut, say) {
			t.Errorf("%q: exit %d, want %d with %q: %s", args, code, want, say, errOut)
		}
	}
	f(exitFailed, "nobody answered at "+dead+": 2 of 2 requests ended in transport errors (connect 2)", "replay", "--run", "a", "--candidate", dead, "--isolated")
	f(exitUsage, "nothing to replay: no exchange is within --recorder nosuch; recorders are web (2 exchanges, 2026-11-26T12:00:00Z to 2026-11-26T12:01:00Z)",
		"replay", "--run", "b", "--candidate", dead, "--recorder", "nosuch")
	f(exitUsage, "is in the future", "replay", "--run", "c", "--candidate", dead, "--from", "2126-01-01T00:00:00Z")
	f(exitFailed, "1 requests were not sent, because their methods are not safe and http://127.0.0.1.invalid:1 may have effects outside; if it has none, --isolated",
		"replay", "--run", "d", "--candidate", "http://127.0.0.1.invalid:1")
	f(exitUsage, "unknown run nosuch: there are d, b, a, killed", "runs", "close", "nosuch")
	f(exitOK, "", "runs", "close", "a")
	f(exitOK, "", "runs", "close", "killed")
	f(exitUsage, "exists already (failed", "replay", "--run", "killed", "--candidate", dead)
	if code, _, errOut := run1(t, "demo", "traffic", "--target", dead, "--sessions", "1", "--arrive", "1ms"); code != exitFailed || !strings.Contains(errOut, "nobody answered at "+dead) {
		t.Errorf("traffic: exit %d: %s", code, errOut)
	}
}

// TestKafkaDiesUnderAReplay: it is said which broker, what waits, and what
// became of it.
func TestKafkaDiesUnderAReplay(t *testing.T) {
	cluster, broker, _ := recordingPlatform(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	candidate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cluster.Close()
		time.AfterFunc(2*quiet, interrupt)
	}))
	defer candidate.Close()
	path := writeFile(t, "replay: {drain: 1ms}\n")
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"replay", "--config", path, "--run", "r", "--candidate", candidate.URL, "--kafka", broker}, strings.NewReader(""), &out, &errOut)
	for _, want := range []string{
		"kafka does not answer", "broker=" + broker, "kafka takes no records", "waiting=", "given_up_after=1m0s",
		"run r: 2 of 2 replays were not written and are lost; kafka does not answer: " + broker + " since ", "understudy runs close r",
	} {
		if !strings.Contains(errOut.String(), want) {
			t.Errorf("%q is not said", want)
		}
	}
	if code != exitDependency || t.Failed() {
		t.Errorf("exit %d: %s", code, errOut.String())
	}
}

// TestNotWritten: the state of the run alone may be what Kafka has not.
func TestNotWritten(t *testing.T) {
	run := &understudyv1.Run{Name: "r", Replayed: 3, Written: 3}
	if got := notWritten(run, "", errors.Join(context.Canceled, errors.New("x"))).Error(); strings.Contains(got, "lost") || !strings.Contains(got, "understudy runs close r") {
		t.Error(got)
	}
}

// TestFollowingFromThePast is following from as far behind: what is older is
// neither sent at once nor made up for.
func TestFollowingFromThePast(t *testing.T) {
	f := func(from string, follow bool, want time.Duration) {
		t.Helper()
		a := newApp(strings.NewReader(""), io.Discard, io.Discard)
		a.cfg.Replay.Follow, a.cfg.Replay.Delay = follow, 2*time.Second
		w, err := a.timeline(replayFlags{from: from})
		if err != nil || w.Delay.Round(time.Minute) != want.Round(time.Minute) || a.cfg.Replay.Delay != w.Delay {
			t.Errorf("--from %q: a delay of %s and %s, want %s, %v", from, w.Delay, a.cfg.Replay.Delay, want, err)
		}
	}
	f("", true, 2*time.Second)
	f("15m", true, 15*time.Minute)
	f("15m", false, 2*time.Second)
	f(time.Now().Add(time.Hour).Format(time.RFC3339), true, 2*time.Second)
}
