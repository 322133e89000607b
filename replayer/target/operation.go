package target

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// state of an operation.
type state int

const (
	pending state = iota
	done
	failed
)

// Words for states, compared without case and separators: Azure's REST
// guidelines, and what services commonly say.
var (
	pendingWords = []string{"accepted", "notstarted", "queued", "pending", "running", "inprogress", "processing", "started", "submitted", "scheduled", "waiting", "created", "new"}
	failedWords  = []string{"failed", "failure", "error", "canceled", "cancelled", "aborted", "rejected"}
	doneWords    = []string{"succeeded", "success", "successful", "completed", "complete", "done", "finished"}
)

// read tells how far an operation is, and takes the answer out of its
// document. operation says that the document is one by convention (it came
// from an Operation-Location or by callback).
func (p Completion) read(r *understudyv1.Response, operation bool) (state, *understudyv1.Response) {
	body := r.GetBody().GetContent()
	s := p.state(r, body, operation)
	if s == pending {
		return pending, nil
	}
	if googleDone(body) == nil {
		return s, p.unwrap(r, body)
	}
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody()}
	if raw, ok := at(body, "/error"); ok && p.Result == "" {
		return failed, withBody(out, raw)
	}
	if raw, ok := at(body, "/response"); ok && p.Result == "" {
		return s, withBody(out, raw)
	}
	return s, p.unwrap(r, body)
}

func (p Completion) state(r *understudyv1.Response, body []byte, operation bool) state {
	switch {
	case r.GetStatus() == http.StatusAccepted:
		return pending
	case p.Pending.holds(body):
		return pending
	case p.Failed.holds(body):
		return failed
	case p.Done.Pointer != "":
		if p.Done.holds(body) {
			return done
		}
		return pending
	case p.Pending.Pointer != "":
		return done
	}
	if d := googleDone(body); d != nil {
		if !*d {
			return pending
		}
		return done
	}
	if !operation && message.First(r.GetHeaders(), "Retry-After") == "" {
		return done
	}
	switch word := stateWord(body); {
	case slices.Contains(pendingWords, word):
		return pending
	case slices.Contains(failedWords, word):
		return failed
	}
	return done
}

// stateWord is what a document says about its state, without case and
// separators.
func stateWord(body []byte) string {
	word, ok := stringAt(body, "/status")
	if !ok {
		word, _ = stringAt(body, "/state")
	}
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(word))
}

// googleDone is the member done of google.longrunning.Operation, nil if the
// document is none.
func googleDone(body []byte) *bool {
	raw, ok := at(body, "/done")
	if !ok {
		return nil
	}
	v := string(raw) == "true"
	if !v && string(raw) != "false" {
		return nil
	}
	if _, named := at(body, "/name"); !named && !v {
		return nil
	}
	return &v
}

// unwrap takes status and body out of the operation's document as the policy
// says.
func (p Completion) unwrap(r *understudyv1.Response, body []byte) *understudyv1.Response {
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody(), Protocol: r.GetProtocol(), Trailers: r.GetTrailers()}
	if p.Status != "" {
		if raw, ok := at(body, p.Status); ok {
			if n, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, 16); err == nil {
				out.Status = uint32(n)
			}
		}
	}
	if p.Result != "" {
		if raw, ok := at(body, p.Result); ok {
			if string(raw) == "null" {
				raw = nil
			}
			return withBody(out, raw)
		}
	}
	return out
}

// withBody replaces the body by a part of it.
func withBody(r *understudyv1.Response, raw []byte) *understudyv1.Response {
	r.Body = message.BodyOf(raw)
	return r
}

func (c Condition) holds(body []byte) bool {
	if c.Pointer == "" {
		return false
	}
	raw, ok := at(body, c.Pointer)
	if !ok {
		return false
	}
	text := string(raw)
	if s, isText := stringAt(body, c.Pointer); isText {
		text = s
	}
	return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) })
}

// maxRetryAfter bounds what a candidate can make us wait between polls.
const maxRetryAfter = 10 * time.Second

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, otherwise time.Duration) time.Duration {
	v := h.Get("Retry-After")
	asked := time.Duration(0)
	if n, err := strconv.ParseFloat(v, 64); err == nil && n > 0 {
		asked = time.Duration(min(n, maxRetryAfter.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(v); err == nil {
		asked = time.Until(at)
	}
	return max(otherwise, min(asked, maxRetryAfter))
}
