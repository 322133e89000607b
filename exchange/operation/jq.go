package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/itchyny/gojq"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Place is where something stands in a JSON document: a pointer (RFC 6901),
// which begins with a slash, or a jq filter, which begins with a dot and whose
// first output counts. Empty is none.
type Place string

// Check says what is wrong with a place, as the end of a sentence; nil if
// nothing is.
func (p Place) Check() error {
	switch {
	case p == "" || p[0] == '/':
		return nil
	case p[0] == '.':
		_, err := compile(string(p))
		return err
	}
	return errors.New("is neither a JSON pointer, which begins with / (RFC 6901), nor a jq filter, which begins with a dot")
}

// checkFilter is Check for a text that is jq in any case.
func checkFilter(filter string) error {
	if filter == "" {
		return nil
	}
	_, err := compile(filter)
	return err
}

// filter is a compiled jq program. paths gives the path of its first output,
// where it has one, so that a part of a document can be taken byte for byte.
type filter struct{ values, paths *gojq.Code }

// filters are compiled once; their texts are the user's, so they are few.
var filters sync.Map // text → *filter

func compile(text string) (*filter, error) {
	if f, ok := filters.Load(text); ok {
		return f.(*filter), nil
	}
	one := func(text string) (*gojq.Code, error) {
		q, err := gojq.Parse(text)
		if err != nil {
			return nil, err
		}
		return gojq.Compile(q) // without a module loader, $ENV and input
	}
	values, err := one(text)
	if err != nil {
		return nil, fmt.Errorf("is not a jq filter: %s", firstLine(err))
	}
	f := &filter{values: values}
	f.paths, _ = one("path(" + text + ")") // what constructs values has no path
	filters.Store(text, f)
	return f, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// What a filter may take: of time, and of a document in bytes.
const (
	maxFilter   = time.Second
	maxFiltered = 1 << 20
)

// first runs a program on a document; ok is false if it has no output.
func first(code *gojq.Code, input any) (out any, ok bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxFilter)
	defer cancel()
	out, ok = code.RunWithContext(ctx, input).Next()
	if failed, is := out.(error); is {
		var halt *gojq.HaltError
		if errors.As(failed, &halt) && halt.Value() == nil {
			return nil, false, nil
		}
		return nil, false, failed
	}
	return out, ok, nil
}

// document is a message whose body is read in several ways. fault is the first
// reason why something that the user asked for could not be read.
type document struct {
	body   []byte
	parsed bool
	tree   any
	fault  error
}

func newDocument(r *understudyv1.Response) *document {
	body := r.GetBody().GetContent()
	if coding := message.Joined(r.GetHeaders(), "Content-Encoding"); coding != "" && !r.GetBody().GetTruncated() {
		if plain, err := message.Decode(body, coding, maxFiltered); err == nil {
			body = plain
		}
	}
	return &document{body: body}
}

// value is the whole document for jq; null if it is not JSON.
func (d *document) value() any {
	if d.parsed {
		return d.tree
	}
	d.parsed = true
	if len(d.body) > maxFiltered {
		d.fault = fmt.Errorf("the document has %d bytes, and jq reads at most %d", len(d.body), maxFiltered)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(d.body))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) == nil {
		d.tree = tree
	}
	return d.tree
}

// filter is the first output of a jq filter. A filter that fails is the
// document's fault.
func (d *document) filter(text string) (any, bool) {
	f, err := compile(text)
	if err == nil {
		var out any
		var ok bool
		if out, ok, err = first(f.values, d.value()); err == nil {
			return out, ok
		}
		err = fmt.Errorf("jq %q fails: %s", text, withoutValues(err))
	}
	if d.fault == nil {
		d.fault = err
	}
	return nil, false
}

// withoutValues is why a filter failed without what it failed on: its errors end
// in the type and the beginning of a value.
func withoutValues(err error) string {
	what, on, _ := strings.Cut(firstLine(err), ": ")
	if t, _, _ := strings.Cut(on, " "); slices.Contains([]string{"null", "boolean", "number", "string", "array", "object"}, t) {
		what += ": " + t
	}
	if strings.ContainsAny(what, `"{[`) {
		return "it does not fit the document"
	}
	return what
}

// at is the JSON at a place: the bytes that stand there if they can be pointed
// to, so that numbers keep their text.
func (d *document) at(p Place) (json.RawMessage, bool) {
	if p == "" {
		return nil, false
	}
	if p[0] == '/' {
		return at(d.body, string(p))
	}
	out, ok := d.filter(string(p))
	if !ok {
		return nil, false
	}
	if f, err := compile(string(p)); err == nil && f.paths != nil {
		if path, ok, err := first(f.paths, d.value()); err == nil && ok {
			if raw, ok := follow(d.body, path); ok {
				return raw, true
			}
		}
	}
	raw, err := gojq.Marshal(out)
	return raw, err == nil
}

// follow finds the raw JSON at a path of jq.
func follow(body []byte, path any) (json.RawMessage, bool) {
	steps, ok := path.([]any)
	if !ok {
		return nil, false
	}
	var pointer strings.Builder
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
		case int:
			fmt.Fprintf(&pointer, "/%d", s)
		default:
			return nil, false
		}
	}
	if pointer.Len() == 0 {
		return bytes.TrimSpace(body), json.Valid(body)
	}
	return at(body, pointer.String())
}

// text is the string at a place, or the text of another scalar.
func (d *document) text(p Place) (string, bool) {
	raw, ok := d.at(p)
	if !ok {
		return "", false
	}
	return textOf(raw)
}

// textOf is the text of a JSON scalar; null has none.
func textOf(raw json.RawMessage) (string, bool) {
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
		return "", false
	case raw[0] != '"':
		return string(raw), true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}
