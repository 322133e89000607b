package operation

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Monitor is the status monitor of an operation, as its acknowledgement names
// it.
type Monitor struct {
	// Location is as it was written; "" if there is none.
	Location string
	// Document says that by convention Location serves a document about the
	// operation, not its result.
	Document bool
	// Azure says that its document has the states of Azure's resource providers.
	Azure bool
	// Request is the address of the request itself, and Replaces says that its
	// method, PUT or PATCH, is about what is there.
	Request  string
	Replaces bool
	// Beside is the Location given together with an Operation-Location: where
	// the result will be.
	Beside string
	// ByStatus is that of the user's conventions.
	ByStatus bool
	// Result says that a document has led here: what stands here is the answer,
	// whatever it links to.
	Result bool
	// Expected is an answer such as the one that is waited for, nil if none is
	// known. With it a document at a plain Location is told from the answer.
	Expected *understudyv1.Response
}

const azure = "Azure-AsyncOperation"

// Locate finds the status monitor that an acknowledgement of a request names: as
// the user says, or else by convention.
func (c Conventions) Locate(ack *understudyv1.Response, method, request string) (Monitor, error) {
	m := MonitorOf(ack)
	if c.Monitor.Given() {
		d := newDocument(ack)
		where := c.Monitor.find(ack, d)
		if where == "" && c.Monitor.Template != "" {
			where = c.Monitor.Template.fill(ack, d, "", request)
		}
		if d.fault != nil {
			return Monitor{}, d.fault
		}
		if where != "" {
			m = Monitor{Location: where, Document: true}
			if location := message.First(ack.GetHeaders(), "Location"); location != where {
				m.Beside = location
			}
		}
	}
	m.Document = m.Document && !c.ByStatus
	m.Request, m.Replaces = request, method == http.MethodPut || method == http.MethodPatch
	m.ByStatus = c.ByStatus
	return m, nil
}

// MonitorOf finds the status monitor that an acknowledgement names.
func MonitorOf(ack *understudyv1.Response) Monitor {
	location := message.First(ack.GetHeaders(), "Location")
	if v, isAzure, ok := documentOf(ack); ok {
		return Monitor{Location: v, Document: true, Azure: isAzure, Beside: location}
	}
	if location != "" {
		return Monitor{Location: location}
	}
	if v := linked(message.Values(ack.GetHeaders(), "Link")); v != "" {
		return Monitor{Location: v}
	}
	body := ack.GetBody().GetContent()
	for _, pointer := range []string{"/status_url", "/statusUrl", "/links/status", "/_links/status/href", "/links/monitor", "/_links/monitor/href"} {
		if v, ok := stringAt(body, pointer); ok && v != "" {
			return Monitor{Location: v}
		}
	}
	return Monitor{}
}

// documentOf is the address in a field that only operations have.
func documentOf(ack *understudyv1.Response) (location string, isAzure, ok bool) {
	for _, name := range []string{"Operation-Location", azure} {
		if v := message.First(ack.GetHeaders(), name); v != "" {
			return v, name == azure, true
		}
	}
	return "", false, false
}

// linked finds the target of a Link (RFC 8288) whose relation means a status
// monitor.
func linked(values []string) string {
	for _, rest := range values {
		for {
			_, after, found := strings.Cut(rest, "<")
			target, params, closed := strings.Cut(after, ">")
			if !found || !closed {
				break
			}
			// A comma ends the link's parameters and may be part of its address.
			rest = ""
			if next := strings.IndexByte(params, '<'); next >= 0 {
				params, rest = params[:next], params[next:]
			}
			if monitorRelation(params) {
				return target
			}
		}
	}
	return ""
}

func monitorRelation(params string) bool {
	for _, p := range strings.Split(params, ";") {
		name, rel, _ := strings.Cut(strings.Trim(p, " \t,"), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, r := range strings.Fields(strings.Trim(strings.TrimSpace(rel), `"`)) {
			if slices.Contains([]string{"status", "monitor", "operation"}, strings.ToLower(r)) {
				return true
			}
		}
	}
	return false
}

// Meaning is what to do after an answer to a poll, by its status.
type Meaning int

const (
	// Look says that the answer may tell how the operation is doing.
	Look Meaning = iota
	// Retry says that the monitor does not know yet, or cannot answer now.
	Retry
	// GiveUp says that the monitor will never know.
	GiveUp
)

// grace is how long after the acknowledgement a 404 of the status monitor means
// "not yet" (it may be written after the answer).
const grace = 2 * time.Second

// Means reads the status of a poll's answer that came so long after the
// acknowledgement. What is by definition worth repeating (RFC 9110, 15.5.9; RFC
// 8470, 5.2; RFC 6585, 4) or says when to come back (RFC 9110, 10.2.3) is no
// end.
func (m Monitor) Means(r *understudyv1.Response, after time.Duration) Meaning {
	status := r.GetStatus()
	switch {
	case status < 400 || m.Result:
		return Look
	case m.ByStatus && status >= 500 && (status < http.StatusBadGateway || status > http.StatusGatewayTimeout) && message.First(r.GetHeaders(), "Retry-After") == "":
		return Look
	case status == http.StatusNotFound && after < grace, status >= 500,
		status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests,
		message.First(r.GetHeaders(), "Retry-After") != "":
		return Retry
	case m.ByStatus:
		return Look
	case m.Document, status == http.StatusNotFound, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return GiveUp
	}
	return Look // the operation ended with a refusal
}

// maxRetryAfter bounds how long a system can delay the next poll.
const maxRetryAfter = 10 * time.Second

// RetryAfter is the pause that a Retry-After asks for, in seconds or by a date
// (RFC 9110, 10.2.3): 10 s at most, 0 if it asks for none.
func RetryAfter(value string, now time.Time) time.Duration {
	asked := time.Duration(0)
	if n, err := strconv.ParseFloat(value, 64); err == nil && n > 0 {
		asked = time.Duration(min(n, maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(value); err == nil {
		asked = at.Sub(now)
	}
	return max(0, min(asked, maxRetryAfter))
}
