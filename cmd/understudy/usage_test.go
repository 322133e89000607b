package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestUsageErrors: a command line that cannot be understood ends with exit
// code 2, says what is wrong and where it came from, and starts nothing.
func TestUsageErrors(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		code, out, errOut := run1(t, args...)
		if code != exitUsage || out != "" || errOut != "understudy: "+want+"\n" {
			t.Errorf("%q: exit %d, out %q, got\n%swant\nunderstudy: %s", args, code, out, errOut, want)
		}
	}
	f(`unknown command "replai" (did you mean replay?); see understudy --help`, "replai")
	f(`unknown command "x"; see understudy topics --help`, "topics", "x")
	f("unknown flag: --nope; see understudy report --help", "report", "--nope")
	f(`understudy compare takes no argument, got ["x"]; see understudy compare --help`, "compare", "x")
	f("understudy report takes RUN, got 0 argument(s); see understudy report --help", "report")
	f(`--speed: "fast" is not a number; see understudy replay --help`, "replay", "--speed", "fast")
	f(`--delay: "5" has no unit; want a duration such as 5s; see understudy replay --help`, "replay", "--delay", "5")
	f(`--in-flight: "1.5" is not a whole number that fits; see understudy replay --help`, "replay", "--in-flight", "1.5")
	f(`--isolated: "maybe" is neither true nor false; see understudy replay --help`, "replay", "--isolated=maybe")
	f(`--max-memory: "lots" is not a size; write 524288, 512KiB or 8MiB; see understudy dev --help`, "dev", "--max-memory", "lots")
	f(`--log-level: "loud" is not one of debug, info, warn, error`, "--log-level", "loud", "runs", "list")
	f(`--log-format: "xml" is not one of text, json`, "--log-format", "xml", "runs", "list")
	f("record needs --baseline http://host:port", "record")
	f(`--baseline: "h:80" does not look like http://host:port or https://host`, "record", "--baseline", "h:80")
	f(`--compression: "rar" is not one of zstd, lz4, snappy, none`, "record", "--baseline", "http://h", "--compression", "rar")
	f(`--index-header: "x y" is not the name of a header`, "record", "--baseline", "http://h", "--index-header", "a,x y")
	f("understudy show takes EXCHANGE_ID, or RUN ORDINAL, got 0 argument(s); see understudy show --help", "show")
	f("understudy show takes EXCHANGE_ID, or RUN ORDINAL, got 3 argument(s); see understudy show --help", "show", "a", "1", "2")
	f(`-o "csv": want table or json`, "show", "r", "1", "-o", "csv")
	f(`-o "csv": want table or json`, "explain", "r", "1", "-o", "csv")
	f(`understudy explain takes RUN ORDINAL, got only "r"; find one with understudy sql "SELECT ordinal, route, verdict FROM comparisons WHERE run = 'r' AND verdict != 'match' ORDER BY ordinal LIMIT 20"`, "explain", "r")
	f("understudy explain takes RUN ORDINAL, got 3 argument(s); see understudy explain --help", "explain", "r", "1", "2")
	f(`--kafka: "a" is not host:port`, "topics", "apply", "--kafka", "a")
	f("import needs at least one FILE (- is standard input); see understudy import --help", "import")
	f("import needs --format combined or --format nock", "import", "x.log")
	f(`--start "soon": want a time like 2026-11-24T10:00:00Z`, "import", "--format", "nock", "--start", "soon", "x.json")
	f("replay needs --run NAME", "replay")
	f(`--run: "a b" is no name of a run: want 1 to 100 letters, digits, '.', '_' or '-', the first a letter, a digit or '_'`, "replay", "--run", "a b")
	f(`--run: "-x" is no name of a run: want 1 to 100 letters, digits, '.', '_' or '-', the first a letter, a digit or '_'`, "replay", "--run=-x")
	f("--wait: -1s is negative", "compare", "--wait", "-1s")
	f("--fail-under 99: want a share of 0 to 1, as 0.99", "audit", "r", "--fail-under", "99")
	f("--sample 0: want 1 to 1000000", "audit", "r", "--sample", "0")
	f("--top: 0 is not within 1 and 1000", "report", "r", "--top", "0")
	f("--routes: 0 is less than 1; --all lists all", "report", "r", "--routes", "0")
	f("--fail-on: column 12: after lost comes one of >, >=, <, <= and a limit, as in lost>0.1%", "report", "r", "--fail-on", "late>0,lost")
	f(`--fail-on: column 6: the limit "x" is neither a whole number, as in 10, nor a share of all that was selected, as in 0.1%`, "compare", "--run", "r", "--fail-on", "lost>x")
	f(`--fail-on is empty, so that nothing could fail; want conditions, as in "mismatch>0.1%,lost>0", or leave it out`, "report", "r", "--fail-on", "")
	f(`--fail-on is empty, so that nothing could fail; want conditions, as in "mismatch>0.1%,lost>0", or leave it out`, "compare", "--run", "r", "--fail-on=")
	f("--run is empty; want the name of a run, or leave it out for all", "compare", "--run", "")
	f("--rules is empty; want a file, or leave it out for the rules of the configuration", "judge", "r", "--rules=")
	f("--fail-on is about a run that is judged to its end: it needs --run NAME, and no --follow", "compare", "--fail-on", "lost>0")
	f("understudy runs close takes RUN, got 0 argument(s); see understudy runs close --help", "runs", "close")
	f("replay needs --candidate http://host:port", "replay", "--run", "r")
	f(`--from "x": want a time like 2026-11-24T10:00:00Z or a duration like 15m`, "replay", "--from", "x")
	f("--from 1m is not before --to 2m", "replay", "--from", "1m", "--to", "2m")
	f(`the --header of place 2: want "Name: value"`, "replay", "--header", "a: b", "--header", "X")
	f("--speed: 5 is not 1, at which shadow mode runs", "replay", "--run", "r", "--candidate", "http://h", "--follow", "--speed", "5")
	f(`--candidate: credentials do not belong in the URL; use a header (--header "Authorization: …")`, "replay", "--run", "r", "--candidate", "http://u:secret@h")
	f(`--clickhouse: "h" has no port; write host:port`, "migrate", "--clickhouse", "clickhouse://u:secret@h")
	f(`-o "xml" is not one of table, json, csv`, "report", "r", "-o", "xml")
	f(`-o "xml" is not one of table, json, csv`, "runs", "list", "-o", "xml")
	f(`-o "xml" is not one of table, json, csv`, "runs", "balance", "r", "-o", "xml")
	f(`-o "csv": want table or json`, "demo", "-o", "csv")
	f(`-o "xml" is not one of yaml, table, json`, "config", "show", "-o", "xml")
	f(`-o "xml" is not one of text, markdown, json`, "config", "reference", "-o", "xml")
	f("--config: open no-such-file.yaml: no such file or directory", "--config", "no-such-file.yaml", "runs", "list")
	f("open no-such-file.yaml: no such file or directory", "config", "validate", "no-such-file.yaml")
}

