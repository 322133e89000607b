package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"understudy.dev/demo/fault"
)

const credential = "Bearer for-the-candidate"

// outcome is what a client that waits saw of one request.
type outcome struct {
	Route   string
	Status  int    // 0 when nothing came
	Content string // normal form
	Bodies  []string
	Header  http.Header // of an answer at once
	Trailer http.Header
	Took    time.Duration
	Ended   time.Time
}

// client is the transport of the traffic: it serves requests from a handler
// and turns the candidate's late answers into immediate ones.
type client struct {
	handler http.Handler
	async   bool

	mu        sync.Mutex
	outcomes  map[string]*outcome // by reference
	callbacks map[string]chan string
	orphans   int

	background sync.WaitGroup
}

func newClient() *client {
	return &client{outcomes: map[string]*outcome{}, callbacks: map[string]chan string{}}
}

func do(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func (c *client) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/callbacks/") {
		return c.receive(r), nil
	}
	start, reference := time.Now(), r.Header.Get(fault.Header)
	o := &outcome{Route: r.Method + " " + normalPath(r.URL.Path)}
	if _, place := fault.Split(reference); c.async && place == "first" {
		// A replay sends the twin by its schedule and waits for nobody.
		c.background.Go(func() { c.wait(r.Clone(context.Background()), reference, o, start) })
		time.Sleep(5 * time.Millisecond)
		return &http.Response{StatusCode: 202, Header: http.Header{}, Body: http.NoBody}, nil
	}
	return c.wait(r, reference, o, start)
}

func (c *client) wait(r *http.Request, reference string, o *outcome, start time.Time) (*http.Response, error) {
	if c.async {
		c.ask(r, reference, o)
	} else {
		w := do(c.handler, r)
		body, _ := io.ReadAll(w.Body)
		o.Status, o.Bodies, o.Header, o.Trailer = w.StatusCode, []string{string(body)}, w.Header, w.Trailer
	}
	o.Ended = time.Now()
	o.Took = o.Ended.Sub(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outcomes[reference] = o
	if o.Status == 0 {
		return nil, fmt.Errorf("lost")
	}
	o.Content = normal(o.Bodies[0])
	header := http.Header{"Content-Type": {"application/json"}}
	if o.Header != nil {
		header = o.Header
	}
	return &http.Response{StatusCode: o.Status, Header: header, Body: io.NopCloser(strings.NewReader(o.Bodies[0]))}, nil
}

// ask waits for the completion of one request, 5 s at most, and after a
// callback 200 ms for more of them.
func (c *client) ask(r *http.Request, reference string, o *outcome) {
	called := make(chan string, 8)
	c.mu.Lock()
	c.callbacks["/callbacks/"+reference] = called
	c.mu.Unlock()
	r.Header.Set("Authorization", credential)
	r.Header.Set("Callback-Url", "http://127.0.0.1/callbacks/"+reference)
	w := do(c.handler, r)
	body, _ := io.ReadAll(w.Body)
	if w.StatusCode != http.StatusAccepted {
		o.Status, o.Bodies, o.Header, o.Trailer = w.StatusCode, []string{string(body)}, w.Header, w.Trailer
		return
	}
	if at := w.Header.Get("Location") + w.Header.Get("Operation-Location"); at != "" {
		c.poll(at, o)
		return
	}
	for wait := 5 * time.Second; ; wait = 200 * time.Millisecond {
		select {
		case text := <-called:
			o.take(text)
		case <-time.After(wait):
			return
		}
	}
}

func (c *client) poll(at string, o *outcome) {
	for range 500 {
		time.Sleep(10 * time.Millisecond)
		w := do(c.handler, httptest.NewRequest("GET", at, nil))
		body, _ := io.ReadAll(w.Body)
		if o.take(string(body)) {
			return
		}
	}
}

// take unwraps an operation; it is false while the operation is running.
func (o *outcome) take(text string) bool {
	var op struct {
		Status string
		Code   int `json:"status_code"`
		Result json.RawMessage
	}
	if json.Unmarshal([]byte(text), &op) != nil || op.Status == "running" {
		return false
	}
	o.Bodies = append(o.Bodies, string(op.Result))
	if o.Status == 0 {
		o.Status = op.Code
	}
	return true
}

func (c *client) receive(r *http.Request) *http.Response {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if called := c.callbacks[r.URL.Path]; called != nil {
		called <- string(body)
	} else {
		c.orphans++
	}
	return &http.Response{StatusCode: 204, Body: http.NoBody}
}
