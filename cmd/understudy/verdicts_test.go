package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// TestJudgedCount: only what was handled counts, and of the replays only.
func TestJudgedCount(t *testing.T) {
	names := topic.NamesFor("")
	lag := int64(6)
	j := &judgedCount{topic: names.Replays, runs: map[string]bool{}, lag: func(string) int64 { return lag }}
	batch := func(topic string, runs ...string) stream.Batch {
		b := stream.Batch{Topic: topic}
		for _, run := range runs {
			r, err := stream.ReplayRecord(names, &understudyv1.Replay{Run: run, Exchange: &understudyv1.Exchange{Id: "e", Session: "s"}})
			if err != nil {
				t.Fatal(err)
			}
			b.Records = append(b.Records, r)
		}
		b.Records = append(b.Records, &kgo.Record{}) // a foreign one
		return b
	}
	var fail error
	handle := j.handler(func(context.Context, stream.Batch) error { return fail })
	for _, b := range []stream.Batch{batch(names.Replays, "b", "a", "b"), batch(names.Exchanges, "x")} {
		if err := handle(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	fail = errors.New("away")
	if err := handle(t.Context(), batch(names.Replays, "y")); !errors.Is(err, fail) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, j.names()); diff != "" {
		t.Error(diff)
	}
	if p := j.progress(j.start.Add(2 * time.Second)); p.String() != "4/10 40.00 %  2/s  3s left" {
		t.Errorf("got %s", p)
	}
	j.waitFor("run x to end")
	j.done, lag = 0, 0
	j.start = time.Time{}
	if got := j.line(); got != "judged  0  waiting for run x to end" {
		t.Errorf("got %q", got)
	}
}
