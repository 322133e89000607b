package streamtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (k kit) producer(t *testing.T) *stream.Producer {
	t.Helper()
	p, err := stream.NewProducer(t.Context(), k.cfg, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// oneOfManyStartsGetsTheName, and nobody who comes later; claims are no runs.
func (k kit) oneOfManyStartsGetsTheName(t *testing.T) {
	names := k.topics(t, 1)
	claim := func(name string) error {
		dead, err := stream.Claim(t.Context(), k.cfg, names, k.producer(t), name)
		if !dead.IsZero() {
			t.Errorf("%s was taken over from a start at %s", name, dead)
		}
		return err
	}
	const starts = 6
	errs := make([]error, starts)
	var wg sync.WaitGroup
	for i := range starts {
		wg.Go(func() { errs[i] = claim("monday") })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, stream.ErrTaken) || !strings.Contains(err.Error(), "another start"):
			t.Errorf("a start that came too late: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d starts go on: %v", won, starts, errs)
	}
	if err := claim("mon"); err != nil { // no prefix of a name is the name
		t.Error(err)
	}
	record, err := stream.RunRecord(names, &understudyv1.Run{Name: "old", State: understudyv1.Run_STATE_COMPLETED, StartUnixNano: began.UnixNano()})
	if err == nil {
		err = k.producer(t).ProduceSync(t.Context(), record)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := claim("old"); !errors.Is(err, stream.ErrTaken) || !strings.Contains(err.Error(), "it is completed since") {
		t.Errorf("the name of a run from before there were claims: %v", err)
	}
	for _, name := range []string{"", "a/claim/b", "x\x1b[2J", strings.Repeat("n", 101)} {
		if err := claim(name); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q: %v", name, err)
		}
	}
	runs, err := stream.Runs(t.Context(), k.cfg, names)
	if err != nil || len(runs) != 1 {
		t.Errorf("runs %v, %v", runs, err)
	}
}

// aNameIsTakenOver from a start that was killed before its run began, by one of
// those that want it.
func (k kit) aNameIsTakenOver(t *testing.T) {
	names := k.topics(t, 1)
	put := func(name string, ago time.Duration) (at time.Time) {
		t.Helper()
		at = time.Now().Add(-ago)
		value, err := proto.Marshal(&understudyv1.RunClaim{Name: name, Start: "dead", TimeUnixNano: at.UnixNano()})
		if err == nil {
			err = k.producer(t).ProduceSync(t.Context(), &kgo.Record{
				Topic: names.Runs, Key: []byte(name + "/claim/dead"), Value: value,
				Headers: []kgo.RecordHeader{{Key: topic.HeaderType, Value: []byte(topic.TypeRunClaim)}},
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	claim := func(name string) (time.Time, error) {
		return stream.Claim(t.Context(), k.cfg, names, k.producer(t), name)
	}
	put("young", 0)
	if _, err := claim("young"); !errors.Is(err, stream.ErrTaken) || !strings.Contains(err.Error(), "if that start was killed, take this one from") {
		t.Errorf("a name that was just claimed: %v", err)
	}
	at := put("dead", stream.ClaimLease+time.Minute)
	var mu sync.Mutex
	var wg sync.WaitGroup
	won := 0
	for range 4 {
		wg.Go(func() {
			dead, err := claim("dead")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && dead.Equal(at):
				won++
			case !errors.Is(err, stream.ErrTaken):
				t.Errorf("taken over from %s, %v", dead, err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d starts took the name over", won)
	}
}

// aSnapshotHandsOverEachRecordOnce, in batches within their bounds, and stops
// at the first error.
func (k kit) aSnapshotHandsOverEachRecordOnce(t *testing.T) {
	names := k.topics(t, 3)
	k.publish(t, names, exchanges(500, 17)...)
	open := func(from time.Time) *stream.Snapshot {
		t.Helper()
		s, err := stream.OpenSnapshot(t.Context(), k.cfg, names.Exchanges, from)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	id, err := stream.TopicID(t.Context(), k.dial(t), names.Exchanges)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	s := open(time.Time{})
	if s.Size() != 500 {
		t.Errorf("size %d", s.Size())
	}
	err = s.Each(t.Context(), 40, 1<<20, 2, func(_ context.Context, b stream.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if n := len(b.Records); n == 0 || n > 40 || b.First != b.Records[0].Offset || b.End != b.Records[n-1].Offset+1 || b.TopicID != id {
			t.Errorf("batch of %d records, %+v", n, b)
		}
		for _, r := range b.Records {
			seen[fmt.Sprint(r.Partition, " ", r.Offset)]++
		}
		return nil
	})
	if err != nil || len(seen) != 500 {
		t.Errorf("%d records, %v", len(seen), err)
	}
	for at, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", at, n)
		}
	}
	broken := errors.New("broken")
	if err := open(time.Time{}).Each(t.Context(), 1, 1, 1, func(context.Context, stream.Batch) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(time.Time{}).Each(over, 1, 1, 1, func(context.Context, stream.Batch) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader that was interrupted has not read all: %v", err)
	}
	if n := open(time.Now().Add(time.Hour)).Size(); n != 0 {
		t.Errorf("%d records of the future", n)
	}
}
