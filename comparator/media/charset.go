package media

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// utf8Name is the name of UTF-8 in the WHATWG's index of encodings.
const utf8Name = "utf-8"

// marks are the byte order marks and the encodings that they mark.
var marks = []struct {
	mark    string
	charset string
}{{"\xef\xbb\xbf", utf8Name}, {"\xfe\xff", "utf-16be"}, {"\xff\xfe", "utf-16le"}}

// text is the body in UTF-8: decoded by its byte order mark, else by the
// charset parameter (names as in the WHATWG Encoding standard), else by what
// the format says inside, else taken as it is. It may then be invalid UTF-8.
func (s *source) text(format string) ([]byte, error) {
	for _, m := range marks {
		if rest, found := bytes.CutPrefix(s.body, []byte(m.mark)); found {
			text, err := s.decode(rest, m.charset, format)
			s.charset = m.charset + " with a byte order mark"
			return text, err
		}
	}
	name := strings.ToLower(strings.TrimSpace(s.params["charset"]))
	if name == "" {
		name = s.declaredInside(format)
	}
	if name == "" {
		s.charset = utf8Name
		return s.body, nil
	}
	return s.decode(s.body, name, format)
}

// declaredInside is the charset that XML or HTML declares itself, "" if it does not.
func (s *source) declaredInside(format string) string {
	switch format {
	case XML:
		head := s.body[:min(len(s.body), 256)]
		if !bytes.HasPrefix(head, []byte("<?xml")) {
			return ""
		}
		head, _, _ = bytes.Cut(head, []byte("?>"))
		_, after, _ := bytes.Cut(head, []byte("encoding"))
		after = bytes.TrimLeft(after, " \t\r\n=")
		if len(after) == 0 || after[0] != '"' && after[0] != '\'' {
			return ""
		}
		name, _, _ := bytes.Cut(after[1:], after[:1])
		return strings.ToLower(string(name))
	case HTML:
		_, name, certain := charset.DetermineEncoding(s.body[:min(len(s.body), 1024)], "")
		if certain || !utf8.Valid(s.body) {
			return name
		}
	}
	return ""
}

// jsonText is the text of JSON, which is UTF-8 whatever a charset says (RFC
// 8259, 8.1), unless it cannot be.
func (s *source) jsonText() ([]byte, error) {
	marked := len(s.body) > 1 && s.body[0] >= 0xef
	if !marked && (s.params["charset"] == "" || utf8.Valid(s.body)) {
		return s.body, nil
	}
	return s.text(JSON)
}

// decode decodes a charset. A name that nobody knows leaves the bytes as they
// are, and counts, since nobody can tell what they mean; bytes that the charset
// does not have are an error, since two of them would be decoded to one
// character.
func (s *source) decode(body []byte, name, format string) ([]byte, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		s.unknown = name
		return body, nil //nolint:nilerr // what is unknown is said in the document
	}
	if s.charset, err = htmlindex.Name(e); err != nil {
		s.charset = name
	}
	if s.charset == utf8Name {
		if !utf8.Valid(body) {
			return nil, s.syntax(format, invalid(body), "invalid UTF-8")
		}
		return body, nil
	}
	r := io.LimitReader(transform.NewReader(bytes.NewReader(body), e.NewDecoder()), int64(s.options.Bytes)+1)
	text, err := io.ReadAll(r)
	switch {
	case len(text) > s.options.Bytes:
		return nil, beyond("bytes", s.options.Bytes)
	case err != nil && !errors.Is(err, encoding.ErrInvalidUTF8):
		return nil, s.syntax(format, -1, "invalid "+s.charset)
	}
	if at := bytes.IndexRune(text, utf8.RuneError); err != nil || at >= 0 {
		return nil, s.syntax(format, int64(at), "invalid "+s.charset)
	}
	if bytes.Equal(text, body) {
		s.charset = utf8Name // in ASCII, which they have in common
	}
	return text, nil
}

// invalid is where the first byte stands that is not UTF-8.
func invalid(b []byte) int64 {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return int64(i)
		}
		i += n
	}
	return -1
}

// SameCharset reports whether two values of Content-Type give the same bytes
// the same meaning, as far as their charsets go.
func SameCharset(a, b string) bool {
	if a == b {
		return true
	}
	return charsetOf(a) == charsetOf(b)
}

func charsetOf(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return strings.ToLower(params["charset"])
}
