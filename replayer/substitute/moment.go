package substitute

import (
	"slices"
	"strings"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// A time that was shown once may come again in another style: milliseconds in
// one document, a text in an export, seconds in Last-Modified. What the session
// knows of it is found by its second.

// maxOfSecond bounds the pairs of times of one second that are found.
const maxOfSecond = 16

// dated makes a pair of times findable.
func (s *session) dated(p names.Pair) {
	t, ok := timestamp.Read(p.Baseline.Text, p.Baseline.Number)
	if !ok {
		return
	}
	if s.seconds == nil {
		s.seconds = map[int64][]names.Pair{}
	}
	if all := s.seconds[t.Unix()]; len(all) < maxOfSecond {
		s.seconds[t.Unix()] = append(all, p)
	}
}

// retold are the pairs of times of which a recorded answer may show the moment in
// another style.
func (s *session) retold(seconds []int64) (out []names.Pair) {
	known := map[string]bool{}
	for _, second := range seconds {
		for near := second - 1; near <= second+1; near++ { // rounded, or cut
			for _, p := range s.seconds[near] {
				if key := p.Baseline.Text + "=" + p.Candidate.Text; !known[key] {
					known[key] = true
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// maxSeconds is how many different seconds of one answer are looked for.
const maxSeconds = 1024

// secondsOf are the seconds of the times in an answer, of whatever format.
func secondsOf(a *understudyv1.Response, body []byte) (out []int64) {
	seen := map[int64]bool{}
	take := func(text string) bool {
		t, ok := timestamp.Parse(text)
		if ok && !seen[t.Unix()] && len(seen) < maxSeconds {
			seen[t.Unix()] = true
			out = append(out, t.Unix())
		}
		return ok
	}
	for _, h := range a.GetHeaders() {
		take(string(h.GetValue()))
	}
	for at := 0; at < len(body) && len(seen) < maxSeconds; at++ {
		if c := body[at]; c < '0' || c > '9' || at > 0 && isWordByte(body[at-1]) {
			continue
		}
		end := at + 1
		for end < len(body) && end-at < 40 && strings.IndexByte("0123456789.:-+TZ ", body[end]) >= 0 {
			end++
		}
		text := strings.TrimRight(string(body[at:end]), " .:-+")
		if !take(text) {
			text, _, _ = strings.Cut(text, " ")
			take(text)
		}
		at += max(len(text), 1) - 1
	}
	slices.Sort(out)
	return out
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}
