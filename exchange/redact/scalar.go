package redact

import "strings"

// scalar rewrites a number or a word.
func (j *jsonText) scalar(n *name) bool {
	from := j.at
	for j.at < len(j.src) && (charClass[j.src[j.at]]&isWord != 0 || strings.IndexByte("+-.", j.src[j.at]) >= 0) {
		j.at++
	}
	text := j.src[from:j.at]
	switch text {
	case "null", "NaN", "Infinity", "-Infinity":
		return true
	case "true", "false":
		if with := j.w.word(n, text); with != text {
			j.replace(from, with)
		}
		return true
	}
	if !isNumber(text) || j.w.cut && j.at == len(j.src) { // more digits may have followed
		return false
	}
	if with := j.w.number(n, text); with != text {
		j.replace(from, with)
	}
	return true
}

func isNumber(s string) bool {
	if s = strings.TrimPrefix(s, "-"); s == "" || !digitAt(s, 0) || s[0] == '0' && digitAt(s, 1) {
		return false
	}
	digits := func() bool {
		i := 0
		for digitAt(s, i) {
			i++
		}
		s = s[i:]
		return i > 0
	}
	ok := digits()
	if ok && strings.HasPrefix(s, ".") {
		s = s[1:]
		ok = digits()
	}
	if ok && s != "" && s[0]|0x20 == 'e' {
		if s = s[1:]; s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		ok = digits()
	}
	return ok && s == ""
}

// word redacts true and false, which only a rule or an allow-list can make a
// secret.
func (w *work) word(n *name, text string) string {
	if len(n.rules) == 0 && !w.r.allow {
		return text
	}
	action, label := w.decided(inJSON, n)
	switch action {
	case actionDrop:
		w.note(inJSON, n, label, action)
		return "null"
	case actionMask, actionToken:
		w.note(inJSON, n, label, action)
		return "false"
	}
	return text
}

// number redacts a number: one under a name for secrets that are numbers, and
// that of a card under a name for cards.
func (w *work) number(n *name, text string) string {
	if isMadeNumber(text) {
		return text
	}
	action, label := w.decided(inJSON, n)
	if action == "" {
		switch {
		case n.kept:
		case n.number && len(text) > maxOpenNumber && strings.Trim(text, "0123456789") == "":
			action, label = actionToken, labelNames
		case n.hint&maybeCard != 0 && isCard(text, len(text)):
			action, label = actionToken, aCard.String()
		}
	}
	switch action {
	case actionDrop:
		text = "null"
	case actionMask:
		text = "0"
	case actionToken:
		text = w.stands(w.r.madeNumber(text), text)
	default:
		return text
	}
	w.note(inJSON, n, label, action)
	return text
}

// maxOpenNumber is how many digits a number has at most that is no secret under a
// name for one: the third token, a code of an error.
const maxOpenNumber = 3

// decided is what the first rule about whole values says, or the allow-list; empty
// if neither says anything.
func (w *work) decided(at place, n *name) (action, label string) {
	for _, i := range n.rules {
		if c := &w.r.rules[i]; c.places&(1<<at) != 0 && !c.isPartial() && w.fits(c, n) {
			return c.action, c.label
		}
	}
	if w.r.allow && !n.kept {
		return actionToken, labelAllow
	}
	return "", ""
}
