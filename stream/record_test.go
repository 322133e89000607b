package stream_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// FuzzDecode: whatever a record holds, it is decoded or foreign.
func FuzzDecode(f *testing.F) {
	names := topic.NamesFor("")
	add := func(r *kgo.Record, err error) {
		if err != nil {
			f.Fatal(err)
		}
		for _, h := range r.Headers {
			if h.Key == topic.HeaderType {
				f.Add(string(h.Value), r.Value)
			}
		}
	}
	e := &understudyv1.Exchange{Id: "e", Session: "s", Request: &understudyv1.Request{Target: []byte("/\xff")}}
	add(stream.ExchangeRecord(names, e))
	add(stream.ReplayRecord(names, &understudyv1.Replay{Run: "r", Exchange: e}))
	add(stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r", Dropped: map[string]uint64{"full": 1}}))
	add(stream.RunRecord(names, &understudyv1.Run{Name: "r"}))
	f.Add(topic.TypeRun, []byte{0xff})
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, kind string, value []byte) {
		r := &kgo.Record{Value: value, Headers: []kgo.RecordHeader{{Key: topic.HeaderType, Value: []byte(kind)}}}
		check(t, r, stream.DecodeExchange)
		check(t, r, stream.DecodeReplay)
		check(t, r, stream.DecodeTally)
		check(t, r, stream.DecodeRun)
	})
}

func check[M proto.Message](t *testing.T, r *kgo.Record, decode func(*kgo.Record) (M, error)) {
	t.Helper()
	m, err := decode(r)
	if err != nil {
		if !errors.Is(err, stream.ErrForeign) {
			t.Errorf("got %v, want ErrForeign", err)
		}
		return
	}
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	// Compared as bytes: a NaN is not equal to itself.
	again, err := decode(&kgo.Record{Value: value, Headers: r.Headers})
	if err != nil {
		t.Fatal(err)
	}
	deterministic := proto.MarshalOptions{Deterministic: true}
	a, errA := deterministic.Marshal(m)
	b, errB := deterministic.Marshal(again)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("%v came back as %v (%v, %v)", m, again, errA, errB)
	}
}

// TestRecordsAreCloudEvents: key, topic and headers of each kind of record, as
// a consumer filters by them without decoding.
func TestRecordsAreCloudEvents(t *testing.T) {
	names := topic.NamesFor("")
	at := time.Date(2026, 3, 12, 8, 0, 0, 5, time.UTC)
	e := &understudyv1.Exchange{Id: "e1", Session: "s1", StartUnixNano: at.UnixNano(), Traceparent: "00-1-2-01", Tracestate: "a=b"}
	f := func(r *kgo.Record, err error) func(name, key, id, kind string, more ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return func(name, key, id, kind string, more ...string) {
			t.Helper()
			want := append([]string{
				"ce_specversion", "1.0", "ce_id", id, "ce_source", "understudy", "ce_type", kind,
				"ce_time", "2026-03-12T08:00:00.000000005Z", "content-type", "application/protobuf",
			}, more...)
			var got []string
			for _, h := range r.Headers {
				if h.Key == "ce_time" && kind == topic.TypeDeadLetter { // the present
					h.Value = []byte("2026-03-12T08:00:00.000000005Z")
				}
				got = append(got, h.Key, string(h.Value))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: headers (-want +got):\n%s", kind, diff)
			}
			if r.Topic != name || string(r.Key) != key || !r.Timestamp.IsZero() {
				t.Errorf("%s: topic %s, key %s, time %v; want %s, %s and none", kind, r.Topic, r.Key, r.Timestamp, name, key)
			}
		}
	}
	n := at.UnixNano()
	f(stream.ExchangeRecord(names, e))(names.Exchanges, "s1", "e1", "understudy.exchange.v1", "traceparent", "00-1-2-01", "tracestate", "a=b")
	f(stream.TallyRecord(names, &understudyv1.Tally{Recorder: "r", Number: 7, TimeUnixNano: n}))(names.Tallies, "r", "r/0/7", "understudy.tally.v1")
	f(stream.ReplayRecord(names, &understudyv1.Replay{Run: "x", Attempt: 2, Exchange: e, ClosedUnixNano: n}))(names.Replays, "s1", "x/e1/2", "understudy.replay.v1")
	f(stream.ReplayRecord(names, &understudyv1.Replay{Run: "x", Orphan: &understudyv1.Orphan{TimeUnixNano: 9}, ClosedUnixNano: n}))(names.Replays, "x", "x/orphan/9", "understudy.replay.v1")
	f(stream.RunRecord(names, &understudyv1.Run{Name: "x", Version: 3, TimeUnixNano: n}))(names.Runs, "x", "x/3", "understudy.run.v1")
	f(stream.DeadLetter("c", &kgo.Record{Topic: "t", Partition: 4, Offset: 5}, "why"))("t.dlq", "t/4/5", "t/4/5", "understudy.deadletter.v1")
}
