package streamtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (k kit) applyIsIdempotentAndCheckSeesWhatIsMissing(t *testing.T) {
	names := k.topics(t, 2)
	client := k.dial(t)
	specs := topic.Specs(names, topic.Sizing{Partitions: 2})
	changes, err := stream.Apply(t.Context(), client, specs)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.What != "unchanged" {
			t.Errorf("second apply: %+v", c)
		}
	}
	if err := stream.Check(t.Context(), client, specs); err != nil {
		t.Error(err)
	}
	other := topic.Specs(topic.NamesFor("other-than-"+names.Exchanges), topic.Sizing{})
	if err := stream.Check(t.Context(), client, other); !errors.Is(err, stream.ErrTopics) {
		t.Errorf("got %v, want ErrTopics", err)
	}
}

func (k kit) latestKeepsTheLastOfEachKey(t *testing.T) {
	names := k.topics(t, 1)
	client := k.dial(t)
	for i := range 10 {
		r, err := stream.RunRecord(names, &understudyv1.Run{Name: fmt.Sprint("run", i%2), Version: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	last, err := stream.Latest(t.Context(), k.cfg, names.Runs)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for key, r := range last {
		run, err := stream.DecodeRun(r)
		if err != nil {
			t.Fatal(err)
		}
		got[key] = run.Version
	}
	if diff := cmp.Diff(map[string]uint64{"run0": 8, "run1": 9}, got); diff != "" {
		t.Error(diff)
	}
}

func (k kit) applyRaisesWhatIsTooSmall(t *testing.T) {
	names := k.topics(t, 1)
	client := k.dial(t)
	want := topic.Specs(names, topic.Sizing{Partitions: 1})[:1]
	small := want[0]
	small.Config = map[string]string{"max.message.bytes": "1000"}
	if _, err := stream.ApplyForced(t.Context(), client, []topic.Spec{small}); err != nil {
		t.Fatal(err)
	}
	err := stream.Check(t.Context(), client, want)
	if !errors.Is(err, stream.ErrTopics) || !strings.Contains(err.Error(), "1000 bytes") {
		t.Errorf("check of a topic that is too small: %v", err)
	}
	changes, err := stream.Apply(t.Context(), client, want)
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff([]stream.Change{{Topic: names.Exchanges, What: "config", Detail: "max.message.bytes: 1000 -> 8388608"}}, changes)
	if diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if err := stream.Check(t.Context(), client, want); err != nil {
		t.Errorf("check after apply: %v", err)
	}
}

// recordsComeBackAsWritten writes one record of each kind, with every octet
// that a header may hold, and reads them back.
func (k kit) recordsComeBackAsWritten(t *testing.T) {
	names := k.topics(t, 4)
	e := exchange(7, "session", 0, time.Second)
	e.Traceparent, e.Tracestate = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b"
	e.Request = &understudyv1.Request{
		Method: "GET", Target: []byte("/a?\xff;b"),
		Headers: []*understudyv1.Header{{Name: "X", Value: []byte{0x80, 0xff}}, {Name: "x"}},
		Body:    &understudyv1.Body{Content: bytes.Repeat([]byte("x"), 600<<10), Length: 600 << 10},
	}
	at := began.UnixNano()
	replay := &understudyv1.Replay{Run: "r", Ordinal: 1, Attempt: 1, Exchange: e, ClosedUnixNano: at}
	orphan := &understudyv1.Replay{Run: "r", Orphan: &understudyv1.Orphan{TimeUnixNano: at}, ClosedUnixNano: at}
	tally := &understudyv1.Tally{Recorder: "r", Number: 3, TimeUnixNano: at, Dropped: map[string]uint64{"full": 2}}
	run := &understudyv1.Run{Name: "r", Version: 2, TimeUnixNano: at}

	write := func(r *kgo.Record, err error) *kgo.Record {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if err := k.dial(t).ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		last, err := stream.Latest(t.Context(), k.cfg, r.Topic)
		if err != nil {
			t.Fatal(err)
		}
		got := last[string(r.Key)]
		if got == nil {
			t.Fatalf("no record of key %q in %s", r.Key, r.Topic)
		}
		if !got.Timestamp.Equal(r.Timestamp.Truncate(time.Millisecond)) {
			t.Errorf("%s: time %v, want %v", r.Topic, got.Timestamp, r.Timestamp)
		}
		if diff := cmp.Diff(r.Headers, got.Headers); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", r.Topic, diff)
		}
		return got
	}
	same := func(want, got proto.Message, err error) {
		t.Helper()
		if err != nil || !proto.Equal(want, got) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	r := write(stream.ExchangeRecord(names, e))
	gotE, err := stream.DecodeExchange(r)
	same(e, gotE, err)
	dead := write(stream.DeadLetter("tester", r, "why"))
	letter := &understudyv1.DeadLetter{}
	if err := proto.Unmarshal(dead.Value, letter); err != nil || letter.Offset != r.Offset || letter.Partition != r.Partition || len(letter.Value) != 256<<10 ||
		letter.ValueLength != int64(len(r.Value)) || letter.Reason != "why" || letter.Component != "tester" {
		t.Errorf("dead letter of %s/%d/%d: %v/%d/%d %q by %q", r.Topic, r.Partition, r.Offset,
			err, letter.GetPartition(), letter.GetOffset(), letter.GetReason(), letter.GetComponent())
	}
	gotR, err := stream.DecodeReplay(write(stream.ReplayRecord(names, replay)))
	same(replay, gotR, err)
	gotO, err := stream.DecodeReplay(write(stream.ReplayRecord(names, orphan)))
	same(orphan, gotO, err)
	gotT, err := stream.DecodeTally(write(stream.TallyRecord(names, tally)))
	same(tally, gotT, err)
	gotRun, err := stream.DecodeRun(write(stream.RunRecord(names, run)))
	same(run, gotRun, err)
}
