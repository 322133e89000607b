package text

import (
	"io"
	"strings"
	"unicode/utf8"

	"understudy.dev/comparator/report"
)

// Terminal passes text on to w with everything that report.Clean makes visible made
// visible, line ends and tabs excepted. A rune that is cut by the end of a
// write is kept until the next one; Close passes on what is left and leaves w
// open.
func Terminal(w io.Writer) io.WriteCloser { return &terminal{w: w} }

type terminal struct {
	w    io.Writer
	rest []byte
}

func (t *terminal) Write(p []byte) (int, error) {
	text := append(t.rest, p...)
	end := len(text)
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		if b := text[len(text)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-back:]) {
				end = len(text) - back
			}
			break
		}
	}
	var b strings.Builder
	for _, part := range strings.SplitAfter(string(text[:end]), "\n") {
		line, newline := strings.CutSuffix(part, "\n")
		for i, cell := range strings.Split(line, "\t") {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(report.Clean(cell))
		}
		if newline {
			b.WriteByte('\n')
		}
	}
	t.rest = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(t.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (t *terminal) Close() error {
	_, err := io.WriteString(t.w, report.Clean(string(t.rest)))
	t.rest = nil
	return err
}
