package stream

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestSettle: records that come one behind the other are waited for, an endless
// series is not.
func TestSettle(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	p, err := NewProducer(t.Context(), Config{Brokers: cluster.ListenAddrs()}, DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	f := func(n int, quiet, limit time.Duration, whole bool) {
		t.Helper()
		done := make(chan struct{})
		first := make(chan struct{})
		go func() {
			defer close(done)
			for i := range n {
				if err := p.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("v")}); err != nil {
					t.Error(err)
				}
				if i == 0 {
					close(first)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		<-first
		_, err := Settle(t.Context(), p.Client(), "t", quiet, limit)
		select {
		case <-done:
			if !whole {
				t.Error("waited for the end of an endless series")
			}
		default:
			if whole {
				t.Error("records were still coming")
			}
		}
		if err != nil {
			t.Error(err)
		}
		<-done
	}
	f(50, 500*time.Millisecond, time.Minute, true)
	f(100, time.Second, 100*time.Millisecond, false)
}

// TestFetchErrorsAreSaidOnce in 30 s for each partition.
func TestFetchErrorsAreSaidOnce(t *testing.T) {
	c := &Consumer{said: map[partition]time.Time{}}
	now := time.Now()
	for i, want := range []bool{true, false, false, true} {
		if got := c.sayFetch("t", 0, now.Add(time.Duration(i)*10*time.Second)); got != want {
			t.Errorf("after %d0 s: %v", i, got)
		}
	}
	if !c.sayFetch("t", 1, now) {
		t.Error("another partition is not said")
	}
}
