package migration

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shop is a system and its rehearsal: two instances of each side that answer alike,
// until the candidate lies. Effects of the live ones are in one book.
type shop struct {
	baseline, candidate, rehearsal *httptest.Server
	lies                           atomic.Bool
	lied                           atomic.Int64 // answers of the live candidate that are not true
	lastLie                        atomic.Int64 // when the last one was given, Unix nanoseconds

	mu      sync.Mutex
	effects map[string]int
}

func newShop(t *testing.T) *shop {
	s := &shop{effects: map[string]int{}}
	side := func(name string, live, candidate bool) *httptest.Server {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			if live && r.Method == http.MethodPost {
				s.mu.Lock()
				s.effects[string(b)]++
				s.mu.Unlock()
			}
			total := price(r.URL.Path + string(b))
			if candidate && s.lies.Load() {
				total++
				if live {
					s.lied.Add(1)
					s.lastLie.Store(time.Now().UnixNano())
				}
			}
			w.Header().Set("Server", name)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"path":%q,"cents":%d}`, r.URL.Path, total)
		}))
		t.Cleanup(server.Close)
		return server
	}
	s.baseline, s.candidate, s.rehearsal = side("baseline", true, false), side("candidate", true, true), side("candidate", false, true)
	return s
}

// price is what a thing costs: never the same one cent on.
func price(of string) int {
	n := 100
	for _, b := range []byte(of) {
		n = (n*31 + int(b)) % 1_000_003
	}
	return n
}

// shoppers ask all the time and check what they get.
type shoppers struct {
	door     *instance
	http     *http.Client
	count    atomic.Int64
	served   atomic.Int64 // by the candidate
	wrong    atomic.Int64 // answers that lie
	mu       sync.Mutex
	faults   []string
	quit     chan struct{}
	inFlight sync.WaitGroup
}

func newShoppers(door *instance, n int, pause time.Duration) *shoppers {
	c := &shoppers{door: door, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 20 * time.Second}, quit: make(chan struct{})}
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
					c.ask("shopper-"+strconv.Itoa(i), turn)
				}
			}
		})
	}
	return c
}

func (c *shoppers) stop() {
	close(c.quit)
	c.inFlight.Wait()
	c.http.CloseIdleConnections()
}

func (c *shoppers) ask(session string, turn int) {
	id := session + "-" + strconv.Itoa(turn)
	method, path, body := http.MethodGet, "/carts/"+strconv.Itoa(turn), ""
	if turn%3 == 0 {
		method, path, body = http.MethodPost, "/orders", id
	}
	r, err := http.NewRequest(method, "http://"+c.door.address+path, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("X-Session", session)
	c.count.Add(1)
	a, err := c.http.Do(r)
	got, status, side := "", 0, ""
	if err == nil {
		b, fault := io.ReadAll(a.Body)
		a.Body.Close()
		got, status, side, err = string(b), a.StatusCode, a.Header.Get("Server"), fault
	}
	if side == "candidate" {
		c.served.Add(1)
	}
	truth, lie := fmt.Sprintf(`{"path":%q,"cents":%d}`, path, price(path+body)), fmt.Sprintf(`{"path":%q,"cents":%d}`, path, price(path+body)+1)
	switch {
	case err == nil && status == http.StatusOK && got == truth:
	case err == nil && status == http.StatusOK && got == lie && side == "candidate":
		c.wrong.Add(1)
	default:
		c.mu.Lock()
		c.faults = append(c.faults, fmt.Sprintf("%s %s: %d %q, %v", method, id, status, got, err))
		c.mu.Unlock()
	}
}

// process is a command that goes on.
type process struct {
	cmd  *exec.Cmd
	out  *logs
	over chan struct{}
}

// launch starts one; the test ends it.
func launch(t *testing.T, home string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(binary, args...), out: new(logs), over: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	p.cmd.Stderr, p.cmd.Stdout = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(p.over); _ = p.cmd.Wait() }()
	t.Cleanup(p.kill)
	return p
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.over
}
