package soak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Where a client leaves.
const (
	stays = iota
	inUpload
	inAnswer
	manners
)

// visit is one request of a client that may leave halfway; everything about it
// follows from its number.
type visit struct {
	id, manner, up, down int
	chunked              bool
}

func visitOf(id int) visit {
	r := rand.New(rand.NewPCG(7, uint64(id)))
	v := visit{id: id, manner: r.IntN(manners), up: r.IntN(300_001), down: r.IntN(300_001), chunked: r.IntN(2) == 0}
	if r.IntN(4) == 0 { // bodies that come with their heads, or none
		v.up, v.down = r.IntN(2000), r.IntN(2000)
	}
	if v.manner != stays {
		v.up, v.down = max(v.up, 2), max(v.down, 2)
	}
	return v
}

// left is what became of a visit at the baseline and in the recording.
type left struct {
	got      int // bytes of the body that the baseline has got
	whole    bool
	seen     int
	recorded int
}

// visitors are the books of all visits.
type visitors struct {
	t  *testing.T
	mu sync.Mutex
	of map[int]*left
}

func (v *visitors) note(id int, f func(*left)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of[id] == nil {
		v.of[id] = new(left)
	}
	f(v.of[id])
}

// ServeHTTP is the baseline.
func (v *visitors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	x := visitOf(id)
	body, err := io.ReadAll(r.Body)
	if !bytes.HasPrefix(content(id, x.up), body) {
		v.t.Errorf("request %d: the body is another", id)
	}
	v.note(id, func(l *left) { l.got, l.whole, l.seen = len(body), err == nil, l.seen+1 })
	if !x.chunked {
		w.Header().Set("Content-Length", strconv.Itoa(x.down))
	}
	for b := content(id, x.down); len(b) > 0; {
		n := min(len(b), 20_000)
		if _, err := w.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
}

// Exchange is the recording: what it calls whole must be.
func (v *visitors) Exchange(e *understudyv1.Exchange, done func(error)) error {
	defer done(nil)
	id, _ := strconv.Atoi(strings.TrimPrefix(string(e.GetRequest().GetTarget()), "/"))
	x := visitOf(id)
	part := func(what string, b *understudyv1.Body, of []byte) {
		switch {
		case !bytes.HasPrefix(of, b.GetContent()):
			v.t.Errorf("exchange %d: the %s is another", id, what)
		case !b.GetTruncated() && len(b.GetContent()) != len(of):
			v.t.Errorf("exchange %d: %d bytes of %d of the %s look whole", id, len(b.GetContent()), len(of), what)
		}
	}
	part("request", e.GetRequest().GetBody(), content(id, x.up))
	if e.GetResponse() != nil {
		part("answer", e.GetResponse().GetBody(), content(id, x.down))
	}
	if x.manner == stays && (e.GetError() != nil || e.GetResponse().GetStatus() != 200 || e.GetRequest().GetBody().GetTruncated() || e.GetResponse().GetBody().GetTruncated()) {
		v.t.Errorf("exchange %d is not whole: %v, status %d", id, e.GetError(), e.GetResponse().GetStatus())
	}
	if x.manner == inUpload && !e.GetRequest().GetBody().GetTruncated() {
		v.t.Errorf("exchange %d: nothing says that the client has left", id)
	}
	v.note(id, func(l *left) { l.recorded++ })
	return nil
}

// Tally implements recorder.Sink.
func (v *visitors) Tally(_ *understudyv1.Tally, done func(error)) error { done(nil); return nil }

// Flush implements recorder.Sink.
func (v *visitors) Flush(context.Context) error { return nil }

// leaving is a body whose reader leaves halfway. A transport does not read on.
type leaving struct {
	io.Reader
	left int
	bye  context.CancelFunc
}

var errLeft = errors.New("the client has left")

func (l *leaving) Read(p []byte) (int, error) {
	if l.left == 0 {
		l.bye()
		return 0, errLeft
	}
	n, err := l.Reader.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// pay makes one visit.
func (v *visitors) pay(client *http.Client, address string, x visit) error {
	ctx, cancel := context.WithCancel(v.t.Context())
	defer cancel()
	var body io.Reader = bytes.NewReader(content(x.id, x.up))
	if x.manner == inUpload {
		body = &leaving{body, x.up / 2, cancel}
	}
	r, err := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("http://%s/%d", address, x.id), io.NopCloser(body))
	if err != nil {
		return err
	}
	if !x.chunked {
		r.ContentLength = int64(x.up)
	}
	if r.ContentLength == 0 && x.up == 0 {
		r.Body = http.NoBody
	}
	answer, err := client.Do(r)
	if x.manner == inUpload {
		if err == nil {
			answer.Body.Close()
			return fmt.Errorf("visit %d: answered with %d though the body was not whole", x.id, answer.StatusCode)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("visit %d: %w", x.id, err)
	}
	defer answer.Body.Close()
	want := content(x.id, x.down)
	if x.manner == inAnswer {
		want = want[:len(want)/2]
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(answer.Body, got); err != nil || answer.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
		return fmt.Errorf("visit %d: status %d, the answer is another, %w", x.id, answer.StatusCode, err)
	}
	if x.manner == inAnswer {
		return nil // the deferred calls leave
	}
	if n, err := io.Copy(io.Discard, answer.Body); n > 0 || err != nil {
		return fmt.Errorf("visit %d: %d bytes behind the answer, %w", x.id, n, err)
	}
	return nil
}

// TestClientsThatLeaveHalfway: 64 clients with bodies of 0 to 300 kB both ways, on
// HTTP/1.1 and on HTTP/2, of which two in three leave in the middle of the upload
// or of the answer. Whoever stays gets and has sent every byte; nothing of which a
// part is missing looks whole, at the baseline or in the recording.
func TestClientsThatLeaveHalfway(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "h2c"} {
		t.Run(strings.ReplaceAll(protocol, "/", " "), func(t *testing.T) {
			v := &visitors{t: t, of: map[int]*left{}}
			baseline := httptest.NewServer(v)
			defer baseline.Close()
			const each = 5
			var served uint64
			t.Run("visits", func(t *testing.T) {
				address, rec := onWire(t, strings.TrimPrefix(baseline.URL, "http://"), v)
				var clients sync.WaitGroup
				var next atomic.Int64
				var door sync.Mutex // connections are made one by one: net/http gives a client of HTTP/2 2 s for its first frame
				for range 64 {
					clients.Go(func() {
						transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
						transport.Protocols.SetHTTP1(protocol != "h2c")
						transport.Protocols.SetUnencryptedHTTP2(protocol == "h2c")
						defer transport.CloseIdleConnections()
						client := &http.Client{Transport: transport}
						for i := range each {
							if i == 0 {
								door.Lock()
							}
							err := v.pay(client, address, visitOf(int(next.Add(1))))
							if i == 0 {
								door.Unlock()
							}
							if err != nil {
								t.Error(err)
							}
						}
					})
				}
				clients.Wait()
				t.Cleanup(func() { served = rec.Tally().Served })
			})
			recorded, manner := 0, [manners]int{}
			for id := 1; id <= 64*each; id++ {
				x, l := visitOf(id), v.of[id]
				if l == nil {
					l = new(left)
				}
				recorded += l.recorded
				manner[x.manner]++
				switch {
				case x.manner == stays && (l.seen != 1 || !l.whole || l.got != x.up || l.recorded != 1):
					t.Errorf("visit %d: seen %d times, %d of %d bytes, recorded %d times", id, l.seen, l.got, x.up, l.recorded)
				case x.manner == inUpload && (l.whole || l.got > x.up/2):
					t.Errorf("visit %d: the baseline took %d of %d bytes for whole", id, l.got, x.up)
				case l.seen > 1 || l.recorded > 1:
					t.Errorf("visit %d: seen %d times, recorded %d times", id, l.seen, l.recorded)
				}
			}
			if uint64(recorded) != served {
				t.Errorf("%d exchanges of %d served", recorded, served)
			}
			t.Logf("%d served; %d stayed, %d left in the upload, %d in the answer", served, manner[stays], manner[inUpload], manner[inAnswer])
		})
	}
}
