package httpapi

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"

	"understudy.dev/deployments/embedded/chdb"
)

// maxStatement bounds the text of a statement in bytes, without the rows of an
// INSERT; larger ones are QUERY_IS_TOO_LARGE.
const maxStatement = 16 << 20

// query is a request as understood.
type query struct {
	request  chdb.Request
	format   string // of the output
	revision uint64 // of Native, 0 = as it is
}

// parse reads a request: the statement is the URL's `query` followed by the
// body, as in ClickHouse; of an INSERT with FORMAT or VALUES what follows is
// rows and is streamed.
func parse(r *http.Request) (*query, error) {
	values := r.URL.Query()
	q := &query{format: values.Get("default_format")}
	if q.format == "" {
		q.format = r.Header.Get("X-ClickHouse-Format")
	}
	if q.format == "" {
		q.format = "TabSeparated"
	}
	q.request.Format = q.format
	options(values, r.Header, &q.request)
	if v := values.Get("client_protocol_version"); v != "" {
		revision, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return nil, &chdb.Exception{Code: 72, Name: "CANNOT_PARSE_NUMBER", Message: fmt.Sprintf("client_protocol_version %q is no number", v)}
		}
		q.revision = revision
	}
	body, err := decode(r)
	if err != nil {
		return nil, err
	}
	head := values.Get("query")
	in := bufio.NewReaderSize(body, 64<<10)
	if i, ok := splitInsert(head); ok {
		q.insert(head, i, in)
		return q, nil
	}
	text, err := q.statement(head, in)
	if err != nil || text == "" {
		return q, err
	}
	q.request.SQL = text
	if m := formatClause.FindAllStringSubmatch(text, -1); m != nil {
		q.format = m[len(m)-1][1]
	}
	return q, nil
}

var formatClause = regexp.MustCompile(`(?i)\bFORMAT\s+([A-Za-z0-9_]+)`)

// statement reads the text from the body; when it turns out to be an INSERT
// with rows it sets the request up and returns "".
func (q *query) statement(head string, in *bufio.Reader) (string, error) {
	var b strings.Builder
	if head != "" {
		b.WriteString(head + "\n")
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := in.Read(chunk)
		b.Write(chunk[:n])
		if i, ok := splitInsert(b.String()); ok && (i.end < b.Len() || err != nil) {
			q.insert(b.String(), i, in)
			return "", nil
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read the statement: %w", err)
		}
		if b.Len() > maxStatement {
			return "", &chdb.Exception{Code: 229, Name: "QUERY_IS_TOO_LARGE", Message: fmt.Sprintf("the statement is longer than %d bytes", maxStatement)}
		}
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return "", &chdb.Exception{Code: 62, Name: "SYNTAX_ERROR", Message: "Empty query"}
	}
	return text, nil
}

func (q *query) insert(text string, i insert, rest io.Reader) {
	q.request.SQL = text[:i.head]
	q.request.InputFormat = i.format
	q.request.Input = io.MultiReader(strings.NewReader(text[i.end:]), rest)
}

// insert says where an INSERT's statement ends and its rows begin.
type insert struct {
	head, end int // text[:head] is the statement, text[end:] the rows
	format    string
}

// splitInsert looks for the FORMAT or VALUES of an INSERT outside of quotes,
// comments and parentheses. An INSERT … SELECT has none.
func splitInsert(text string) (insert, bool) {
	words, depth := 0, 0
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"' || c == '`':
			end := skipQuoted(text, i)
			if end < 0 {
				return insert{}, false
			}
			i = end
		case strings.HasPrefix(text[i:], "--") || c == '#':
			n := strings.IndexByte(text[i:], '\n')
			if n < 0 {
				return insert{}, false
			}
			i += n
		case strings.HasPrefix(text[i:], "/*"):
			n := strings.Index(text[i:], "*/")
			if n < 0 {
				return insert{}, false
			}
			i += n + 2
		case c == '(' || c == ')':
			depth += map[byte]int{'(': 1, ')': -1}[c]
			i++
		case isWord(c):
			end := i
			for end < len(text) && isWord(text[end]) {
				end++
			}
			word := strings.ToUpper(text[i:end])
			switch words++; {
			case words == 1 && word != "INSERT":
				return insert{}, false
			case depth == 0 && (word == "SELECT" || word == "WITH" || word == "INFILE"):
				return insert{}, false
			case depth == 0 && word == "VALUES" && words > 2:
				return insert{i, end, "Values"}, true
			case depth == 0 && word == "FORMAT" && words > 2:
				return formatAt(text, i, end)
			}
			i = end
		default:
			i++
		}
	}
	return insert{}, false
}

