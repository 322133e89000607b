package substitute

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// handInQuery and handInDocument put the candidate's in what is otherwise
// translated; no place has moved.
func (r *Request) handInQuery(query string, back []returned) string {
	if len(back) == 0 {
		return query
	}
	fields := strings.Split(query, "&")
	for _, b := range back {
		if v, _ := b.own(); v != nil && b.node < len(fields) {
			name, was, _ := strings.Cut(fields[b.node], "=")
			if plain, err := url.QueryUnescape(was); err == nil && plain == v.candidate {
				continue
			}
			fields[b.node] = name + "=" + url.QueryEscape(v.candidate)
			r.puts(v)
		}
	}
	return strings.Join(fields, "&")
}

func (r *Request) handInDocument(body []byte, back []returned) []byte {
	if len(back) == 0 {
		return body
	}
	with := map[int]*version{}
	for _, b := range back {
		if v, _ := b.own(); v != nil {
			with[b.node] = v
		}
	}
	if len(with) == 0 {
		return body
	}
	var out bytes.Buffer
	done := 0
	eachScalar(body, func(node, from, to int) {
		v := with[node]
		if v == nil {
			return
		}
		text := []byte(v.candidate)
		if !v.number || body[from] == '"' {
			text, _ = json.Marshal(v.candidate)
		}
		if bytes.Equal(text, body[from:to]) {
			return
		}
		out.Write(body[done:from])
		out.Write(text)
		done = to
		r.puts(v)
	})
	out.Write(body[done:])
	return out.Bytes()
}

// eachScalar yields where the scalars of a JSON document stand, with their numbers
// among all its values as in a names.Tree.
func eachScalar(body []byte, yield func(node, from, to int)) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	type container struct{ object, value bool }
	var stack []container
	for node := 0; ; {
		token, err := d.Token()
		if err != nil {
			return
		}
		if delim, is := token.(json.Delim); is && (delim == '}' || delim == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack); n > 0 && stack[n-1].object {
			if stack[n-1].value = !stack[n-1].value; stack[n-1].value {
				continue // the name of a member
			}
		}
		if delim, is := token.(json.Delim); is {
			stack = append(stack, container{object: delim == '{'})
		} else {
			to := int(d.InputOffset())
			from := to
			switch token.(type) {
			case string:
				from = startOfString(body, to)
			case json.Number:
				for from > 0 && strings.IndexByte("+-.eE0123456789", body[from-1]) >= 0 {
					from--
				}
			}
			if from < to {
				yield(node, from, to)
			}
		}
		node++
	}
}

// startOfString is where the string begins that ends before to.
func startOfString(body []byte, to int) int {
	for from := to - 2; from >= 0; from-- {
		if body[from] != '"' {
			continue
		}
		escapes := 0
		for at := from - 1; at >= 0 && body[at] == '\\'; at-- {
			escapes++
		}
		if escapes%2 == 0 {
			return from
		}
	}
	return to
}

// puts notes that something handed was put in.
func (r *Request) puts(v *version) {
	kind := v.class
	if kind != names.Cursor.Kind {
		kind = names.Version.Kind
	}
	m := r.x.memory
	r.used(kind, m.shown(kind, v.recorded), m.shown(kind, v.candidate), v.by.exchange)
}

// Bounds of what is noted: bytes of a kind, and how many of one request.
const (
	maxKind   = 128
	maxOthers = 256
)

// used notes what was put in beside pairs of names.
func (r *Request) used(kind, recorded, candidate, from string) {
	kind = kind[:min(len(kind), maxKind)]
	for _, s := range r.others {
		if s.Kind == kind && s.Recorded == recorded && s.LearnedFrom == from {
			s.Uses++
			return
		}
	}
	if len(r.others) >= maxOthers {
		r.dropped++
		return
	}
	r.others = append(r.others, &understudyv1.Substitution{
		Kind: kind, Recorded: recorded, Candidate: candidate, LearnedFrom: from, Uses: 1, Proof: understudyv1.Substitution_PROOF_ALIGNED,
	})
}
