package protocols

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"understudy.dev/comparator"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/target"
	"understudy.dev/integration/kafkatest"
	"understudy.dev/replayer"
	"understudy.dev/replayer/kafka"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/setting/source"
	"understudy.dev/stream"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }

// examples are the configurations of docs/protocols.md by the name of the
// protocol.
func examples(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)<!-- protocol: (\\S+) -->\n```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		out[string(m[1])] = string(m[2])
	}
	if got := strings.Count(string(page), "```yaml"); got != len(out) {
		t.Fatalf("%d examples are not named", got-len(out))
	}
	return out
}

// plan is one recording: each session's requests. The last session begins when
// everything else has happened, and keeps the run from ending before.
var plan = [][]fate{
	{fine, fine}, {fine, fine}, {fine, fine}, {overtaken, overtaking}, {overtaken, overtaking},
	{differs}, {differs}, {differs}, {refused}, {refused}, {lost}, {lost}, {tardy}, {tardy}, {expired},
	{repeated}, {repeated}, {contrary}, {early}, {early}, {fine},
}

// verdict is what a fate is to be judged as.
func (s style) verdict(f fate) comparator.Verdict {
	switch {
	case f == differs:
		return comparator.Mismatch
	case f == refused:
		return comparator.Rejected
	case s.direct:
		return comparator.Match
	}
	switch f {
	case lost, expired:
		return comparator.Lost
	case tardy:
		return comparator.Late
	case overtaking:
		return comparator.OutOfOrder
	case repeated:
		if s.push {
			return comparator.Duplicate
		}
	case contrary:
		if !s.linked {
			return comparator.Contradictory
		}
	}
	return comparator.Match
}

// record makes the recording, and the jobs that the candidate will see.
func (s style) record(p pace) (out []*understudyv1.Exchange, jobs map[int]*job) {
	jobs = map[int]*job{}
	begin := time.Date(2026, 11, 1, 10, 0, 0, 1, time.UTC)
	method := s.method
	if method == "" {
		method = "POST"
	}
	for i, fates := range plan {
		var prev *job
		for k, f := range fates {
			n := 1000 + 10*i + k
			j := newJob(p, n, f)
			if j.prev = prev; prev != nil {
				prev.next = j
			}
			jobs[n], prev = j, j
			path := "orders"
			if f == tardy {
				path = "urgent"
			}
			at := begin.Add(time.Duration(20*i)*time.Millisecond + time.Duration(k)*time.Second)
			if i == len(plan)-1 {
				at = begin.Add(p.overdue + 3*time.Second)
			}
			body := fmt.Sprintf(`{"n":%d,"state":"paid"}`, n)
			if s.baseline != nil {
				body = s.baseline(j, body)
			}
			out = append(out, &understudyv1.Exchange{
				Id: fmt.Sprint("e", n), Session: fmt.Sprint("s", i), Route: method + " /" + path + "/{id}",
				StartUnixNano: at.UnixNano(), DurationNano: int64(time.Millisecond),
				Request: &understudyv1.Request{
					Method: method, Target: fmt.Appendf(nil, "/%s/%d?keep=1", path, n), Authority: "shop.example",
					Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
					Body:    message.BodyOf(fmt.Appendf(nil, `{"n":%d}`, n)),
				},
				Response: &understudyv1.Response{
					Status: 201, Headers: []*understudyv1.Header{{Name: "Content-Type", Value: []byte("application/json")}},
					Body: message.BodyOf([]byte(body)),
				},
			})
		}
	}
	slices.SortStableFunc(out, func(a, b *understudyv1.Exchange) int { return int(a.GetStartUnixNano() - b.GetStartUnixNano()) })
	return out, jobs
}

// outcome is what a run came to.
type outcome struct {
	mu       sync.Mutex
	judge    *comparator.Judge
	verdicts map[string]string // by exchange
	channels map[string]int
	canceled int
	orphans  []string
}

func (o *outcome) Replay(_ context.Context, r *understudyv1.Replay, done func(error)) {
	c := o.judge.Judge(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	if x := r.GetOrphan(); x != nil {
		o.orphans = append(o.orphans, x.GetExchangeId()+" "+x.GetLateAfter())
	} else {
		o.verdicts[r.GetExchange().GetId()] = string(c.Verdict)
		d := r.GetCandidate().GetCompletion()
		if r.GetCandidate().GetAck().GetStatus() < 400 {
			o.channels[understudyv1.Label(d.GetChannel())]++
		}
		if d.GetCancelStatus() != 0 {
			o.canceled++
		}
	}
	done(nil)
}

func (*outcome) Run(context.Context, *understudyv1.Run) error { return nil }
func (*outcome) Flush(context.Context) error                  { return nil }

type recording struct{ list []*understudyv1.Exchange }

func (s *recording) Next(ctx context.Context) (*understudyv1.Exchange, error) {
	if len(s.list) == 0 {
		return nil, io.EOF
	}
	e := s.list[0]
	s.list = s.list[1:]
	return e, ctx.Err()
}

func (*recording) Unselected() map[string]uint64 { return nil }
func (*recording) Late() uint64                  { return 0 }

// TestEveryProtocol: each outcome is counted exactly, in every style, also while
// others have the processors.
func TestEveryProtocol(t *testing.T) {
	t.Setenv("WEBHOOK_SECRET", secret)
	yaml := examples(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(styles)), slices.Sorted(maps.Keys(yaml))); diff != "" {
		t.Fatalf("styles and examples differ:\n%s", diff)
	}
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy=%v", busy), func(t *testing.T) {
			p := paces[busy || others()]
			if busy {
				defer burn()()
			}
			var all sync.WaitGroup
			for name, s := range styles {
				all.Go(func() { s.play(t, name, yaml[name], p, fake) })
			}
			all.Wait()
		})
	}
}

