package redact

import "regexp"

// maxAhead is how far a value's name is looked for behind it, in bytes.
const maxAhead = 512

// ahead is the name of a secret that stands behind its value, which begins here:
// {"value":…,"name":"token"}; nil if none does.
func (j *jsonText) ahead() *name {
	depth, isKey := 0, false
	for i, end := j.at, min(len(j.src), j.at+maxAhead); i < end; i++ {
		switch j.src[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return nil
			}
		case ',':
			isKey = depth == 0
		case '"':
			text, after := stringAt(j.src[:end], i)
			if after < 0 {
				return nil
			}
			i = after - 1
			if !isKey {
				continue
			}
			isKey = false
			if value := afterColon(j.src[:end], after); value >= 0 && j.w.r.nameOf(text).isName {
				if label, after := stringAt(j.src[:end], value); after >= 0 {
					if n := j.w.r.nameOf(label); n.secret {
						return n
					}
				}
			}
		}
	}
	return nil
}

// stringAt is the text of a string of JSON that begins at a place, as it is
// spelled, and where it ends; -1 if there is none.
func stringAt(src string, at int) (text string, after int) {
	if at >= len(src) || src[at] != '"' {
		return "", -1
	}
	for i := at + 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case '"':
			return src[at+1 : i], i + 1
		}
	}
	return "", -1
}

// afterColon is where the value of a member begins whose name ends at a place.
func afterColon(src string, at int) int {
	colon := false
	for ; at < len(src); at++ {
		switch c := src[at]; {
		case c == ':' && !colon:
			colon = true
		case c > ' ':
			if colon {
				return at
			}
			return -1
		}
	}
	return -1
}

// pair is the name of a secret that an array of two begins with, which begins
// here: ["password", …]. Two names, as in a list of fields, are none.
func (j *jsonText) pair() *name {
	first, after := stringAt(j.src, j.at)
	if after < 0 || len(first) > maxName {
		return nameless
	}
	for after < len(j.src) && (j.src[after] <= ' ' || j.src[after] == ',') {
		after++
	}
	second, end := stringAt(j.src, after)
	if end < 0 || isPlainWord(second) {
		return nameless
	}
	for end < len(j.src) && j.src[end] <= ' ' {
		end++
	}
	if end >= len(j.src) || j.src[end] != ']' {
		return nameless
	}
	if n := j.w.r.nameOf(first); n.secret && isPlainWord(first) {
		return n
	}
	return nameless
}

// isPlainWord says whether a text is of letters and what parts words in names.
func isPlainWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c|0x20 < 'a' || c|0x20 > 'z') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// holdsSecret says whether the value that begins here is one that a machine has
// made.
func (j *jsonText) holdsSecret() bool {
	text, after := stringAt(j.src, j.at)
	return after >= 0 && isMachineMade(text)
}

// variables are the names that a query of GraphQL gives to secrets: login(password:
// $p).
func (r *Redactor) variables(src string) map[string]bool {
	var out map[string]bool
	for _, m := range argument.FindAllStringSubmatch(src, maxMatches) {
		if r.nameOf(m[1]).secret {
			if out == nil {
				out = map[string]bool{}
			}
			out[m[2]] = true
		}
	}
	return out
}

var (
	argument = regexp.MustCompile(`(\w{1,100})\s*:\s*\$(\w{1,100})`)
	variable = &name{lower: "variable", secret: true}
)
