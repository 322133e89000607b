package comparator

import (
	"slices"
	"strings"

	"understudy.dev/comparator/media"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// DefaultRule is a rule that holds unless Config.DefaultRulesOff names it.
// What it explains has the noise class default:NAME.
type DefaultRule struct {
	Name string `json:"name"`
	// Covers says which differences, Reason why they are harmless.
	Covers string `json:"covers"`
	Reason string `json:"reason"`

	// fields are the names of header and trailer fields that it covers by name
	// alone, in lower case; a * at the end stands for any rest.
	fields []string
}

// The default rules that look at more than the name of a field.
const (
	hopByHop          = "hop-by-hop"
	quota             = "quota"
	tracing           = "tracing"
	ownMarks          = "own-marks"
	contentLength     = "content-length"
	charset           = media.Charset
	boundary          = "boundary"
	emptyBody         = "empty-body"
	entityTag         = "entity-tag"
	completionHeaders = "completion"
)

// defaultClass begins the noise class of what a default rule covers.
const defaultClass = "default:"

// DefaultRules lists the rules that hold unless they are switched off, in the
// order in which they are asked.
func DefaultRules() []DefaultRule {
	hops := []string{"proxy-*", "alt-svc"}
	for _, name := range message.HopByHop() {
		hops = append(hops, strings.ToLower(name))
	}
	return []DefaultRule{
		{Name: hopByHop, fields: hops, Covers: "Connection and what it names, Keep-Alive, Transfer-Encoding, Upgrade, Proxy-*, Alt-Svc, …",
			Reason: "they speak of a connection, not of the answer"},
		{Name: "date-server", fields: []string{"date", "server", "server-timing", "x-powered-by", "x-runtime"},
			Covers: "Date, Server, Server-Timing, X-Powered-By, X-Runtime", Reason: "they speak of the server and its clock"},
		{Name: tracing, fields: []string{"x-request-id", "request-id", "x-correlation-id", "traceparent", "tracestate", "traceresponse", "b3", "x-b3-*",
			"x-trace-id", "x-datadog-*", "x-amzn-requestid", "x-amzn-request-id", "x-amzn-trace-id", "x-amz-request-id", "x-amz-id-2", "x-cloud-trace-context", "sentry-trace", "baggage"},
			Covers: "Traceparent, X-Request-Id, B3, X-Amzn-Trace-Id, Sentry-Trace, …; not one that the client had sent and the baseline gave back", Reason: "they name one request, anew each time"},
		{Name: "cache-hops", fields: []string{"via", "age", "cache-status", "x-cache", "x-cache-hits", "x-cache-status", "x-served-by", "x-timer", "cf-ray", "cf-cache-status", "cf-request-id", "x-amz-cf-*", "x-envoy-*"},
			Covers: "Via, Age, Cache-Status, X-Cache, X-Served-By, X-Timer, CF-Ray, X-Envoy-*", Reason: "they speak of proxies and caches on the way"},
		{Name: quota, fields: []string{"x-ratelimit-remaining*", "x-ratelimit-used*", "x-ratelimit-reset*", "x-rate-limit-remaining", "x-rate-limit-reset", "ratelimit-remaining", "ratelimit-reset"},
			Covers: "what is left of a quota, and until when: RateLimit-Remaining and -Reset, X-RateLimit-Remaining, -Used and -Reset; a Retry-After up to twice as long or as short, or new; not the limit and its policy", Reason: "they count requests of other clients too"},
		{Name: "async-headers", fields: []string{"preference-applied", "operation-location", "azure-asyncoperation"},
			Covers: "Preference-Applied, Operation-Location, Azure-AsyncOperation", Reason: "an asynchronous answer is made of them, a synchronous one is not"},
		{Name: ownMarks, fields: []string{"understudy-*"},
			Covers: "Understudy-*; Understudy-Run, Idempotency-Key and Traceparent of the replay and Understudy-Hop of the recorder, echoed in a header or body",
			Reason: "the replay sent them, the recorded client did not"},
		{Name: completionHeaders, Covers: "headers and trailers of a completion but Content-Type, gRPC's status, cookies that the client lacks or has otherwise, a Location that neither it nor the acknowledgement tells, and what is presumed:completion",
			Reason: "they belong to the poll or the callback, not to the answer"},
		{Name: contentLength, Covers: "Content-Length, where it is that of the body", Reason: "it follows from the body, which is compared"},
		{Name: charset, Covers: "how a text is encoded: the charset parameter of Content-Type, a byte order mark",
			Reason: "texts are compared as what they say; JSON has no charset"},
		{Name: boundary, Covers: "the boundary parameter of Content-Type", Reason: "it is made anew for each answer; the parts are compared"},
		{Name: emptyBody, Covers: "Content-Type where neither side has a body", Reason: "it is the type of nothing"},
		{Name: entityTag, Covers: "the value of ETag, where both are strong or both are weak and the session has shown nothing else of them", Reason: "it is opaque to clients (RFC 9110, 8.8.3); whether there is one is compared"},
		{Name: media.TrailingBlanks, Covers: "in plain text and Markdown, blanks at the ends of lines and of the text, and what lines end with; no tabs, and no hard line breaks", Reason: "nobody sees them"},
		{Name: media.Comments, Covers: "comments of XML, HTML and event streams; the document type of XML", Reason: "they say nothing to a program"},
		{Name: media.Indentation, Covers: "white space with line breaks in elements of XML that have no other text of their own", Reason: "it is there for the eye"},
		{Name: media.MessageCompression, Covers: "which messages of gRPC were compressed", Reason: "the messages are compared"},
	}
}

func defaultRuleNames() []string {
	var out []string
	for _, r := range DefaultRules() {
		out = append(out, r.Name)
	}
	return out
}

// defaults are the default rules that hold.
type defaults struct {
	on    map[string]bool
	rules []DefaultRule
	// more are Config.IgnoreHeaders.
	more []string
}

func newDefaults(c Config) defaults {
	d := defaults{on: map[string]bool{}}
	for _, r := range DefaultRules() {
		if !slices.Contains(c.DefaultRulesOff, r.Name) {
			d.on[r.Name] = true
			d.rules = append(d.rules, r)
		}
	}
	for _, name := range c.IgnoreHeaders {
		d.more = append(d.more, strings.ToLower(name))
	}
	return d
}

// class is the noise class of a default rule, "" when it is switched off.
func (d defaults) class(name string) string {
	if !d.on[name] {
		return ""
	}
	return defaultClass + name
}

// field is the noise class of a field that a rule covers by its name alone, ""
// for none. The name is in lower case.
func (d defaults) field(name string) string {
	for _, r := range d.rules {
		if slices.ContainsFunc(r.fields, func(p string) bool { return nameCovers(p, name) }) {
			return defaultClass + r.Name
		}
	}
	if slices.ContainsFunc(d.more, func(p string) bool { return nameCovers(p, name) }) {
		return ruleClass + headersRule
	}
	return ""
}

// ignores says whether a field's value is nobody's business, so that a client
// who sent it does not get it back. The name is in lower case.
func (d defaults) ignores(name string) bool { return d.field(name) != "" }

// marks are what a replay has sent beside what the client had.
type marks struct {
	run, key           string
	traced, idempotent bool
}

func marksOf(r *understudyv1.Replay) marks {
	fields := r.GetExchange().GetRequest().GetHeaders()
	return marks{
		run: r.GetRun(), key: message.Copy(r.GetExchange().GetId(), r.GetLap(), r.GetClone()),
		traced: message.First(fields, "Traceparent") != "", idempotent: message.First(fields, "Idempotency-Key") != "",
	}
}

// echoed reports a place of a body that repeats such a mark: a member with the
// name of the field, in whatever case.
func (m marks) echoed(d Difference) bool {
	value := strings.Trim(d.Candidate, `[]" `)
	switch path := strings.TrimRight(d.Path, `[]"`); {
	case endsIn(path, "understudy-run"):
		return d.Kind == Extra && value == m.run
	case endsIn(path, "understudy-hop"):
		return d.Kind == Missing || d.Kind == Value // of the recorder in front of the baseline
	case endsIn(path, "idempotency-key"):
		return !m.idempotent && d.Kind == Extra && value == m.key
	case endsIn(path, "traceparent"):
		return m.traced && (d.Kind == Value || d.Kind == Type) && len(value) == len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	case endsIn(path, "tracestate"):
		return m.traced && d.Kind == Missing
	}
	return false
}

// endsIn says whether the last member of a path has a name, in whatever case,
// with - or _. It is asked of every difference, so it takes nothing apart.
func endsIn(path, name string) bool {
	at := len(path) - len(name)
	if at < 1 || path[at-1] != '.' && path[at-1] != '"' {
		return false
	}
	for i := range len(name) {
		c := path[at+i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c == '_' {
			c = '-'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}
