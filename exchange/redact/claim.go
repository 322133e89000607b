package redact

import (
	"slices"
	"strings"
)

// claim is a part of a value for which a rule says something.
type claim struct {
	span
	action, label string
}

// claims appends the parts of a text that a rule is about.
func (c *rule) claims(out []claim, text string, spans []span) []claim {
	for _, s := range spans {
		if c.shapes&(1<<s.shape) != 0 {
			out = append(out, claim{s, c.action, c.label})
		}
	}
	if c.pattern == nil {
		return out
	}
	for _, m := range c.pattern.FindAllStringSubmatchIndex(text, maxMatches) {
		from, to := m[0], m[1]
		if len(m) > 2 {
			from, to = m[2], m[3]
		}
		if from >= 0 && from < to {
			out = append(out, claim{span{from, to, noShape}, c.action, c.label})
		}
	}
	return out
}

// byRules is parts where rules of the configuration say something about them.
func (w *work) byRules(at place, n *name, text string, spans []span, partial []int, kept bool) result {
	var claims []claim
	for _, i := range partial {
		claims = w.r.rules[i].claims(claims, text, spans)
	}
	if !kept {
		for _, s := range spans {
			claims = append(claims, claim{s, actionToken, s.shape.String()})
		}
	}
	claims = firstOf(claims)
	var b strings.Builder
	done, changed := 0, false
	for _, c := range claims {
		old := text[c.from:c.to]
		with := old
		switch c.action {
		case actionDrop:
			with = ""
		case actionMask:
			with = masked
		case actionToken:
			with = w.stands(w.r.madeOf(at, old, c.shape), old)
		}
		b.WriteString(text[done:c.from])
		b.WriteString(with)
		done = c.to
		if with != old {
			changed = true
			w.note(at, n, c.label, c.action)
		}
	}
	b.WriteString(text[done:])
	return result{text: b.String(), changed: changed}
}

// firstOf leaves out what overlaps a claim before it, and sorts the others by
// where they stand.
func firstOf(claims []claim) (out []claim) {
	for _, c := range claims {
		// Sorted, so that those beside it are found at once.
		i, same := slices.BinarySearchFunc(out, c, func(a, b claim) int { return a.from - b.from })
		if same || i > 0 && out[i-1].to > c.from || i < len(out) && out[i].from < c.to {
			continue
		}
		out = slices.Insert(out, i, c)
	}
	return out
}

// maxMatches bounds the parts of one value that a pattern finds.
const maxMatches = 1024
