package text

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"understudy.dev/comparator/report"
)

// width is what a page keeps to: a terminal of the usual size.
const width = 80

// page collects the text of a report, at most 80 columns wide.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = report.Clean(s)
		}
	}
	p.lines(text.WrapSoft(fmt.Sprintf(format, args...), width))
}

// item writes one entry of a list, indented, what is wrapped further in.
func (p *page) item(format string, args ...any) {
	s := report.Clean(fmt.Sprintf(format, args...))
	p.lines("  " + strings.ReplaceAll(text.WrapSoft(s, width-4), "\n", "\n    "))
}

// column of a table: its head, how wide at most (longer cells are wrapped),
// and whether it holds numbers.
type column struct {
	head  string
	width int
	right bool
}

func (p *page) table(columns []column, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	var head table.Row
	var configs []table.ColumnConfig
	for i, c := range columns {
		head = append(head, c.head)
		cfg := table.ColumnConfig{Number: i + 1, WidthMax: c.width, WidthMaxEnforcer: wrap}
		if c.right {
			cfg.Align, cfg.AlignHeader = text.AlignRight, text.AlignRight
		}
		configs = append(configs, cfg)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(head)
	for _, row := range rows {
		cells := make(table.Row, len(row))
		for i, c := range row {
			cells[i] = report.Clean(c)
		}
		t.AppendRow(cells)
	}
	p.lines(t.Render())
}

// lines writes text without the blanks that wrapping and tables end lines
// with.
func (p *page) lines(text string) {
	for _, line := range strings.Split(text, "\n") {
		p.WriteString(strings.TrimRight(line, " "))
		p.WriteByte('\n')
	}
}

// wrap breaks between words where it can; a cell that has lines keeps them.
func wrap(cell string, width int) string {
	if strings.Contains(cell, "\n") {
		return cell
	}
	return text.WrapSoft(cell, width)
}
