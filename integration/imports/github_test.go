package imports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/schemas/topic"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

// step is one exchange of a recorded scenario.
type step struct {
	Method, Path string
	Status       int
	Body         json.RawMessage
	Response     json.RawMessage
	RawHeaders   []string

	ResponseIsBinary bool
	served           bool
}

// word is what a name can be: in a URL, a text or a value of its own.
var word = regexp.MustCompile(`[0-9A-Za-z]+`)

// fake is a candidate that has the recorded scenarios in it and calls everything
// that GitHub made by names of its own, texts for its numbers. It knows a name
// only after it has given it out.
type fake struct {
	mu    sync.Mutex
	steps []*step
	made  map[string]bool   // GitHub's names of what it made
	own   map[string]string // the fake's for them, of what has been given out
	named map[string]string // the other way round
	wrong []string
}

// newFake reads the scenarios; what two of them name was there before.
func newFake(t *testing.T, files []string) *fake {
	t.Helper()
	f := &fake{made: map[string]bool{}, own: map[string]string{}, named: map[string]string{}}
	seen := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var steps []*step
		if err := json.Unmarshal(text, &steps); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		sent, here := map[string]bool{}, map[string]bool{}
		for _, s := range steps {
			for _, w := range word.FindAllString(s.Path+" "+string(s.Body), -1) {
				sent[w] = true
			}
			var answer any
			if decode(s.Response, &answer) == nil && !s.ResponseIsBinary {
				ids(answer, func(id string) {
					if !sent[id] {
						here[id] = true
					}
				})
			}
		}
		for id := range here {
			seen[id]++
		}
		f.steps = append(f.steps, steps...)
	}
	for id, files := range seen {
		f.made[id] = files == 1
	}
	return f
}

func decode(raw []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	return d.Decode(into)
}

// ids calls each for the values of members id and sha.
func ids(v any, each func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if text := fmt.Sprint(member); (name == "id" || name == "sha") && len(text) > 5 {
				each(text)
			}
			ids(member, each)
		}
	case []any:
		for _, e := range v {
			ids(e, each)
		}
	}
}

// give is a text with the fake's names for GitHub's.
func (f *fake) give(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if !f.made[w] {
			return w
		}
		own, ok := f.own[w]
		if !ok {
			sum := sha256.Sum256([]byte("fake" + w))
			own = hex.EncodeToString(sum[:])[:40]
			if len(w) != 40 {
				own = "gh" + own[:9]
			}
			f.own[w], f.named[own] = own, w
		}
		return own
	})
}

// take is a text of the client with GitHub's names for the fake's. Nobody has told
// the client GitHub's.
func (f *fake) take(text string) string {
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if f.made[w] {
			f.wrong = append(f.wrong, fmt.Sprintf("%s in %s", w, text))
		}
		if theirs, ok := f.named[w]; ok {
			return theirs
		}
		return w
	})
}

// texts applies a function to all scalars of a value; numbers that it changes
// become texts.
func texts(v any, change func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = texts(member, change)
		}
	case []any:
		for i, e := range v {
			v[i] = texts(e, change)
		}
	case json.Number:
		if text := change(v.String()); text != v.String() {
			return text
		}
	case string:
		return change(v)
	}
	return v
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	target, content := f.take(r.URL.RequestURI()), f.canonical(body, true)
	for _, s := range f.steps {
		if !s.served && strings.EqualFold(s.Method, r.Method) && same(s.Path, target) && f.canonical(s.Body, false) == content {
			s.served = true
			f.answer(w, s)
			return
		}
	}
	f.wrong = append(f.wrong, fmt.Sprintf("nobody asked so: %s %s %.200s", r.Method, target, content))
	w.WriteHeader(http.StatusNotFound)
}

// same says whether two targets are, whatever their escapes.
func same(a, b string) bool {
	x, errX := url.QueryUnescape(a)
	y, errY := url.QueryUnescape(b)
	return errX == nil && errY == nil && x == y
}

