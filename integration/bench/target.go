package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

func lockThread() { runtime.LockOSThread() }

// runTarget serves canned JSON with as little work as Go allows, so that what
// is measured is the program in front of it. args: address. With a request
// header "X-Seq: n" (or X-Vegeta-Seq) it stamps the arrival of request n;
// GET /report answers the stamps' statistics and forgets them.
func runTarget(args []string) error {
	ln, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	t := &target{responses: cannedResponses(), canary: newCanary()}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go t.serve(conn)
	}
}

type target struct {
	responses [][]byte
	canary    *canary
	mu        sync.Mutex
	arrivals  map[int]time.Duration
}

// cannedResponses builds 8,000 different bodies of about 1.1 KiB, so that
// compression has real work.
func cannedResponses() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, 8000)
	for i := range out {
		body := fmt.Appendf(nil, `{"id":"ord_%d","customer":{"id":%d,"name":"%s"},"items":[`, i, r.IntN(1e6), word(r, 12))
		for len(body) < 1050 {
			body = fmt.Appendf(body, `{"sku":"%s","quantity":%d,"price":"%d.%02d","note":"%s"},`,
				word(r, 8), r.IntN(9)+1, r.IntN(500), r.IntN(100), word(r, 16))
		}
		body = append(body[:len(body)-1], "]}"...)
		out[i] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	return out
}

func word(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('a' + r.IntN(26))
	}
	return string(b)
}

func (t *target) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for i := rand.IntN(len(t.responses)); ; i++ {
		head, seq, length, err := readHead(in)
		if err != nil {
			return
		}
		now := t.canary.now()
		if length > 0 {
			if _, err := in.Discard(length); err != nil {
				return
			}
		}
		switch {
		case bytes.HasPrefix(head, []byte("GET /report")):
			body := t.report()
			_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		default:
			if seq >= 0 {
				t.stamp(seq, now)
			}
			_, err = conn.Write(t.responses[i%len(t.responses)])
		}
		if err != nil {
			return
		}
	}
}

// readHead reads one request head and picks the two headers that matter.
func readHead(in *bufio.Reader) (first []byte, seq, length int, err error) {
	seq = -1
	for n := 0; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if n == 0 {
			first = slices.Clone(line)
			continue
		}
		if len(line) == 0 {
			return first, seq, length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("x-seq")), bytes.EqualFold(name, []byte("x-vegeta-seq")):
			seq, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		if err != nil {
			return nil, 0, 0, err
		}
	}
}

func (t *target) stamp(seq int, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.arrivals == nil {
		t.arrivals = map[int]time.Duration{}
		t.canary.reset()
	}
	if _, twice := t.arrivals[seq]; !twice {
		t.arrivals[seq] = at
	}
}

// stamps is what /report answers: arrivals by sequence number and the moments
// at which the machine itself stalled.
type stamps struct {
	Seq    []int
	At     []time.Duration
	Stalls []time.Duration
}

func (t *target) report() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var s stamps
	for seq := range t.arrivals {
		s.Seq = append(s.Seq, seq)
	}
	slices.Sort(s.Seq)
	for _, seq := range s.Seq {
		s.At = append(s.At, t.arrivals[seq])
	}
	s.Stalls = t.canary.reset()
	t.arrivals = nil
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // three slices of integers
	}
	return out
}

// lateness compares the arrivals with the plan i/rate, aligned at the
// earliest, without what was planned within [-1, +3] ms of a stall of the
// machine. It returns nanoseconds, sorted, and how many were left out.
func (s stamps) lateness(rate float64) (late []float64, dropped int) {
	if len(s.Seq) == 0 {
		return nil, 0
	}
	first := s.Seq[0]
	plan := func(seq int) float64 { return float64(seq-first) / rate * 1e9 }
	start := math.Inf(1)
	for i, seq := range s.Seq {
		start = min(start, float64(s.At[i])-plan(seq))
	}
	for i, seq := range s.Seq {
		planned := start + plan(seq)
		if s.stalled(planned) {
			dropped++
			continue
		}
		late = append(late, float64(s.At[i])-planned)
	}
	slices.Sort(late)
	return late, dropped
}

func (s stamps) stalled(planned float64) bool {
	i, _ := slices.BinarySearch(s.Stalls, time.Duration(planned)-3*time.Millisecond)
	return i < len(s.Stalls) && float64(s.Stalls[i]) <= planned+1e6
}

// canary wakes a thread every millisecond and notes when it woke more than
// 300 µs late: then the machine was away, not the program under test.
type canary struct {
	epoch  time.Time
	mu     sync.Mutex
	stalls []time.Duration
}

func newCanary() *canary {
	c := &canary{epoch: time.Now()}
	go func() {
		lockThread()
		// Timer slack is what the kernel may add to a sleep; 1 ns is the least.
		if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
			fmt.Fprintln(os.Stderr, "bench target: timer slack:", err)
		}
		for {
			due := c.now() + time.Millisecond
			ts := unix.NsecToTimespec(int64(time.Millisecond))
			_ = unix.Nanosleep(&ts, nil)
			if now := c.now(); now > due+300*time.Microsecond {
				c.mu.Lock()
				c.stalls = append(c.stalls, now)
				c.mu.Unlock()
			}
		}
	}()
	return c
}

func (c *canary) now() time.Duration { return time.Since(c.epoch) }

// reset returns the stalls since the last call.
func (c *canary) reset() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stalls
	c.stalls = nil
	return s
}
