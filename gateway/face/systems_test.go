package face_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"understudy.dev/exchange/target"
	"understudy.dev/exchange/visit"
	"understudy.dev/exchange/wire"
	"understudy.dev/gateway/face"
	"understudy.dev/gateway/flight"
	"understudy.dev/gateway/proxy"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// systems are the two sides. Each notes the effects of what is posted to it.
type systems struct {
	t                   *testing.T
	baseline, candidate *httptest.Server

	mu      sync.Mutex
	effects map[string]int  // by body, both sides together
	jobs    map[string]*job // by their number
	count   int
	// pending is how often a job says that it goes on; below 0 without end.
	pending int
	// refuses says that a job cannot be canceled.
	refuses bool
	// accept, if set, takes the place of the acknowledgement.
	accept http.HandlerFunc
	topics target.Topics
}

// job is one of the candidate's; its effect happens when it is done.
type job struct {
	body               string
	asked              int
	isDone, isCanceled bool
	credentials        string
}

func newSystems(t *testing.T) *systems {
	s := &systems{t: t, effects: map[string]int{}, jobs: map[string]*job{}, pending: 1}
	s.baseline = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method == http.MethodPost {
			s.mu.Lock()
			s.effects[string(b)]++
			s.mu.Unlock()
		}
		fmt.Fprintf(w, "baseline %s %s", r.URL.Path, b)
	}))
	mux := http.NewServeMux()
	mux.HandleFunc("/orders", s.order)
	mux.HandleFunc("GET /jobs/{id}", s.poll)
	mux.HandleFunc("DELETE /jobs/{id}", s.cancel)
	s.candidate = httptest.NewServer(mux)
	t.Cleanup(s.baseline.Close)
	t.Cleanup(s.candidate.Close)
	return s
}

func (s *systems) order(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accept != nil {
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		s.accept(w, r)
		return
	}
	s.count++
	id := fmt.Sprint(s.count)
	s.jobs[id] = &job{body: string(b)}
	w.Header().Set("Location", "/jobs/"+id)
	w.Header().Set("Operation-Location", "/jobs/"+id)
	w.WriteHeader(http.StatusAccepted)
}

func (s *systems) poll(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[r.PathValue("id")]
	if j == nil {
		http.NotFound(w, r)
		return
	}
	j.asked++
	j.credentials = r.Header.Get("Authorization")
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Thing", "of "+j.body)
	switch {
	case j.isCanceled:
		fmt.Fprint(w, `{"status":"Canceled"}`)
	case s.pending >= 0 && j.asked > s.pending:
		if !j.isDone {
			j.isDone = true
			s.effects[j.body]++
		}
		fmt.Fprintf(w, `{"status":"Succeeded","result":{"order":%q}}`, j.body)
	default:
		fmt.Fprint(w, `{"status":"Running"}`)
	}
}

func (s *systems) cancel(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[r.PathValue("id")]
	if s.refuses || j == nil || j.isDone {
		w.WriteHeader(http.StatusConflict)
		return
	}
	j.isCanceled = true
	w.WriteHeader(http.StatusAccepted)
}

// finish lets the candidate complete what it has.
func (s *systems) finish(pending int) {
	s.mu.Lock()
	s.pending = pending
	s.mu.Unlock()
}

func (s *systems) effectsOf(body string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.effects[body]
}

// door sends everything to the candidate.
type door struct {
	isComplete atomic.Bool
	rolledBack atomic.Bool
	mu         sync.Mutex
	last       *visit.Visit
}

func (d *door) EnterHTTP(in *http.Request) *visit.Visit {
	return d.enter(in.Method, in.URL.Path, in.Header.Get("X-Session"))
}

func (d *door) Enter(q *wire.Request, _ string) *visit.Visit {
	target, _, _, _ := q.Address()
	session, _ := q.Get("x-session")
	path, _, _ := strings.Cut(string(target), "?")
	return d.enter(string(q.Method), path, string(session))
}

func (d *door) enter(method, path, session string) *visit.Visit {
	v := &visit.Visit{Session: session, Route: method + " " + path, Side: understudyv1.Side_SIDE_CANDIDATE, Decision: "stage", Attempts: 1, Faced: path == "/orders"}
	d.mu.Lock()
	d.last = v
	d.mu.Unlock()
	return v
}

func (d *door) Unreached(v *visit.Visit) bool { return d.Fallback(v, face.DecisionUnreached) }

func (d *door) Fallback(v *visit.Visit, decision string) bool {
	if d.isComplete.Load() {
		return false
	}
	v.Side, v.Decision = understudyv1.Side_SIDE_BASELINE, decision
	v.Attempts++
	return true
}

// journal is what Kafka would have.
type journal struct {
	mu      sync.Mutex
	away    bool
	entries map[string]*understudyv1.InFlight
	tally   *understudyv1.InFlightTally
}

var errAway = errors.New("away")

func (j *journal) say(f func(), done func(error)) {
	j.mu.Lock()
	away := j.away
	if !away {
		f()
	}
	j.mu.Unlock()
	if away {
		done(errAway)
		return
	}
	done(nil)
}

func (j *journal) Put(e *understudyv1.InFlight, done func(error)) {
	j.say(func() { j.entries[e.GetId()] = e }, done)
}

func (j *journal) Delete(_, id string, done func(error)) {
	j.say(func() { delete(j.entries, id) }, done)
}

func (j *journal) Tally(t *understudyv1.InFlightTally, done func(error)) {
	j.say(func() { j.tally = t }, done)
}

