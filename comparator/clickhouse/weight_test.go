package clickhouse

import (
	"bytes"
	"compress/gzip"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestWeigh: a body counts as what it unpacks to, and no replay as more than all
// that may be judged at a time.
func TestWeigh(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	answer := func(coding string, content []byte, truncated bool) *understudyv1.Response {
		return &understudyv1.Response{
			Headers: []*understudyv1.Header{{Name: "content-encoding", Value: []byte(coding)}},
			Body:    &understudyv1.Body{Content: content, Truncated: truncated},
		}
	}
	f := func(what string, baseline, candidate *understudyv1.Response, want int64) {
		t.Helper()
		r := &understudyv1.Replay{Exchange: &understudyv1.Exchange{Response: baseline}, Candidate: &understudyv1.Observation{Ack: candidate}}
		if got := weigh(r); got != want {
			t.Errorf("%s: weighs %d, want %d", what, got, want)
		}
	}
	zip := packed.Bytes()
	f("none", nil, nil, 0)
	f("plain", answer("", make([]byte, 100), false), answer("", make([]byte, 20), false), 120)
	f("gzip", answer("gzip", zip, false), answer("GZIP", zip, false), 2<<20)
	f("gzip that was cut", answer("gzip", zip, true), nil, 8*int64(len(zip)))
	f("another coding", answer("br", make([]byte, 100), false), nil, 800)
	f("gzip that is none", answer("gzip", []byte{1, 2}, false), nil, 16)
	f("gzip that lies", answer("gzip", bytes.Repeat([]byte{0xff}, 100), false), nil, judgedBytes)
	f("more than may be", answer("", make([]byte, judgedBytes+1), false), nil, judgedBytes)
	f("an orphan", nil, answer("", make([]byte, 3), false), 3)
}
