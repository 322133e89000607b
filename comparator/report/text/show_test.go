package text

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"understudy.dev/comparator"
	"understudy.dev/comparator/explain"
	"understudy.dev/comparator/report"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

const attack = "\x1b[2J\u009b31m\u202egone\xff\r\x07"

// shown is a replay that attacks the terminal wherever a payload stands.
func shownAs() *understudyv1.Replay {
	headers := []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}, {Name: "X-A", Value: []byte(attack)}}
	body := message.BodyOf([]byte(`{"a":"` + strings.Repeat("wide 日本 ", 40) + `","b":1.50}`))
	return &understudyv1.Replay{
		Run: "r", Ordinal: 3,
		Exchange: &understudyv1.Exchange{
			Id: "e1", Route: "POST /orders", Recorder: "rec", Sequence: 9, Session: "s",
			Request:    &understudyv1.Request{Method: "POST", Target: []byte("/orders?" + attack), Authority: "h", Headers: headers, Body: message.BodyOf([]byte(attack))},
			Response:   &understudyv1.Response{Status: 201, Headers: headers, Body: body},
			Redactions: []*understudyv1.Redaction{{Count: 2}},
		},
		Candidate: &understudyv1.Observation{
			Ack: &understudyv1.Response{Status: 202, Headers: headers}, AckServiceNano: 5e6,
			Completion: &understudyv1.Completion{
				Channel: understudyv1.Channel_CHANNEL_POLL, Seen: 2, Payload: &understudyv1.Response{Status: 200, Headers: headers, Body: body},
				Later: []*understudyv1.Sighting{{}},
			},
		},
		Control: &understudyv1.Observation{Error: &understudyv1.TransportError{Kind: understudyv1.TransportError_KIND_TIMEOUT, Message: "3s"}},
	}
}

// TestShow: safe, within the width, and beside each other where there is room.
func TestShow(t *testing.T) {
	for _, width := range []int{0, 20, 80, 109, 110, 200} {
		var out bytes.Buffer
		r := shownAs()
		if err := Head(&out, r, report.Replay{Verdict: "mismatch"}, []report.Replay{{Run: "older", Ordinal: 4, Verdict: attack}}, width); err != nil {
			t.Fatal(err)
		}
		if err := Show(&out, r, width); err != nil {
			t.Fatal(err)
		}
		beside := false
		for _, line := range strings.Split(out.String(), "\n") {
			if strings.IndexFunc(line, report.Unsafe) >= 0 || !utf8.ValidString(line) {
				t.Errorf("%d columns: a terminal acts on %q", width, line)
			}
			if n := columns(line); width > 0 && n > width {
				t.Errorf("%d columns: a line of %d: %s", width, n, line)
			}
			beside = beside || strings.HasPrefix(line, "Baseline, recorded") && strings.Contains(line, "│ Candidate, acknowledgement after 5ms")
		}
		if beside != (width >= sideBySide) {
			t.Errorf("%d columns: beside each other is %t\n%s", width, beside, out.String())
		}
		if width != 0 {
			continue
		}
		for _, want := range []string{
			"run r, ordinal 3: mismatch", "also run older, ordinal 4", "tokens (rdx_…) since it was recorded: 2", `"b": 1.50`,
			"Candidate, completion by poll", "Candidate, completion 2\n  the same to the byte", "Control, acknowledgement\n  no answer: timeout — 3s",
			"19 bytes of application/json that are no text",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("no %q in\n%s", want, out.String())
			}
		}
	}
}

func columns(line string) (n int) {
	for _, r := range line {
		n++
		if r == '日' || r == '本' {
			n++
		}
	}
	return n
}

// TestShowIsBounded: a body that indenting would blow up, and a long one.
func TestShowIsBounded(t *testing.T) {
	r := shownAs()
	for _, content := range []string{
		strings.Repeat("[", 400) + strings.Repeat("[],", 20_000) + "1" + strings.Repeat("]", 400),
		strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		strings.Repeat("line\n", 100_000),
	} {
		r.Exchange.Response.Body = message.BodyOf([]byte(content))
		var out bytes.Buffer
		if err := Show(&out, r, 0); err != nil {
			t.Fatal(err)
		}
		if out.Len() > 2*maxShown+10_000 || !strings.Contains(out.String(), "bytes more; -o json has them") {
			t.Errorf("%d bytes for a body of %d", out.Len(), len(content))
		}
	}
}

// TestRecord: what is written is the record, and safe.
func TestRecord(t *testing.T) {
	r := shownAs()
	r.SkippedDetail = "\u009b31m\u202e"
	var out bytes.Buffer
	if err := Record(&out, r); err != nil {
		t.Fatal(err)
	}
	if strings.IndexFunc(strings.ReplaceAll(out.String(), "\n", ""), report.Unsafe) >= 0 {
		t.Errorf("a terminal acts on %q", out.String())
	}
	back := &understudyv1.Replay{}
	if err := protojson.Unmarshal(out.Bytes(), back); err != nil || !proto.Equal(r, back) {
		t.Errorf("%v: it is another record", err)
	}
}

// TestExplanation: within 80 columns, safe, and all of it in JSON.
func TestExplanation(t *testing.T) {
	x := explain.Explanation{
		Run: "r", Ordinal: 3, Exchange: "e1", Route: "POST /orders", Verdict: comparator.Mismatch,
		Findings:   []explain.Finding{{Verdict: comparator.Mismatch, Because: "1 place counts"}},
		Stored:     explain.Stored{Verdict: "match", Findings: []string{"match"}},
		Completion: &explain.Completion{Channel: "poll", Polls: 3, Seen: 1, CompletedNS: 3e6, PendingNS: 2e6, AskedNS: 29e5, EarliestNS: 21e5, DeadlineNS: 1e9},
		Names:      []explain.Name{{Kind: "order", Recorded: attack, Candidate: "b", Proof: "created", LearnedFrom: "e0", Uses: 1}, {Recorded: "x", Candidate: "x"}},
		Places: []explain.Place{
			{Location: "$." + attack, Kind: "value", Baseline: strings.Repeat("long ", 200), Candidate: attack, Proof: explain.ByNothing, Why: []explain.Why{{Text: "because", Pair: &explain.Name{Kind: "order", Recorded: attack}}}},
			{Location: "$.tax", Kind: "value", Class: "rule:vat", Proof: comparator.ByRule, Why: []explain.Why{{Text: "rule vat covers it: rounding"}},
				Rule: &explain.Rule{ListedRule: comparator.ListedRule{Name: "vat", Owner: "tax-team", Reason: "rounding", Expires: "2027-01-31"}, Where: "understudy.yaml:4:7"}},
		},
		Dropped:  12_345,
		Rewrites: []explain.Rewrite{{Place: "host"}, {Place: "header", Name: "X-Env"}, {Rule: 2, Place: "body", Name: "$." + attack}},
	}
	var table, document bytes.Buffer
	if err := Explanation(&table, x, Table); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(table.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 || strings.IndexFunc(line, report.Unsafe) >= 0 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, want := range []string{"THE TABLES SAY match", "3 polls", "deadline 1s", "counts", "proven by the rule", "rounding — tax-team, until 2027-01-31", "understudy.yaml:4:7", "12,345 places more", "1 more names are the same", "rule 0: host, header X-Env", "rule 2: body $."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if err := Explanation(&document, x, JSON); err != nil {
		t.Fatal(err)
	}
	var back explain.Explanation
	if err := json.Unmarshal(document.Bytes(), &back); err != nil || back.Places[1].Rule.Owner != "tax-team" {
		t.Errorf("%v: %+v", err, back)
	}
}
