package target

import (
	"errors"
	"strings"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/operation"
)

// Carrier says where a request carries a text of ours: in a header field, in a
// parameter of its query, in its JSON, or in several of them.
type Carrier struct {
	// Header is the name of a field, which is set.
	Header string `yaml:"header"`
	// Query is the name of a parameter, which is set or added.
	Query string `yaml:"query"`
	// Pointer is a JSON pointer through objects to the member to set; what of it
	// does not exist is made.
	Pointer string `yaml:"pointer"`
}

// Given says whether it is carried anywhere.
func (c Carrier) Given() bool { return c != Carrier{} }

func (c Carrier) mistakes(say sayer) {
	if c.Header != "" && !message.IsToken(c.Header) {
		say("header", c.Header, "is not the name of a field")
	}
	if c.Pointer != "" && c.Pointer[0] != '/' {
		say("pointer", c.Pointer, "does not begin with /, as a JSON pointer does (RFC 6901)")
	}
}

// put lets the request carry a text. A body that has no place for it is the
// observation's to tell.
func (w *wait) put(c Carrier, text string) {
	if c.Header != "" {
		h := w.r.HTTP.Header
		for name := range h {
			if strings.EqualFold(name, c.Header) {
				delete(h, name)
			}
		}
		h[c.Header] = []string{text} // as it is written: headers of records have a case
	}
	if c.Query != "" {
		w.r.HTTP.URL.RawQuery = message.SetParameter(w.r.HTTP.URL.RawQuery, c.Query, text)
	}
	if c.Pointer == "" {
		return
	}
	if coding := w.r.HTTP.Header.Get("Content-Encoding"); coding != "" {
		w.unnamed = errors.New("the request's body has a content coding, and no text is put into it")
		return
	}
	body, err := operation.WithMember(w.r.Body, c.Pointer, text)
	if err != nil {
		w.unnamed = err
		return
	}
	w.r.Body = body
	for _, name := range message.DigestFields() {
		w.r.HTTP.Header.Del(name)
	}
}
