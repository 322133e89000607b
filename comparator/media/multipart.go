package media

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// part is one part of a multipart body, opened by its own type.
type part struct {
	field, disposition, kind string
	params, typeParams       map[string]string
	header                   textproto.MIMEHeader
	empty                    bool
	body                     Document
}

// openMultipart opens the parts (RFC 2046, 7578): those of a form by the names
// of their fields, others in their order. The boundary does not matter.
func openMultipart(s *source) (Document, error) {
	if s.depth+1 > min(s.options.Depth, 8) {
		return Document{}, beyond("multipart bodies in each other", min(s.options.Depth, 8))
	}
	boundary := s.params["boundary"]
	if boundary == "" {
		return Document{}, s.syntax(Multipart, -1, "the Content-Type has no boundary")
	}
	var parts []part
	r := multipart.NewReader(bytes.NewReader(s.body), boundary)
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Document{}, s.syntax(Multipart, -1, err.Error()+" after part "+strconv.Itoa(len(parts)))
		}
		if *s.parts++; *s.parts > s.options.Parts {
			return Document{}, beyond("parts", s.options.Parts)
		}
		opened, err := s.part(p)
		if err != nil {
			return Document{}, err
		}
		parts = append(parts, opened)
	}
	if s.kind == "multipart/form-data" {
		return s.fields(parts)
	}
	w := newWriter(s.options.Limits)
	var asides []Aside
	w.open('[')
	for i, p := range parts {
		w.part(p)
		asides = p.asides(asides, "part "+strconv.Itoa(i+1))
	}
	w.close(']')
	d, err := w.document(Multipart)
	d.Aside = asides
	d.place = func(ss []step) string {
		if len(ss) == 0 || ss[0].index < 0 {
			return ""
		}
		place := "part " + strconv.Itoa(ss[0].index+1)
		if ss[0].index < len(parts) {
			return parts[ss[0].index].place(place, ss[1:])
		}
		return within(place, ss[1:])
	}
	return d, err
}

// fields writes the parts of a form by the names of their fields.
func (s *source) fields(parts []part) (Document, error) {
	var order []string
	byName := map[string][]part{}
	for _, p := range parts {
		if _, seen := byName[p.field]; !seen {
			order = append(order, p.field)
		}
		byName[p.field] = append(byName[p.field], p)
	}
	w := newWriter(s.options.Limits)
	var asides []Aside
	w.open('{')
	for _, name := range order {
		w.key(name)
		w.open('[')
		for _, p := range byName[name] {
			w.part(p)
			asides = p.asides(asides, partName(name))
		}
		w.close(']')
	}
	w.close('}')
	d, err := w.document(Multipart)
	slices.SortStableFunc(asides, func(a, b Aside) int { return strings.Compare(a.Text, b.Text) })
	d.Aside = asides
	d.place = func(ss []step) string {
		if len(ss) == 0 || ss[0].index >= 0 {
			return ""
		}
		place, same := partName(ss[0].name), byName[ss[0].name]
		if ss = ss[1:]; len(ss) == 0 || ss[0].index < 0 {
			return place
		}
		i := ss[0].index
		if len(same) > 1 {
			place += " " + strconv.Itoa(i+1)
		}
		if i < len(same) {
			return same[i].place(place, ss[1:])
		}
		return within(place, ss[1:])
	}
	d.name = func(ss []step) string {
		// The text of a field is called as the field is.
		if len(ss) > 2 && ss[0].index < 0 && ss[2].name == "body" && !slices.ContainsFunc(ss[3:], func(s step) bool { return s.index < 0 }) {
			return ss[0].name
		}
		return ""
	}
	return d, err
}

func partName(field string) string { return "part " + strconv.Quote(field) }

// place is where a location inside the part is.
func (p part) place(place string, ss []step) string {
	if len(ss) == 0 {
		return place
	}
	if ss[0].name != "body" || p.empty {
		return within(place, ss)
	}
	if inside := p.body.Place(location(ss[1:])); inside != "$" {
		return place + ": " + inside
	}
	return place
}

// asides adds what is set aside of the part.
func (p part) asides(to []Aside, place string) []Aside {
	for _, a := range p.body.Aside {
		to = append(to, Aside{a.Rule, place + ": " + a.Text})
	}
	return to
}

// part opens a part. One that is not what its type says is compared as text:
// the other side's, which is, then has another format.
func (s *source) part(p *multipart.Part) (part, error) {
	body, err := io.ReadAll(p)
	if err != nil {
		return part{}, s.syntax(Multipart, -1, err.Error()+" in a part")
	}
	if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "base64") {
		plain, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body)))
		if err != nil {
			return part{}, s.syntax(Multipart, -1, "invalid base64 in a part")
		}
		body = plain
		p.Header.Del("Content-Transfer-Encoding")
	}
	disposition, params, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	contentType := p.Header.Get("Content-Type")
	inner := newSource(contentType, body, s.options)
	inner.depth, inner.parts, inner.inside = s.depth+1, s.parts, s.inside
	out := part{
		field: params["name"], disposition: disposition, params: params, kind: inner.kind, typeParams: inner.params,
		header: p.Header, empty: len(body) == 0,
	}
	if out.empty {
		return out, nil
	}
	out.body, err = s.inside(inner)
	if err == nil && out.body.Format == JSON {
		err = inner.valid(out.body.JSON, JSON, 0)
	}
	if syntax := (*SyntaxError)(nil); errors.As(err, &syntax) {
		out.body, err = inner.plain()
	}
	return out, err
}

// parameters writes those of a field of a part; how its text is encoded and
// where it ends show in what is opened.
func (w *writer) parameters(prefix string, params map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name != "charset" && name != "boundary" {
			w.member(prefix+name, params[name])
		}
	}
}

// partHeaders are told by what else is told of a part.
var partHeaders = []string{"Content-Type", "Content-Length", "Content-Disposition"}

func (w *writer) part(p part) {
	w.open('{')
	if p.disposition != "" {
		w.member("disposition", p.disposition)
	}
	w.parameters("", p.params)
	if p.kind != "" {
		w.member("type", p.kind)
	}
	w.parameters("type-", p.typeParams)
	for _, name := range slices.Sorted(maps.Keys(p.header)) {
		if !slices.Contains(partHeaders, name) {
			w.member(strings.ToLower(name), strings.Join(p.header[name], ", "))
		}
	}
	w.key("body")
	if p.empty {
		w.text("")
	} else {
		w.raw(p.body.JSON)
	}
	w.close('}')
}
