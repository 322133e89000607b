package httpapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"understudy.dev/embedded/engine"
	"understudy.dev/embedded/sql"
)

// maxStatement bounds the text of a statement in bytes, without the rows of an
// INSERT; larger ones are QUERY_IS_TOO_LARGE.
const maxStatement = 16 << 20

// query is a request as understood.
type query struct {
	request  engine.Request
	format   string // of the output
	revision uint64 // of Native, 0 = as it is
}

// parse reads a request: the statement is the URL's `query` followed by the
// body, as in ClickHouse; of an INSERT with FORMAT or VALUES what follows is
// rows and is streamed.
func parse(r *http.Request, body io.Reader) (*query, error) {
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
	if on := q.request.Settings["readonly"]; r.Method != http.MethodPost && (on == "" || on == "0") {
		q.request.Settings["readonly"] = "2" // settings may change, nothing else
	}
	if v := values.Get("client_protocol_version"); v != "" {
		revision, err := strconv.ParseUint(v, 10, 32)
		if err != nil {
			return nil, &engine.Exception{Code: 72, Name: "CANNOT_PARSE_NUMBER", Message: fmt.Sprintf("client_protocol_version %q is not a number", v)}
		}
		q.revision = revision
	}
	return q, q.read(values.Get("query"), body)
}

// read takes the statement from the URL and the body.
func (q *query) read(head string, body io.Reader) error {
	in := bufio.NewReaderSize(body, 64<<10)
	if i, ok := q.split(head); ok {
		q.insert(head, i, in)
		return nil
	}
	text, err := q.statement(head, in)
	if err != nil || text == "" {
		return err
	}
	q.request.SQL = text
	if named := sql.Formats(text); len(named) > 0 {
		q.format = named[len(named)-1]
	}
	return nil
}

// split is splitInsert, except for rows with {name:Type} in them: these are
// left to the engine, which knows parameters only in a statement.
func (q *query) split(text string) (insert, bool) {
	i, ok := splitInsert(text)
	return i, ok && (i.format != "Values" || len(q.request.Params) == 0)
}

// statement reads the text from the body; when it turns out to be an INSERT
// with rows it sets the request up and returns "". What has arrived is searched
// again only when it has doubled, so that the work is linear.
func (q *query) statement(head string, in *bufio.Reader) (string, error) {
	var b strings.Builder
	if head != "" {
		b.WriteString(head + "\n")
	}
	chunk := make([]byte, 32<<10)
	for next := 0; ; {
		n, err := in.Read(chunk)
		b.Write(chunk[:n])
		if b.Len() >= next || b.Len() > maxStatement || err != nil {
			next = 2 * b.Len()
			if i, ok := q.split(b.String()); ok && (i.end < b.Len() || errors.Is(err, io.EOF)) {
				q.insert(b.String(), i, in)
				return "", nil
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("read the statement: %w", err)
		}
		if b.Len() > maxStatement {
			return "", &engine.Exception{Code: 229, Name: "QUERY_IS_TOO_LARGE", Message: fmt.Sprintf("the statement is longer than %d bytes", maxStatement)}
		}
	}
	text := strings.TrimSpace(b.String())
	if text == "" {
		return "", &engine.Exception{Code: 62, Name: "SYNTAX_ERROR", Message: "Empty query"}
	}
	return text, nil
}

func (q *query) insert(text string, i insert, rest io.Reader) {
	q.request.SQL = text[:i.head]
	q.request.InputFormat = i.format
	q.request.Input = io.MultiReader(strings.NewReader(text[i.end:]), rest)
}
