package accuracy

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
)

// wire is an answer as a system has written it.
type wire struct {
	status           int
	fields, trailers [][2]string
	body             []byte
	sized            bool
}

// write writes an answer.
func (a *answer) write(x *rendering) wire {
	out := wire{status: a.status, sized: a.sized}
	for _, f := range a.fields {
		out.fields = append(out.fields, [2]string{f.name, textOf(f.value.render(x))})
	}
	for _, f := range a.trailers {
		out.trailers = append(out.trailers, [2]string{f.name, textOf(f.value.render(x))})
	}
	if a.media != "" {
		out.fields = append(out.fields, [2]string{"Content-Type", a.media})
	}
	if a.body == nil {
		return out
	}
	out.body = a.encode(x, a.body.render(x))
	if cut, ok := strings.CutPrefix(a.behind, "\x00cut"); ok {
		out.body = out.body[:len(out.body)*2/3]
		out.body = append(out.body, cut...)
	} else {
		out.body = append(append([]byte(a.before), out.body...), a.behind...)
	}
	if a.level > 0 {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, a.level)
		must(err)
		_, err = z.Write(out.body)
		must(err)
		must(z.Close())
		out.body = b.Bytes()
	}
	return out
}

func (a *answer) encode(x *rendering, v any) []byte {
	switch a.form {
	case "raw":
		return []byte(textOf(v))
	case "csv":
		return csvOf(v.(array))
	case "xml":
		var b bytes.Buffer
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
		xmlOf(&b, "export", v, a.style.indent, 0)
		return b.Bytes()
	case "ndjson":
		var b bytes.Buffer
		for _, row := range v.(array) {
			b.Write(append(plain(row), '\n'))
		}
		return b.Bytes()
	case "sse":
		var b bytes.Buffer
		for i, row := range v.(array) {
			fmt.Fprintf(&b, "event: row\nid: %d\ndata: %s\n\n", i+1, plain(row))
		}
		return b.Bytes()
	case "multipart":
		_, boundary, _ := strings.Cut(a.media, "boundary=")
		var b bytes.Buffer
		for i, row := range v.(array) {
			fmt.Fprintf(&b, "--%s\r\nContent-Type: application/json\r\nContent-ID: <%d>\r\n\r\n%s\r\n", boundary, i, plain(row))
		}
		fmt.Fprintf(&b, "--%s--\r\n", boundary)
		return b.Bytes()
	case "form":
		form := url.Values{}
		for i, row := range v.(array) {
			for _, m := range row.(object) {
				form.Set(fmt.Sprintf("%s_%d", m.key, i), textOf(m.value))
			}
		}
		return []byte(form.Encode())
	case "text", "crlf", "latin":
		end := "\n"
		if a.form == "crlf" {
			end = "\r\n"
		}
		out := textRows(v.(array), end)
		if a.form == "latin" {
			var b []byte
			for _, c := range out {
				b = append(b, byte(c))
			}
			return b
		}
		return []byte(out)
	}
	return encodeJSON(v, a.style, x.random)
}

func textRows(rows array, end string) string {
	var b strings.Builder
	b.WriteString("Lines of an order" + end + end)
	for _, row := range rows {
		for _, m := range row.(object) {
			b.WriteString(m.key + ": " + textOf(m.value) + end)
		}
		b.WriteString(end)
	}
	return b.String()
}

func csvOf(rows array) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for i, row := range rows {
		var head, line []string
		for _, m := range row.(object) {
			head, line = append(head, m.key), append(line, textOf(m.value))
		}
		if i == 0 {
			must(w.Write(head))
		}
		must(w.Write(line))
	}
	w.Flush()
	return b.Bytes()
}

func xmlOf(b *bytes.Buffer, name string, v any, indent bool, depth int) {
	line := func(d int) {
		if indent {
			b.WriteString("\n" + strings.Repeat("  ", d))
		}
	}
	line(depth)
	b.WriteString("<" + name + ">")
	switch x := v.(type) {
	case object:
		for _, m := range x {
			xmlOf(b, m.key, m.value, indent, depth+1)
		}
		line(depth)
	case array:
		for _, e := range x {
			xmlOf(b, "row", e, indent, depth+1)
		}
		line(depth)
	default:
		must(xml.EscapeText(b, []byte(textOf(v))))
	}
	b.WriteString("</" + name + ">")
}

// must is for what cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
