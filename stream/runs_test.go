package stream

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestAbandon: only what is dead is ended, and keeps its books.
func TestAbandon(t *testing.T) {
	names := topic.NamesFor("")
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, names.Runs))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	cfg := Config{Brokers: cluster.ListenAddrs()}
	p, err := NewProducer(t.Context(), cfg, DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	write := func(r *understudyv1.Run) {
		t.Helper()
		record, err := RunRecord(names, r)
		if err == nil {
			err = p.ProduceSync(t.Context(), record)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-time.Hour).UnixNano()
	running := understudyv1.Run_STATE_RUNNING
	write(&understudyv1.Run{Name: "dead", State: running, Version: 7, TimeUnixNano: at, Selected: 12, Replayed: 11, Written: 10})
	write(&understudyv1.Run{Name: "over", State: understudyv1.Run_STATE_COMPLETED, Version: 3, TimeUnixNano: at})
	live := &understudyv1.Run{Name: "live", State: running, Version: 1, TimeUnixNano: at} // its clock is an hour behind
	write(live)
	if _, err := Abandon(t.Context(), cfg, names, p, "none"); !errors.Is(err, ErrNoRun) || !strings.Contains(err.Error(), "dead") {
		t.Errorf("a run that is not there: %v", err)
	}
	if r, err := Abandon(t.Context(), cfg, names, p, "over"); !errors.Is(err, ErrRunEnded) || r.GetVersion() != 3 {
		t.Errorf("a run that has ended: %v, %v", r, err)
	}
	beat, stop := context.WithCancel(t.Context())
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		for sleep(beat, 300*time.Millisecond) == nil {
			live.Version++
			live.TimeUnixNano += int64(time.Second)
			write(live)
		}
	}()
	_, err = Abandon(t.Context(), cfg, names, p, "live")
	stop()
	<-beating
	if !errors.Is(err, ErrRunLives) {
		t.Errorf("a run that goes on: %v", err)
	}
	if _, err := Abandon(t.Context(), cfg, names, p, "dead"); err != nil {
		t.Fatal(err)
	}
	got, err := FindRun(t.Context(), cfg, names, "dead")
	if err != nil || got.GetState() != understudyv1.Run_STATE_FAILED || !strings.HasPrefix(got.GetDetail(), "abandoned: ") ||
		got.GetVersion() != 8 || got.GetEndUnixNano() != at || got.GetSelected() != 12 || got.GetReplayed() != 11 || got.GetWritten() != 10 {
		t.Errorf("got %v, %v", got, err)
	}
}
