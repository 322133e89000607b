package stream_test

import (
	"errors"
	"testing"

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
	add(stream.DeadLetter("c", &kgo.Record{Topic: "t", Value: []byte("v")}, "why"))
	f.Add(topic.TypeRun, []byte{0xff})
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, kind string, value []byte) {
		r := &kgo.Record{Value: value, Headers: []kgo.RecordHeader{{Key: topic.HeaderType, Value: []byte(kind)}}}
		check(t, r, stream.DecodeExchange)
		check(t, r, stream.DecodeReplay)
		check(t, r, stream.DecodeTally)
		check(t, r, stream.DecodeRun)
		check(t, r, stream.DecodeDeadLetter)
	})
}

func check[M proto.Message](t *testing.T, r *kgo.Record, decode func(*kgo.Record) (M, error)) {
	t.Helper()
	m, err := decode(r)
	if err == nil && !proto.Equal(m, m) || err != nil && !errors.Is(err, stream.ErrForeign) {
		t.Errorf("%v, %v", m, err)
	}
}
