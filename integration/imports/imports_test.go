// Package imports takes real recordings through `understudy import` into Kafka
// and out again, and compares with the files byte for byte.
package imports

import (
	"bufio"
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
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "understudy-imports-")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "understudy")
	build := exec.Command("go", "build", "-o", binary, "understudy.dev/cmd/understudy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("build: %v\n%s", err, out)
		return 1
	}
	return kafkatest.Main(m)
}

// real is a folder of recorded traffic beside the project; without it the test
// is skipped, under CI=true it fails.
func real(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", name)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the recorded traffic is required here: %v", err)
		}
		t.Skipf("SKIP: no recorded traffic: %v", err)
	}
	return dir
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
var logLine = regexp.MustCompile(`^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) (\S+)" (\d+) (\d+|-) "(.*?)" "(.*)`)

func TestAccessLogThroughKafka(t *testing.T) {
	path := filepath.Join(real(t, "access-log"), "apache_combined.log")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		target, method, status, size, agent string
		at                                  time.Time
	}
	var want []line
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		m := logLine.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Fatalf("this test cannot read %q", lines.Text())
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[4])
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, line{m[6], m[5], m[8], strings.ReplaceAll(m[9], "-", "0"), strings.TrimSuffix(m[11], `"`), at})
	}
	// The log is in the order of its lines, the timeline in that of arrival;
	// within a second both keep the order of the lines.
	slices.SortStableFunc(want, func(a, b line) int { return a.at.Compare(b.at) })

	got := imported(t, "--format", "combined", path)
	if len(got) != len(want) || len(got) != 10_000 {
		t.Fatalf("%d of %d lines came back", len(got), len(want))
	}
	for i, e := range got {
		w, agent := want[i], ""
		for _, h := range e.Request.Headers {
			if h.Name == "User-Agent" {
				agent = string(h.Value)
			}
		}
		if w.agent == "-" {
			w.agent = ""
		}
		have := line{string(e.Request.Target), e.Request.Method, fmt.Sprint(e.Response.Status), fmt.Sprint(e.Response.Body.Length), agent, time.Unix(0, e.StartUnixNano)}
		if have.target != w.target || have.method != w.method || have.status != w.status || have.size != w.size || have.agent != w.agent || !have.at.Equal(w.at) {
			t.Fatalf("line %d in order of arrival:\n got %+v\nwant %+v", i+1, have, w)
		}
	}
}

func TestGitHubExchangesThroughKafka(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(real(t, "github-exchanges"), "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	type fixture struct {
		Method, Path string
		Status       uint32
		Body         json.RawMessage
		Response     json.RawMessage
		RawHeaders   []string
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
		if body := e.Response.Body.Content; !sameBody(f.Response, body) {
			t.Errorf("%s: body\n got %.200s\nwant %.200s", key, body, f.Response)
		}
	}
}

// sameBody: a JSON response is its compact text with every digit, a text is
// itself, a binary one is hex in the file.
func sameBody(raw json.RawMessage, body []byte) bool {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text == string(body) || text == fmt.Sprintf("%x", body)
	}
	var compact bytes.Buffer
	return json.Compact(&compact, raw) == nil && compact.String() == string(body)
}
