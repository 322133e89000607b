package protocols

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"understudy.dev/exchange/target"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// style is how a candidate answers.
type style struct {
	// method of the requests; POST if empty.
	method string
	// ack answers a request.
	ack func(c *candidate, w http.ResponseWriter, r *http.Request, body []byte, j *job)
	// paths answer other requests about a job, by the first segment of the path.
	paths map[string]func(c *candidate, w http.ResponseWriter, r *http.Request, j *job)
	// push: completions are delivered, so that repeats are seen; channel is what
	// the replay calls the way.
	push    bool
	channel string
	// direct: the direct answer is final.
	direct bool
	// linked: the answer is behind a link, and not asked for again.
	linked bool
	// produced: requests come on a topic.
	produced bool
	// called: a completion may come before the acknowledgement or after the
	// timeout.
	called bool
	// cancels is how it is told that a job is not waited for any more.
	cancels string
	// baseline is what the answer looks like in whole; as it is if nil.
	baseline func(j *job, body string) string
}

// failing is a document that says whether the job failed, because nothing else
// does.
func failing(status int, body string) string {
	if status >= 400 {
		return `{"status":"failed",` + body[1:]
	}
	return body
}

func write(w http.ResponseWriter, status int, body string, headers ...string) {
	w.Header().Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		w.Header()[name] = []string{value}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// accepting acknowledges with a status, a body and headers; %d is the job.
func accepting(status int, body string, headers ...string) func(*candidate, http.ResponseWriter, *http.Request, []byte, *job) {
	return func(_ *candidate, w http.ResponseWriter, _ *http.Request, _ []byte, j *job) {
		var own []string
		for _, h := range headers {
			own = append(own, strings.ReplaceAll(h, "%d", fmt.Sprint(j.n)))
		}
		write(w, status, strings.ReplaceAll(body, "%d", fmt.Sprint(j.n)), own...)
	}
}

type handlers = map[string]func(c *candidate, w http.ResponseWriter, r *http.Request, j *job)

// byStatus answers a poll with 202 until there is the answer.
func byStatus(_ *candidate, w http.ResponseWriter, _ *http.Request, j *job) {
	if !j.isDone() {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	status, body := j.answer(j.tell())
	if status == http.StatusCreated {
		status = http.StatusOK
	}
	write(w, status, body)
}

// result answers with the answer, which was told already.
func result(_ *candidate, w http.ResponseWriter, _ *http.Request, j *job) {
	j.mu.Lock()
	again := j.told > 1
	j.mu.Unlock()
	status, body := j.answer(again)
	write(w, status, body)
}

// document answers a poll with one of three documents.
func document(pending, done, failed func(j *job, body string) string) func(*candidate, http.ResponseWriter, *http.Request, *job) {
	return func(_ *candidate, w http.ResponseWriter, _ *http.Request, j *job) {
		if !j.isDone() {
			write(w, http.StatusOK, pending(j, ""))
			return
		}
		status, body := j.answer(j.tell())
		if status >= 400 {
			write(w, http.StatusOK, failed(j, body))
			return
		}
		write(w, http.StatusOK, done(j, body))
	}
}

func says(text string) func(*job, string) string {
	return func(j *job, body string) string {
		return strings.NewReplacer("%d", fmt.Sprint(j.n), "%s", body).Replace(text)
	}
}

var styles = map[string]style{
	"response": {direct: true, channel: "immediate", ack: func(c *candidate, w http.ResponseWriter, r *http.Request, _ []byte, j *job) { result(c, w, r, j) }},
	"location": {channel: "poll", ack: accepting(202, "", "Location: /ops/%d"), paths: handlers{"ops": byStatus}},
	"envelope": {channel: "poll", ack: accepting(203, `{"job":{"href":"/jobs/%d"}}`, "X-Mode: fast, async"), paths: handlers{"jobs": document(
		says(`{"state":"busy"}`),
		func(_ *job, body string) string {
			return `{"state":"over","answer":{"code":201,"encoding":"base64","headers":{"Content-Type":["application/json"]},"body":"` + base64.StdEncoding.EncodeToString([]byte(body)) + `"}}`
		}, says(`{"state":"BROKEN","answer":{"code":422,"headers":[{"name":"Content-Type","value":"application/json"}],"body":%s}}`)),
	}},
	"link": {linked: true, cancels: "DELETE", channel: "poll", ack: accepting(200, `{"ticket":"T/%d"}`), paths: handlers{
		"jobs": document(says(`{"steps":[{"finished":true},{"finished":false}],"problems":[]}`),
			says(`{"steps":[{"finished":true}],"problems":[],"links":[{"rel":"self","href":"/x"},{"rel":"result","href":"/results/%d"}]}`), says(`{"problems":["stock"]}`)),
		"results": result,
	}},
	"own-url": {method: "PUT", linked: true, channel: "poll", ack: accepting(202, "", "Location: /ops/%d"), paths: handlers{
		"ops":    document(says(`{"status":"working"}`), says(`{"status":"ready"}`), says(`{"status":"failed"}`)),
		"orders": result,
	}},
	"long-poll": {channel: "poll", ack: accepting(202, "", "Location: /ops/%d"), paths: handlers{"ops": func(c *candidate, w http.ResponseWriter, r *http.Request, j *job) {
		for end := time.Now().Add(200 * time.Millisecond); !j.isDone(); {
			if time.Now().After(end) {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		byStatus(c, w, r, j)
	}}},
	"sse": {push: true, channel: "sse", ack: accepting(202, "", "Location: /events/%d"), paths: handlers{"events": func(c *candidate, w http.ResponseWriter, r *http.Request, j *job) {
		w.Header().Set("Content-Type", "text/event-stream")
		event := func(name, data string) {
			_, _ = fmt.Fprintf(w, ": note\nevent: %s\r\nid: %d\ndata: %s\n\n", name, j.n, data)
			_ = http.NewResponseController(w).Flush()
		}
		event("progress", `{"percent":10}`)
		select {
		case <-r.Context().Done():
			return
		case <-c.ready(j):
		}
		times := 1
		if j.fate == repeated || j.fate == contrary {
			times = 2
		}
		for i := range times {
			status, body := j.answer(i > 0)
			event(map[bool]string{true: "failed", false: "completed"}[status >= 400], body)
		}
		j.tell()
		<-r.Context().Done()
	}}},
	"callback": {push: true, called: true, channel: "callback", ack: func(c *candidate, w http.ResponseWriter, r *http.Request, body []byte, j *job) {
		var q struct {
			Delivery struct{ Hook struct{ URL string } }
		}
		to := r.Header.Get("Callback-Url")
		if json.Unmarshal(body, &q); q.Delivery.Hook.URL != to || r.URL.Query().Get("notify") != to || r.URL.Query().Get("keep") != "1" {
			c.t.Errorf("addresses differ: %s, %s, %s", to, body, r.URL)
		}
		c.deliver(j, func(status int, body string) { c.call("POST", to, failing(status, body)) })
		w.WriteHeader(http.StatusAccepted)
	}},
	"callbacks": {push: true, called: true, channel: "callback", ack: func(c *candidate, w http.ResponseWriter, r *http.Request, body []byte, j *job) {
		var q struct {
			Hooks struct{ Success, Failure string }
		}
		_ = json.Unmarshal(body, &q)
		progress := r.Header.Get("X-Progress-Url")
		c.deliver(j, func(status int, body string) {
			c.call("POST", progress, `{"n":0,"state":"paid"}`) // what it says does not matter
			if status >= 400 {
				c.call("PUT", q.Hooks.Failure, body)
				return
			}
			c.call("PUT", q.Hooks.Success, body)
		})
		w.WriteHeader(http.StatusAccepted)
	}},
	"webhook": {push: true, called: true, channel: "callback", baseline: hook("created"), ack: func(c *candidate, w http.ResponseWriter, r *http.Request, _ []byte, j *job) {
		to := r.Header.Get("Callback-Url")
		c.deliver(j, func(status int, body string) {
			named := hook(map[bool]string{true: "failed", false: "created"}[status >= 400])(j, body)
			c.call("POST", to, named, "X-Signature: sha256="+strings.Repeat("0", 64)) // refused
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(named))
			c.call("POST", to, named, "X-Signature: sha256="+hex.EncodeToString(mac.Sum(nil)))
		})
		write(w, http.StatusAccepted, fmt.Sprintf(`{"id":"o%d"}`, j.n))
	}},
	"topic": {push: true, called: true, channel: "topic", ack: func(c *candidate, w http.ResponseWriter, r *http.Request, _ []byte, j *job) {
		id := r.Header.Get("X-Correlation-Id")
		c.deliver(j, func(status int, body string) {
			c.produce(id, nil, body, status)
		})
		w.WriteHeader(http.StatusAccepted)
	}},
	"asyncapi-reply": {push: true, called: true, produced: true, channel: "topic"},
	"google-lro": {cancels: "cancel", channel: "poll", ack: accepting(200, `{"name":"operations/%d","metadata":{"@type":"type.example/M"}}`), paths: handlers{
		"v1": document(says(`{"name":"operations/%d"}`), says(`{"name":"operations/%d","done":true,"response":%s}`), says(`{"name":"operations/%d","done":true,"error":{"code":9}}`)),
	}},
	"azure-async": {method: "PUT", linked: true, channel: "poll", ack: accepting(201, `{"properties":{"provisioningState":"Creating"}}`, "Azure-AsyncOperation: /ops/%d"), paths: handlers{
		"ops":    document(says(`{"status":"Provisioning","percentComplete":3}`), says(`{"status":"Succeeded"}`), says(`{"status":"Canceled","error":{"code":"x"}}`)),
		"orders": result,
	}},
	"rfc7240": {channel: "poll", ack: accepting(201, "null", "Location: /ops/%d", "Preference-Applied: respond-async"), paths: handlers{"ops": byStatus}},
	"ogc-processes": {linked: true, cancels: "DELETE", channel: "poll", ack: accepting(201, `{"jobID":"%d","status":"accepted"}`, "Location: /jobs/%d?f=json"), paths: handlers{"jobs": func(c *candidate, w http.ResponseWriter, r *http.Request, j *job) {
		if strings.HasSuffix(r.URL.Path, "/results") {
			result(c, w, r, j)
			return
		}
		done := `{"status":"successful"}`
		if j.n%2 == 0 {
			done = `{"status":"successful","links":[{"rel":"self"},{"rel":"http://www.opengis.net/def/rel/ogc/1.0/results","href":"/jobs/%d/results"}]}`
		}
		document(says(`{"status":"running"}`), says(done), says(`{"status":"failed"}`))(c, w, r, j)
	}}},
	"fhir-bulk": {cancels: "DELETE", channel: "poll", ack: accepting(202, "", "Content-Location: /status/%d"), paths: handlers{"status": byStatus}},
}

// hook is the document of a webhook.
func hook(word string) func(*job, string) string {
	return func(j *job, body string) string {
		return fmt.Sprintf(`{"status":%q,"data":{"order":"o%d"},%s`, word, j.n, body[1:])
	}
}

const secret = "of the hook"

var contentType = []*understudyv1.Header{{Name: "content-type", Value: []byte("application/json")}}

func value(m target.Message, name string) string {
	for _, h := range m.Headers {
		if h.GetName() == name {
			return string(h.GetValue())
		}
	}
	return ""
}

// candidate is a system of one style.
type candidate struct {
	t *testing.T
	style
	jobs   map[int]*job
	topics target.Topics
	over   chan struct{} // closed when the run is
	acts   sync.WaitGroup
	http   http.Client

	mu   sync.Mutex
	when map[*job]chan struct{}
	// answers are those to its calls, by status, and canceled how often it was
	// told that a job is not waited for.
	answers  map[int]int
	canceled map[string]int
}

func newCandidate(t *testing.T, s style, jobs map[int]*job, topics target.Topics) *candidate {
	c := &candidate{t: t, style: s, jobs: jobs, topics: topics, over: make(chan struct{}), when: map[*job]chan struct{}{}, answers: map[int]int{}, canceled: map[string]int{}}
	c.http.Transport = &http.Transport{}
	return c
}

// end waits until the candidate does nothing more.
func (c *candidate) end() {
	close(c.over)
	c.acts.Wait()
	c.http.CloseIdleConnections()
}

func (c *candidate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	segments := strings.Split(r.URL.Path, "/")
	j := c.jobs[number(r.URL.Path)]
	switch {
	case j == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == "DELETE":
		c.note("DELETE")
		w.WriteHeader(http.StatusNoContent)
	case r.Method == "POST" && strings.HasSuffix(r.URL.Path, ":cancel"):
		c.note("cancel")
	case r.Method == "GET":
		if r.Header.Get("X-Secret") != "1" {
			c.t.Errorf("%s lacks the credentials", r.URL)
		}
		answer := c.paths[strings.Replace(segments[1], "urgent", "orders", 1)]
		if answer == nil {
			c.t.Errorf("nothing is at %s", r.URL)
			return
		}
		if segments[1] == "orders" && r.URL.Query().Get("keep") != "1" {
			c.t.Errorf("%s is not the request's own address", r.URL)
		}
		answer(c, w, r, j)
	default:
		j.receive()
		c.ack(c, w, r, body, j)
	}
}

// number is that of the job that a path is about.
func number(path string) (n int) {
	for _, s := range strings.Split(path, "/") {
		_, _ = fmt.Sscanf(s, "%d", &n)
	}
	return n
}

func (c *candidate) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.canceled[what]++
}

// ready is closed when a job is to be told as done; it is waited for once,
// however often it is asked.
func (c *candidate) ready(j *job) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.when[j] == nil {
		done := make(chan struct{})
		c.when[j] = done
		c.acts.Go(func() {
			if j.wait(c.over) {
				close(done)
			}
		})
	}
	return c.when[j]
}

// deliver sends the completions of a job when they are due; an early one at
// once.
func (c *candidate) deliver(j *job, send func(status int, body string)) {
	act := func() {
		times := 1
		if j.fate == repeated || j.fate == contrary {
			times = 2
		}
		for i := range times {
			send(j.answer(i > 0))
		}
		j.tell()
	}
	if j.fate == early {
		act()
		return
	}
	ready := c.ready(j)
	c.acts.Go(func() {
		select {
		case <-ready:
			act()
		case <-c.over:
		}
	})
}

func (c *candidate) call(method, to, body string, headers ...string) {
	q, err := http.NewRequestWithContext(context.WithoutCancel(c.t.Context()), method, to, strings.NewReader(body))
	if err != nil {
		c.t.Errorf("call %q: %v", to, err)
		return
	}
	q.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header.Set(name, value)
	}
	resp, err := c.http.Do(q)
	if err != nil {
		c.t.Errorf("call: %v", err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[resp.StatusCode]++
}

func (c *candidate) produce(key string, headers []*understudyv1.Header, body string, status int) {
	m := target.Message{Key: []byte(key), Value: []byte(failing(status, body)), Headers: append(headers, contentType...)}
	if err := c.topics.Produce(context.WithoutCancel(c.t.Context()), "shop.replies", m); err != nil {
		c.t.Errorf("produce: %v", err)
	}
}

// serve takes requests from a topic.
func (c *candidate) serve() (stop func()) {
	stop, err := c.topics.Subscribe(c.t.Context(), "shop.requests", func(m target.Message) {
		id := value(m, "correlationId")
		if value(m, "replyTo") != "shop.replies" || id == "" {
			c.t.Errorf("a request has %v", m.Headers)
		}
		j := c.jobs[number(value(m, ":path"))]
		j.receive()
		c.acts.Go(func() {
			c.deliver(j, func(status int, body string) {
				c.produce(string(m.Key), []*understudyv1.Header{{Name: "correlationId", Value: []byte(id)}}, body, status)
			})
		})
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return stop
}

// start makes it reachable.
func (c *candidate) start() (address string) {
	server := httptest.NewServer(c)
	c.t.Cleanup(server.Close)
	return server.URL
}
