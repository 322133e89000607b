package media

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/diff"
	"understudy.dev/exchange/message"
)

// Document is a body as JSON. It must not outlive the body, whose bytes it may
// share.
type Document struct {
	// Format names what was opened: documents of two formats have nothing in
	// common.
	Format string
	// JSON is the document. That of a body that is JSON is the body itself and
	// is not known to be valid.
	JSON []byte
	// Aside is what is not in the document though it can tell two bodies
	// apart.
	Aside []Aside

	place func(steps []step) string
	name  func(steps []step) string
}

// Aside is what a default rule keeps out of a document. Bodies whose texts
// differ differ in what the rule covers. Where Rule is "" nothing covers it.
type Aside struct {
	Rule, Text string
}

// The formats.
const (
	JSON        = "json"
	JSONLines   = "json lines"
	EventStream = "event stream"
	Form        = "form"
	Multipart   = "multipart"
	XML         = "xml"
	HTML        = "html"
	CSV         = "csv"
	GRPC        = "grpc"
	Text        = "text"
	Binary      = "binary"
)

// The default rules under which something is set aside.
const (
	// TrailingBlanks: blanks at the ends of lines and lines of blanks at the
	// end of a text, and how lines end, in plain text and Markdown.
	TrailingBlanks = "trailing-blanks"
	// Charset: how a text is encoded, the byte order mark included.
	Charset = "charset"
	// Comments: those of XML, HTML and event streams, and the document type of XML.
	Comments = "comments"
	// Indentation: white space with line breaks in elements of XML that have no
	// other text of their own.
	Indentation = "indentation"
	// MessageCompression: which messages of gRPC were compressed.
	MessageCompression = "message-compression"
)

// Options say how a body is opened; the zero value has the default limits and
// knows no protobuf messages.
type Options struct {
	Limits
	// Method is the path of a gRPC request, "/shop.Orders/Get", and Encoding
	// its grpc-encoding: they belong to a response of it.
	Method, Encoding string
	// Descriptors know the messages of methods; nil knows none.
	Descriptors *Descriptors
}

// Limits bound what is opened; 0 is the default.
type Limits struct {
	// Bytes of the document; default 64 MiB.
	Bytes int
	// Nodes are its values, but for those of JSON; default 1,048,576.
	Nodes int
	// Parts of multipart bodies, those in parts included; default 1,000.
	Parts int
	// Depth is how deep elements and multipart bodies nest; default 250, since
	// a document may nest 512 deep.
	Depth int
}

func (l Limits) withDefaults() Limits {
	set := func(n *int, standard int) {
		if *n <= 0 {
			*n = standard
		}
	}
	set(&l.Bytes, 64<<20)
	set(&l.Nodes, 1<<20)
	set(&l.Parts, 1000)
	set(&l.Depth, 250)
	return l
}

// ErrLimit is wrapped by the error of a body that is beyond a limit: nothing
// is known of its content.
var ErrLimit = errors.New("beyond a limit")

func beyond(what string, limit int) error {
	return fmt.Errorf("%w: more than %d %s", ErrLimit, limit, what)
}

// SyntaxError says that a body is not what its media type says.
type SyntaxError struct {
	Format string
	// Offset is where, in bytes of the text in UTF-8; -1 where the parser does
	// not say.
	Offset int64
	What   string
}

func (e *SyntaxError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("not %s: %s", e.Format, e.What)
	}
	return fmt.Sprintf("not %s: %s at offset %d", e.Format, e.What, e.Offset)
}

// source is a body that is being opened.
type source struct {
	kind    string
	params  map[string]string
	body    []byte
	options Options
	depth   int
	parts   *int
	// inside opens a body inside of this one.
	inside func(*source) (Document, error)
	// charset is how the body turned out to be encoded, "" if nobody asked.
	charset string
	// unknown is the charset that nobody knows.
	unknown string
}

// formats is the table of what is known, looked at in its order.
var formats = []struct {
	is   func(mediaType string) bool
	open func(*source) (Document, error)
}{
	{message.IsJSON, openJSON},
	{of("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
		"application/x-jsonlines", "application/json-lines", "text/x-ndjson", "text/jsonl", "application/json-seq", "*+json-seq"), openLines},
	{of("text/event-stream"), openEvents},
	{message.IsForm, openForm},
	{of("multipart/*"), openMultipart},
	{of("application/http"), openHTTP},
	{of("text/html"), openHTML},
	{message.IsXML, openXML},
	{of("text/csv", "application/csv", "text/tab-separated-values"), openCSV},
	{of("application/grpc", "application/grpc+*", "application/grpc-web", "application/grpc-web+*",
		"application/grpc-web-text", "application/grpc-web-text+*"), openGRPC},
	{IsOpaque, openBinary},
	{of("*"), openPlain},
}

// of matches media types; a * at one end of a pattern stands for any rest.
func of(patterns ...string) func(string) bool {
	return func(kind string) bool {
		for _, p := range patterns {
			head, tail, star := strings.Cut(p, "*")
			if kind == p || star && strings.HasPrefix(kind, head) && strings.HasSuffix(kind, tail) {
				return true
			}
		}
		return false
	}
}

