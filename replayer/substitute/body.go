package substitute

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/names"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// format is how names stand in a body.
type format uint8

const (
	asJSON format = iota + 1 // one document or several
	asForm
	asParts // multipart
	asTags  // XML and HTML
	asText
)

// formatOf goes by how a body begins, because a client that posts JSON often
// names another type or none.
func formatOf(contentType string, body []byte) format {
	media := message.MediaType(contentType)
	begin := bytes.TrimLeft(body, " \t\r\n\ufeff")
	switch {
	case strings.HasSuffix(media, "/graphql"):
		return asText
	case message.IsJSON(media), len(begin) > 0 && (begin[0] == '{' || begin[0] == '['):
		return asJSON
	case message.IsForm(media):
		return asForm
	case strings.HasPrefix(media, "multipart/"):
		return asParts
	case len(begin) > 0 && begin[0] == '<':
		return asTags
	}
	return asText
}

// decoded is a text in UTF-8: by its byte order mark, else by the charset of its
// type (names as in the WHATWG's Encoding standard); as it is where that fails.
func decoded(contentType string, body []byte) []byte {
	name := ""
	switch {
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		name = "utf-16be"
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		name = "utf-16le"
	default:
		if !strings.Contains(strings.ToLower(contentType), "charset") {
			return body
		}
		_, parameters, err := mime.ParseMediaType(contentType)
		if err != nil {
			return body
		}
		if name = parameters["charset"]; strings.EqualFold(name, "utf-16") {
			name = "utf-16be" // RFC 2781, section 4.3
		}
	}
	encoding, err := htmlindex.Get(name)
	if err != nil || strings.EqualFold(name, "utf-8") {
		return body
	}
	text, err := encoding.NewDecoder().Bytes(body)
	if err != nil {
		return body
	}
	return bytes.TrimPrefix(text, []byte("\ufeff"))
}

// hasPlaces says whether bodies of a type have places for names.
func hasPlaces(contentType string) bool {
	media := message.MediaType(contentType)
	return message.IsJSON(media) || message.IsForm(media) || strings.HasSuffix(media, "ndjson")
}

// Body translates a body, as its type and its beginning say.
func (r *Request) Body(contentType string, body []byte) []byte {
	if r == nil {
		return body
	}
	out := body
	switch formatOf(contentType, body) {
	case asForm:
		out = r.Form(body)
	case asParts:
		out = r.inParts(body)
	case asJSON:
		out = r.JSON(body)
		if strings.Contains(contentType, "json-patch") && r.refused == nil {
			r.refused = moved(body, out)
		}
	}
	r.sent = append(r.sent, strings.ReplaceAll(string(out), "\x00", "")) // UTF-16 too
	return out
}

// moved says that a JSON Patch (RFC 6902) would change another place: what looks
// like the name of a thing in a path may be the index of a list.
func moved(before, after []byte) *Unresolved {
	type step struct{ Path, From string }
	var as, bs []step
	if json.Unmarshal(before, &as) != nil || json.Unmarshal(after, &bs) != nil || len(as) != len(bs) {
		return nil
	}
	for i := range as {
		if as[i] != bs[i] {
			return &Unresolved{Kind: "path", Name: as[i].Path, Why: whyAmbiguous}
		}
	}
	return nil
}

var (
	tagOpen      = regexp.MustCompile(`<([A-Za-z_][\w:.-]*)((?:\s[^<>]*)?)>`)
	tagAttribute = regexp.MustCompile(`([A-Za-z_][\w:.-]*)\s*=\s*["']([^"'<>]{1,512})["']`)
	plainWord    = regexp.MustCompile(`[\w-]*\d[\w-]*`)
	tagElement   = regexp.MustCompile(`<([A-Za-z_][\w:.-]*)[^<>]*>\s*([^<>]{1,256}?)\s*</`)
)

const (
	maxTags  = 1 << 15 // attributes, elements, words and parts that are looked at
	maxValue = 4096    // bytes of a part that may be a value
)

