package substitute

import (
	"bytes"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// content is the body of an answer, unpacked and taken apart once for all who
// look into it.
type content struct {
	of    *understudyv1.Response
	plain []byte // without content codings
	// first is the first JSON value in it; whole says that there is nothing else.
	first names.Tree
	whole bool
}

func contentOf(a *understudyv1.Response) *content {
	text := decoded(message.First(a.GetHeaders(), "Content-Type"), plain(a.GetHeaders(), a.GetBody()))
	return newContent(a, bytes.TrimPrefix(text, []byte("\ufeff")))
}

func newContent(a *understudyv1.Response, body []byte) *content {
	c := &content{of: a, plain: body}
	c.first, c.whole = names.Parse(body)
	return c
}

// document is the body if it is one JSON document, else none.
func (c *content) document() names.Tree {
	if !c.whole {
		return nil
	}
	return c.first
}

// content is that of an answer to the exchange, kept while it is learned from.
func (x *Exchange) content(a *understudyv1.Response) *content {
	for _, c := range x.contents {
		if c.of == a {
			return c
		}
	}
	c := contentOf(a)
	x.contents = append(x.contents, c)
	return c
}

// maxPlain bounds what a body is unpacked to, in bytes.
const maxPlain = 1 << 20

// plain is a body without its content codings; nothing if it cannot be had
// within bounds.
func plain(headers []*understudyv1.Header, body *understudyv1.Body) []byte {
	if len(body.GetContent()) == 0 {
		return nil
	}
	out, err := message.Decode(body.GetContent(), message.Joined(headers, "Content-Encoding"), maxPlain)
	if err != nil || len(out) > maxPlain {
		return nil
	}
	return out
}