// IsOpaque reports media types whose bytes alone are compared.
func IsOpaque(mediaType string) bool { return message.IsOpaque(mediaType) }

// Open opens a body by its Content-Type, and where that says nothing by its
// look. The error is a *SyntaxError if the body is not what the Content-Type
// says, and wraps ErrLimit if it is beyond a limit. The same body always gives
// the same document.
func Open(contentType string, body []byte, o Options) (Document, error) {
	o.Limits = o.withDefaults()
	s := newSource(contentType, body, o)
	s.inside = byType
	return byType(s)
}

// OpenPlain opens a body as text, or as binary, whatever its Content-Type
// says: as the last resort for bodies that are not what they are called.
func OpenPlain(contentType string, body []byte, o Options) (Document, error) {
	o.Limits = o.withDefaults()
	return newSource(contentType, body, o).plain()
}

func newSource(contentType string, body []byte, o Options) *source {
	s := &source{kind: message.MediaType(contentType), body: body, options: o, parts: new(int)}
	if strings.IndexByte(contentType, ';') >= 0 {
		_, s.params, _ = mime.ParseMediaType(contentType)
	}
	return s
}

func byType(s *source) (Document, error) {
	for _, f := range formats {
		if f.is(s.kind) {
			return s.checked(f.open(s))
		}
	}
	return Document{}, s.syntax(Binary, -1, "no format") // the last one is for all
}

func (s *source) plain() (Document, error) { return s.checked(openText(s)) }

// checked adds what every format sets aside.
func (s *source) checked(d Document, err error) (Document, error) {
	if err != nil {
		return Document{}, err
	}
	if s.charset != "" && d.Format != Binary {
		d.Aside = append(d.Aside, Aside{Charset, s.charset})
	}
	if s.unknown != "" && d.Format != Binary {
		d.Aside = append(d.Aside, Aside{"", "charset " + s.unknown})
	}
	return d, nil
}

func (s *source) syntax(format string, offset int64, what string) error {
	return &SyntaxError{Format: format, Offset: offset, What: what}
}

// openJSON leaves the document to whoever reads it.
func openJSON(s *source) (Document, error) {
	text, err := s.jsonText()
	return Document{Format: JSON, JSON: text}, err
}

// openPlain opens what no type describes: JSON by its look, else text.
func openPlain(s *source) (Document, error) {
	if s.kind == "" || s.kind == "text/plain" || s.kind == "application/octet-stream" {
		if text, err := s.jsonText(); err == nil && looksLikeJSON(text) {
			return Document{Format: JSON, JSON: text}, nil
		}
		s.charset = ""
	}
	if major, minor, _ := strings.Cut(s.kind, "/"); major == "application" && s.kind != "application/octet-stream" && !textual[minor] || utf8.Valid(s.body) && control(s.body) {
		return openBinary(s)
	}
	return openText(s)
}

// textual are applications whose documents are texts of which no format here
// knows more. Anything else called an application may be bytes that look like
// text, in which a blank is a number.
var textual = map[string]bool{
	"javascript": true, "x-javascript": true, "ecmascript": true, "typescript": true, "yaml": true, "x-yaml": true, "toml": true, "sql": true,
	"graphql": true, "x-sh": true, "x-httpd-php": true, "rtf": true, "pgp-signature": true, "x-pem-file": true, "pem-certificate-chain": true,
	"dns": true, "sdp": true, "x-latex": true, "x-tex": true, "node": true, "n-triples": true, "n-quads": true, "trig": true, "sparql-query": true,
	"sparql-update": true, "vnd.apple.mpegurl": true, "x-mpegurl": true, "x-subrip": true, "openmetrics-text": true, "x-troff": true,
}

// control says whether bytes hold control characters that no text has.
func control(body []byte) bool {
	return bytes.ContainsFunc(body, func(c rune) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b })
}

// looksLikeJSON: an object or a list, and valid.
func looksLikeJSON(text []byte) bool {
	c := bytes.TrimLeft(text, " \t\r\n")
	return len(c) > 0 && (c[0] == '{' || c[0] == '[') && diff.Valid(text) == nil
}

// openText opens text by its lines, and what is no text as binary.
func openText(s *source) (Document, error) {
	if text, err := s.text(Text); err == nil && utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 {
		return lines(s, text)
	} else if errors.Is(err, ErrLimit) {
		return Document{}, err
	}
	s.charset = ""
	return openBinary(s)
}

func openBinary(s *source) (Document, error) {
	w := newWriter(s.options.Limits)
	w.text(Fingerprint(s.body))
	return w.document(Binary)
}

// Fingerprint is how bytes stand in a document that are not compared in parts.
func Fingerprint(b []byte) string {
	return fmt.Sprintf("%d bytes, sha256 %x", len(b), sha256.Sum256(b))
}
