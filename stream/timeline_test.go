package stream

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// skewed fills a topic of two partitions: whatever is in the second began
// after everything in the first had ended.
func skewed(tb testing.TB, each int) Config {
	tb.Helper()
	names := topic.NamesFor("")
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, names.Exchanges))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(cluster.Close)
	cfg := Config{Brokers: cluster.ListenAddrs()}
	client, err := Dial(tb.Context(), cfg, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		tb.Fatal(err)
	}
	defer client.Close()
	for i := range 2 * each {
		r, err := ExchangeRecord(names, &understudyv1.Exchange{
			Id: fmt.Sprint(i), StartUnixNano: int64(time.Hour) + int64(i)*int64(time.Millisecond),
			Request: &understudyv1.Request{Method: "POST", Body: &understudyv1.Body{Content: make([]byte, 500)}},
		})
		if err != nil {
			tb.Fatal(err)
		}
		r.Partition = int32(i / each)
		client.Produce(tb.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				tb.Error(err)
			}
		})
	}
	if err := client.Flush(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return cfg
}

func openAll(tb testing.TB, cfg Config, window int) *Timeline {
	tb.Helper()
	tl, err := OpenTimeline(tb.Context(), cfg, TimelineConfig{Topic: topic.NamesFor("").Exchanges, WindowRecords: window},
		func(_ *kgo.Record, err error) { tb.Error(err) })
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(tl.Close)
	return tl
}

// TestTimelineHoldsNoMoreThanItsBounds although one partition must wait until
// the other one has been read to its end.
func TestTimelineHoldsNoMoreThanItsBounds(t *testing.T) {
	const each, window, poll = 12_000, 100, 2000
	tl := openAll(t, skewed(t, each), window)
	for i := range 2 * each {
		e, err := tl.Next(t.Context())
		if err != nil || e.Id != fmt.Sprint(i) {
			t.Fatalf("at %d: %v, %v", i, e.GetId(), err)
		}
		if n := len(tl.window); n > window {
			t.Fatalf("the window holds %d exchanges, its bound is %d", n, window)
		}
		for number, q := range tl.queues {
			if n := len(q.items); n > queueRecords+poll {
				t.Fatalf("the queue of partition %d holds %d exchanges, its bound is %d", number, n, queueRecords+poll)
			}
		}
	}
	if _, err := tl.Next(t.Context()); !errors.Is(err, io.EOF) || tl.bytes != 0 || tl.Stats().Late != 0 {
		t.Errorf("at the end: %v, %d bytes held, %+v", err, tl.bytes, tl.Stats())
	}
}

// TestTheWindowMovesOnPastWhatIsNotSelected: the end of a selection does not wait
// for the rest of the topic.
func TestTheWindowMovesOnPastWhatIsNotSelected(t *testing.T) {
	const each, selected = 20_000, 50
	tl, err := OpenTimeline(t.Context(), skewed(t, each), TimelineConfig{
		Topic: topic.NamesFor("").Exchanges, WindowRecords: 100, To: time.Unix(0, int64(time.Hour)).Add(selected * time.Millisecond),
	}, func(_ *kgo.Record, err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer tl.Close()
	for i := range selected {
		if e, err := tl.Next(t.Context()); err != nil || e.Id != fmt.Sprint(i) {
			t.Fatalf("at %d: %v, %v", i, e.GetId(), err)
		}
	}
	if read := tl.Stats().Read; read == 2*each {
		t.Error("all of the topic is read before the end of the selection is delivered")
	}
	if _, err := tl.Next(t.Context()); !errors.Is(err, io.EOF) || tl.Stats().Unselected["after_to"] != 2*each-selected || tl.bytes != 0 {
		t.Errorf("at the end: %v, %d bytes held, %+v", err, tl.bytes, tl.Stats())
	}
}

// TestTimelineDeliversWhatComesTooLate: partition 0 holds 0…49, but with a
// window of ten an exchange that stands forty places behind its time is late.
func TestTimelineDeliversWhatComesTooLate(t *testing.T) {
	var w window
	tl := &Timeline{cfg: TimelineConfig{WindowRecords: 10, WindowBytes: 1 << 30, Follow: true}, last: -1,
		queues: map[int32]*queue{0: {}}, window: w, reader: &rangeReader{}}
	add := func(start int64) {
		tl.queues[0].items = append(tl.queues[0].items, &understudyv1.Exchange{StartUnixNano: start})
	}
	future := time.Now().Add(time.Hour).UnixNano()
	for i := range int64(50) {
		add(future + i)
	}
	add(future - 1)
	var got []int64
	for {
		if _, ready := tl.ready(); !ready {
			break
		}
		got = append(got, tl.deliver().StartUnixNano-future)
	}
	// The last ten stay in the window until their time; the late one left at
	// once when it came in.
	if len(got) != 42 || got[41] != -1 || got[40] != 40 || tl.Stats().Late != 1 {
		t.Errorf("delivered %v, late %d; want 0…40, then -1, and 1 late", got, tl.Stats().Late)
	}
}

// TestWindowOrder: what began at the same moment has an order all the same, so
// that two replays of a recording send it alike.
func TestWindowOrder(t *testing.T) {
	e := func(start int64, recorder string, sequence uint64) *understudyv1.Exchange {
		return &understudyv1.Exchange{StartUnixNano: start, Recorder: recorder, Sequence: sequence}
	}
	sorted := window{e(1, "b", 9), e(2, "a", 1), e(2, "a", 2), e(2, "b", 1), e(3, "a", 1)}
	for i := range sorted {
		for j := range sorted {
			if got := sorted.Less(i, j); got != (i < j) {
				t.Errorf("Less(%v, %v) is %v", sorted[i], sorted[j], got)
			}
		}
	}
}

func BenchmarkTimeline(b *testing.B) {
	const each = 20_000
	cfg := skewed(b, each)
	b.ReportAllocs()
	for b.Loop() {
		tl := openAll(b, cfg, 1000)
		n := 0
		for ; ; n++ {
			if _, err := tl.Next(b.Context()); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		if n != 2*each {
			b.Fatalf("%d exchanges, want %d", n, 2*each)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(2*each), "ns/exchange")
}
