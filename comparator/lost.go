package comparator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// isOfCompletion says whether a field that differs belongs to the poll or the
// callback that brought a completion. What the client does with a field of the
// answer it has to get all the same: its type, a cookie, where it was sent on to,
// and the address of what was made.
func (a answers) isOfCompletion(name string, d Difference) bool {
	switch {
	case name == "content-type", strings.HasPrefix(name, "grpc-"):
		return false
	case strings.HasPrefix(name, "set-cookie:"):
		// One that both set is the answer's, however it differs.
		return d.Kind == Extra && !strings.HasSuffix(d.Path, ";expires")
	case name == "location":
		return d.Kind == Extra || d.Kind == Missing && a.isTold(d.Baseline)
	}
	return true
}

// isOwn says whether a field that differs may be that of the answer after all: the
// completion's fields are those of an answer, or both sides have it. Name is that
// of the difference, which may go on after a colon: link:next.
func (a answers) isOwn(name string, d Difference) bool {
	if isOfPoll(name, d) || a.own && a.done.GetChannel() != understudyv1.Channel_CHANNEL_POLL { // each delivery has its own
		return false
	}
	field, _, _ := strings.Cut(name, ":")
	baseline, final := a.baseline.GetHeaders(), a.final.GetHeaders()
	if d.Place == InTrailer {
		baseline, final = a.baseline.GetTrailers(), a.final.GetTrailers()
	}
	has := len(message.Values(final, field)) > 0 // else it is the acknowledgement's
	return a.hasHead() && !a.own && (has || d.Kind != Extra) || has && len(message.Values(baseline, field)) > 0
}

// hasHead says whether a completion's fields are those of an answer, so that one
// which it lacks is lost; what delivered it, or the document that held it, has
// fields of its own.
func (a answers) hasHead() bool {
	switch a.done.GetHead() {
	case understudyv1.Completion_HEAD_ANSWER:
		return true
	case understudyv1.Completion_HEAD_DOCUMENT:
		return false
	}
	return a.done.GetChannel() == understudyv1.Channel_CHANNEL_POLL
}

// isOfPoll says whether a field says how an operation is answered, whatever the
// answer is: how its body is framed, where the monitor leads, that it is not kept,
// and when to ask again.
func isOfPoll(name string, d Difference) bool {
	switch name {
	case "content-length", "transfer-encoding", "location":
		return true
	case "content-location", "retry-after":
		return d.Kind == Extra
	case "cache-control", "pragma":
		return d.Kind == Extra && !slices.ContainsFunc(splitList(d.Candidate), func(directive string) bool { return !unkept[strings.ToLower(directive)] })
	}
	return false
}

// unkept are the directives by which something is asked for again each time.
var unkept = map[string]bool{"no-store": true, "no-cache": true, "must-revalidate": true, "max-age=0": true}

// presumedOfCompletion is the class of such a field if nothing else explains it.
func (x *comparing) presumedOfCompletion(d Difference) string {
	if !x.later || x.rs.defaults.class(completionHeaders) == "" {
		return ""
	}
	_, name, _ := strings.Cut(d.Path, ":")
	if a := x.answers(); a.isOfCompletion(name, d) && a.isOwn(name, d) {
		return noise.Presumed(completionHeaders)
	}
	return ""
}

// isTold says whether the acknowledgement or the completion tells an address in
// the candidate's names though it has no such Location: as one or, if nobody is to
// be sent there at once, by the name that it ends in.
func (a answers) isTold(address string) bool {
	for _, r := range [...]*understudyv1.Response{a.ack, a.final} {
		for _, field := range [...]string{"Location", "Content-Location"} {
			if told := message.First(r.GetHeaders(), field); told != "" && pathOf(told) == pathOf(address) {
				return true
			}
		}
	}
	segments := names.Segments(address, nil)
	if len(segments) == 0 || a.baseline.GetStatus() >= http.StatusMultipleChoices {
		return false
	}
	last := segments[len(segments)-1].Text
	body, err := message.Decode(a.final.GetBody().GetContent(), contentEncoding(a.final), maxOpened)
	if err != nil || len(body) == 0 {
		return false
	}
	if names.IsSelfEvident(last) {
		return names.NewText(body).Has(last)
	}
	f := names.NewFinder(address, nil)
	f.JSON(body)
	found, _ := f.Found()
	return slices.ContainsFunc(found, func(n names.Name) bool { return n.Value.Text == last })
}

// pathOf is an address without the host that it is at.
func pathOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.RequestURI()
	}
	return address
}

// acknowledged are the fields of the acknowledgement that are those of the answer:
// its cookies, and a Location that leads to a place of the kind that the
// baseline's does, if the completion has none.
func (a answers) acknowledged() (out []*understudyv1.Header) {
	address := message.First(a.baseline.GetHeaders(), "Location")
	open := address != "" && message.First(a.final.GetHeaders(), "Location") == ""
	for _, h := range a.ack.GetHeaders() {
		switch {
		case strings.EqualFold(h.GetName(), "Set-Cookie"):
			out = append(out, h)
		case open && strings.EqualFold(h.GetName(), "Location") && areOfOneKind(address, string(h.GetValue())):
			out, open = append(out, h), false
		}
	}
	return out
}

// areOfOneKind says whether two addresses differ in names only; the last segment
// may be one though it is a word.
func areOfOneKind(a, b string) bool {
	as, bs := names.Segments(a, nil), names.Segments(b, nil)
	if len(as) != len(bs) || len(as) == 0 {
		return false
	}
	for i := range as[:len(as)-1] {
		if as[i].Text != bs[i].Text && !(as[i].Name && bs[i].Name) {
			return false
		}
	}
	return len(as) > 1 || as[0].Text == bs[0].Text
}