// TestEveryMistakeAtOnce: those of the file by line, then those of the
// environment and of the command line.
func TestEveryMistakeAtOnce(t *testing.T) {
	t.Setenv("UNDERSTUDY_IN_FLIGHT", "many")
	t.Setenv("UNDERSTUDY_MAX_GAP", "-1s")
	path := writeFile(t, "replay:\n  sped: 2\n  drain: -1s\n  delay: 1s\ncompare:\n  skew: 5\n")
	code, _, errOut := run1(t, "replay", "--config", path, "--run", "r", "--candidate", "http://h", "--speed", "0", "--delay", "-2s")
	want := path + `:2:3: replay.sped: unknown key; did you mean speed?
` + path + `:3:10: replay.drain: -1s is negative
` + path + `:6:9: compare.skew: 5 has no unit; want a duration such as 5s
understudy: UNDERSTUDY_IN_FLIGHT: "many" is not a whole number that fits
understudy: UNDERSTUDY_MAX_GAP: -1s is negative
understudy: --speed: 0 is not above 0 and at most 10000
understudy: --delay: -2s is negative
`
	if code != exitUsage || errOut != want {
		t.Errorf("exit %d, got\n%swant\n%s", code, errOut, want)
	}
}

// TestOnlyTheSectionsOfACommand: what another command would refuse keeps none
// from starting, an expired rule in particular.
func TestOnlyTheSectionsOfACommand(t *testing.T) {
	path := writeFile(t, `kafka: {brokers: ["127.0.0.1:1"]}
compare:
  rules:
    - {name: a, owner: o, reason: r, path: $.x, action: ignore, expires: 2020-01-31}
`)
	if code, _, errOut := run1(t, "record", "--require-kafka", "--config", path, "--baseline", "http://h"); code != exitDependency {
		t.Errorf("record: exit %d: %s", code, errOut)
	}
	want := path + `:4:74: compare.rules[0].expires: "2020-01-31" has passed; extend the rule or delete it` + "\n"
	for _, args := range [][]string{{"compare", "--config", path}, {"config", "validate", path}} {
		if code, _, errOut := run1(t, args...); code != exitUsage || errOut != want {
			t.Errorf("%q: exit %d: %s", args, code, errOut)
		}
	}
}

