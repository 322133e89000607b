package operation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

func pointerTokens(pointer string) []string {
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, t := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return tokens
}

// at finds the raw JSON at a pointer (RFC 6901); numbers keep their text.
func at(body []byte, pointer string) (json.RawMessage, bool) {
	raw := json.RawMessage(bytes.TrimSpace(body))
	if len(raw) == 0 || raw[0] != '{' && raw[0] != '[' {
		return nil, false
	}
	for _, token := range pointerTokens(pointer) {
		switch {
		case len(raw) > 0 && raw[0] == '{':
			var members map[string]json.RawMessage
			if json.Unmarshal(raw, &members) != nil {
				return nil, false
			}
			next, ok := members[token]
			if !ok {
				return nil, false
			}
			raw = next
		case len(raw) > 0 && raw[0] == '[':
			var items []json.RawMessage
			n, err := strconv.Atoi(token)
			if err != nil || json.Unmarshal(raw, &items) != nil || n < 0 || n >= len(items) {
				return nil, false
			}
			raw = items[n]
		default:
			return nil, false
		}
	}
	return raw, true
}

func stringAt(body []byte, pointer string) (string, bool) {
	raw, ok := at(body, pointer)
	if !ok || len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// WithMember sets a member of a request's JSON, given by a pointer, to a text
// and leaves every other byte as it is. The pointer leads through objects only;
// what of it does not exist is made. An empty body becomes an object.
func WithMember(body []byte, pointer, value string) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return body, err
	}
	from, to := 0, len(body)
	if len(bytes.TrimSpace(body)) == 0 {
		body, from, to = []byte("{}"), 0, 2
	}
	tokens := pointerTokens(pointer)
	for i, token := range tokens {
		m, err := findMember(body[from:to], token)
		if err != nil {
			return body, fmt.Errorf("the request's body has no place for a text at %s", pointer)
		}
		if m.end < 0 {
			for j := len(tokens) - 1; j > i; j-- {
				text = bytes.Join([][]byte{{'{'}, quoted(tokens[j]), {':'}, text, {'}'}}, nil)
			}
			text = bytes.Join([][]byte{quoted(token), {':'}, text}, nil)
			if !m.empty {
				text = append(text, ',')
			}
			return bytes.Join([][]byte{body[:from+m.open], text, body[from+m.open:]}, nil), nil
		}
		from, to = from+m.start, from+m.end
	}
	return bytes.Join([][]byte{body[:from], text, body[to:]}, nil), nil
}

func quoted(name string) []byte {
	text, _ := json.Marshal(name) // a string always can be
	return text
}

// member is the position of a member in an object: its value is at [start,
// end), end < 0 if the object has no such member. open is the offset after the
// opening brace.
type member struct {
	start, end, open int
	empty            bool
}

func findMember(object []byte, name string) (member, error) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return member{}, errors.New("not an object")
	}
	m := member{end: -1, open: int(dec.InputOffset()), empty: !dec.More()}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return m, err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return m, err
		}
		if key == name {
			m.end = int(dec.InputOffset())
			m.start = m.end - len(value)
			return m, nil
		}
	}
	_, err := dec.Token()
	return m, err
}