// others says whether others have the processors already.
func others() bool {
	worst := time.Duration(0)
	for range 100 {
		began := time.Now()
		time.Sleep(2 * time.Millisecond)
		worst = max(worst, time.Since(began))
	}
	return worst > 10*time.Millisecond
}

// burn keeps every processor busy.
func burn() (stop func()) {
	over := make(chan struct{})
	var burning sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		burning.Go(func() {
			for x := 0; ; x++ {
				if x%1_000_000 == 0 {
					select {
					case <-over:
						return
					default:
					}
				}
			}
		})
	}
	return func() { close(over); burning.Wait() }
}

// TestTopicsOnRealKafka plays the styles that answer on a topic.
func TestTopicsOnRealKafka(t *testing.T) {
	brokers := kafkatest.Shared(t).Addrs()
	client, err := stream.Dial(t.Context(), stream.Config{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), 4, 1, nil, "shop.requests", "shop.replies"); err != nil {
		t.Fatal(err)
	}
	yaml := examples(t)
	for _, name := range []string{"topic", "asyncapi-reply"} { // one after the other, on the same topics
		styles[name].play(t, name, yaml[name], paces[others()], func(*testing.T) []string { return brokers })
	}
}

// fake are the brokers of a cluster in this process.
func fake(t *testing.T) []string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "shop.requests", "shop.replies"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()
}

// topics is Kafka for one run.
func topics(t *testing.T, brokers []string) *kafka.Topics {
	t.Helper()
	out, err := kafka.NewTopics(t.Context(), stream.Config{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.Close)
	return out
}

func (s style) play(t *testing.T, name, yaml string, p pace, brokers func(*testing.T) []string) {
	file := struct {
		Replay replayer.Config `yaml:"replay"`
	}{replayer.DefaultConfig()}
	if err := source.Read([]byte(yaml), name, &file, source.Origins{}); err != nil {
		t.Error(err)
		return
	}
	list, jobs := s.record(p)
	cfg := file.Replay
	if s.channel == "topic" {
		cfg.Topics = topics(t, brokers(t))
	}
	c := newCandidate(t, s, jobs, cfg.Topics)
	if s.produced {
		defer c.serve()()
	}
	pause := p.linger
	// What is not acknowledged cannot be overtaken.
	cfg.Order = replayer.OrderAcknowledged
	cfg.Run, cfg.Candidate, cfg.Drain, cfg.Isolated = name, c.start(), 20*time.Second, true
	cfg.Completion.Timeout, cfg.Completion.Linger, cfg.Completion.PollMax = p.timeout, &pause, 50*time.Millisecond
	if cfg.Headers == nil {
		cfg.Headers = map[string]string{}
	}
	cfg.Headers["X-Secret"] = "1"
	cfg.Routes = append(cfg.Routes, target.Route{Route: "* /urgent/{id}", Completion: target.Completion{Deadline: p.deadline}})
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Error(err)
		return
	}
	o := &outcome{judge: judge, verdicts: map[string]string{}, channels: map[string]int{}}
	r, err := replayer.New(cfg, &understudyv1.RunSpec{}, &recording{list}, o, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	run, err := r.Run(t.Context())
	c.end()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	s.check(t, name, c, o, run)
}

func (s style) check(t *testing.T, name string, c *candidate, o *outcome, run *understudyv1.Run) {
	want := map[string]string{}
	counts := map[fate]int{}
	for _, j := range c.jobs {
		counts[j.fate]++
		want[fmt.Sprint("e", j.n)] = string(s.verdict(j.fate))
	}
	if diff := cmp.Diff(want, o.verdicts); diff != "" {
		t.Errorf("%s: verdicts (-want +got)\n%s", name, diff)
	}
	var orphans []string
	if s.called {
		for _, j := range c.jobs {
			if j.fate == expired {
				orphans = append(orphans, fmt.Sprintf("e%d timeout", j.n))
			}
		}
	}
	if name == "callbacks" { // its late call is preceded by one of progress
		orphans = append(orphans, orphans...)
	}
	if diff := cmp.Diff(orphans, o.orphans); diff != "" {
		t.Errorf("%s: orphans (-want +got)\n%s", name, diff)
	}
	accepted := len(c.jobs)
	if s.direct {
		accepted -= counts[refused]
	}
	if diff := cmp.Diff(map[string]int{s.channel: accepted}, o.channels); diff != "" {
		t.Errorf("%s: channels (-want +got)\n%s", name, diff)
	}
	given := counts[lost] + counts[expired]
	if s.cancels == "" {
		given = 0
	}
	if c.canceled[s.cancels] != given || o.canceled != given {
		t.Errorf("%s: canceled %v, noted %d, want %d by %s", name, c.canceled, o.canceled, given, s.cancels)
	}
	for _, x := range run.GetRoutes() {
		if len(x.GetTaken()) != 1 || len(x.GetDoubts()) > 0 {
			t.Errorf("%s: %s was taken for %v, doubts %v", name, x.GetRoute(), x.GetTaken(), x.GetDoubts())
		}
	}
	if run.GetOrphans() != uint64(len(orphans)) || run.GetReplayed() != uint64(len(c.jobs)) {
		t.Errorf("%s: replayed %d, orphans %d", name, run.GetReplayed(), run.GetOrphans())
	}
	sent := len(c.jobs) - counts[lost] + counts[repeated] + counts[contrary]
	if name == "webhook" && (c.answers[401] != sent || c.answers[204] != sent-counts[expired] || c.answers[410] != counts[expired]) {
		t.Errorf("%s: calls were answered %v", name, c.answers)
	}
}