// TestHelpIsNarrow: the help of every command fits into 80 columns.
func TestHelpIsNarrow(t *testing.T) {
	root := newApp(nil, nil, nil).rootCommand(nil)
	var walk func(*cobra.Command, ...string)
	walk = func(c *cobra.Command, path ...string) {
		_, out, _ := run1(t, append(path, "--help")...)
		for line := range strings.Lines(out) {
			long := slices.ContainsFunc(strings.Fields(line), func(word string) bool { return len(word) > 40 }) // cannot be wrapped
			if utf8.RuneCountInString(line) > 81 && !long {
				t.Errorf("%s: %s", path, line)
			}
		}
		for _, sub := range c.Commands() {
			if sub.Name() != "completion" {
				walk(sub, append(slices.Clone(path), sub.Name())...)
			}
		}
	}
	walk(root)
}

// TestExitCodes: 4 is what another system is to blame for.
func TestExitCodes(t *testing.T) {
	f := func(want int, args ...string) {
		t.Helper()
		if code, _, errOut := run1(t, args...); code != want {
			t.Errorf("%q: exit %d, want %d: %s", args, code, want, errOut)
		}
	}
	f(exitOK)
	f(exitOK, "--version")
	f(exitOK, "config")
	f(exitUsage, "record", "--baseline", "http://h", "--key-file", "no-such-file")
	f(exitFailed, "demo", "candidate", "--listen", "127.0.0.1:no-port")
	f(exitDependency, "topics", "apply", "--kafka", "127.0.0.1:1")
	f(exitDependency, "replay", "--run", "r", "--candidate", "http://h", "--kafka", "127.0.0.1:1")
	f(exitDependency, "compare", "--kafka", "127.0.0.1:1")
	f(exitDependency, "audit", "r", "--kafka", "127.0.0.1:1")
	f(exitDependency, "migrate", "--clickhouse", "127.0.0.1:1")
	f(exitDependency, "report", "r", "--clickhouse", "127.0.0.1:1")
	f(exitDependency, "sql", "SELECT 1", "--clickhouse-http", "http://127.0.0.1:1")
}

