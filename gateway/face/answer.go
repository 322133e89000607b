package face

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// errTooLong says that an answer is not whole here.
var errTooLong = errors.New("the candidate's answer is longer than gateway.face.answer_limit")

// answerOf is what a client of the synchronous protocol gets of an observation
// that has an answer.
func (r *policy) answerOf(o *understudyv1.Observation) (*understudyv1.Response, error) {
	d, answer := o.GetCompletion(), o.GetAck()
	awaited := d != nil && d.GetChannel() != understudyv1.Channel_CHANNEL_IMMEDIATE
	if awaited {
		answer = d.GetPayload()
	}
	if answer.GetBody().GetTruncated() {
		return nil, errTooLong
	}
	out := &understudyv1.Response{Status: answer.GetStatus(), Body: answer.GetBody(), Headers: answer.GetHeaders()}
	if !awaited {
		return out, nil
	}
	out.Headers = headersOf(d)
	switch {
	case d.GetFailed() && out.Status < 400:
		out.Status = uint32(r.failed)
	case !d.GetFailed() && r.done != 0 && out.Status < 300:
		out.Status = uint32(r.done)
	}
	if out.Status < 200 || out.Status > 999 {
		return nil, errors.New("the candidate's answer has no status of HTTP")
	}
	return out, nil
}

// aboutContent are the fields of a message that are about its content rather than
// about who sent it.
var aboutContent = []string{"content-type", "content-language", "content-disposition", "last-modified"}

// aboutOperation are those that are about the operation, of which a client of the
// synchronous protocol knows nothing.
var aboutOperation = []string{"operation-location", "azure-asyncoperation", "preference-applied", "retry-after"}

// headersOf are the fields of the answer in a completion.
func headersOf(d *understudyv1.Completion) (out []*understudyv1.Header) {
	polled := d.GetChannel() == understudyv1.Channel_CHANNEL_POLL
	for _, h := range d.GetPayload().GetHeaders() {
		name := strings.ToLower(h.GetName())
		keep := !slices.Contains(aboutOperation, name)
		switch {
		case d.GetHead() == understudyv1.Completion_HEAD_ANSWER:
		case d.GetHead() == understudyv1.Completion_HEAD_DOCUMENT && polled:
			// They describe the document, of which the answer is a part.
			keep = keep && !slices.Contains([]string{"content-encoding", "content-md5", "digest", "content-digest", "repr-digest", "etag", "content-range", "location", "content-location"}, name)
		case d.GetHead() == understudyv1.Completion_HEAD_UNSPECIFIED && polled:
		case d.GetHead() == understudyv1.Completion_HEAD_UNSPECIFIED:
			// Of a delivery they are a request's, with its credentials.
			keep = slices.Contains(aboutContent, name) || name == "content-encoding"
		default:
			keep = slices.Contains(aboutContent, name)
		}
		if keep {
			out = append(out, h)
		}
	}
	return out
}

// write gives a client an answer.
func write(w http.ResponseWriter, method string, r *understudyv1.Response) {
	h := w.Header()
	nominated := message.Nominated(message.Values(r.GetHeaders(), "Connection"))
	for _, line := range r.GetHeaders() {
		name := http.CanonicalHeaderKey(line.GetName())
		if !message.IsHopByHop(name) && !slices.Contains(nominated, name) && name != "Content-Length" {
			h[name] = append(h[name], string(line.GetValue()))
		}
	}
	for _, name := range []string{"Date", "Content-Type"} { // net/http must not make them up
		if _, ok := h[name]; !ok {
			h[name] = nil
		}
	}
	body := r.GetBody().GetContent()
	status := int(r.GetStatus())
	switch {
	case method == http.MethodHead:
		if length := message.First(r.GetHeaders(), "Content-Length"); length != "" {
			h.Set("Content-Length", length)
		}
	case status != http.StatusNoContent && status != http.StatusNotModified:
		h.Set("Content-Length", strconv.Itoa(len(body)))
	default:
		body = nil
	}
	w.WriteHeader(status)
	if method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone is the server's to notice
	}
}

// completionOf is what is recorded of an observation.
func completionOf(o *understudyv1.Observation) *understudyv1.Awaited {
	d := o.GetCompletion()
	out := &understudyv1.Awaited{AckStatus: o.GetAck().GetStatus(), AckNano: o.GetAckServiceNano(), Polls: d.GetPolls(), Failed: d.GetFailed()}
	if o.GetAck() == nil {
		out.AckNano = 0
	}
	if d.GetSeen() > 0 {
		out.Channel, out.CompletedNano = understudyv1.Label(d.GetChannel()), d.GetServiceNano()
	}
	return out
}