func (j *journal) copy() map[string]*understudyv1.InFlight {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.entries)
}

// gate is a gateway with a face.
type gate struct {
	*systems
	door     *door
	journal  *journal
	ledger   *flight.Ledger
	face     *face.Face
	accepted *face.Accepted
	url      string
	http     *http.Client
	stop     func()
	tap      *tap
}

// tap sees what a recorder would.
type tap struct {
	mu       sync.Mutex
	failures []*understudyv1.TransportError
	answers  []int
}

func (p *tap) Begin(*wire.Request, string, bool, *visit.Visit) wire.Exchange { return p }
func (p *tap) Answer(r *wire.Response) {
	p.mu.Lock()
	p.answers = append(p.answers, r.Status)
	p.mu.Unlock()
}
func (p *tap) Body(wire.Side, []byte)    {}
func (p *tap) End(wire.Side, *wire.Head) {}
func (p *tap) Close(f *understudyv1.TransportError) {
	p.mu.Lock()
	p.failures = append(p.failures, f)
	p.mu.Unlock()
}

func newGate(t *testing.T, s *systems, change func(*face.Config)) *gate {
	t.Helper()
	cfg := face.DefaultConfig()
	cfg.Completion.PollInterval, cfg.Completion.Deadline, cfg.Completion.Timeout = time.Millisecond, 20*time.Second, 30*time.Second
	cfg.Completion.PollMax = 100 * time.Millisecond
	cfg.BreakerFailures = 0
	cfg.Routes = []face.Route{{Route: "POST /orders", DoneStatus: 201}, {Route: "GET /orders"}}
	if change != nil {
		change(&cfg)
	}
	log, reg := slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	up := func(url, side string) *proxy.Upstream {
		c := proxy.DefaultConfig()
		c.URL = url
		u, err := proxy.NewUpstream(c, log, prometheus.WrapRegistererWith(prometheus.Labels{"side": side}, reg))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	g := &gate{systems: s, door: new(door), journal: &journal{entries: map[string]*understudyv1.InFlight{}}, tap: new(tap), accepted: face.NewAccepted(1000)}
	baseline, candidate := up(s.baseline.URL, "baseline"), up(s.candidate.URL, "candidate")
	var err error
	if g.ledger, err = flight.New("m", "g", g.journal, reg); err != nil {
		t.Fatal(err)
	}
	g.face, err = face.New(cfg, face.Surroundings{
		Baseline: baseline, Candidate: candidate, CandidateURL: s.candidate.URL, Door: g.door, Accepted: g.accepted, Ledger: g.ledger,
		Topics:  s.topics,
		IsClean: func(address string) bool { return !strings.Contains(address, "secret") },
	}, log, reg)
	if err != nil {
		t.Fatal(err)
	}
	inside, err := proxy.NewInside(g.face, log, prometheus.WrapRegistererWith(prometheus.Labels{"side": "face"}, reg))
	if err != nil {
		t.Fatal(err)
	}
	choice := &proxy.Choice{Baseline: baseline, Candidate: candidate, Door: g.door, Face: g.face}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true)
	over := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		choice.ServeHTTP(w, r.WithContext(visit.With(r.Context(), g.door.EnterHTTP(r))))
	})}
	server := proxy.NewServer(baseline, proxy.Serving{HTTP2: over, Door: g.door, Candidate: candidate, Face: inside, Tap: g.tap})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(ln) }()
	g.url, g.http = "http://"+ln.Addr().String(), &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}, Timeout: time.Minute}
	stopFace, err := g.face.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		g.ledger.Run(ctx, func(string) bool { return g.door.rolledBack.Load() })
	}()
	var once sync.Once
	g.stop = func() {
		once.Do(func() {
			g.http.CloseIdleConnections()
			_ = server.Close()
			<-served
			stopFace()
			cancel()
			<-kept
		})
	}
	t.Cleanup(g.stop)
	return g
}

// h2 lets the client speak HTTP/2.
func (g *gate) h2() {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	g.http.Transport.(*http.Transport).Protocols = p
}

// answer is what a client got.
type answer struct {
	status int
	body   string
	header http.Header
}

func (g *gate) ask(method, body string, fields ...string) (answer, error) {
	r, err := http.NewRequest(method, g.url+"/orders", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if method == http.MethodGet {
		r.Body, r.ContentLength = nil, 0
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	a, err := g.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return answer{a.StatusCode, string(b), a.Header}, err
}

func (g *gate) must(method, body string, fields ...string) answer {
	g.t.Helper()
	a, err := g.ask(method, body, fields...)
	if err != nil {
		g.t.Fatal(err)
	}
	return a
}

// visit is the last one, when nobody changes it any more.
func (g *gate) visit() *visit.Visit {
	g.door.mu.Lock()
	defer g.door.mu.Unlock()
	return g.door.last
}

func (g *gate) until(what string, ok func() bool) {
	g.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("%s: %v", what, g.ledger.Tally())
		}
	}
}

// balances fails the test unless the ledger adds up.
func balances(t *testing.T, l *understudyv1.InFlightTally) {
	t.Helper()
	if l.GetAccepted()+l.GetAdopted() != l.GetCompleted()+l.GetFailed()+l.GetHandedBack()+l.GetResolved()+l.GetPassed()+l.GetHeld()+l.GetPending() {
		t.Errorf("the ledger does not balance: %v", proto.Clone(l))
	}
}
