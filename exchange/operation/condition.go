package operation

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Condition holds when what stands at Pointer, in Header or is the first output
// of JQ is one of Values. Without Values a header must be there, and a jq
// filter give something else than false and null. One of the three is given; a
// condition without any never holds.
type Condition struct {
	// Pointer is a JSON pointer (RFC 6901) to the state in a document; empty
	// leaves it to the usual conventions.
	Pointer string `yaml:"pointer"`
	// Header is the name of a field; of a list, each element is looked at.
	Header string `yaml:"header"`
	// JQ is a jq filter for the whole document.
	JQ string `yaml:"jq"`
	// Values are the texts that fulfil the condition; case does not matter.
	Values []string `yaml:"values"`
}

// Given says whether there is a condition at all.
func (c Condition) Given() bool { return c.Pointer != "" || c.Header != "" || c.JQ != "" }

// Mistakes calls say for each mistake with the key under which it stands.
func (c Condition) Mistakes(say func(key string, value any, fault string)) {
	given := 0
	for _, s := range []string{c.Pointer, c.Header, c.JQ} {
		if s != "" {
			given++
		}
	}
	if given > 1 {
		say("", nil, "has more than one of pointer, header and jq")
	}
	if c.Pointer != "" && c.Pointer[0] != '/' {
		say("pointer", c.Pointer, "does not begin with /, as a JSON pointer does (RFC 6901)")
	}
	if c.Header != "" && !message.IsToken(c.Header) {
		say("header", c.Header, "is not the name of a field")
	}
	if err := checkFilter(c.JQ); err != nil {
		say("jq", c.JQ, err.Error())
	}
	if c.Pointer != "" && len(c.Values) == 0 {
		say("values", nil, "is needed beside pointer")
	}
	if given == 0 && len(c.Values) > 0 {
		say("values", nil, "says nothing without pointer, header or jq")
	}
}

// holds says whether the condition is fulfilled by a message with that
// document.
func (c Condition) holds(r *understudyv1.Response, d *document) bool {
	among := func(text string) bool {
		return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, text) })
	}
	switch {
	case c.Pointer != "":
		raw, ok := at(d.body, c.Pointer)
		if text, scalar := textOf(raw); scalar {
			return ok && among(text)
		}
		return ok && among(string(raw))
	case c.Header != "":
		values := message.Values(r.GetHeaders(), c.Header)
		if len(c.Values) == 0 {
			return len(values) > 0
		}
		for _, line := range values {
			for _, element := range strings.Split(line, ",") {
				word, _, _ := strings.Cut(element, ";")
				if among(strings.TrimSpace(word)) {
					return true
				}
			}
		}
	case c.JQ != "":
		out, ok := d.filter(c.JQ)
		if len(c.Values) == 0 {
			return ok && out != nil && out != false
		}
		raw, err := gojq.Marshal(out)
		text, scalar := textOf(json.RawMessage(bytes.TrimSpace(raw)))
		if !scalar {
			text = string(raw)
		}
		return ok && err == nil && among(text)
	}
	return false
}

// Locator says where a message names an address or an identifier: in a header
// field, at a pointer or as a filter's output; the first that is there counts.
type Locator struct {
	// Header is the name of a field.
	Header string `yaml:"header"`
	// Pointer is a JSON pointer (RFC 6901) into the body.
	Pointer string `yaml:"pointer"`
	// JQ is a jq filter for the body.
	JQ string `yaml:"jq"`
}

// Given says whether it names anything.
func (l Locator) Given() bool { return l.Header != "" || l.Pointer != "" || l.JQ != "" }

// Mistakes is like Condition.Mistakes.
func (l Locator) Mistakes(say func(key string, value any, fault string)) {
	if l.Pointer != "" && l.Pointer[0] != '/' {
		say("pointer", l.Pointer, "does not begin with /, as a JSON pointer does (RFC 6901)")
	}
	if l.Header != "" && !message.IsToken(l.Header) {
		say("header", l.Header, "is not the name of a field")
	}
	if err := checkFilter(l.JQ); err != nil {
		say("jq", l.JQ, err.Error())
	}
}

// Find is the text that a message has there, "" if none; err is a filter that
// failed.
func (l Locator) Find(r *understudyv1.Response) (string, error) {
	d := newDocument(r)
	text := l.find(r, d)
	return text, d.fault
}

func (l Locator) find(r *understudyv1.Response, d *document) string {
	if l.Header != "" {
		if v := message.First(r.GetHeaders(), l.Header); v != "" {
			return v
		}
	}
	if l.Pointer != "" {
		if v, ok := d.text(Place(l.Pointer)); ok && v != "" {
			return v
		}
	}
	if l.JQ != "" {
		if out, ok := d.filter(l.JQ); ok {
			if raw, err := gojq.Marshal(out); err == nil {
				if v, ok := textOf(raw); ok {
					return v
				}
			}
		}
	}
	return ""
}
