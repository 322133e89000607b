package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/comparator/audit"
	"understudy.dev/exchange/message"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// produceRun puts a run of n equal answers into Kafka, and one of another run.
func produceRun(t *testing.T, p *stream.Producer, name string, n int) {
	t.Helper()
	names := topic.NamesFor(defaultConfig().Kafka.Prefix)
	var records []*kgo.Record
	keep := func(r *kgo.Record, err error) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	keep(stream.RunRecord(names, &understudyv1.Run{Name: name, State: understudyv1.Run_STATE_COMPLETED, Version: 1}))
	for i := range n + 1 {
		answer := func() *understudyv1.Response {
			return &understudyv1.Response{
				Status: 200, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
				Body: message.BodyOf(fmt.Appendf(nil, `{"total":%d.95,"city":"Rome","paid":true}`, 100+i)),
			}
		}
		run := name
		if i == n {
			run = "another"
		}
		keep(stream.ReplayRecord(names, &understudyv1.Replay{
			Run: run, Ordinal: uint64(i + 1), Exchange: &understudyv1.Exchange{
				Id: fmt.Sprint("e", i), Session: fmt.Sprint("s", i%3), Route: "GET /orders/{id}", Response: answer(),
				Request: &understudyv1.Request{Method: "GET", Target: fmt.Appendf(nil, "/orders/%d", i)},
			},
			Candidate: &understudyv1.Observation{Ack: answer(), Completion: &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1}},
		}))
	}
	if err := p.ProduceSync(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
}

// TestAudit: what is planted into a run is found; a rule that hides too much is
// named with its line, and fails a threshold; one seed gives one answer.
func TestAudit(t *testing.T) {
	_, broker, p := recordingPlatform(t)
	produceRun(t, p, "monday", 12)
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "compare:\n  ignore_headers: [content-type]\n  rules:\n    - {name: fine, owner: o, reason: r, path: $.x, action: ignore}\n    - {name: wide, owner: o, reason: r, path: \"$.**\", action: ignore}\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(want int, args ...string) (r audit.Result, errOut string) {
		t.Helper()
		code, out, errOut := run1(t, append([]string{"audit", "monday", "--kafka", broker, "-o", "json"}, args...)...)
		if code != want {
			t.Fatalf("%q: exit %d, want %d: %s", args, code, want, errOut)
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r, errOut
	}
	good, _ := read(exitOK, "--fail-under", "1")
	if good.Replays != 12 || good.Audited != 12 || good.Total.Found == 0 || good.Total.Found != good.Total.Counted() || good.Run != "monday" {
		t.Errorf("%+v", good)
	}
	bad, said := read(exitThreshold, "--fail-under", "0.99", "--config", rules)
	sources := map[string]string{}
	for _, p := range bad.Places {
		if p.Outcome == audit.Hidden {
			sources[p.By] = p.Source
		}
	}
	if d := cmp.Diff(map[string]string{"rule:wide": rules + ":5:8", "rule:ignore_headers": rules + ":2:3"}, sources); d != "" {
		t.Error(d)
	}
	if !strings.Contains(said, "less than --fail-under 0.99") {
		t.Error(said)
	}
	few, _ := read(exitOK, "--sample", "5", "--seed", "7")
	again, _ := read(exitOK, "--sample", "5", "--seed", "7")
	if few.Audited != 5 || fmt.Sprintf("%+v", few.Kinds) == fmt.Sprintf("%+v", good.Kinds) || few.Total.Planted != again.Total.Planted {
		t.Errorf("%+v and %+v", few, again)
	}
}

// TestNothingToAudit says which runs there are, and does not praise an empty
// one.
func TestNothingToAudit(t *testing.T) {
	_, broker, p := recordingPlatform(t)
	produceRun(t, p, "empty", 0)
	f := func(want int, say string, args ...string) {
		t.Helper()
		code, _, errOut := run1(t, append([]string{"audit", "--kafka", broker}, args...)...)
		if code != want || !strings.Contains(errOut, say) {
			t.Errorf("%q: exit %d, want %d with %q: %s", args, code, want, say, errOut)
		}
	}
	f(exitUsage, "unknown run tuesday: there are empty, killed", "tuesday")
	f(exitFailed, "no fault could be planted", "empty")
}

// TestAuditKeysInTheDocs: docs/audit.md names what `audit -o json` prints.
func TestAuditKeysInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## For programs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var told []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\|").FindAllStringSubmatch(section, -1) {
		for _, key := range strings.Split(row[1], ",") {
			told = append(told, strings.Trim(strings.TrimSpace(key), "`"))
		}
	}
	text, err := json.Marshal(audit.Result{})
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]any{}
	if err := json.Unmarshal(text, &printed); err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(printed)), told); diff != "" {
		t.Errorf("docs/audit.md (-printed +page):\n%s", diff)
	}
}