// formatAt reads the name after FORMAT; the rows begin after the white space
// that follows it, of which one line end belongs to the statement.
func formatAt(text string, at, end int) (insert, bool) {
	start := end
	for start < len(text) && isSpace(text[start]) {
		start++
	}
	stop := start
	for stop < len(text) && isWord(text[stop]) {
		stop++
	}
	if stop == start {
		return insert{}, false
	}
	name := text[start:stop]
	for stop < len(text) && (text[stop] == ' ' || text[stop] == '\t' || text[stop] == '\r') {
		stop++
	}
	if stop < len(text) && text[stop] == ';' {
		stop++
	}
	if stop < len(text) && text[stop] == '\n' {
		stop++
	}
	return insert{at, stop, name}, true
}

func skipQuoted(text string, at int) int {
	quote := text[at]
	for i := at + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		}
	}
	return -1
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// decode undoes the compression of a body: HTTP's Content-Encoding, then
// ClickHouse's own blocks when decompress=1.
func decode(r *http.Request) (io.Reader, error) {
	var body io.Reader = r.Body
	switch e := strings.ToLower(r.Header.Get("Content-Encoding")); e {
	case "", "identity":
	case "gzip":
		zip, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("body is not gzip: %w", err)
		}
		body = zip
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, fmt.Errorf("body is not zstd: %w", err)
		}
		body = z.IOReadCloser()
	default:
		return nil, &chdb.Exception{Code: 48, Name: "NOT_IMPLEMENTED", Message: fmt.Sprintf("Content-Encoding %q; use gzip or zstd", e)}
	}
	if r.URL.Query().Get("decompress") == "1" {
		body = compress.NewReader(body)
	}
	return body, nil
}

// encoder compresses the answer as the client asked: ClickHouse's own blocks
// for compress=1, HTTP's encodings when the setting enable_http_compression
// allows it.
func encoder(w http.ResponseWriter, r *http.Request, q *query) (out io.Writer, finish func() error, err error) {
	nothing := func() error { return nil }
	if r.URL.Query().Get("compress") == "1" {
		blocks := &blockWriter{out: w, codec: compress.NewWriter(compress.LevelZero, compress.LZ4)}
		return blocks, blocks.Flush, nil
	}
	if r.URL.Query().Get("enable_http_compression") != "1" {
		return w, nothing, nil
	}
	accepts := strings.ToLower(r.Header.Get("Accept-Encoding"))
	switch {
	case strings.Contains(accepts, "zstd"):
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return nil, nil, err
		}
		w.Header().Set("Content-Encoding", "zstd")
		return z, z.Close, nil
	case strings.Contains(accepts, "gzip"):
		z := gzip.NewWriter(w)
		w.Header().Set("Content-Encoding", "gzip")
		return z, z.Close, nil
	}
	return w, nothing, nil
}

// blockWriter cuts a stream into ClickHouse's compressed blocks of 1 MiB.
type blockWriter struct {
	out   io.Writer
	codec *compress.Writer
	buf   []byte
}

func (b *blockWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), 1<<20-len(b.buf))
		b.buf, rest = append(b.buf, rest[:n]...), rest[n:]
		if len(b.buf) == 1<<20 {
			if err := b.Flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (b *blockWriter) Flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	if err := b.codec.Compress(b.buf); err != nil {
		return err
	}
	b.buf = b.buf[:0]
	_, err := b.out.Write(b.codec.Data)
	return err
}
