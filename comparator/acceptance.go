package comparator

import (
	"net/http"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// accepts reports an answer by which a side did what it was asked: a status
// below 400 and, where gRPC speaks, its own status 0. gRPC sends 200 with
// whatever it has to say and the status in the trailers, or among the headers
// of an answer that has nothing else (gRPC over HTTP2, "Trailers-Only").
func accepts(r *understudyv1.Response) bool {
	if !accepted(r.GetStatus()) {
		return false
	}
	status := grpcStatus(r)
	return status == "" || status == "0"
}

func accepted(status uint32) bool { return status > 0 && status < 400 }

func isGRPC(r *understudyv1.Response) bool { return message.IsGRPC(contentType(r)) }

// grpcStatus is the status of a gRPC call as text, "" where there is none.
func grpcStatus(r *understudyv1.Response) string {
	if status := message.First(r.GetTrailers(), "Grpc-Status"); status != "" {
		return strings.TrimSpace(status)
	}
	if isGRPC(r) {
		return strings.TrimSpace(message.First(r.GetHeaders(), "Grpc-Status"))
	}
	return ""
}

// isLog reports an exchange from a log that knows nothing of header fields.
func isLog(x *understudyv1.Exchange) bool {
	r := x.GetResponse()
	return len(r.GetHeaders()) == 0 && (x.GetSource() == "import/combined" ||
		r.GetBody().GetTruncated() && len(r.GetBody().GetContent()) == 0)
}

// unasked says why another status than the recorded one proves nothing: the
// answer was to fields of the request that a log does not have, so that the
// replay has asked something else. It is "" where the statuses can be compared.
func unasked(x *understudyv1.Exchange, final *understudyv1.Response) string {
	status := x.GetResponse().GetStatus()
	if !isLog(x) || status == final.GetStatus() {
		return ""
	}
	switch status {
	case http.StatusNotModified, http.StatusPreconditionFailed:
		return "a log has no If-None-Match and other conditions of a request"
	case http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
		return "a log has no Range of a request"
	}
	return ""
}

// noHeaders reports an exchange of which no header was recorded, though every
// answer has some.
func noHeaders(x *understudyv1.Exchange) bool {
	return isLog(x) || strings.HasPrefix(x.GetSource(), "import/") && len(x.GetResponse().GetHeaders()) == 0
}

// noTrailers reports an exchange of a format that has none.
func noTrailers(x *understudyv1.Exchange) bool {
	return (isLog(x) || strings.HasPrefix(x.GetSource(), "import/")) && len(x.GetResponse().GetTrailers()) == 0
}

// unrecorded notes what a recording does not hold, so that it was not compared.
func (c *collector) unrecorded(x *understudyv1.Exchange, final *understudyv1.Response) {
	r := x.GetResponse()
	switch {
	case isLog(x) && r.GetBody().GetTruncated():
		c.incomplete("a log has neither headers nor bodies")
	case noHeaders(x):
		c.incomplete("the imported recording has no headers")
	case noTrailers(x) && len(final.GetTrailers()) > 0:
		c.incomplete("the imported recording has no trailers")
	}
}
