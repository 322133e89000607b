package substitute

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"understudy.dev/exchange/names"
)

// aliasKinds are members of an answer that may hold a further name of what was
// made; so does one that is called like it.
var aliasKinds = wordSet("number iid pk slug no nr code handle shortcode")

// aliases are the further names of what a request made, by its answer.
func aliases(target, family string, body []byte) (out []names.Name) {
	if family == "" {
		return nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil {
		for _, name := range []string{"id", "_id"} {
			text := strings.Trim(string(object[name]), `"`)
			var nested map[string]json.RawMessage
			if json.Unmarshal(object[name], &nested) == nil {
				text = strings.Trim(string(nested["value"]), `"`)
			}
			if text != "" && text != "null" && len(text) <= 256 && (len(nested) > 0 || !names.CanName(names.Value{Text: text})) {
				out = append(out, names.Name{Place: names.Place{Kind: family, Named: true}, Value: names.Value{Text: text}})
			}
		}
	}
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

// cursor is the kind of what names a place in a list of pages.
const cursor = "@cursor"

const (
	maxCursor  = 4096 // bytes
	maxCursors = 64   // in one message
)

// isCursor says whether a member or a parameter is called like one of pages.
func isCursor(name string) bool {
	lower := strings.ToLower(strings.NewReplacer("_", "", "-", "", "$", "").Replace(name))
	return strings.Contains(lower, "cursor") || strings.Contains(lower, "pagetoken") || strings.Contains(lower, "continuation") ||
		strings.HasSuffix(lower, "nexttoken") || cursorNames[lower]
}

var cursorNames = wordSet("next after before marker nextmarker scrollid startafter startingafter endingbefore nextpage nextkey")

// cursors are those in a JSON document.
func cursors(body []byte) (out []names.Name) {
	var v any
	if len(body) == 0 || json.Unmarshal(body, &v) != nil {
		return nil
	}
	var walk func(name string, v any, depth int)
	walk = func(name string, v any, depth int) {
		switch x := v.(type) {
		case map[string]any:
			for key, value := range x {
				if depth < 4 {
					walk(key, value, depth+1)
				}
			}
		case string:
			if isCursor(name) && x != "" && len(x) <= maxCursor && len(out) < maxCursors && !names.IsLink(x) {
				out = append(out, cursorName(x))
			}
		case float64:
			if text, err := json.Marshal(x); err == nil && isCursor(name) && len(out) < maxCursors {
				out = append(out, cursorName(string(text)))
			}
		}
	}
	walk("", v, 0)
	return out
}

func cursorName(text string) names.Name {
	return names.Name{Place: names.Place{Kind: cursor, Named: true}, Value: names.Value{Text: text}}
}

// pages are the cursors that a request may hold.
func pages(query string, form format, body []byte) (out []names.Name) {
	texts := []string{query}
	switch form {
	case asForm:
		texts = append(texts, string(body))
	case asJSON:
		out = cursors(body)
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
func isCounterpart(posted, recorded, candidate []byte) bool {
	var sent, a, b map[string]any
	if json.Unmarshal(recorded, &a) != nil || json.Unmarshal(candidate, &b) != nil {
		return true
	}
	for _, name := range []string{"error", "errors"} {
		if a[name] == nil && b[name] != nil {
			return false
		}
	}
	for _, name := range []string{"ok", "success"} {
		if a[name] == true && b[name] == false {
			return false
		}
	}
	if b["type"] == "error" && a["type"] != "error" {
		return false
	}
	if json.Unmarshal(posted, &sent) != nil {
		return true
	}
	for _, wrapper := range []string{"data", "result"} {
		if x, ok := a[wrapper].(map[string]any); ok {
			if y, ok := b[wrapper].(map[string]any); ok {
				a, b = x, y
			}
		}
	}
	same, other := 0, 0
	for name, value := range sent {
		switch value.(type) {
		case string, float64:
		default:
			continue
		}
		if said, has := b[name]; a[name] == value && has {
			if said == value {
				same++
			} else if place, _ := names.KindOf(name); !place.Named {
				other++
			}
		}
	}
	return same > 0 || other == 0
}
