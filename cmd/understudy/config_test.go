package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run1 runs a command line in this process.
func run1(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e strings.Builder
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "understudy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigMistakesHaveAPlace(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		code, _, errOut := run1(t, "config", "validate", writeFile(t, text))
		if code != exitUsage {
			t.Errorf("exit %d, want %d: %s", code, exitUsage, errOut)
		}
		for _, w := range want {
			if !strings.Contains(errOut, w) {
				t.Errorf("%q is not in: %s", w, errOut)
			}
		}
	}
	f("replay:\n  sped: 3\n", ":2:3: replay.sped: unknown key; did you mean speed?")
	f("replay:\n  speed: fast\n", ":2:10: replay.speed: \"fast\" is not a number")
	f("kafka: [\n", ":1:8: ")
	f("replay:\n", "section replay is empty")
	f("replay:\n  speed: -1\ncompare:\n  skew: -1s\n", ":2:10: replay.speed: -1 is not above 0", ":4:9: compare.skew: -1s is negative")
	f("replay:\n  routes:\n    - route: GET /x\n      channel: pigeon\n", ":4:16: replay.routes[0].channel: \"pigeon\" is not one of auto, response, none, poll, long_poll, sse, callback, topic")
	f("replay:\n  completion:\n    preset: azure\n    done: {jq: '.a |'}\n    result: code\n", ":3:13: replay.completion.preset: \"azure\" is not one of asyncapi-reply, azure-async, fhir-bulk", ":4:16: replay.completion.done.jq: ", ":5:13: replay.completion.result: \"code\" is neither a JSON pointer")
	f("replay:\n  routes:\n    - route: GET /x\n      channel: topic\n      callback:\n        methods: [GET]\n", "replay.routes[0].topic.reply: is needed", ":6:19: replay.routes[0].callback.methods[0]: \"GET\" is not a method of a callback")
	f("replay:\n  select:\n    rutes: [GET /x]\n", ":3:5: replay.select.rutes: unknown key; did you mean routes?")
	f("replay:\n  select:\n    from: soon\n    methods: [GET, 'P T']\n    verdicts: {run: monday}\n",
		":3:11: replay.select.from: \"soon\" is neither a time", ":4:20: replay.select.methods[1]: \"P T\" is no method", "replay.select.verdicts.of: is needed with a run")
}

func TestConfigValidateAccepts(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "log:\n  level: debug\nkafka:\n  brokers: [a:1, b:2]\n"} {
		if code, _, errOut := run1(t, "config", "validate", writeFile(t, text)); code != exitOK {
			t.Errorf("%q: exit %d: %s", text, code, errOut)
		}
	}
}

// TestPrecedence: defaults < file < environment < flags.
func TestPrecedence(t *testing.T) {
	path := writeFile(t, "log:\n  level: debug\n  format: json\nkafka:\n  prefix: fromfile\n  brokers: [file:1]\n")
	t.Setenv("UNDERSTUDY_PREFIX", "fromenv")
	t.Setenv("UNDERSTUDY_KAFKA", "env:1,env:2")
	a := newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
	args := []string{"topics", "apply", "--config", path, "--log-format", "text"}
	root := a.rootCommand(args)
	apply, rest, err := root.Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := apply.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	got := []string{a.cfg.Log.Level, a.cfg.Log.Format, a.cfg.Kafka.Prefix, strings.Join(a.cfg.Kafka.Brokers, " "), a.cfg.Kafka.ClientID}
	want := []string{"debug", "text", "fromenv", "env:1 env:2", "understudy"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

// TestVariableOfTheTests: UNDERSTUDY_DATA names recorded traffic for the tests,
// and sets nothing here.
func TestVariableOfTheTests(t *testing.T) {
	_, before, _ := run1(t, "config", "show")
	t.Setenv("UNDERSTUDY_DATA", "/elsewhere")
	if code, after, errOut := run1(t, "config", "show"); code != exitOK || after != before {
		t.Errorf("exit %d, %s, got\n%s\nwant\n%s", code, errOut, after, before)
	}
}

func TestByteSize(t *testing.T) {
	f := func(s string, want int64, printed string) {
		t.Helper()
		var n int64
		b := byteSize{&n}
		if err := b.Set(s); err != nil || n != want || b.String() != printed {
			t.Errorf("%q: got %d %q, %v", s, n, b.String(), err)
		}
	}
	f("0", 0, "0")
	f("512KiB", 512<<10, "512KiB")
	f(" 8 MiB ", 8<<20, "8MiB")
	f("1000", 1000, "1000")
	f("1MB", 1e6, "1000000")
	for _, bad := range []string{"", "x", "-1", "9999999999GiB", "1.5MiB"} {
		if _, err := parseBytes(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
