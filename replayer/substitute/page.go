package substitute

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/redact"
)

// formState are names of fields of a page, without separators and in lower case, that
// hold what the server wants back as it is, and are no secrets by their names.
var formState = wordSet("viewstate viewstategenerator eventvalidation javaxfacesviewstate jakartafacesviewstate formbuildid execution lt sectoken")

// formKinds are names of such fields by what a name at their place would name.
var formKinds = map[string]string{}

func init() {
	for _, name := range strings.Fields("__VIEWSTATE __EVENTVALIDATION javax.faces.ViewState jakarta.faces.ViewState form_build_id execution lt") {
		if place, _ := names.KindOf(name); place.Kind != "" {
			formKinds[place.Kind] = name
		}
	}
}

// isSecretName says whether what stands under a name is given to be shown again.
func isSecretName(name string) bool {
	return redact.IsSecret(name) || len(name) <= maxCursorName && (formState[plainName(name)] || forgery.MatchString(name))
}

// maxFields is how many fields of one page are looked at.
const maxFields = 1 << 12

// secretsOfPage finds the credentials in the fields of a page's forms, and in what
// it tells its scripts of itself (<meta name="csrf-token" content=…>). Several of
// one name are told apart by their order: each form may have its own.
func secretsOfPage(page []byte) (out map[string]string) {
	if !bytes.HasPrefix(bytes.TrimLeft(page, " \t\r\n\ufeff"), []byte("<")) {
		return nil
	}
	count := map[string]int{}
	z := html.NewTokenizer(bytes.NewReader(page))
	for range maxFields {
		switch z.Next() {
		case html.ErrorToken:
			return out
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, more := z.TagName()
			of := map[string]string{"input": "value", "meta": "content"}[string(tag)]
			if of == "" {
				continue
			}
			var name, value string
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				switch string(k) {
				case "name":
					name = string(v)
				case of:
					value = string(v)
				}
			}
			if len(value) < leastCredential || len(value) > maxPageValue || len(out) >= maxCookies || !secretNames.Of(name) {
				continue
			}
			if out == nil {
				out = map[string]string{}
			}
			out["/"+strconv.Itoa(count[name])+"/"+name] = value
			count[name]++
		}
	}
	return out
}

// maxPageValue bounds a value in a page, in bytes: the state of a page is long.
const maxPageValue = 64 << 10

// fieldOfParts is a field of a multipart form in one line (RFC 7578), and where its
// value stands.
type fieldOfParts struct {
	name     string
	from, to int
}

var partField = regexp.MustCompile(`(?i)content-disposition:[ \t]*form-data;([^\r\n]*)\r\n(?:[A-Za-z-]+:[^\r\n]*\r\n)*\r\n([^\r\n]+)\r\n--`)

var nameOfPart = regexp.MustCompile(`(?i)\bname="?([^";\r\n]+)"?`)

func fieldsOfParts(body []byte) (out []fieldOfParts) {
	if !bytes.HasPrefix(body, []byte("--")) {
		return nil
	}
	for _, m := range partField.FindAllSubmatchIndex(body, maxFields) {
		head := string(body[m[2]:m[3]])
		if name := nameOfPart.FindStringSubmatch(head); name != nil && !strings.Contains(strings.ToLower(head), "filename") {
			out = append(out, fieldOfParts{name[1], m[4], m[5]})
		}
	}
	return out
}

// inParts replaces secrets in a multipart form that answers gave.
func (r *Request) inParts(body []byte) []byte {
	var out []byte
	done := 0
	for _, f := range fieldsOfParts(body) {
		was := string(body[f.from:f.to])
		own, v := r.x.counterpart(f.name, was)
		if own == "" {
			r.lacks(f.name, was, v)
			continue
		}
		r.lets("part", f.name, was, own, v)
		out = append(append(out, body[done:f.from]...), own...)
		done = f.to
	}
	if done == 0 {
		return body
	}
	return append(out, body[done:]...)
}