// words looks for names in a body of which nothing can be replaced. whole says
// that it looked at all of it.
func words(f *names.Finder, contentType string, body []byte) (whole bool) {
	if !utf8.Valid(body) {
		return true // pixels, say; names that stand in them are looked for in what is sent
	}
	value := func(name, text string) {
		f.Value(name[strings.LastIndexByte(name, ':')+1:], text)
	}
	seen := 0
	switch formatOf(contentType, body) {
	case asTags:
		isPage := strings.Contains(message.MediaType(contentType), "html")
		tags := tagOpen.FindAllSubmatch(body, maxTags)
		for i, tag := range tags {
			attributes := tagAttribute.FindAllSubmatch(tag[2], maxTags)
			for _, m := range attributes {
				name := string(m[1])
				if place, own := names.KindOf(name); own && place.Kind == "" {
					if i == 0 && !isPage {
						value(name, string(m[2])) // of what the request is about
					}
					name = string(tag[1]) + "_id" // <order id="17">
				}
				if !isPage || names.IsLink(string(m[2])) || name == "value" {
					value(name, string(m[2]))
				}
			}
			seen += len(attributes)
		}
		if seen = max(seen, len(tags)); !isPage {
			elements := tagElement.FindAllSubmatch(body, maxTags)
			for _, m := range elements {
				value(string(m[1]), string(m[2]))
			}
			seen = max(seen, len(elements))
		}
	case asText:
		all := plainWord.FindAll(body, maxTags)
		for _, word := range all {
			f.Value("", string(word))
		}
		seen = len(all)
		seen = max(seen, comparisons(f, string(body)))
	}
	return seen < maxTags
}

// parts looks for names in a multipart body: values of a form, and what stands in
// files and longer parts. whole says that it looked at all of them; text takes what
// has no name in the form.
func parts(f *names.Finder, contentType string, body []byte, text func(string)) (whole bool) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || parameters["boundary"] == "" {
		return words(f, "text/plain", body)
	}
	r := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	whole = true
	for range maxTags {
		p, err := r.NextRawPart()
		if err != nil {
			return whole && errors.Is(err, io.EOF)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return false
		}
		text(p.FileName())
		kind := p.Header.Get("Content-Type")
		switch form := formatOf(kind, content); {
		case form == asJSON:
			f.JSON(content)
		case form == asForm:
			f.Form(content)
		case form == asText && len(content) <= maxValue && p.FileName() == "":
			if f.Value(p.FormName(), string(content)); p.FormName() == "" {
				text(string(content))
			}
		default:
			whole = words(f, kind, content) && whole
		}
	}
	return false
}

// resources are the names in links without a slash before them (google.aip.dev/122).
func resources(target string, body []byte) []names.Name {
	f := names.NewSeeker(target, nil)
	texts(body, func(text string) {
		if resource.MatchString(text) {
			f.Target("/" + text)
		}
	})
	found, _ := f.Found()
	return found
}

// answers looks for names in the body of an answer to a method. One that is
// nothing but a word is the name of what was made.
func answers(f *names.Finder, method string, headers []*understudyv1.Header, c *content) {
	body := c.plain
	contentType := message.First(headers, "Content-Type")
	bare := bytes.Trim(bytes.TrimSpace(body), `"`)
	switch form := formatOf(contentType, body); {
	case len(bare) == 0:
	case len(bare) <= 64 && (form == asText || form == asJSON) && method != http.MethodGet && method != http.MethodHead && !bytes.ContainsAny(bare, " \t\r\n{}[]<>"):
		f.Value("id", string(bare))
	case form == asJSON && c.first != nil:
		f.JSON(body)
		bareNames(f, c.document())
		for _, n := range c.first { // the answer of one who wraps answers
			text := strings.TrimSpace(n.Text)
			switch {
			case n.Kind != names.String || text == "":
			case (text[0] == '{' || text[0] == '[') && json.Valid([]byte(text)):
				f.JSON([]byte(text))
			case text[0] == '<':
				words(f, "text/html", []byte(text))
			}
		}
	case form == asForm:
		f.Form(body)
	case form == asParts:
		parts(f, contentType, body, func(string) {})
	default:
		lines(f, contentType, body)
		words(f, contentType, body)
	}
}

// bareNames are those of an answer that is a list of numbers or a map by them.
func bareNames(f *names.Finder, body names.Tree) {
	for e := range body.Elements() {
		if !e.Is(names.Number) {
			return
		}
	}
	for e := range body.Elements() {
		f.Value("id", e[0].Text)
	}
	for m := range body.Members() {
		if names.IsDigits(m[0].Name) {
			f.Value("id", m[0].Name)
		}
	}
}

// sameHosts says which hosts are those of the system that a request was sent to:
// of one host, or with it under one name. A recording that names none leaves
// all.
func sameHosts(q *understudyv1.Request) func(string) bool {
	host := q.GetAuthority()
	if host == "" {
		host = message.First(q.GetHeaders(), "Host")
	}
	if host == "" {
		return nil
	}
	return func(other string) bool { return site(other) == site(host) }
}

// site is the end of a host's name that those of one system have in common.
func site(host string) string {
	host = strings.ToLower(host)
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	labels := strings.Split(host, ".")
	if last := labels[len(labels)-1]; len(labels) <= 2 || names.IsDigits(last) {
		return host
	}
	keep := 2
	if len(labels[len(labels)-2]) <= 3 && len(labels) > 3 {
		keep = 3 // co.uk
	}
	return strings.Join(labels[len(labels)-keep:], ".")
}
