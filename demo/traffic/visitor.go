package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"understudy.dev/demo/fault"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// visitor is one session: who it is, what it was answered, and how it
// thinks.
type visitor struct {
	*Traffic
	ctx      context.Context
	random   *rand.Rand
	number   int
	requests int
	last     answer
	// registered is the identifier that the service gave to this customer, if
	// it has one.
	registered string
}

// answer is what a visitor keeps of an answer. Amounts keep their text.
type answer struct {
	ID    string      `json:"id"`
	Total json.Number `json:"total"`
}

// ask makes one request after thinking. place is put behind the reference:
// ".last", ".first", ".second" or "". It is false when the session cannot go
// on.
func (v *visitor) ask(method, route, path, place string, body any) bool {
	if v.requests > 0 && !pause(v.ctx, v.think(place)) {
		return false
	}
	v.requests++
	var content []byte
	if body != nil {
		content, _ = json.Marshal(body) // maps of strings and numbers always have a JSON form
	}
	r, err := http.NewRequestWithContext(v.ctx, method, v.cfg.BaseURL+path, bytes.NewReader(content))
	if err != nil {
		return false
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", v.cfg.Authorization)
	r.Header.Set("X-Session-Id", v.session())
	r.Header.Set(fault.Header, v.reference(place))
	r.Header.Set("User-Agent", "demo-shopper/1.0")
	return v.send(r, method+" "+route)
}

func (v *visitor) send(r *http.Request, route string) bool {
	w, err := v.client.Do(r)
	if err != nil {
		v.count(route, 0)
		return false
	}
	defer w.Body.Close()
	text, err := io.ReadAll(io.LimitReader(w.Body, maxAnswer))
	v.count(route, w.StatusCode)
	if err != nil {
		return false
	}
	v.last = answer{}
	if w.StatusCode < 300 && w.Header.Get("Content-Type") == "application/json" && json.Unmarshal(text, &v.last) != nil {
		return false
	}
	return true
}

// think is the time before the next request; the second of two twins follows
// at a quarter of the usual distance.
func (v *visitor) think(place string) time.Duration {
	d := v.cfg.ThinkMin
	if spread := v.cfg.ThinkMax - v.cfg.ThinkMin; spread > 0 {
		d += time.Duration(v.random.Int64N(int64(spread)))
	}
	if place == ".second" {
		return v.cfg.ThinkMin / 4
	}
	return d
}

func (v *visitor) session() string { return fmt.Sprintf("s-%d-%04d", v.cfg.Seed, v.number) }

// customer is who orders: the one whom the service knows, or a walk-in.
func (v *visitor) customer() string {
	if v.registered != "" {
		return v.registered
	}
	return fmt.Sprintf("cus-%d%04d", v.cfg.Seed, v.number)
}

// reference names the request; two twins share what stands before the dot.
func (v *visitor) reference(place string) string {
	n := v.requests
	if place == ".second" {
		n--
	}
	return fmt.Sprintf("r-%d-%04d-%02d%s", v.cfg.Seed, v.number, n, place)
}

func (t *Traffic) count(route string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Requests++
	t.counts.ByRoute[route]++
	if status == 0 {
		t.counts.Failed++
		return
	}
	t.counts.ByStatus[status]++
}
