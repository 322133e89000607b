package comparator

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/noise"
	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

// Values that are documents themselves are compared by what they hold: JSON in
// a text, JSON in base64, and JSON Web Tokens (RFC 7519).

// Bounds of what is opened.
const (
	maxInside    = 4       // documents within each other
	maxOpened    = 1 << 20 // bytes of a value
	shortestCode = 12      // bytes of base64 that may hold a document
)

// inner is a value that was opened.
type inner struct {
	form      string // as it is called in paths
	document  []byte
	signature string
}

// inside compares two texts that hold documents; path leads to them. handled: they
// do, and each difference within has been counted for itself.
func (x *comparing) inside(d Difference, path []string, baseline, candidate noise.Value) (handled bool) {
	if x.depth >= maxInside || baseline.Number || candidate.Number || len(baseline.Text) > maxOpened || len(candidate.Text) > maxOpened {
		return false
	}
	b, okB := open(baseline.Text)
	c, okC := open(candidate.Text)
	if !okB || !okC {
		// Behind the name of a scheme: Bearer, and a token.
		i, j := strings.LastIndexByte(baseline.Text, ' ')+1, strings.LastIndexByte(candidate.Text, ' ')+1
		if i == 0 || i != j || baseline.Text[:i] != candidate.Text[:j] {
			return false
		}
		b, okB = open(baseline.Text[i:])
		c, okC = open(candidate.Text[j:])
	}
	if !okB || !okC || b.form != c.form {
		return false
	}
	x.depth++
	defer func() { x.depth-- }()
	translate := x.translator.JSON
	if b.form == "json" {
		translate = x.translator.Inner // its words were those of the text
	}
	translated := translate(b.document)
	isNew := b.form == "jwt" && !x.own && x.issuedNow(b.document, c.document)
	found := false
	err := diff.JSON(translated, c.document, x.options(), func(in diff.Difference) bool {
		bv, cv := in.Baseline.Text(), in.Candidate.Text()
		if recorded, put := x.translator.Put(bv); put && in.Kind == diff.Type && bv == cv && !names.IsDigits(recorded) {
			return true // a word of the text until it was opened; a word says nothing of the type
		}
		found = true
		out := d
		out.Path, out.Location = d.Path+"("+b.form+")"+in.Path()[1:], d.Location+"("+b.form+")"+in.Location()[1:]
		if out.Kind = Kind(in.Kind); d.Baseline != hidden {
			out.Baseline, out.Candidate = bv, cv
		}
		if isNew && in.Path() == "$.payload.jti" && in.Kind == diff.Value && names.IsUnmistakable(bv) && names.IsUnmistakable(cv) {
			out.Noise = noise.Identifier // each side has just made it
			out.Why = x.c.because("both tokens were issued in answer to this request, each with an identifier of its own", names.Pair{})
		}
		members := in.Names()
		if len(members) == 0 {
			members = path // an element of a list is called as that
		}
		return x.emitAt(out, value(in.Baseline, bv), value(in.Candidate, cv), members)
	})
	if err != nil {
		return false
	}
	switch {
	case x.stuck || x.begun:
	case (b.signature == "") != (c.signature == ""):
		d.Path, d.Location = d.Path+"("+b.form+").signature", d.Location+"("+b.form+").signature"
		x.add(d, noise.Value{}, noise.Value{})
	case found:
		// Other claims have another signature, as long as the algorithm makes it.
		if b.signature == c.signature && b.signature != "" || len(b.signature) != len(c.signature) || !isCode(c.signature) {
			d.Path, d.Location = d.Path+"("+b.form+").signature", d.Location+"("+b.form+").signature"
			x.add(d, noise.Value{}, noise.Value{})
		}
	case b.signature != c.signature:
		// The same claims under another signature: that of another key, or one
		// that is made anew each time. Nobody can tell here.
		d.Path, d.Location, d.Noise = d.Path+"("+b.form+").signature", d.Location+"("+b.form+").signature", noise.Presumed(noise.Random)
		d.Why = x.c.because("the same claims under another signature: of another key, or one that is made anew each time", names.Pair{})
		x.add(d, noise.Value{}, noise.Value{})
	}
	return true // spelled otherwise, and the same to who reads it
}

// issuedNow says whether both tokens were issued in answer to this request.
func (x *comparing) issuedNow(b, c []byte) bool {
	at := func(token []byte) (timestamp.Time, bool) {
		var t struct {
			Payload struct {
				Issued json.Number `json:"iat"`
			} `json:"payload"`
		}
		if json.Unmarshal(token, &t) != nil {
			return timestamp.Time{}, false
		}
		return timestamp.Number(string(t.Payload.Issued))
	}
	bt, okB := at(b)
	ct, okC := at(c)
	then, now := x.evidence.Frame.Now(bt, ct)
	return okB && okC && then && now
}

// open reads a text that holds a document.
func open(text string) (inner, bool) {
	trimmed := strings.TrimSpace(text)
	if len(trimmed) < 2 {
		return inner{}, false
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		return inner{form: "json", document: []byte(trimmed)}, diff.Valid([]byte(trimmed)) == nil
	}
	if len(trimmed) < shortestCode || strings.ContainsAny(trimmed, " \t{\"") {
		return inner{}, false
	}
	if parts := strings.Split(trimmed, "."); len(parts) == 3 {
		header, okH := decodeCode(parts[0])
		payload, okP := decodeCode(parts[1])
		if !okH || !okP || header[0] != '{' {
			return inner{}, false
		}
		document := []byte(`{"header":` + string(header) + `,"payload":` + string(payload) + `}`)
		return inner{form: "jwt", document: document, signature: parts[2]}, diff.Valid(document) == nil
	}
	document, ok := decodeCode(trimmed)
	return inner{form: "base64", document: document}, ok
}

// isCode says whether a text is base64url.
func isCode(text string) bool {
	_, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil
}

// decodeCode reads base64 of a JSON object or array.
func decodeCode(text string) ([]byte, bool) {
	plain, ok := names.Decode(text)
	if out := []byte(plain); ok && len(out) >= 2 && (out[0] == '{' || out[0] == '[') && diff.Valid(out) == nil {
		return out, true
	}
	return nil, false
}
