package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/integration/program"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, func() int { return kafkatest.Main(m) })) }

// dataVar names the environment variable with the folder of recorded traffic.
const dataVar = "UNDERSTUDY_DATA"

// recorded is a file or folder of recorded traffic. Where UNDERSTUDY_DATA is
// set, it must be there; elsewhere only our own small fixtures are read.
func recorded(t *testing.T, name string) string {
	t.Helper()
	recordings := os.Getenv(dataVar)
	if recordings == "" {
		fmt.Fprintf(os.Stderr, "SKIPPING %s: %s is not set\n", t.Name(), dataVar)
		t.Skipf("SKIP: no recorded traffic: %s is not set", dataVar)
	}
	path := filepath.Join(recordings, name)
	if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
		t.Fatalf("%s=%s must be the absolute path of a folder with %s (%v)", dataVar, recordings, name, err)
	}
	return path
}

// imported runs the command and reads the topic back in the order of arrival.
func imported(t *testing.T, args ...string) []*understudyv1.Exchange {
	t.Helper()
	cluster := kafkatest.Shared(t)
	prefix, brokers := cluster.Prefix(t), strings.Join(cluster.Addrs(), ",")
	for _, words := range [][]string{{"topics", "apply"}, append([]string{"import", "--redact=false"}, args...)} {
		cmd := exec.Command(binary, append(words, "--kafka", brokers, "--prefix", prefix)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	timeline, err := stream.OpenTimeline(t.Context(), stream.Config{Brokers: cluster.Addrs()},
		stream.TimelineConfig{Topic: topic.NamesFor(prefix).Exchanges}, func(_ *kgo.Record, err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer timeline.Close()
	var out []*understudyv1.Exchange
	for {
		e, err := timeline.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
}

// logLine is this test's own reading of the combined format.
var logLine = regexp.MustCompile(`^(\S+) (\S+) (.+?) \[([^\]]+)\] "(\S+) (.+) (HTTP/\S+)" (\d+) (\d+|-) "(.*?)" "(.*)$`)

type line struct {
	target, method, status, size, referer, agent string
	at                                           time.Time
}

func readLine(t *testing.T, text string) line {
	t.Helper()
	m := logLine.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("this test cannot read %q", text)
	}
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[4])
	if err != nil {
		t.Fatal(err)
	}
	bytes := func(s string) string { // Apache's escapes are among those of Go
		u, err := strconv.Unquote(`"` + s + `"`)
		if err != nil {
			t.Fatalf("this test cannot read %q: %v", s, err)
		}
		return u
	}
	header := func(s string) string {
		if s == "-" {
			return ""
		}
		return bytes(s)
	}
	return line{bytes(m[6]), m[5], m[8], strings.ReplaceAll(m[9], "-", "0"), header(m[10]), header(strings.TrimSuffix(m[11], `"`)), at}
}

func TestAccessLogThroughKafka(t *testing.T) {
	t.Run("own", func(t *testing.T) {
		accessLogThroughKafka(t, filepath.Join("testdata", "combined.log"), 37)
	})
	t.Run("recorded", func(t *testing.T) {
		accessLogThroughKafka(t, recorded(t, filepath.Join("access-log", "apache_combined.log")), 10_000)
	})
}

func accessLogThroughKafka(t *testing.T, path string, total int) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []line
	for _, l := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		want = append(want, readLine(t, l))
	}
	// The log is in the order of its lines, the timeline in that of arrival;
	// within a second both keep the order of the lines.
	slices.SortStableFunc(want, func(a, b line) int { return a.at.Compare(b.at) })

	got := imported(t, "--format", "combined", path)
	if len(got) != len(want) || len(got) != total {
		t.Fatalf("%d of %d lines came back, want %d", len(got), len(want), total)
	}
	for i, e := range got {
		w := want[i]
		have := line{string(e.Request.Target), e.Request.Method, fmt.Sprint(e.Response.Status), fmt.Sprint(e.Response.Body.Length),
			header(e.Request.Headers, "Referer"), header(e.Request.Headers, "User-Agent"), time.Unix(0, e.StartUnixNano)}
		if !have.at.Equal(w.at) {
			t.Fatalf("line %d in order of arrival: at %v, want %v", i+1, have.at, w.at)
		}
		if have.at = w.at; have != w {
			t.Fatalf("line %d in order of arrival:\n got %+v\nwant %+v", i+1, have, w)
		}
	}
}

func header(list []*understudyv1.Header, name string) string {
	for _, h := range list {
		if h.Name == name {
			return string(h.Value)
		}
	}
	return ""
}

func TestNockFixturesThroughKafka(t *testing.T) {
	t.Run("own", func(t *testing.T) {
		nockThroughKafka(t, filepath.Join("testdata", "nock"), 2)
	})
	t.Run("recorded", func(t *testing.T) {
		nockThroughKafka(t, recorded(t, "github-exchanges"), 20)
	})
}

func nockThroughKafka(t *testing.T, dir string, atLeast int) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) < atLeast {
		t.Fatalf("%d files, %v", len(files), err)
	}
	type fixture struct {
		Method, Path string
		Status       uint32
		Body         json.RawMessage
		Response     json.RawMessage
		RawHeaders   []string

		ResponseIsBinary bool
	}
	want := map[string][]fixture{} // by method and path, in order
	total := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var fs []fixture
		if err := json.Unmarshal(text, &fs); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, f := range fs {
			key := strings.ToUpper(f.Method) + " " + f.Path
			want[key] = append(want[key], f)
			total++
		}
	}
	got := imported(t, append([]string{"--format", "nock"}, files...)...)
	if len(got) != total {
		t.Fatalf("%d of %d exchanges came back", len(got), total)
	}
	// Within one topic the sequence numbers are those of the files.
	slices.SortFunc(got, func(a, b *understudyv1.Exchange) int { return int(a.Sequence) - int(b.Sequence) })
	for i, e := range got {
		if e.Sequence != uint64(i+1) {
			t.Fatalf("sequence %d at %d: a hole", e.Sequence, i+1)
		}
		key := e.Request.Method + " " + string(e.Request.Target)
		if len(want[key]) == 0 {
			t.Errorf("%s was never in the files", key)
			continue
		}
		f := want[key][0]
		want[key] = want[key][1:]
		var headers []string
		for _, h := range e.Response.Headers {
			headers = append(headers, h.Name, string(h.Value))
		}
		if e.Response.Status != f.Status || !slices.Equal(headers, f.RawHeaders) {
			t.Errorf("%s: status %d, headers %q\nwant %d, %q", key, e.Response.Status, headers, f.Status, f.RawHeaders)
		}
		if body := e.Response.Body.Content; !sameBody(f.Response, body, f.ResponseIsBinary || header(e.Response.Headers, "Content-Encoding") != "") {
			t.Errorf("%s: body\n got %.200s\nwant %.200s", key, body, f.Response)
		}
		if body := e.Request.Body.Content; !sameBody(f.Body, body, false) {
			t.Errorf("%s: request body\n got %.200s\nwant %.200s", key, body, f.Body)
		}
	}
}

// sameBody: a JSON body is its compact text with every digit, a text is itself,
// a binary one is hex in the file, in pieces where it is compressed.
func sameBody(raw json.RawMessage, body []byte, binary bool) bool {
	if len(raw) == 0 {
		return len(body) == 0
	}
	var text string
	var pieces []string
	switch {
	case json.Unmarshal(raw, &text) == nil && binary:
		return text == fmt.Sprintf("%x", body)
	case json.Unmarshal(raw, &text) == nil:
		return text == string(body)
	case json.Unmarshal(raw, &pieces) == nil && binary:
		return strings.Join(pieces, "") == fmt.Sprintf("%x", body)
	}
	var compact bytes.Buffer
	return json.Compact(&compact, raw) == nil && compact.String() == string(body)
}
