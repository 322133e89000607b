package comparator

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// field is one field of an answer, or one cookie of it.
type field struct {
	// value is what is shown and classified, meaning what is compared: two
	// values of one meaning are spelled alike.
	value, meaning string
	// cookie is set for a cookie, and for nothing else.
	cookie *cookie
}

// answers are the two that are compared, and what decides how.
type answers struct {
	baseline, final *understudyv1.Response
	// later: final is a completion that came after the acknowledgement ack.
	later bool
	own   bool // both are of one side
	ack   *understudyv1.Response
	done  *understudyv1.Completion
	// head: the answers are to HEAD, and their fields speak of a body that was
	// not sent.
	head bool
	// noHeaders, noTrailers: the recording does not hold them.
	noHeaders, noTrailers bool
	// baselineTime and finalTime are when each side got the request.
	baselineTime, finalTime time.Time
	request                 *understudyv1.Request
	versions                []*understudyv1.Substitution
}

func newAnswers(r *understudyv1.Replay, final *understudyv1.Response, later bool) answers {
	x := r.GetExchange()
	return answers{
		baseline: x.GetResponse(), final: final, later: later, ack: r.GetCandidate().GetAck(), done: r.GetCandidate().GetCompletion(), head: x.GetRequest().GetMethod() == http.MethodHead, noHeaders: noHeaders(x), noTrailers: noTrailers(x),
		baselineTime: time.Unix(0, x.GetStartUnixNano()), finalTime: time.Unix(0, r.GetSentUnixNano()), request: x.GetRequest(), versions: versionsOf(r),
	}
}

// compareFields compares the header fields of two answers and their trailers.
func compareFields(emit emitter, rs rules, a answers) {
	bh, bt := fieldLines(a.baseline)
	fh, ft := fieldLines(a.final)
	if a.later && a.ack != a.final {
		// The client has what the acknowledgement says, too.
		if said := a.acknowledged(); len(said) > 0 {
			fh = slices.Concat(said, fh)
		}
	}
	for _, part := range [...]struct {
		place           Place
		prefix          string
		baseline, final []*understudyv1.Header
	}{{InHeader, headerPath, bh, fh}, {InTrailer, trailerPath, bt, ft}} {
		if part.place == InHeader && a.noHeaders || part.place == InTrailer && a.noTrailers {
			continue
		}
		// A Content-Type also differs if one of the bodies is empty.
		if sameLines(part.baseline, part.final) && isEmpty(a.baseline) == isEmpty(a.final) {
			continue
		}
		bs, fs := bothFields(part.baseline, part.final, a)
		for _, name := range fieldNames(bs, fs) {
			b, inB := bs[name]
			f, inF := fs[name]
			path := part.prefix + name
			d := Difference{Place: part.place, Path: path, Location: path, Kind: Value, Baseline: b.value, Candidate: f.value}
			if !compareField(emit, rs, a, name, d, b, f, inB, inF) {
				return
			}
		}
	}
}

// sameLines reports the same fields in the same order.
func sameLines(b, f []*understudyv1.Header) bool {
	return slices.EqualFunc(b, f, func(b, f *understudyv1.Header) bool {
		return b.GetName() == f.GetName() && bytes.Equal(b.GetValue(), f.GetValue())
	})
}

// fieldLines are the headers and the trailers; the status of a gRPC answer that
// has no trailers stands where it would otherwise be.
func fieldLines(r *understudyv1.Response) (headers, trailers []*understudyv1.Header) {
	if len(r.GetTrailers()) > 0 || !isGRPC(r) {
		return r.GetHeaders(), r.GetTrailers()
	}
	for _, h := range r.GetHeaders() {
		if len(h.GetName()) >= 5 && strings.EqualFold(h.GetName()[:5], "grpc-") && message.First(r.GetHeaders(), "Grpc-Status") != "" &&
			!strings.EqualFold(h.GetName(), "grpc-encoding") && !strings.EqualFold(h.GetName(), "grpc-accept-encoding") {
			trailers = append(trailers, h)
		} else {
			headers = append(headers, h)
		}
	}
	return headers, trailers
}

