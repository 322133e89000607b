package media

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// openCSV opens comma- or tab-separated values (RFC 4180). The first row names
// the columns, unless the media type says header=absent; then rows are lists.
// The order of columns is a value of its own.
func openCSV(s *source) (Document, error) {
	text, err := s.text(CSV)
	if err != nil {
		return Document{}, err
	}
	if !utf8.Valid(text) {
		return Document{}, s.syntax(CSV, invalid(text), "invalid UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	r.Comma = delimiter(s.kind, text)
	r.LazyQuotes = r.Comma == '\t' // where quotes are nothing special
	w := newWriter(s.options.Limits)
	var columns []string
	last := 0 // the line in which the row before ended
	w.open('{')
	w.member("delimiter", string(r.Comma))
	if s.params["header"] != "absent" {
		row, err := r.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			return Document{}, s.csvError(r, err)
		}
		columns = append(columns, row...)
		last = endOf(r, row)
		w.key("columns")
		w.open('[')
		for _, c := range columns {
			w.text(c)
		}
		w.close(']')
	}
	w.key("rows")
	w.open('[')
	for w.err == nil {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Document{}, s.csvError(r, err)
		}
		// The reader passes over empty lines, which are values if there is but
		// one column.
		line, _ := r.FieldPos(0)
		for last++; last < line && len(columns) == 1 && w.err == nil; last++ {
			w.row(columns, []string{""})
		}
		last = endOf(r, row)
		w.row(columns, row)
	}
	w.close(']')
	w.close('}')
	d, err := w.document(CSV)
	d.place = func(ss []step) string {
		if len(ss) < 2 || ss[0].name != "rows" || ss[1].index < 0 {
			return ""
		}
		place := "row " + strconv.Itoa(ss[1].index+1)
		if len(ss) > 2 && ss[2].index < 0 {
			return place + " column " + strings.TrimPrefix(ss[2].name, "column ")
		} else if len(ss) > 2 {
			return place + " column " + strconv.Itoa(ss[2].index+1)
		}
		return place
	}
	return d, err
}

// endOf is the line in which the row ends that was just read.
func endOf(r *csv.Reader, row []string) int {
	if len(row) == 0 {
		return 0
	}
	line, _ := r.FieldPos(len(row) - 1)
	return line + strings.Count(row[len(row)-1], "\n")
}

func (s *source) csvError(r *csv.Reader, err error) error {
	what := err.Error()
	if p := (*csv.ParseError)(nil); errors.As(err, &p) {
		what = fmt.Sprintf("%v in line %d", p.Err, p.Line)
	}
	return s.syntax(CSV, r.InputOffset(), what)
}

// row writes a row by the names of its columns. What it has beyond them is
// called by its number, what it lacks is not there.
func (w *writer) row(columns, row []string) {
	if columns == nil {
		w.open('[')
		for _, cell := range row {
			w.text(cell)
		}
		w.close(']')
		return
	}
	w.open('{')
	for i, cell := range row {
		name := fmt.Sprintf("column %d", i+1)
		if i < len(columns) {
			name = columns[i]
		}
		w.member(name, cell)
	}
	w.close('}')
}

// delimiter is what separates the columns: by the type, or a semicolon where
// the first line has those only, as spreadsheets write where the comma is the
// decimal point.
func delimiter(kind string, text []byte) rune {
	if kind == "text/tab-separated-values" {
		return '\t'
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.IndexByte(first, ',') < 0 && bytes.IndexByte(first, ';') >= 0 {
		return ';'
	}
	return ','
}
