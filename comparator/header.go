package comparator

import (
	"slices"
	"strings"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// ignoredHeaders are not compared, beside those that are hop by hop: they
// belong to the connection, to the server rather than to the answer, to caches
// and tracing, or follow from the body, which is compared itself. A * at the
// end stands for any rest.
var ignoredHeaders = []string{
	// connection
	"proxy-*", "alt-svc",
	// the body itself is compared
	"content-length", "content-encoding", "accept-ranges", "content-md5", "digest", "content-digest", "repr-digest", "etag", "vary",
	// clocks, servers and hops
	"date", "server", "server-timing", "via", "age", "x-powered-by", "x-runtime", "x-cache*", "x-served-by", "x-timer", "cf-*", "x-amz-*", "x-envoy-*",
	// tracing
	"x-request-id", "request-id", "x-correlation-id", "traceparent", "tracestate", "b3", "x-b3-*", "x-trace-id", "x-datadog-*", "x-amzn-*", "x-cloud-trace-context", "sentry-trace", "baggage",
	// quotas, and what asynchronous answers are made of
	"x-ratelimit-*", "ratelimit*", "retry-after", "preference-applied", "operation-location", "azure-asyncoperation", "understudy-*",
}

// headerPath begins the path of a header field.
const headerPath = "header:"

type headerFilter struct {
	exact    map[string]bool
	prefixes []string
}

func newHeaderFilter(more []string) headerFilter {
	f := headerFilter{exact: map[string]bool{}}
	for _, name := range slices.Concat(message.HopByHop(), ignoredHeaders, more) {
		name = strings.ToLower(name)
		if p, ok := strings.CutSuffix(name, "*"); ok {
			f.prefixes = append(f.prefixes, p)
		} else {
			f.exact[name] = true
		}
	}
	return f
}

func (f headerFilter) ignores(name string) bool {
	return f.exact[name] || slices.ContainsFunc(f.prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// compareHeaders compares the fields of two answers. Of a completion only the
// Content-Type is an answer to the request; the rest belongs to the poll or
// the callback.
func (j *Judge) compareHeaders(emit emitter, baseline, final *understudyv1.Response, later bool) {
	if len(baseline.GetHeaders()) == 0 && baseline.GetBody().GetTruncated() {
		return // an access log says nothing about headers
	}
	bs, fs := j.fields(baseline, later), j.fields(final, later)
	names := make([]string, 0, len(bs)+len(fs))
	for name := range bs {
		names = append(names, name)
	}
	for name := range fs {
		if _, both := bs[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b, inB := bs[name]
		f, inF := fs[name]
		d := Difference{Place: InHeader, Path: headerPath + name, Location: headerPath + name, Baseline: b, Candidate: f}
		switch {
		case inB && !inF:
			d.Kind = Missing
		case !inB && inF:
			d.Kind = Extra
		case b == f:
			continue
		default:
			d.Kind = Value
		}
		if !emit(d, noise.Value{Text: b}, noise.Value{Text: f}, name) {
			return
		}
	}
}

// fields are the compared fields by lower-case name, repeated ones joined as
// RFC 9110 section 5.3 allows, each cookie by its own name.
func (j *Judge) fields(r *understudyv1.Response, later bool) map[string]string {
	out := map[string]string{}
	for _, h := range r.GetHeaders() {
		name, value := strings.ToLower(h.GetName()), strings.TrimSpace(string(h.GetValue()))
		switch {
		case later && name != "content-type", j.headers.ignores(name):
			continue
		case name == "content-type":
			if len(r.GetBody().GetContent()) == 0 && r.GetBody().GetLength() == 0 {
				continue // of nothing
			}
			value = message.ContentType(value)
		case name == "set-cookie":
			cookie, _, _ := strings.Cut(value, "=")
			name, value = "set-cookie:"+strings.TrimSpace(cookie), cookieAttributes(value)
		}
		if old, ok := out[name]; ok {
			value = old + ", " + value
		}
		out[name] = value
	}
	return out
}

// cookieAttributes leaves out the value, which is a secret or a token, and
// times.
func cookieAttributes(value string) string {
	var kept []string
	for i, part := range strings.Split(value, ";") {
		name := strings.ToLower(strings.TrimSpace(part))
		if i == 0 || strings.HasPrefix(name, "expires=") {
			continue
		}
		kept = append(kept, name)
	}
	slices.Sort(kept)
	return strings.Join(kept, "; ")
}