func TestSecretsAreNotRepeated(t *testing.T) {
	for _, args := range [][]string{
		{"record", "--baseline", "http://user:hush%zz@h"},
		{"replay", "--run", "r", "--candidate", "http://user:hush@h"},
		{"replay", "--run", "r", "--candidate", "http://h", "--header", "A(: hush"},
		{"migrate", "--clickhouse", "clickhouse://user:hush@h:x:y"},
		{"config", "validate", writeFile(t, "record:\n  key: hush\nreplay:\n  headers: hush\n")},
	} {
		code, out, errOut := run1(t, args...)
		if code != exitUsage || strings.Contains(out+errOut, "hush") {
			t.Errorf("%q: exit %d: %s%s", args, code, out, errOut)
		}
	}
}

// TestListsInTheEnvironment: a flag whose values may have commas in them takes
// one, and an empty variable is an empty list.
func TestListsInTheEnvironment(t *testing.T) {
	f := func(flag, value string, want ...string) {
		t.Helper()
		a := newApp(nil, &bytes.Buffer{}, &bytes.Buffer{})
		root := a.rootCommand(nil)
		found := false
		eachFlag(root, func(fl *pflag.Flag) {
			if fl.Name == flag {
				found = true
				if got := elements(fl, value); !slices.Equal(got, want) {
					t.Errorf("%s=%q: got %q, want %q", flag, value, got, want)
				}
			}
		})
		if !found {
			t.Errorf("there is no flag %s", flag)
		}
	}
	f("header", "Accept: a, b", "Accept: a, b")
	f("kafka", "a:1,b:2", "a:1", "b:2")
	f("kafka", "")
}

// TestMistakesRepeatNoSecrets: what is wrong with an address or a field is said
// without what in it may be a secret.
func TestMistakesRepeatNoSecrets(t *testing.T) {
	const secret = "S3cretOfNobody"
	file := func(text string) string { return writeFile(t, text) }
	for _, args := range [][]string{
		{"record", "--baseline", "http://u:" + secret + "@h/?token=" + secret},
		{"record", "--baseline", "http://h/hooks/" + secret},
		{"record", "--baseline", "http://h#" + secret},
		{"record", "--baseline", "u:" + secret + "@h"},
		{"record", "--baseline", "http://h/%zz?" + secret},
		{"gateway", "--baseline", "http://h", "--candidate", "http://h/?token=" + secret, "--migration", "m", "--state-dir", t.TempDir()},
		{"replay", "--run", "r", "--candidate", "http://h/?token=" + secret},
		{"replay", "--run", "r", "--candidate", "http://u:" + secret + "@h:bad"},
		{"replay", "--run", "r", "--candidate", "http://h", "--control", "1", "--control-url", "http://u:" + secret + "@h/?token=" + secret},
		{"replay", "--run", "r", "--candidate", "http://h", "--control", "1", "--control-url", "http://u:" + secret + "@h"},
		{"replay", "--run", "r", "--candidate", "http://h", "--callback-url", "x://h/" + secret, "--completion", "callback"},
		{"replay", "--run", "r", "--candidate", "http://h", "--header", "Authorization Bearer " + secret},
		{"replay", "--run", "r", "--candidate", "http://h", "--header", secret},
		{"replay", "--run", "r", "--candidate", "http://h", "--control-header", secret},
		{"topics", "apply", "--kafka", "u:" + secret + "@h:9092"},
		{"topics", "apply", "--kafka", "u:" + secret + "@h"},
		{"topics", "apply", "--kafka", "sasl://u:" + secret + "@h:1"},
		{"migrate", "--clickhouse", "clickhouse://u:" + secret + "@h:bad/x"},
		{"config", "validate", file("replay:\n  headers: {\"Authorization: " + secret + "\": x}\n")},
		{"config", "validate", file("replay:\n  control: {headers: {\"Cookie: " + secret + "\": x}}\n")},
		{"config", "validate", file("record:\n  upstream: {url: \"http://u:" + secret + "@h/x?" + secret + "\"}\n")},
	} {
		code, out, errOut := run1(t, args...)
		if code != exitUsage || errOut == "" || strings.Contains(out+errOut, secret) {
			t.Errorf("%q: exit %d\n%s%s", args, code, out, errOut)
		}
	}
}
