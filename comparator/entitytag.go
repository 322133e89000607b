package comparator

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// versionsOf are the pairs of entity tags in a record: what the session has shown
// as one version of what the request is about.
func versionsOf(r *understudyv1.Replay) (out []*understudyv1.Substitution) {
	for _, s := range r.GetSubstitutions() {
		if s.GetKind() == names.Version.Kind {
			out = append(out, s)
		}
	}
	return out
}

// entityTags finds the tags in a field (RFC 9110, 8.8.3).
var entityTags = regexp.MustCompile(`(?:W/)?"[^"]*"`)

// isOf says whether two tags are of one version (weak comparison, RFC 9110,
// 8.8.3.2).
func isOf(a, b string) bool {
	return strings.TrimPrefix(strings.TrimSpace(a), "W/") == strings.TrimPrefix(strings.TrimSpace(b), "W/")
}

// versionOf is the class of two entity tags that differ; "" if they count. Each
// side makes its own, so only what the session has shown of them tells whether
// they are of one version. A 304 names the version that the client had asked by,
// and that it is current.
func (a answers) versionOf(d Difference) (class string, known bool) {
	// What the session has shown: the baseline's tag, the candidate's as that of
	// another version, and the two as those of one.
	var expected, other, same bool
	for _, v := range a.versions {
		b, c := isOf(v.GetRecorded(), d.Baseline), isOf(v.GetCandidate(), d.Candidate)
		expected, other, same = expected || b, other || c && !b, same || b && c
	}
	switch notModified := a.final.GetStatus() == http.StatusNotModified; {
	case same && (notModified || !other):
		return "", false
	case !same && expected && (other || notModified && a.asks(d.Baseline)):
		return "", true
	case notModified || expected || other:
		return noise.Presumed(noise.Identifier), true
	}
	return "", false
}

// asks says whether the client had asked by a tag whether it is current.
func (a answers) asks(tag string) bool {
	for _, field := range message.Values(a.request.GetHeaders(), "If-None-Match") {
		if slices.ContainsFunc(entityTags.FindAllString(field, -1), func(sent string) bool { return isOf(sent, tag) }) {
			return true
		}
	}
	return false
}
