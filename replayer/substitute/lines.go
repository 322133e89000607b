package substitute

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
)

const (
	maxLines = 1 << 15 // lines of an answer that are looked at
	maxSaid  = 16      // sentences of one line
)

// sentence is a kind before a number: order 17, order no. 17, order #17.
var sentence = regexp.MustCompile(`\b([A-Za-z_]{2,32})\s+(?:[Nn]o\.?\s*)?#?(\d{1,18})\b`)

// lines looks for names in the lines of an answer: events and other lines of
// JSON, also as the argument of a function; rows, under the names of columns;
// and sentences that say what was made.
func lines(f *names.Finder, contentType string, body []byte) {
	if !utf8.Valid(body) {
		return
	}
	isTable := strings.Contains(message.MediaType(contentType), "csv")
	var columns []string
	n := 0
	for line := range bytes.Lines(body) {
		if n++; n > maxLines {
			return
		}
		line = bytes.TrimSpace(line)
		if begin, end := bytes.IndexAny(line, "{["), bytes.LastIndexAny(line, "}]"); begin >= 0 && end > begin {
			if inner, whole := names.Parse(line[begin : end+1]); whole && inner != nil {
				f.JSON(line[begin : end+1])
				continue
			}
		}
		if isTable {
			for i, cell := range strings.Split(string(line), ",") {
				if cell = strings.Trim(cell, ` "`); n == 1 {
					columns = append(columns, cell)
				} else if i < len(columns) {
					f.Value(columns[i], cell)
				}
			}
			continue
		}
		for _, m := range sentence.FindAllStringSubmatch(string(line), maxSaid) {
			f.Value(m[1]+"_id", m[2])
		}
	}
}
