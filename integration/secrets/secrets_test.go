package secrets

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact/redacttest"
)

// system answers the cases of a seed; with echo it also says what it was sent.
func system(t *testing.T, seed uint64, echo bool) *httptest.Server {
	cases := redacttest.Cases(seed)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		digits, _, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "/case/"), "/")
		digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
		i, err := strconv.Atoi(digits)
		if err != nil || i >= len(cases) {
			http.NotFound(w, r)
			return
		}
		c := cases[i]
		for _, h := range c.AnswerHeaders {
			w.Header().Add(h[0], h[1])
		}
		for _, h := range c.AnswerTrailers {
			w.Header().Add("Trailer", h[0])
		}
		body, err := message.Encode([]byte(c.AnswerBody), c.Coding)
		if err != nil {
			t.Error(err)
		}
		switch {
		case c.AnswerBody != "":
			if c.Coding != "" {
				w.Header().Set("Content-Encoding", c.Coding)
			}
		case echo && len(sent) > 0:
			body = sent
			for _, name := range []string{"Content-Type", "Content-Encoding"} {
				w.Header().Set(name, r.Header.Get(name))
			}
		default:
			body = []byte("{}")
			w.Header().Set("Content-Type", "application/json")
		}
		if echo {
			w.Header().Set("Content-Location", r.RequestURI)
			for name, values := range r.Header {
				if strings.HasPrefix(name, "X-") || name == "Authorization" || name == "Cookie" {
					w.Header()[name] = values
				}
			}
		}
		_, _ = w.Write(body)
		for _, h := range c.AnswerTrailers {
			w.Header().Set(h[0], h[1])
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// send sends a case as a client would.
func send(t *testing.T, base string, c redacttest.Case) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	body, err := message.Encode([]byte(c.Body), c.Coding)
	if err != nil {
		t.Fatal(err)
	}
	if c.Body == "" {
		body = nil
	}
	path, query, _ := strings.Cut(c.Target, "?")
	r, err := http.NewRequest(c.Method, base, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL = &url.URL{Scheme: "http", Host: u.Host, Opaque: path, RawQuery: query}
	for _, h := range c.Headers {
		r.Header.Add(h[0], h[1])
	}
	if c.Coding != "" && len(body) > 0 {
		r.Header.Set("Content-Encoding", c.Coding)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
		t.Fatalf("%s: %d, %v", c.Name, answer.StatusCode, err)
	}
}

// fixture is the cases of a seed as nock records them.
func fixture(t *testing.T, seed uint64) []byte {
	t.Helper()
	flat := func(list [][2]string, coding string) []string {
		out := []string{}
		for _, h := range list {
			out = append(out, h[0], h[1])
		}
		if coding != "" {
			out = append(out, "Content-Encoding", coding)
		}
		return out
	}
	body := func(text, coding string) string {
		if coding == "" || text == "" {
			return text
		}
		packed, err := message.Encode([]byte(text), coding)
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(packed)
	}
	var list []map[string]any
	for _, c := range redacttest.Cases(seed) {
		inQ, inA := c.Coding, c.Coding
		if c.Body == "" {
			inQ = ""
		}
		if c.AnswerBody == "" {
			inA = ""
		}
		list = append(list, map[string]any{
			"scope": "http://shop.example", "method": c.Method, "path": c.Target, "status": 200,
			"reqheaders": flat(c.Headers, inQ), "body": body(c.Body, inQ), "rawHeaders": flat(append(c.AnswerHeaders, c.AnswerTrailers...), inA), "response": body(c.AnswerBody, inA),
		})
	}
	out, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// records is everything that a broker holds, unpacked.
func records(t *testing.T, broker string) []byte {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	parts := map[string]map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		want += o.Offset
		if parts[o.Topic] == nil {
			parts[o.Topic] = map[int32]kgo.Offset{}
		}
		parts[o.Topic][o.Partition] = kgo.NewOffset().AtStart()
	})
	reader, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumePartitions(parts))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	for have := int64(0); have < want; {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records", have, want)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			have++
			fmt.Fprintf(&out, "%s %s\n", r.Topic, r.Key)
			for _, h := range r.Headers {
				fmt.Fprintf(&out, "%s: %s\n", h.Key, h.Value)
			}
			out.Write(r.Value)
		})
	}
	return out.Bytes()
}

