package kill

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"understudy.dev/schemas/topic"
	"understudy.dev/stream"
)

// storm kills comparators.
type storm struct {
	t      *testing.T
	length time.Duration // of an undisturbed comparison
	engine string
	path   *between // to the engine
	kills  int
}

// round judges one database under two sets of rules, by processes that are
// killed, then lets it come to an end.
func (s *storm) round(a, b place, group string) {
	s.path = goBetween(s.t, s.engine)
	a, b = a.through(s.engine, s.path.address), b.through(s.engine, s.path.address)
	s.killed(0, a.compare(s.ctx(), group+".one", "w0"), a.compare(s.ctx(), group+".one", "w1"))
	// The rules change in the middle, and another group begins at the start.
	s.killed(0, b.compare(s.ctx(), group+".one", "w0"), a.compare(s.ctx(), group+".two", "w0"))
	s.killed(awayFor(), a.compare(s.ctx(), group+".one", "w0"), b.compare(s.ctx(), group+".two", "w0"))
	s.reset(a, group+".one")
	s.killed(0, a.compare(s.ctx(), group+".one", "w0"), b.command(s.ctx(), "judge", "r"))
	// What compare had begun it ends by itself, what judge had begun judge does. A
	// judge that was done before it was to be killed has its judgement shown, which
	// compare says when it has ended its own.
	compare := a.compare(s.ctx(), group+".one", "w0")
	if out, err := compare.CombinedOutput(); err != nil && !strings.Contains(string(out), "but the tables show it under judgement") {
		s.t.Fatalf("%v: %v\n%s", compare.Args[1:], err, out)
	}
	judge := b.command(s.ctx(), "judge", "r")
	if out, err := judge.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v\n%s", judge.Args[1:], err, out)
	}
}

// awayFor is how long ClickHouse is away: UNDERSTUDY_AWAY, or 3 s.
func awayFor() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("UNDERSTUDY_AWAY")); err == nil {
		return d
	}
	return 3 * time.Second
}

func (s *storm) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	s.t.Cleanup(cancel)
	return ctx
}

// killed starts processes and kills them at a random moment each; ClickHouse is
// away meanwhile for a time.
func (s *storm) killed(away time.Duration, cmds ...*exec.Cmd) {
	s.t.Helper()
	var wg sync.WaitGroup
	for _, cmd := range cmds {
		cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
		if err := cmd.Start(); err != nil {
			s.t.Fatal(err)
		}
		// At first it only connects, and at the end it only looks around.
		after := s.length/8 + time.Duration(rand.Int64N(int64(s.length)))
		if away > 0 {
			after += away
		}
		wg.Go(func() {
			time.Sleep(after)
			_ = cmd.Process.Kill()
		})
	}
	if away > 0 {
		time.Sleep(s.length / 4)
		s.path.cut(away)
	}
	wg.Wait()
	for _, cmd := range cmds {
		_ = cmd.Wait() // one that had ended by itself says that the rules are others
		if cmd.ProcessState.ExitCode() == -1 {
			s.kills++
		}
	}
}

// reset lets a group begin at the start again, once its members are known to be
// dead.
func (s *storm) reset(p place, group string) {
	s.t.Helper()
	client, err := stream.Dial(s.t.Context(), stream.Config{Brokers: p.brokers})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	names := topic.NamesFor(p.prefix)
	starts, err := admin.ListStartOffsets(s.t.Context(), names.Replays)
	if err != nil {
		s.t.Fatal(err)
	}
	for try := 0; ; try++ {
		answer, err := admin.CommitOffsets(s.t.Context(), group, starts.Offsets())
		if err == nil {
			err = answer.Error()
		}
		if err == nil {
			return
		}
		if try == 60 {
			s.t.Fatalf("reset the offsets of %s: %v", group, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// through is the same place, reached by another address.
func (p place) through(direct, address string) place {
	p.database = strings.Replace(p.database, direct, address, 1)
	return p
}

// between is a TCP proxy before the engine that can break off.
type between struct {
	address string

	mu    sync.Mutex
	gone  bool
	conns map[net.Conn]bool
}

func goBetween(t *testing.T, to string) *between {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &between{address: l.Addr().String(), conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); b.cut(0) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(c, to)
		}
	}()
	return b
}

func (b *between) serve(c net.Conn, to string) {
	defer c.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	b.mu.Lock()
	if b.gone {
		b.mu.Unlock()
		return
	}
	b.conns[c] = true
	b.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, c)
		server.Close()
	}()
	_, _ = io.Copy(c, server)
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
}

// cut breaks all connections and takes no new ones for a time.
func (b *between) cut(d time.Duration) {
	b.mu.Lock()
	b.gone = true
	for c := range b.conns {
		c.Close()
	}
	b.mu.Unlock()
	time.Sleep(d)
	b.mu.Lock()
	b.gone = false
	b.mu.Unlock()
}
