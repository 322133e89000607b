package replayer

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// maxPlain bounds what a body is unpacked to, in bytes.
const maxPlain = 1 << 20

// plain is the content of a body without gzip; nothing if it cannot be had
// within bounds.
func plain(r *understudyv1.Response) []byte {
	content := r.GetBody().GetContent()
	switch strings.ToLower(field(r, "Content-Encoding")) {
	case "", "identity":
		return content
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			return nil
		}
		out, err := io.ReadAll(io.LimitReader(z, maxPlain+1))
		if err != nil || len(out) > maxPlain {
			return nil
		}
		return out
	}
	return nil
}

// field is the first value of a response's header field, "" if it has none.
func field(r *understudyv1.Response, name string) string {
	for _, h := range r.GetHeaders() {
		if strings.EqualFold(h.GetName(), name) {
			return string(h.GetValue())
		}
	}
	return ""
}

// weight is about how many bytes an exchange holds in memory while it is in
// flight, the candidate's like answer included.
func weight(e *understudyv1.Exchange) int64 {
	const heads = 4 << 10
	return heads + int64(len(e.GetRequest().GetBody().GetContent())) + 2*int64(len(e.GetResponse().GetBody().GetContent()))
}
