package main

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/setting/source"
)

// TestShowSaysWhereFrom: each of the four places, in the order of precedence.
func TestShowSaysWhereFrom(t *testing.T) {
	path := writeFile(t, "replay:\n  speed: 2\n  drain: 7s\n  delay: 3s\nkafka:\n  brokers: [file:1]\n  prefix: p\n")
	t.Setenv("UNDERSTUDY_SPEED", "3")
	t.Setenv("UNDERSTUDY_DELAY", "4s")
	t.Setenv("UNDERSTUDY_KAFKA", "env:1,env:2")
	code, out, errOut := run1(t, "config", "show", "--config", path, "--speed", "5", "-o", "json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	var rows []struct {
		Key   string
		Value any
		From  string
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	got := map[string][]any{}
	for _, r := range rows {
		got[r.Key] = []any{r.Value, r.From}
	}
	f := func(key string, want ...any) {
		t.Helper()
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%s: -want +got\n%s", key, diff)
		}
	}
	f("replay.speed", 5., "flag --speed")
	f("replay.delay", "4s", "environment UNDERSTUDY_DELAY")
	f("replay.drain", "7s", path+":3")
	f("replay.order", "none", "default")
	f("replay.completion.linger", "1s", "default")
	f("kafka.brokers", []any{"env:1", "env:2"}, "environment UNDERSTUDY_KAFKA")
	f("kafka.prefix", "p", path+":7")
	_, table, _ := run1(t, "config", "show", "--config", path, "-o", "table")
	if !regexp.MustCompile(`(?m)^replay\.drain +7s +\S+understudy\.yaml:3$`).MatchString(table) {
		t.Errorf("no line of replay.drain in\n%s", table)
	}
}

// TestShownYAMLIsTheConfiguration: what is printed can be read again.
func TestShownYAMLIsTheConfiguration(t *testing.T) {
	path := writeFile(t, `
admin: "127.0.0.1:1"
record: {capture_limits: {"POST /x, y": 3}, session: ["cookie:a b", ip], routes: ["/a/{b}"]}
replay:
  completion: {pending: {pointer: /s, values: ["a, b", "true", "5", "# c"]}, linger: 0s}
  routes: [{route: "GET /x", channel: poll, accepted: [201], unordered: true, linger: 0s}]
compare:
  rules: [{name: a, owner: "o: p", reason: "it's \"so\"", path: "$.x[]", action: keyed, key: k, expires: 2099-01-01}]
`)
	want, shown := defaultConfig(), defaultConfig()
	if err := want.load(path, source.Origins{}); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := run1(t, "config", "show", "--config", path)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	if err := source.Read([]byte(out), "shown", &shown, source.Origins{}); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i, s := range source.Settings(reflect.ValueOf(&want).Elem()) {
		got := source.Settings(reflect.ValueOf(&shown).Elem())[i]
		empty := got.Value.Kind() == reflect.Slice || got.Value.Kind() == reflect.Map
		if empty && got.Value.Len() == 0 && s.Value.Len() == 0 {
			continue
		}
		if diff := cmp.Diff(s.Value.Interface(), got.Value.Interface()); diff != "" {
			t.Errorf("%s: -want +shown\n%s", s.Path, diff)
		}
	}
}

func TestShowHidesSecrets(t *testing.T) {
	path := writeFile(t, `
clickhouse: {address: "clickhouse://user:hush@h:9000/db"}
record: {key: hush-hush-hush-hush, upstream: {url: "http://u:hush@h"}}
replay: {headers: {Authorization: Bearer hush, X-Api-Key: hush}, callback_url: "http://u:hush@h@i/"}
gateway: {face: {headers: {X-Gate: hush}, callback_url: "http://u:hush@h@i/"}}
`)
	for _, output := range []string{"yaml", "table", "json"} {
		code, out, errOut := run1(t, "config", "show", "--config", path, "-o", output)
		if code != exitOK || strings.Contains(out, "hush") || strings.Contains(errOut, "hush") {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
		for _, kept := range []string{"clickhouse://user:***@h:9000/db", "Authorization", "X-Api-Key"} {
			if !strings.Contains(out, kept) {
				t.Errorf("%q is not in %s", kept, out)
			}
		}
	}
	f := func(address, want string) {
		t.Helper()
		if got := maskAddress(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
	f("user:p/w@h:1", "user:***@h:1")
	f("http://h:8123/?user=u&password=hush&x=1", "http://h:8123/?user=u&password=***&x=1")
	f("http://h:8123/path", "http://h:8123/path")
	f("header:X-Session-Id", "header:X-Session-Id")
}

// TestSecretsAreKnown: a new key that sounds like a secret must be masked, or
// named here as harmless.
func TestSecretsAreKnown(t *testing.T) {
	c := defaultConfig()
	for _, s := range source.Settings(reflect.ValueOf(&c).Elem()) {
		sounds := regexp.MustCompile(`(^|[._])(key|token|secret|password|credential|headers)s?$`).MatchString(s.Path)
		harmless := s.Path == "record.redact.headers" || s.Path == "record.index_headers" || s.Path == "compare.ignore_headers" ||
			s.Path == "replay.completion.headers" || s.Path == "gateway.face.completion.headers" || // a place
			s.Path == "replay.select.headers" || // as they are recorded, so redacted
			s.Path == "gateway.headers" // names
		if sounds && !harmless && !secrets[s.Path] {
			t.Errorf("%s sounds like a secret and is shown", s.Path)
		}
	}
}

// TestFlagsThatSetKeys: each is found by its address, whatever its type.
func TestFlagsThatSetKeys(t *testing.T) {
	code, out, errOut := run1(t, "config", "reference", "-o", "json")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	var refs []reference
	if err := json.Unmarshal([]byte(out), &refs); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range refs {
		if r.Flag != "" {
			got[r.Key] = r.Flag
		}
	}
	for key, want := range map[string]string{
		"log.level": "--log-level", "kafka.brokers": "--kafka", "kafka.partitions": "--partitions", "clickhouse.address": "--clickhouse",
		"record.upstream.url": "--baseline", "record.capture_limit": "--capture-limit", "record.session": "--session",
		"replay.completion.channel": "--completion", "replay.in_flight": "--in-flight", "replay.isolated": "--isolated",
		"replay.speed": "--speed", "replay.lag_budget": "--lag-budget", "dev.max_memory": "--max-memory",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	_, text, _ := run1(t, "config", "reference")
	for _, key := range []string{"replay.order", "replay.completion.accepted", "replay.completion.done.pointer", "replay.completion.callback_pointer", "replay.h2c", "record.redact.off", "compare.rules[].expires"} {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(key) + `  \(.*\)\n    .{20,}`).MatchString(text) {
			t.Errorf("%s is not explained", key)
		}
	}
}