// TestNoSecretIsLeftBehind: 614 cases live, as many imported, and all of them
// replayed against a candidate with secrets of its own, which says what it is
// sent. None of these secrets is in Kafka's records or files, in ClickHouse's
// tables or files, in what the commands print or log.
func TestNoSecretIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	kafka, web, native := freeAddress(t), freeAddress(t), freeAddress(t)
	const own = "Zq0wnCr3d3nt1alOfTheCandidate"
	keys := filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, []byte("a key of more than 16 bytes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &shell{env: []string{"UNDERSTUDY_KAFKA=" + kafka, "UNDERSTUDY_CLICKHOUSE=clickhouse://" + native + "/understudy", "UNDERSTUDY_CLICKHOUSE_HTTP=http://" + web, "UNDERSTUDY_KEY_FILE=" + keys}}
	data := filepath.Join(dir, "data")
	stopPlatform := s.start(t, "ready", "dev", "--data-dir", data, "--kafka-listen", kafka, "--clickhouse-http-listen", web, "--clickhouse-native-listen", native)

	live := freeAddress(t)
	stopRecorder := s.start(t, "recording", "record", "--listen", live, "--baseline", system(t, 1, false).URL, "--compression", "none", "--instance", "live", "--index-header", "authorization,x-note")
	cases := redacttest.Cases(1)
	for _, c := range cases {
		send(t, "http://"+live, c)
	}
	stopRecorder()
	nock := filepath.Join(t.TempDir(), "fixture.json")
	if err := os.WriteFile(nock, fixture(t, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t, "0", "import", "--format", "nock", nock)
	s.run(t, "0", "replay", "--run", "secrets", "--candidate", system(t, 3, true).URL, "--isolated", "--speed", "1000", "--max-gap", "10ms", "--completion", "none", "--header", "X-Own-Credential: "+own)
	// One that answers as the recorded system did has the same tokens.
	s.run(t, "0", "replay", "--run", "equal", "--candidate", system(t, 1, false).URL, "--isolated", "--speed", "1000", "--max-gap", "10ms", "--completion", "none", "--recorder", "live")
	s.run(t, "0", "compare")
	s.run(t, "0", "report", "secrets")
	s.run(t, "0", "report", "secrets", "-o", "json")
	for _, ordinal := range []string{"1", "40", "77", "300", "500", "800"} {
		s.run(t, "0", "show", "secrets", ordinal)
		s.run(t, "0", "show", "secrets", ordinal, "-o", "json")
		s.run(t, "0", "show", "secrets", ordinal, "--curl")
		s.run(t, "0", "explain", "secrets", ordinal)
	}
	s.run(t, "0", "redact", "scan")

	places := map[string][]byte{"the records of Kafka": records(t, kafka), "what the commands said": []byte(s.text())}
	tables := s.run(t, "0", "sql", "SELECT name FROM system.tables WHERE database = 'understudy' AND engine NOT LIKE '%View' FORMAT TSV")
	for table := range strings.FieldsSeq(tables) {
		places["the table "+table] = []byte(s.run(t, "0", "sql", "SELECT * FROM `"+table+"` FORMAT JSONEachRow"))
	}
	// A request whose target holds a token that the candidate gave nothing for is
	// not sent; each other one has its verdict.
	counts := map[string]int{}
	for line := range strings.Lines(s.run(t, "0", "sql", "SELECT run, verdict, count() FROM comparisons GROUP BY ALL FORMAT TSV")) {
		run, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		verdict, n, _ := strings.Cut(rest, "\t")
		counts[run+" "+verdict], _ = strconv.Atoi(n)
	}
	if all := counts["secrets mismatch"] + counts["secrets match"] + counts["secrets skipped"]; all != 2*len(cases) || counts["secrets skipped"] > all/5 {
		t.Errorf("of %d cases: %v", 2*len(cases), counts)
	}
	if counts["equal match"]+counts["equal skipped"] != len(cases) || counts["equal skipped"] > len(cases)/5 {
		t.Errorf("equal values did not stay equal, of %d cases: %v", len(cases), counts)
	}
	stopPlatform()
	files := 0
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		places["the file "+path], err = os.ReadFile(path)
		return err
	})
	if err != nil || files < 10 {
		t.Fatalf("%d files, %v", files, err)
	}
	places["what the commands said"] = []byte(s.text())

	secrets := map[string]string{own: "the candidate's own credential"}
	for seed := range uint64(3) {
		for _, c := range redacttest.Cases(seed + 1) {
			for _, secret := range c.Secrets {
				secrets[secret] = fmt.Sprintf("%s, of seed %d", c.Name, seed+1)
			}
		}
	}
	found := 0
	for name, content := range places {
		for _, secret := range within(content, secrets) {
			if found++; found <= 40 {
				t.Errorf("%s (%s) is in %s", secret, secrets[secret], name)
			}
		}
	}
	t.Logf("%d secrets searched in %d files, tables and outputs; %d found", len(secrets), len(places), found)
}

// within are the secrets that are in a content. A secret is looked for where its
// first four bytes are.
func within(content []byte, secrets map[string]string) (out []string) {
	by := map[[4]byte][]string{}
	for s := range secrets {
		k := [4]byte([]byte(s[:4]))
		by[k] = append(by[k], s)
	}
	seen := map[string]bool{}
	for i := 0; i+4 <= len(content); i++ {
		for _, s := range by[[4]byte(content[i:i+4])] {
			if !seen[s] && bytes.HasPrefix(content[i:], []byte(s)) {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	slices.Sort(out)
	return out
}
