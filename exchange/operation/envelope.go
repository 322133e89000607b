package operation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// Envelope says where the answer stands in the document of an operation that is
// done. Empty means the document's own.
type Envelope struct {
	// Status is the place of the answer's status: a JSON pointer, or a jq filter
	// that begins with a dot.
	Status Place `yaml:"status"`
	// Headers is the place of its header fields, which then take the place of the
	// document's own: an object of texts or of lists of texts, or a list of
	// objects with name and value, of pairs, or of lines "Name: value".
	Headers Place `yaml:"headers"`
	// Result is the place of its body.
	Result Place `yaml:"result"`
	// Encoding is that of the body: json (default) is the JSON that stands at
	// result, byte for byte; text and base64 are a JSON string that holds the
	// body. A place instead names the member that says so, by one of these words
	// or, for base64, by true.
	Encoding string `yaml:"encoding"`
}

// The encodings of an answer's body in a document.
const (
	encodingJSON   = "json"
	encodingText   = "text"
	encodingBase64 = "base64"
)

// Given says whether the answer stands in an envelope.
func (e Envelope) Given() bool { return e.Status != "" || e.Headers != "" || e.Result != "" }

// Mistakes is like Condition.Mistakes.
func (e Envelope) Mistakes(say func(key string, value any, fault string)) {
	for _, p := range []struct {
		key   string
		place Place
	}{{"status", e.Status}, {"headers", e.Headers}, {"result", e.Result}} {
		if err := p.place.Check(); err != nil {
			say(p.key, string(p.place), err.Error())
		}
	}
	switch e.Encoding {
	case "", encodingJSON, encodingText, encodingBase64:
	default:
		if Place(e.Encoding).Check() != nil {
			say("encoding", e.Encoding, "is not json, text, base64 or a place that begins with / or .")
		}
	}
}

// open takes the answer out of a document. What the user named and is not there
// leaves the document's own; what is there and cannot be read is a fault.
func (e Envelope) open(r *understudyv1.Response, d *document) *understudyv1.Response {
	out := &understudyv1.Response{Status: r.GetStatus(), Headers: r.GetHeaders(), Body: r.GetBody(), Protocol: r.GetProtocol(), Trailers: r.GetTrailers()}
	if text, ok := d.text(e.Status); ok {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			out.Status = uint32(n)
		}
	}
	if raw, ok := d.at(e.Headers); ok {
		headers, err := headersOf(raw)
		if err != nil && d.fault == nil {
			d.fault = err
		}
		out.Headers = headers
	}
	if raw, ok := d.at(e.Result); ok {
		body, err := e.body(raw, d)
		if err != nil && d.fault == nil {
			d.fault = err
		}
		out.Body = message.BodyOf(body)
	}
	return out
}

// body is what a result holds; null is an empty body.
func (e Envelope) body(raw json.RawMessage, d *document) ([]byte, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	encoding := e.Encoding
	if encoding != "" && (encoding[0] == '/' || encoding[0] == '.') {
		word, _ := d.text(Place(encoding))
		switch encoding = strings.ToLower(word); encoding {
		case "true":
			encoding = encodingBase64
		case "false":
			encoding = encodingText
		}
	}
	text, isText := textOf(raw)
	if raw[0] != '"' || !isText {
		return raw, nil // an object is JSON, whatever the texts are
	}
	switch encoding {
	case encodingText:
		return []byte(text), nil
	case encodingBase64:
		text = strings.Map(func(r rune) rune {
			switch r {
			case '\r', '\n', '=':
				return -1
			case '-':
				return '+'
			case '_':
				return '/'
			}
			return r
		}, text)
		body, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("the result is not base64, as encoding %q says", e.Encoding)
		}
		return body, nil
	}
	return raw, nil
}

// maxHeaders bounds the fields of an answer in an envelope.
const maxHeaders = 1000

var errHeaders = errors.New("the headers of the answer are neither an object of texts nor a list of fields")

// headersOf reads header fields in the forms that are common in JSON.
func headersOf(raw json.RawMessage) ([]*understudyv1.Header, error) {
	var out []*understudyv1.Header
	add := func(name, value string) error {
		if !message.IsField(name, value) || len(out) == maxHeaders {
			return errHeaders
		}
		out = append(out, &understudyv1.Header{Name: name, Value: []byte(value)})
		return nil
	}
	object := map[string]json.RawMessage{}
	var list []json.RawMessage
	switch {
	case string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &object) == nil:
		for _, name := range sortedKeys(object) {
			values := []json.RawMessage{object[name]}
			_ = json.Unmarshal(object[name], &values)
			for _, v := range values {
				text, ok := textOf(v)
				if !ok || add(name, text) != nil {
					return nil, errHeaders
				}
			}
		}
		return out, nil
	case json.Unmarshal(raw, &list) != nil:
		return nil, errHeaders
	}
	for _, item := range list {
		var field struct{ Name, Value string }
		var pair []string
		if line, ok := textOf(item); ok {
			name, value, _ := strings.Cut(line, ":")
			field.Name, field.Value = name, strings.TrimSpace(value)
		} else if json.Unmarshal(item, &pair) == nil && len(pair) == 2 {
			field.Name, field.Value = pair[0], pair[1]
		} else if json.Unmarshal(item, &field) != nil {
			return nil, errHeaders
		}
		if add(field.Name, field.Value) != nil {
			return nil, errHeaders
		}
	}
	return out, nil
}
