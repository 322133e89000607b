package stream

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestOutageSaysLittle: the first failure, one line in 30 s, the recovery.
func TestOutageSaysLittle(t *testing.T) {
	var log bytes.Buffer
	o := NewOutage(slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	f := func(after time.Duration, err error, want string) {
		t.Helper()
		log.Reset()
		now = now.Add(after)
		if err != nil {
			o.failed("b:1", err, now)
		} else {
			o.answered("b:1", now)
		}
		if got := log.String(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("at %s: %q, want %q", now, got, want)
		}
	}
	refused := errors.New("refused")
	f(0, refused, "") // Dial tells
	f(time.Second, nil, "")
	f(0, refused, "kafka does not answer, trying again\" broker=b:1 since=2026-11-26T12:00:01Z error=refused")
	for range 29 {
		f(time.Second, refused, "")
	}
	f(time.Second, refused, "since=2026-11-26T12:00:01Z")
	if got, want := o.String(), "b:1 since 12:00:01 UTC (refused)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f(time.Second, nil, "kafka answers again\" broker=b:1 after=31s")
	f(0, nil, "")
}

// TestGiveUp releases whoever waits for Kafka, and refuses what comes later.
func TestGiveUp(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	pc := DefaultProducerConfig()
	pc.MaxRecords, pc.DeliveryTimeout = 2, time.Hour
	p, err := NewProducer(t.Context(), Config{Brokers: cluster.ListenAddrs()}, pc)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cluster.Close()
	const n = 5
	results := make(chan error, n+1)
	go func() {
		for range n { // the third waits for room
			p.Produce(context.Background(), &kgo.Record{Topic: "t"}, func(_ *kgo.Record, err error) { results <- err })
		}
	}()
	for records, _ := p.Buffered(); records < 2; records, _ = p.Buffered() {
		time.Sleep(time.Millisecond)
	}
	p.GiveUp()
	p.TryProduce(context.Background(), &kgo.Record{Topic: "t"}, func(_ *kgo.Record, err error) { results <- err })
	for range n + 1 {
		if err := <-results; !errors.Is(err, ErrGivenUp) || !Unreachable(err) {
			t.Errorf("got %v", err)
		}
	}
	if err := p.ProduceSync(t.Context(), &kgo.Record{Topic: "t"}); !errors.Is(err, ErrGivenUp) {
		t.Errorf("afterwards: %v", err)
	}
}
