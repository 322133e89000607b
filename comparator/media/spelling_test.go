package media_test

import (
	"fmt"
	"html"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// content is what a body says: records with a value for each of the names.
type content struct {
	names   []string
	records [][]string
}

// speller spells content in a way of its own.
type speller struct{ *rand.Rand }

func (s speller) coin() bool                 { return s.IntN(2) == 0 }
func (s speller) one(texts ...string) string { return texts[s.IntN(len(texts))] }

// shuffled are the positions up to n in any order.
func (s speller) shuffled(n int) []int { return s.Perm(n) }

func (s speller) object(c content, record []string) string {
	var members []string
	for _, i := range s.shuffled(len(c.names)) {
		value, _ := jsontext.AppendQuote(nil, record[i])
		text := string(value)
		if s.coin() {
			text = strings.ReplaceAll(text, "é", `\u00e9`)
		}
		members = append(members, fmt.Sprintf("%q%s:%s%s", c.names[i], s.one("", " "), s.one("", " ", "\t"), text))
	}
	return "{" + strings.Join(members, s.one(",", " , ")) + "}"
}

// escaped spells a text in XML or HTML.
func (s speller) escaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case strings.ContainsRune("<&>\"'", r):
			out.WriteString(s.one(html.EscapeString(string(r)), fmt.Sprintf("&#%d;", r), fmt.Sprintf("&#x%x;", r)))
		case s.IntN(5) == 0 && r != ' ':
			fmt.Fprintf(&out, "&#%d;", r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func (s speller) query(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		switch {
		case b == ' ':
			out.WriteString(s.one("+", "%20"))
		case s.coin():
			fmt.Fprintf(&out, "%%%02x", b)
		case b >= 'a' && b <= 'z':
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// spellings are the formats and how each spells a content.
var spellings = map[string]func(speller, content) (kind, body string){
	"json lines": func(s speller, c content) (string, string) {
		var out strings.Builder
		for _, r := range c.records {
			out.WriteString(s.object(c, r) + s.one("\n", "\r\n", " \n\n"))
		}
		return "application/x-ndjson", out.String()
	},
	"events": func(s speller, c content) (string, string) {
		end := s.one("\n", "\r\n", "\r")
		var out strings.Builder
		for _, r := range c.records {
			out.WriteString(s.one("", ":"+end) + s.one("data:", "data: ") + s.object(c, r) + end + s.one("", "event: message"+end) + end)
		}
		return "text/event-stream", out.String()
	},
	"form": func(s speller, c content) (string, string) {
		var pairs []string
		for _, i := range s.shuffled(len(c.names)) {
			for _, r := range c.records {
				pairs = append(pairs, c.names[i]+"="+s.query(r[i]))
			}
		}
		return "application/x-www-form-urlencoded", strings.Join(pairs, "&")
	},
	"multipart": func(s speller, c content) (string, string) {
		mark := s.one("one", "another-mark")
		var out strings.Builder
		for _, i := range s.shuffled(len(c.names)) {
			for _, r := range c.records {
				fmt.Fprintf(&out, "--%s\r\n%s: form-data; name=%s\r\n\r\n%s\r\n", mark, s.one("Content-Disposition", "content-disposition"), c.names[i], r[i])
			}
		}
		return "multipart/form-data; boundary=" + mark, out.String() + "--" + mark + "--" + s.one("", "\r\n")
	},
	"xml": func(s speller, c content) (string, string) {
		prefix := s.one("", "a:", "b:")
		space := map[string]string{"": "xmlns", "a:": "xmlns:a", "b:": "xmlns:b"}[prefix]
		blank := s.one("", "\n", "\n  ")
		var out strings.Builder
		fmt.Fprintf(&out, "%s<%slist %s='urn:x'>%s", s.one("", "<?xml version='1.0'?>\n"), prefix, space, blank)
		for _, r := range c.records {
			fmt.Fprintf(&out, "<%srow", prefix)
			for _, i := range s.shuffled(len(c.names)) {
				quote := s.one("'", "\"")
				fmt.Fprintf(&out, " %s=%s%s%s", c.names[i], quote, s.escaped(r[i]), quote)
			}
			out.WriteString(">" + blank)
			for i, name := range c.names {
				value := s.escaped(r[i])
				if s.coin() {
					value = "<![CDATA[" + r[i] + "]]>"
				}
				fmt.Fprintf(&out, "<%s%s>%s</%s%s>%s", prefix, name, value, prefix, name, blank)
			}
			fmt.Fprintf(&out, "</%srow>%s", prefix, blank)
		}
		fmt.Fprintf(&out, "</%slist>%s", prefix, blank)
		return "application/xml", out.String()
	},
	"html": func(s speller, c content) (string, string) {
		blank := s.one("", "\n", "\n  ")
		var out strings.Builder
		out.WriteString("<!doctype html>" + blank + s.one("", "<html>", "<html><head></head>") + s.one("", "<body>") + "<table>" + s.one("", "<tbody>"))
		for _, r := range c.records {
			out.WriteString(blank + "<tr>" + blank)
			for _, i := range s.shuffled(len(c.names))[:1] {
				fmt.Fprintf(&out, "<!-- %d -->", i)
			}
			for i := range c.names {
				words := strings.ReplaceAll(r[i], " ", s.one(" ", "  ", "\n"))
				fmt.Fprintf(&out, "<td title='%s'>%s%s%s", s.escaped(r[i]), blank, s.escaped(words), s.one("", " </td>"))
			}
			out.WriteString(s.one("", "</tr>"))
		}
		return "text/html", out.String() + s.one("", "</table>", "</table></body></html>")
	},
	"csv": func(s speller, c content) (string, string) {
		var out strings.Builder
		for _, r := range slices.Concat([][]string{c.names}, c.records) {
			var cells []string
			for _, cell := range r {
				if strings.ContainsAny(cell, ",\"") || s.coin() {
					cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
				}
				cells = append(cells, cell)
			}
			out.WriteString(strings.Join(cells, ",") + s.one("\n", "\r\n"))
		}
		return "text/csv", out.String()
	},
	"text": func(s speller, c content) (string, string) {
		var out strings.Builder
		for _, r := range c.records {
			out.WriteString(strings.Join(r, " / ") + s.one("", " ", "  ") + s.one("\n", "\r\n"))
		}
		return "text/plain", out.String() + s.one("", "\n\n")
	},
}

// someContent has values that every format has to escape.
func someContent(r *rand.Rand) content {
	c := content{names: []string{"colour", "id", "note"}[:2+r.IntN(2)]}
	for range 1 + r.IntN(5) {
		var record []string
		for range c.names {
			value := "v"
			for range r.IntN(6) {
				value += []string{"a", "é", "&", "<", "\"", "'", ",", ";", "%", "\\", "=", "+", "x y", "日", "{"}[r.IntN(15)]
			}
			record = append(record, value)
		}
		c.records = append(c.records, record)
	}
	return c
}

// changed is the content with one thing that is not the same.
func changed(r *rand.Rand, c content) content {
	out := content{names: c.names}
	for _, record := range c.records {
		out.records = append(out.records, slices.Clone(record))
	}
	i, j := r.IntN(len(c.records)), r.IntN(len(c.names))
	switch r.IntN(4) {
	case 0:
		out.records[i][j] += "z"
	case 1:
		out.records[i][j] = "w" + out.records[i][j][1:]
	case 2:
		out.records = append(out.records, out.records[i])
	default:
		k := (i + 1) % len(c.records)
		if slices.Equal(out.records[i], out.records[k]) {
			out.records[i][j] += "z"
			break
		}
		out.records[i], out.records[k] = out.records[k], out.records[i]
	}
	return out
}

// TestSpellings: in every format, other spellings of one content are the same,
// and another content is not, however it is spelled.
func TestSpellings(t *testing.T) {
	for name, spell := range spellings {
		for seed := range uint64(400) {
			s := speller{rand.New(rand.NewPCG(seed, 1))}
			c := someContent(s.Rand)
			kind, text := spell(s, c)
			sameKind, same := spell(s, c)
			otherKind, other := spell(s, changed(s.Rand, c))
			a := open(t, body{kind, text})
			if d := differences(t, a, open(t, body{sameKind, same})); len(d) > 0 {
				t.Fatalf("%s, seed %d: the same differs: %v\n%s\n%s", name, seed, d, text, same)
			}
			if d := differences(t, a, open(t, body{otherKind, other})); len(d) == 0 {
				t.Fatalf("%s, seed %d: another is the same\n%s\n%s", name, seed, text, other)
			}
		}
	}
}
