package media

import (
	"net/url"
	"strings"
)

// openForm opens a form (WHATWG URL, 5.1): a list of values for each name, in
// their order. The order of names does not matter.
func openForm(s *source) (Document, error) {
	text, err := s.text(Form)
	if err != nil {
		return Document{}, err
	}
	var names []string
	values := map[string][]string{}
	offset, count := 0, 0
	for pair := range strings.SplitSeq(strings.TrimRight(string(text), "\r\n"), "&") {
		if pair != "" {
			rawName, rawValue, _ := strings.Cut(pair, "=")
			name, errName := url.QueryUnescape(rawName)
			value, errValue := url.QueryUnescape(rawValue)
			if errName != nil || errValue != nil {
				return Document{}, s.syntax(Form, int64(offset), "invalid escape in the field")
			}
			if _, seen := values[name]; !seen {
				names = append(names, name)
			}
			if count++; count > s.options.Nodes {
				return Document{}, beyond("fields", s.options.Nodes)
			}
			values[name] = append(values[name], value)
		}
		offset += len(pair) + 1
	}
	w := newWriter(s.options.Limits)
	w.open('{')
	for _, name := range names {
		w.key(name)
		w.open('[')
		for _, v := range values[name] {
			w.text(v)
		}
		w.close(']')
	}
	w.close('}')
	return w.document(Form)
}
