package text

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"understudy.dev/comparator/report"
)

// The formats that everything can be written in.
const (
	Table = "table"
	JSON  = "json"
	CSV   = "csv"
)

// Formats lists them.
func Formats() []string { return []string{Table, JSON, CSV} }

// view is a thing that can be shown: a table for people, or records.
type view struct {
	value   any
	table   func(*page)
	columns []string
	records [][]any
}

func (v view) render(w io.Writer, format string) error {
	switch format {
	case Table:
		p := &page{}
		v.table(p)
		_, err := io.WriteString(w, p.String())
		return err
	case JSON:
		return writeJSON(w, v.value)
	case CSV:
		return writeCSV(w, v.columns, v.records)
	}
	return fmt.Errorf("format %q: want %s", format, strings.Join(Formats(), ", "))
}

// writeJSON writes one document. Characters that a terminal could act on are
// escaped, which JSON's readers undo.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write json: %w", err)
	}
	var safe strings.Builder
	for _, r := range b.String() {
		switch {
		case r == '\n' || r == '\uFFFD' || !report.Unsafe(r):
			safe.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&safe, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		default:
			fmt.Fprintf(&safe, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(w, safe.String())
	return err
}

// writeCSV writes RFC 4180 with a head line. Text is cleaned like in a table;
// a text that a spreadsheet would take for a formula gets an apostrophe.
func writeCSV(w io.Writer, columns []string, records [][]any) error {
	out := csv.NewWriter(w)
	_ = out.Write(columns)
	for _, record := range records {
		cells := make([]string, len(record))
		for i, v := range record {
			cells[i] = fmt.Sprint(v)
			if s, ok := v.(string); ok {
				cells[i] = report.Clean(s)
				if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
					cells[i] = "'" + cells[i]
				}
			}
		}
		_ = out.Write(cells)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}
