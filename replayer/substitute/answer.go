package substitute

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"understudy.dev/exchange/names"
)

// aliasKinds are members of an answer that may hold a further name of what was
// made; so does one that is called like it.
var aliasKinds = wordSet("number iid pk slug no nr code handle shortcode")

// aliases are the further names of what a request made, by its answer.
func aliases(target, family string, c *content) (out []names.Name) {
	if family == "" {
		return nil
	}
	for _, name := range []string{"id", "_id"} {
		id := c.document().Member(name)
		isObject := id.Is(names.Object)
		if isObject {
			id = id.Member("value")
		}
		if !id.Is(names.String) && !id.Is(names.Number) {
			continue
		}
		if text := id[0].Text; text != "" && len(text) <= 256 && (isObject || !names.CanName(names.Value{Text: text})) {
			out = append(out, names.Name{Place: names.Place{Kind: family, Named: true}, Value: names.Value{Text: text}})
		}
	}
	body := c.plain
	f := names.NewSeeker(target, nil)
	f.JSON(body)
	out = append(out, resources(target, body)...)
	found, _ := f.Found()
	for _, n := range found {
		if !n.Place.Named && (n.Place.Kind == family || aliasKinds[n.Place.Kind]) {
			out = append(out, names.Name{Place: names.Place{Kind: family, Named: true}, Value: n.Value})
		}
	}
	return out
}

// isSearch says whether what was posted looks for something.
func isSearch(posted []byte) bool {
	var sent map[string]json.RawMessage
	if json.Unmarshal(posted, &sent) != nil {
		return false
	}
	for name := range sent {
		if searches[strings.ToLower(name)] {
			return true
		}
	}
	return false
}

var searches = wordSet("filter filters query q search where criteria sort order_by page limit offset")

const (
	maxCursor  = 4096 // bytes
	maxCursors = 64   // in one message

	maxCursorDepth = 5  // of objects
	maxCursorName  = 64 // bytes of the name of a member
)

// isCursor says whether a member or a parameter is called like one of pages.
func isCursor(name string) bool {
	if len(name) > maxCursorName {
		return false
	}
	var buffer [maxCursorName]byte
	lower := buffer[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '$':
		case c >= 'A' && c <= 'Z':
			lower = append(lower, c|0x20)
		default:
			lower = append(lower, c)
		}
	}
	return bytes.Contains(lower, []byte("cursor")) || bytes.Contains(lower, []byte("pagetoken")) || bytes.Contains(lower, []byte("continuation")) ||
		bytes.HasSuffix(lower, []byte("nexttoken")) || cursorNames[string(lower)]
}

var cursorNames = wordSet("next after before marker nextmarker scrollid startafter startingafter endingbefore nextpage nextkey")

// cursors are those in a JSON document.
func cursors(t names.Tree) (out []names.Name) {
	return appendCursors(nil, t, 0)
}

func appendCursors(out []names.Name, t names.Tree, depth int) []names.Name {
	if depth >= maxCursorDepth {
		return out
	}
	for m := range t.Members() {
		switch {
		case m.Is(names.Object):
			out = appendCursors(out, m, depth+1)
		case !m.Is(names.String) && !m.Is(names.Number) || m[0].Text == "" || len(m[0].Text) > maxCursor || len(out) >= maxCursors:
		case isCursor(m[0].Name) && !names.IsLink(m[0].Text):
			out = append(out, cursorName(m[0].Text))
		}
	}
	return out
}

func cursorName(text string) names.Name {
	return names.Name{Place: names.Cursor, Value: names.Value{Text: text}}
}

// pages are the cursors that a request may hold.
func pages(query string, form format, body []byte) (out []names.Name) {
	texts := []string{query}
	switch form {
	case asForm:
		texts = append(texts, string(body))
	case asJSON:
		document, whole := names.Parse(body)
		if whole {
			out = cursors(document)
		}
	}
	for _, text := range texts {
		for field := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(field, "=")
			if text, err := url.QueryUnescape(value); err == nil && isCursor(name) && text != "" && len(text) <= maxCursor && len(out) < maxCursors {
				out = append(out, cursorName(text))
			}
		}
	}
	return out
}

// setups are words for how a system is set up. What an answer about that holds
// is no name unless it is called one.
var setups = wordSet("config configuration settings version info options features flags constants meta metadata bootstrap manifest enums choices env")

func ofConstants(target string) bool {
	path, _, _ := strings.Cut(target, "?")
	return setups[strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])]
}

// areConstant says whether a name was only seen as a value of how the system is
// set up.
func areConstant(made []entry, name string) bool {
	return len(made) > 0 && !names.IsUnique(name) && !names.IsRandom(name) &&
		!slices.ContainsFunc(made, func(e entry) bool { return !e.constant || e.kind != "" })
}

// isCounterpart says whether two answers to what a client posted can be about
// the same: both say what was posted, or neither does, and not only the
// candidate tells of an error. What is said of a thing may differ in part.
func isCounterpart(posted []byte, a, b names.Tree) bool {
	if !a.Is(names.Object) || !b.Is(names.Object) {
		return true
	}
	for _, name := range []string{"error", "errors"} {
		if isNothing(a.Member(name)) && !isNothing(b.Member(name)) {
			return false
		}
	}
	for _, name := range []string{"ok", "success"} {
		if a.Member(name).Is(names.True) && b.Member(name).Is(names.False) {
			return false
		}
	}
	if isError(b) && !isError(a) {
		return false
	}
	sent, whole := names.Parse(posted)
	if !whole || !sent.Is(names.Object) {
		return true
	}
	for _, wrapper := range []string{"data", "result"} {
		if x, y := a.Member(wrapper), b.Member(wrapper); x.Is(names.Object) && y.Is(names.Object) {
			a, b = x, y
		}
	}
	as, bs := scalarsOf(a), scalarsOf(b)
	same, other := 0, 0
	for name, value := range scalarsOf(sent) {
		if value.kind != names.String && value.kind != names.Number {
			continue
		}
		if said, has := bs[name]; has && as[name] == value {
			if said == value {
				same++
			} else if place, _ := names.KindOf(name); !place.Named {
				other++
			}
		}
	}
	return same > 0 || other == 0
}

// scalar is a string, a number with one spelling for equal ones, or another
// value of a kind.
type scalar struct {
	kind names.NodeKind
	text string
}

// scalarsOf are the members of an object by their names.
func scalarsOf(t names.Tree) map[string]scalar {
	out := map[string]scalar{}
	for m := range t.Members() {
		v := scalar{m[0].Kind, m[0].Text}
		if f, err := strconv.ParseFloat(v.text, 64); err == nil && v.kind == names.Number {
			v.text = strconv.FormatFloat(f, 'g', -1, 64)
		}
		out[m[0].Name] = v
	}
	return out
}

func isNothing(t names.Tree) bool { return t == nil || t.Is(names.Null) }

func isError(t names.Tree) bool {
	kind := t.Member("type")
	return kind.Is(names.String) && kind[0].Text == "error"
}
