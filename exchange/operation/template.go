package operation

import (
	"fmt"
	"net/url"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Template is an address with placeholders in braces: {monitor} and {request}
// are the addresses of the status monitor and of the request itself, without
// their query unless they are the whole template, {/a/b} is
// what stands at that JSON pointer, and any other name is a header field. Both
// are those of the message that the template is filled from, with what a path
// cannot hold escaped; slashes stay.
type Template string

// Check says what is wrong with a template; nil if nothing is. monitor says
// that {monitor} is known where it is used.
func (t Template) Check(monitor bool) error {
	return t.each(func(string) {}, func(name string) error {
		switch {
		case name == "monitor" && !monitor:
			return fmt.Errorf("has {monitor}, which is not known before it is found")
		case name == "monitor", name == "request", strings.HasPrefix(name, "/"), message.IsToken(name):
			return nil
		}
		return fmt.Errorf("has {%s}, which is neither monitor, request, a JSON pointer nor the name of a field", name)
	})
}

// each calls text and name for the parts of a template in turn.
func (t Template) each(text func(string), name func(string) error) error {
	rest := string(t)
	for {
		before, after, found := strings.Cut(rest, "{")
		text(before)
		if !found {
			return nil
		}
		inside, behind, closed := strings.Cut(after, "}")
		if !closed {
			return fmt.Errorf("has a { without a }")
		}
		if err := name(inside); err != nil {
			return err
		}
		rest = behind
	}
}

// Fill is the address; "" if the message lacks something of it.
func (t Template) Fill(r *understudyv1.Response, monitor, request string) string {
	return t.fill(r, newDocument(r), monitor, request)
}

func (t Template) fill(r *understudyv1.Response, d *document, monitor, request string) string {
	var out strings.Builder
	whole := true
	put := func(s string) { out.WriteString(s) }
	_ = t.each(put, func(name string) error {
		value := ""
		switch {
		case name == "monitor", name == "request":
			if value = request; name == "monitor" {
				value = monitor
			}
			if string(t) != "{"+name+"}" {
				value, _, _ = strings.Cut(value, "?")
				value = strings.TrimSuffix(value, "/")
			}
		case strings.HasPrefix(name, "/"):
			value, _ = d.text(Place(name))
			value = escaped(value)
		default:
			value = escaped(message.First(r.GetHeaders(), name))
		}
		whole = whole && value != ""
		put(value)
		return nil
	})
	if !whole {
		return ""
	}
	return out.String()
}

// escaped leaves the slashes of a value, which may be a path or an address.
func escaped(value string) string {
	parts := strings.Split(value, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