// canonical is a body with GitHub's names, as texts, those of the client taken.
func (f *fake) canonical(body []byte, taken bool) string {
	var v any
	if len(body) == 0 {
		return ""
	}
	change := func(s string) string { return s }
	if taken {
		change = f.take
	}
	if decode(body, &v) != nil {
		return change(string(body))
	}
	if text, ok := v.(string); ok {
		return change(text)
	}
	out, err := json.Marshal(texts(texts(v, change), func(s string) string {
		if f.made[s] {
			return "name " + s // a number there and a text here are one name
		}
		return s
	}))
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func (f *fake) answer(w http.ResponseWriter, s *step) {
	var v any
	var body []byte
	err := decode(s.Response, &v)
	text, isText := v.(string)
	switch {
	case err != nil:
	case s.ResponseIsBinary && isText:
		body, _ = hex.DecodeString(text)
	case isText:
		body = []byte(f.give(text))
	default:
		body, _ = json.Marshal(texts(v, f.give))
	}
	for i := 0; i+1 < len(s.RawHeaders); i += 2 {
		switch name := s.RawHeaders[i]; strings.ToLower(name) {
		case "location", "link":
			w.Header().Add(name, f.give(s.RawHeaders[i+1]))
		case "content-length", "content-encoding", "transfer-encoding", "connection":
		default:
			w.Header().Add(name, s.RawHeaders[i+1])
		}
	}
	w.WriteHeader(s.Status)
	_, _ = w.Write(body)
}

// TestRecordedScenariosReachTheirObjects: later requests of GitHub's scenarios name
// what earlier answers made. Replayed at a system that makes names of its own, of
// another type, each reaches the right thing, and no rule says how.
func TestRecordedScenariosReachTheirObjects(t *testing.T) {
	t.Run("own", func(t *testing.T) {
		scenarios(t, filepath.Join("testdata", "scenario"), 1, 3)
	})
	t.Run("recorded", func(t *testing.T) {
		scenarios(t, recorded(t, "github-exchanges"), 22, 17)
	})
}

func scenarios(t *testing.T, dir string, want, names int) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != want {
		t.Fatalf("%d files, %v", len(files), err)
	}
	f := newFake(t, files)
	server := httptest.NewServer(f)
	defer server.Close()
	cluster := kafkatest.Shared(t)
	prefix, brokers := cluster.Prefix(t), strings.Join(cluster.Addrs(), ",")
	for _, words := range [][]string{
		{"topics", "apply"}, append([]string{"import", "--format", "nock"}, files...),
		{"replay", "--run", "scenarios", "--candidate", server.URL, "--max-gap", "100ms", "--completion", "response", "--isolated"},
	} {
		cmd := exec.Command(binary, append(words, "--kafka", brokers, "--prefix", prefix, "--log-level", "warn")...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", words, err, out)
		}
	}
	run := theRun(t, cluster.Addrs(), prefix)
	if run.GetReplayed() != uint64(len(f.steps)) || len(run.GetSkipped()) > 0 {
		t.Errorf("%d of %d were sent, skipped %v", run.GetReplayed(), len(f.steps), run.GetSkipped())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.wrong {
		t.Error(w)
	}
	for _, s := range f.steps {
		if !s.served {
			t.Errorf("nobody came for %s %s %s", s.Method, s.Path, s.Body)
		}
	}
	used := map[string]bool{}
	for _, s := range f.steps {
		for _, w := range word.FindAllString(s.Path+" "+string(s.Body), -1) {
			used[w] = used[w] || f.made[w]
		}
	}
	n := 0
	for _, made := range used {
		if made {
			n++
		}
	}
	if n < names {
		t.Errorf("the later requests use %d names that GitHub made, want %d: this test shows little", n, names)
	}
	t.Logf("%d requests, %d names that GitHub made are used later", len(f.steps), n)
}

func theRun(t *testing.T, brokers []string, prefix string) *understudyv1.Run {
	t.Helper()
	runs, err := stream.Runs(context.Background(), stream.Config{Brokers: brokers}, topic.NamesFor(prefix))
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	return runs[0]
}
