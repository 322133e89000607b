package volume

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// kind is what the answers of a run look like. Its function gives the i-th pair
// of bodies and whether the two differ in a place that counts.
type kind struct {
	name  string
	pair  func(r *rand.Rand, i int) (baseline, candidate string, differs bool)
	share int // of the replays that are asked for, one in share is made
	gzip  bool
}

// packed is a text in gzip.
func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// order is a document of about size bytes, such as a shop answers.
func order(r *rand.Rand, size int, id, at, total string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":%q,"created_at":%q,"total":%q,"items":[`, id, at, total)
	for i := 0; b.Len() < size-130; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"SKU-%06d","price":"%d.%02d","quantity":%d,"name":"%s %s","available":%t}`,
			r.IntN(1e6), r.IntN(900), r.IntN(100), 1+r.IntN(9), words[r.IntN(len(words))], words[r.IntN(len(words))], r.IntN(9) > 0)
	}
	b.WriteString(`]}`)
	return b.String()
}

var words = strings.Fields("lamp chair table garden window kettle bottle blanket mirror ladder bucket hammer pillow basket candle carpet drawer shelf towel curtain")

const moment = "2026-11-24T10:00:00Z"

// kinds are the runs that are measured. The first is the one of the figures in
// docs/compare.md: of ten answers of 10 KiB, eight are the same to the byte, one
// has its members in another order, and one differs in an amount.
var kinds = []kind{
	{"orders", func(r *rand.Rand, i int) (string, string, bool) {
		body := order(r, 10<<10, fmt.Sprintf("ord_%d", 100_000+i), moment, fmt.Sprintf("%d.00", i%500))
		switch i % 10 {
		case 3:
			head, tail, _ := strings.Cut(body[1:], `,"created_at"`)
			return body, `{"created_at"` + strings.TrimSuffix(tail, "}") + "," + head + "}", false
		case 7:
			return body, strings.Replace(body, `.00","items"`, `.01","items"`, 1), true
		}
		return body, body, false
	}, 1, false},
	// Every answer has another id and another time.
	{"renamed", func(r *rand.Rand, i int) (string, string, bool) {
		body := order(r, 10<<10, fmt.Sprintf("ord_%d", 100_000+i), moment, "1.00")
		return body, strings.Replace(body, fmt.Sprintf("ord_%d", 100_000+i), fmt.Sprintf("ord_%d", 900_000+i), 1), false
	}, 4, false},
	// Bodies that compress to nearly nothing: what comes from Kafka grows most.
	{"flat", func(_ *rand.Rand, i int) (string, string, bool) {
		body := fmt.Sprintf(`{"n":%d,"text":%q}`, i, strings.Repeat("a", 10<<10))
		return body, body, false
	}, 1, false},
	// A hundred differences each, with texts as long as they are kept.
	{"wordy", func(_ *rand.Rand, i int) (string, string, bool) {
		var a, b strings.Builder
		for n := range 20 {
			fmt.Fprintf(&a, `,"p%d":"%s %d"`, n, strings.Repeat("old text ", 120), i)
			fmt.Fprintf(&b, `,"p%d":"%s %d"`, n, strings.Repeat("new text ", 120), i)
		}
		return "{" + a.String()[1:] + "}", "{" + b.String()[1:] + "}", true
	}, 10, false},
	// Few and large.
	{"large", func(r *rand.Rand, i int) (string, string, bool) {
		body := order(r, 1<<20, fmt.Sprintf("ord_%d", 100_000+i), moment, "1.00")
		return body, strings.Replace(body, `"available":false`, `"available":true`, 1), true
	}, 200, false},
	// Small until they are unpacked: to nearly as much as max_decoded allows.
	{"packed", func(_ *rand.Rand, i int) (string, string, bool) {
		head := fmt.Sprintf(`{"id":"ord_%d","items":[`, 100_000+i)
		items := strings.TrimSuffix(strings.Repeat(`{"sku":"SKU-1","price":"12.50","quantity":2,"available":true},`, 120_000), ",")
		return head + items + `],"total":1}`, head + items + `],"total":2}`, true
	}, 1000, true},
}

// publish writes a run of n replays of a kind whose books balance, and returns
// how many of them differ.
func publish(t *testing.T, p place, run string, n int, k kind) (differing uint64) {
	t.Helper()
	producer, err := stream.NewProducer(t.Context(), stream.Config{Brokers: []string{p.at.Kafka}}, stream.DefaultProducerConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	if _, err := stream.Apply(t.Context(), producer.Client(), topic.Specs(p.names(), topic.Sizing{Partitions: 8})); err != nil {
		t.Fatal(err)
	}
	put := func(r *kgo.Record, err error) {
		if err != nil {
			t.Fatal(err)
		}
		producer.Produce(t.Context(), r, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	source := rand.New(rand.NewPCG(1, 2))
	base := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for i := range n {
		baseline, candidate, differs := k.pair(source, i)
		if differs {
			differing++
		}
		coding := ""
		if k.gzip {
			baseline, candidate, coding = packed(t, baseline), packed(t, candidate), "gzip"
		}
		put(stream.ReplayRecord(p.names(), replay(run, i, base.Add(time.Duration(i)*time.Millisecond), baseline, candidate, coding)))
	}
	end := base.Add(time.Hour).UnixNano()
	put(stream.RunRecord(p.names(), &understudyv1.Run{
		Name: run, State: understudyv1.Run_STATE_COMPLETED, Version: 1, Spec: &understudyv1.RunSpec{Speed: 1},
		StartUnixNano: base.UnixNano(), TimeUnixNano: end, EndUnixNano: end,
		Selected: uint64(n), Replayed: uint64(n), Written: uint64(n),
	}))
	if err := producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return differing
}

func replay(run string, i int, at time.Time, baseline, candidate, coding string) *understudyv1.Replay {
	answer := func(body string) *understudyv1.Response {
		r := &understudyv1.Response{
			Status: 200, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
			Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body))},
		}
		if coding != "" {
			r.Headers = append(r.Headers, &understudyv1.Header{Name: "Content-Encoding", Value: []byte(coding)})
		}
		return r
	}
	return &understudyv1.Replay{
		Run: run, Ordinal: uint64(i + 1), Attempt: 1, ClosedUnixNano: at.UnixNano(), SentUnixNano: at.UnixNano(), ScheduledUnixNano: at.UnixNano(),
		Exchange: &understudyv1.Exchange{
			Id: fmt.Sprintf("%s-%07d", run, i), Session: fmt.Sprint("s", i%997), Recorder: "volume", Sequence: uint64(i + 1),
			Route: fmt.Sprintf("GET /r%d/{id}", i%20), StartUnixNano: at.Add(-time.Hour).UnixNano(), DurationNano: int64(5 * time.Millisecond),
			Request:  &understudyv1.Request{Method: "GET", Target: fmt.Appendf(nil, "/r%d/%d", i%20, i)},
			Response: answer(baseline),
		},
		Candidate: &understudyv1.Observation{
			AckLatencyNano: int64(3 * time.Millisecond), AckServiceNano: int64(3 * time.Millisecond), Ack: answer(candidate),
			Completion: &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1},
		},
	}
}
