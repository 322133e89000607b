package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/replayer"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// planned writes a recording of a session that makes an order, looks at it and does
// what a run may not do, 40 times, and sends nothing itself.
func planned(t *testing.T, p *stream.Producer) {
	t.Helper()
	names := topic.NamesFor(defaultConfig().Kafka.Prefix)
	begin := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	var records []*kgo.Record
	add := func(i int, method, target, body string, status uint32, answer string, change func(*understudyv1.Exchange)) {
		json := []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}}
		e := &understudyv1.Exchange{
			Id: fmt.Sprint("p", i), Session: fmt.Sprint("s", i/4), Route: method + " /orders", Recorder: "planned", Sequence: uint64(i + 1), StartUnixNano: begin.Add(time.Duration(i)*250*time.Millisecond + 1).UnixNano(),
			Request:  &understudyv1.Request{Method: method, Target: []byte(target), Headers: json, Body: &understudyv1.Body{Content: []byte(body), Length: int64(len(body)), DeclaredLength: int64(len(body))}},
			Response: &understudyv1.Response{Status: status, Headers: json, Body: &understudyv1.Body{Content: []byte(answer), Length: int64(len(answer)), DeclaredLength: int64(len(answer))}},
		}
		change(e)
		r, err := stream.ExchangeRecord(names, e)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	as := func(*understudyv1.Exchange) {}
	for i := 0; i < 160; i += 4 {
		id := fmt.Sprintf("base-%04d-order", i)
		add(i, "POST", "/orders", `{"mail":"user@shop.example"}`, 201, fmt.Sprintf(`{"order_id":%q}`, id), as)
		add(i+1, "GET", "/orders/"+id+"?"+strings.Repeat("long=", 20), "", 200, "{}", func(e *understudyv1.Exchange) {
			e.Request.Headers = append(e.Request.Headers, &understudyv1.Header{Name: "Authorization", Value: []byte("tok")})
			e.Redactions = []*understudyv1.Redaction{{Place: understudyv1.Redaction_PLACE_REQUEST_HEADER, Name: "Authorization", Count: 1}}
		})
		add(i+2, "GET", "/health", "", 200, "", func(e *understudyv1.Exchange) { e.Response = nil })
		add(i+3, "PUT", "/orders/"+id, "no JSON", 200, "{}", as)
	}
	if err := p.ProduceSync(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

// TestADryRunSendsAndWritesNothing, and says what a run would do.
func TestADryRunSendsAndWritesNothing(t *testing.T) {
	_, broker, p := recordingPlatform(t)
	planned(t, p)
	var asked atomic.Int32
	candidate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer candidate.Close()
	offsets := func() string {
		all, err := kadm.NewClient(p.Client()).ListEndOffsets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		all.Each(func(o kadm.ListedOffset) { out = append(out, fmt.Sprint(o.Topic, " ", o.Partition, " ", o.Offset)) })
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	before := offsets()
	file := writeFile(t, "replay:\n  rewrite:\n    - route: '* /orders'\n      body: .mail = \"nobody\"\n  select:\n    recorders: [planned]\n")
	dry := func(args ...string) string {
		t.Helper()
		code, out, errOut := run1(t, append([]string{"replay", "--dry-run", "--kafka", broker, "--candidate", candidate.URL, "--config", file, "--speed", "2"}, args...)...)
		if code != exitOK {
			t.Fatal(errOut)
		}
		return out
	}
	table := dry("--isolated", "--first", "4")
	for _, line := range strings.Split(table, "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("%q has %d columns", line, utf8.RuneCountInString(line))
		}
	}
	for _, want := range []string{
		"Nothing was sent. Of 160 selected, 80 would be sent within 19.875s", "1  +0s     POST /orders ", "send; changed: body", "2  +125ms  GET /orders/base-0000-order?long=lo…  send; after #1; without",
		"skip no_response", "error: rewrite[0]: the", "and 156 more", "        40  would be skipped: no_response", "        40    with names that the candidate's answers give", "        40  would not be sent: a rule",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
	var doc struct {
		replayer.Preview
		Run, Candidate string
	}
	if err := json.Unmarshal([]byte(dry("-o", "json")), &doc); err != nil {
		t.Fatal(err)
	}
	// The orders are not made, and so nobody looks at them.
	if doc.Selected != 160 || doc.Sent != 0 || doc.Skipped["method_not_safe"] != 80 || doc.Skipped["no_response"] != 40 || doc.Skipped["unresolved"] != 40 || len(doc.First) != 20 || doc.Candidate != candidate.URL {
		t.Errorf("%+v", doc)
	}
	if x := doc.First[1]; x.Skipped != "unresolved" || !strings.Contains(x.Detail, "p0") || x.AtNS != int64(125*time.Millisecond) || x.Exchange != "p1" {
		t.Errorf("%+v", x)
	}
	if asked.Load() != 0 {
		t.Errorf("the candidate was asked %d times", asked.Load())
	}
	if after := offsets(); after != before {
		t.Errorf("written:\n%s\nbefore:\n%s", after, before)
	}
	for want, args := range map[string][]string{
		"leave out --follow":      {"--follow", "--speed", "1"},
		"-1 is negative":          {"--first", "-1"},
		"want text or json":       {"-o", "csv"},
		"as nothing is sent":      {"-o", "hdr"},
		"nothing to replay":       {"--recorder", "nobody"},
		"is not among what allow": {"--allow", "10.0.0.0/8"},
	} {
		code, _, errOut := run1(t, append([]string{"replay", "--dry-run", "--kafka", broker, "--candidate", candidate.URL}, args...)...)
		if code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: exit %d, %s", args, code, errOut)
		}
	}
}
