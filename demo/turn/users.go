package turn

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SessionHeader carries the session of a user.
const SessionHeader = "X-Session"

// Users ask one after the other, each at a steady pace, and check what they get.
type Users struct {
	// URL is where they ask; N is how many they are, Pause the time between two
	// requests of one of them.
	URL   string
	N     int
	Pause time.Duration

	mu     sync.Mutex
	counts Counts
}

// Counts are what users saw.
type Counts struct {
	Requests int64 `json:"requests"`
	// ByCandidate were answered by the candidate, Wrong of them with a lie.
	ByCandidate int64 `json:"by_candidate"`
	Wrong       int64 `json:"affected"`
	// Errors got no answer, or one that is neither true nor the candidate's lie.
	Errors int64 `json:"client_errors"`
	// Fault is the first of these.
	Fault string `json:"fault,omitempty"`
}

// answerTime bounds how long a user waits.
const answerTime = 20 * time.Second

// Run lets them ask until ctx ends; what they have asked then is answered.
func (u *Users) Run(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: answerTime}
	defer client.CloseIdleConnections()
	var running sync.WaitGroup
	for i := range u.N {
		running.Go(func() {
			tick := time.NewTimer(time.Duration(i) * u.Pause / time.Duration(u.N))
			defer tick.Stop()
			for turn := 0; ; turn++ {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					tick.Reset(u.Pause)
					u.ask(client, "user-"+strconv.Itoa(i), turn)
				}
			}
		})
	}
	running.Wait()
}

// Counts are what they saw so far.
func (u *Users) Counts() Counts {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts
}

// ask makes an order every third time, and looks at a cart otherwise.
func (u *Users) ask(client *http.Client, session string, turn int) {
	method, path, order := http.MethodGet, "/carts/"+strconv.Itoa(turn), ""
	if turn%3 == 0 {
		method, path, order = http.MethodPost, "/orders", session+"-"+strconv.Itoa(turn)
	}
	got, status, side := "", 0, ""
	r, err := http.NewRequest(method, u.URL+path, strings.NewReader(order))
	if err == nil {
		r.Header.Set(SessionHeader, session)
		var a *http.Response
		if a, err = client.Do(r); err == nil {
			var b []byte
			b, err = io.ReadAll(io.LimitReader(a.Body, 1<<20))
			_ = a.Body.Close()
			got, status, side = string(b), a.StatusCode, a.Header.Get("Server")
		}
	}
	fine := err == nil && status == http.StatusOK
	cents := price(path + order)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.counts.Requests++
	if side == candidateName {
		u.counts.ByCandidate++
	}
	switch {
	case fine && got == answer(path, cents):
	case fine && side == candidateName && got == answer(path, cents+1):
		u.counts.Wrong++
	default:
		if u.counts.Errors++; u.counts.Fault == "" {
			u.counts.Fault = fmt.Sprintf("%s %s of %s: %d %q, %v", method, path, session, status, got, err)
		}
	}
}