func fieldNames(bs, fs map[string]field) []string {
	out := make([]string, 0, len(bs)+len(fs))
	for name := range bs {
		out = append(out, name)
	}
	for name := range fs {
		if _, both := bs[name]; !both {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// compareField compares one field; it returns false when it is time to stop.
func compareField(emit emitter, rs rules, a answers, name string, d Difference, b, f field, inB, inF bool) bool {
	if name == "content-type" && !a.head {
		// That of an empty body is of nothing.
		noB, noF := isEmpty(a.baseline), isEmpty(a.final)
		if noB && noF {
			d.Noise = rs.defaults.class(emptyBody)
		} else {
			inB, inF = inB && !noB, inF && !noF
		}
	}
	switch {
	case !inB && !inF:
		return true
	case !inF:
		d.Kind, d.Candidate = Missing, ""
	case !inB:
		d.Kind, d.Baseline = Extra, ""
	case b.cookie != nil && f.cookie != nil:
		return compareCookie(emit, rs, a, name, d, *b.cookie, *f.cookie)
	case b.meaning == f.meaning:
		return true
	}
	class := ""
	if !rs.oneKey || !areCompared(name, d) {
		d, class = masked(rs, d)
	}
	if d.Noise == "" {
		d.Noise = rs.explain(a, name, d)
	}
	if d.Noise == "" {
		d.Noise = class
	}
	if opaqueFields[name] {
		return emit(d, noise.Value{}, noise.Value{}, name)
	}
	if d.Kind == Value && d.Baseline == b.value && d.Candidate == f.value {
		return emit(d, noise.Value{Text: b.meaning}, noise.Value{Text: f.meaning}, name)
	}
	return emit(d, noise.Value{Text: d.Baseline}, noise.Value{Text: d.Candidate}, name)
}

func isEmpty(r *understudyv1.Response) bool {
	return len(r.GetBody().GetContent()) == 0 && r.GetBody().GetLength() == 0
}

// explain is the noise class of a field that differs, "" for none. A rule of
// the user goes before those by default.
func (rs rules) explain(a answers, name string, d Difference) string {
	if class := rs.class(d); class != "" {
		return class
	}
	if class := rs.defaults.field(name); class != "" && !(class == defaultClass+tracing && a.repeats(name, d)) {
		return class
	}
	if on := rs.defaults.class(hopByHop); on != "" && (d.Kind == Extra || nominated(a.baseline, name)) && (d.Kind == Missing || nominated(a.final, name)) {
		return on
	}
	switch {
	case a.later && a.isOfCompletion(name, d) && !a.isOwn(name, d):
		return rs.defaults.class(completionHeaders)
	case name == "retry-after":
		return waits(rs.defaults.class(quota), d)
	case name == "ratelimit" && left.ReplaceAllString(d.Baseline, "$1") == left.ReplaceAllString(d.Candidate, "$1"):
		return rs.defaults.class(quota)
	case name == "idempotency-key" && d.Kind == Extra && d.Candidate == rs.marks.key:
		return rs.defaults.class(ownMarks)
	case name == "content-length" && a.follows():
		return rs.defaults.class(contentLength)
	case name == "content-type" && d.Kind == Value:
		return a.contentType(rs.defaults, d)
	case d.Kind == Value && name == "etag" && a.mayDiffer(name, d):
		if class, known := a.versionOf(d); known {
			return class
		}
		return rs.defaults.class(entityTag)
	case d.Kind == Value && opaqueFields[name] && a.mayDiffer(name, d):
		return noise.Presumed(noise.Random)
	}
	return ""
}

// repeats says whether the baseline gave back the name that the client itself had
// given its request, and the candidate did not: by that it is found again. The replay
// sends a Traceparent of its own, and a completion comes by another request.
func (a answers) repeats(name string, d Difference) bool {
	if a.later || d.Baseline == "" || name == "traceparent" || name == "tracestate" {
		return false
	}
	return slices.ContainsFunc(a.request.GetHeaders(), func(h *understudyv1.Header) bool { return string(h.GetValue()) == d.Baseline })
}

// left finds in a RateLimit what is left and until when, in either form of the
// draft (draft-ietf-httpapi-ratelimit-headers): remaining=5, reset=30 or r=5;t=30.
var left = regexp.MustCompile(`(\b(?:remaining|reset|r|t))=[0-9]+`)

// waits is the class of two Retry-After, of which other clients decide how long;
// one that is lost, or is another by more than a factor of two, may be a fault.
func waits(class string, d Difference) string {
	b, errB := strconv.Atoi(d.Baseline)
	f, errF := strconv.Atoi(d.Candidate)
	if class == "" || d.Kind == Extra || errB == nil && errF == nil && b >= 0 && f >= 0 && b <= 2*max(f, 1) && f <= 2*max(b, 1) {
		return class
	}
	return noise.Presumed(quota)
}

func nominated(r *understudyv1.Response, name string) bool {
	connection := message.Values(r.GetHeaders(), "Connection")
	return len(connection) > 0 && slices.Contains(message.Nominated(connection), http.CanonicalHeaderKey(name))
}

// follows reports that Content-Length is that of the body on each side that
// has it.
func (a answers) follows() bool {
	ok := func(r *understudyv1.Response) bool {
		said := strings.TrimSpace(message.First(r.GetHeaders(), "Content-Length"))
		// Redaction may have made the content longer than it was.
		return said == "" || said == decimal(r.GetBody().GetLength()) || said == decimal(int64(len(r.GetBody().GetContent())))
	}
	return !a.head && ok(a.baseline) && ok(a.final)
}

// contentType explains a Content-Type of another spelling.
func (a answers) contentType(rules defaults, d Difference) string {
	b, f := withoutParameter(d.Baseline, "boundary"), withoutParameter(d.Candidate, "boundary")
	if b == f {
		return rules.class(boundary)
	}
	if withoutParameter(b, "charset") != withoutParameter(f, "charset") {
		return ""
	}
	// Equal bytes of two charsets are another text, unless they mean the same
	// in all of them.
	if kind := message.MediaType(d.Baseline); message.IsJSON(kind) || isASCII(a.baseline.GetBody().GetContent()) && isASCII(a.final.GetBody().GetContent()) ||
		string(a.baseline.GetBody().GetContent()) != string(a.final.GetBody().GetContent()) {
		return rules.class(charset)
	}
	return ""
}

func isASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c > unicode.MaxASCII })
}

// opaqueFields hold values that a server makes up or computes.
var opaqueFields = map[string]bool{
	"etag": true, "digest": true, "content-digest": true, "repr-digest": true, "content-md5": true,
}

// isEntityTag reports a value that is one (RFC 9110, 8.8.3): a text in quotes.
func isEntityTag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	return len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' && !strings.Contains(s[1:len(s)-1], `"`)
}

// mayDiffer reports opaque values whose difference nothing proves: a tag may be
// another name of the same state, but weak and strong are two promises; a
// digest of other bytes is another one, of the same bytes it is not.
func (a answers) mayDiffer(name string, d Difference) bool {
	if name == "etag" {
		return strings.HasPrefix(d.Baseline, "W/") == strings.HasPrefix(d.Candidate, "W/") && isEntityTag(d.Baseline) == isEntityTag(d.Candidate)
	}
	return string(a.baseline.GetBody().GetContent()) != string(a.final.GetBody().GetContent())
}
