package migration

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"understudy.dev/integration/kafkatest"
	"understudy.dev/integration/program"
)

// binary is built for this test, so that it is never a stale one.
var binary string

func TestMain(m *testing.M) { os.Exit(program.Main(&binary, func() int { return kafkatest.Main(m) })) }

// systems are the two sides: each answers with its name and what it was asked,
// and both note effects in one book, so that one that happens twice is seen.
type systems struct {
	baseline, candidate *httptest.Server
	mu                  sync.Mutex
	effects             map[string]int
}

func newSystems(t *testing.T) *systems {
	s := &systems{effects: map[string]int{}}
	side := func(name string) *httptest.Server {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if r.Method == http.MethodPost {
				s.mu.Lock()
				s.effects[string(b)]++
				s.mu.Unlock()
			}
			fmt.Fprintf(w, "%s %s %s %s", name, r.Method, r.URL.Path, b)
		}))
		t.Cleanup(server.Close)
		return server
	}
	s.baseline, s.candidate = side("baseline"), side("candidate")
	return s
}

// instance is one gateway.
type instance struct {
	t              *testing.T
	args           []string
	address, admin string
	home, dir      string
	cmd            *exec.Cmd
	out            *logs
	taking         atomic.Bool // requests, as its load balancer knows
}

// logs is what a process says while it runs.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// newInstance is a gateway that has not been started. All of one home share the
// key of sessions.
func newInstance(t *testing.T, home, baseline, candidate, kafka, prefix string) *instance {
	t.Helper()
	g := &instance{t: t, address: free(t), admin: free(t), home: home, dir: filepath.Join(t.TempDir(), "state")}
	g.args = []string{"gateway", "--listen", g.address, "--admin", g.admin, "--baseline", baseline, "--candidate", candidate,
		"--migration", "shop", "--state-dir", g.dir, "--kafka", kafka, "--prefix", prefix, "--session", "header:X-Session", "--drain-delay", "1s"}
	return g
}

func (g *instance) start() {
	g.t.Helper()
	g.cmd, g.out = exec.Command(binary, g.args...), new(logs)
	g.cmd.Env = append(os.Environ(), "HOME="+g.home, "XDG_CONFIG_HOME="+g.home)
	g.cmd.Stderr = g.out
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	cmd := g.cmd
	g.t.Cleanup(func() { _ = cmd.Process.Kill() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if a, err := http.Get("http://" + g.admin + "/readyz"); err == nil {
			a.Body.Close()
			if a.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(end) {
			g.t.Fatalf("the gateway is not ready:\n%s", g.out)
		}
	}
	g.taking.Store(true)
}

// stop ends it as a load balancer wants it: first no more requests, then gone.
func (g *instance) stop() {
	g.t.Helper()
	g.taking.Store(false)
	_ = g.cmd.Process.Signal(syscall.SIGTERM)
	if err := g.cmd.Wait(); err != nil {
		g.t.Fatalf("the gateway ended with %v\n%s", err, g.out)
	}
	if text := g.out.String(); strings.Contains(text, "panic") || strings.Contains(text, "do not balance") {
		g.t.Errorf("the gateway said\n%s", text)
	}
}

// metric is the value of a series, 0 if it is not there.
func (g *instance) metric(series string) float64 {
	a, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		return 0
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindSubmatch(b)
	if m == nil {
		return 0
	}
	v, _ := strconv.ParseFloat(string(m[1]), 64)
	return v
}

// command runs the program to its end and returns what it prints.
func command(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(binary, args...)
	var out, fault bytes.Buffer
	c.Stdout, c.Stderr = &out, &fault
	if err := c.Run(); err != nil {
		t.Fatalf("understudy %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), fault.String())
	}
	return out.String()
}

// clients are users, each with a session of its own, who ask one after the other
// and check what they get.
type clients struct {
	name     string // begins the sessions
	doors    []*instance
	http     *http.Client
	count    atomic.Int64
	mu       sync.Mutex
	faults   []string
	broken   int               // requests that were under way at a gateway that was killed
	sides    map[string]string // of each session, its last answer
	answers  map[string]int    // to each session
	moves    []string          // "alice: baseline -> candidate"
	bySide   map[string]int
	inFlight sync.WaitGroup
	quit     chan struct{}
}

func newClients(name string, doors ...*instance) *clients {
	return &clients{name: name, doors: doors, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 20 * time.Second},
		sides: map[string]string{}, answers: map[string]int{}, bySide: map[string]int{}, quit: make(chan struct{})}
}

// run lets n users ask, each every pause.
func (c *clients) run(n int, pause time.Duration) {
	for i := range n {
		c.inFlight.Go(func() {
			time.Sleep(time.Duration(i) * pause / time.Duration(n))
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for turn := 0; ; turn++ {
				select {
				case <-c.quit:
					return
				case <-tick.C:
					c.ask(fmt.Sprint(c.name, "-", i), turn)
				}
			}
		})
	}
}

func (c *clients) stop() {
	close(c.quit)
	c.inFlight.Wait()
	c.http.CloseIdleConnections()
}

// door is one that takes requests; there is always one.
func (c *clients) door(turn int) *instance {
	for i := range c.doors {
		if d := c.doors[(turn+i)%len(c.doors)]; d.taking.Load() {
			return d
		}
	}
	panic("no gateway is there")
}

func (c *clients) ask(session string, turn int) {
	id := session + "-" + strconv.Itoa(turn)
	method, path, body := http.MethodGet, "/carts/"+id, ""
	if turn%3 == 0 {
		method, path, body = http.MethodPost, "/orders", id
	}
	door := c.door(turn)
	r, err := http.NewRequest(method, "http://"+door.address+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-Session", session)
	c.count.Add(1)
	a, err := c.http.Do(r)
	got, status := "", 0
	if err == nil {
		b, fault := io.ReadAll(a.Body)
		a.Body.Close()
		got, status, err = string(b), a.StatusCode, fault
	}
	side, rest, _ := strings.Cut(got, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[session]++
	if err != nil && !door.taking.Load() {
		c.broken++
		return
	}
	if want := fmt.Sprintf("%s %s %s", method, path, body); err != nil || status != http.StatusOK || rest != want {
		c.faults = append(c.faults, fmt.Sprintf("%s %s: %d %q, %v", method, id, status, got, err))
		return
	}
	c.bySide[side]++
	if last := c.sides[session]; last != "" && last != side {
		c.moves = append(c.moves, session+": "+last+" -> "+side)
	}
	c.sides[session] = side
}

// round returns when each of n users has asked a whole question since.
func (c *clients) round(n int) {
	c.mu.Lock()
	before := maps.Clone(c.answers)
	c.mu.Unlock()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		waiting := n - len(c.answers)
		for session, now := range c.answers {
			if now < before[session]+2 { // one may have been under way
				waiting++
			}
		}
		c.mu.Unlock()
		if waiting == 0 {
			return
		}
	}
}

// look returns how many users are with the candidate, and who moved since the
// last look.
func (c *clients) look() (candidate, all int, moves []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, side := range c.sides {
		if all++; side == "candidate" {
			candidate++
		}
	}
	moves, c.moves = c.moves, nil
	return candidate, all, moves
}
