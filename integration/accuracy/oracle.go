package accuracy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// oracle knows what the client would have sent to the candidate, and counts
// what was sent.
type oracle struct {
	// needed names and credentials had to be replaced, and done of them were.
	needed, done           int
	needCredentials, given int
	// wrong: another value was put in, something was replaced that stands for
	// itself, or a recorded name that means another thing here was sent.
	wrong int
	// says what was wrong or left out, and errs what was wrong, for people.
	says, errs []string
}

// examine compares what came with what was recorded and with what was to be
// sent.
func (w *world) examine(p *pair, r *http.Request, body []byte) (samePath bool) {
	rx, ex := w.baseline.render(p.start), w.candidate.render(p.start)
	ex.named = map[string]*entity{}
	recorded, expected := p.request(rx), p.request(ex)
	got := asked{target: r.RequestURI, body: body, media: recorded.media}
	for _, f := range recorded.fields {
		got.fields = append(got.fields, [2]string{f[0], r.Header.Get(f[0])})
	}
	a, b, c := recorded.places(), expected.places(), got.places()
	for place, was := range a {
		want, is := b[place], c[place]
		credential := strings.HasPrefix(place, "header ")
		if want == was {
			if is != was && !(is == "" && credential) && is != w.asRecorded(p, place, was) {
				p.oracle.err("%s: %s became %s", place, was, is)
			}
			continue
		}
		if credential {
			p.oracle.needCredentials++
		} else {
			p.oracle.needed++
		}
		switch {
		case is == want && credential:
			p.oracle.given++
		case is == want:
			p.oracle.done++
		case is == "" && credential:
			p.oracle.say("%s was left out", place)
		case is != was:
			p.oracle.err("%s: %s became %s, want %s", place, was, is, want)
		default:
			if e := ex.named[unquoted(want)]; e != nil && w.candidate.owner(e.kind, unquoted(was)) != nil {
				p.oracle.err("%s: %s was left, which is another thing here, want %s", place, was, want)
			} else {
				p.oracle.say("%s: %s was left, want %s", place, was, want)
			}
		}
	}
	for place, is := range c {
		if _, known := a[place]; !known {
			p.oracle.err("%s: %s was added", place, is)
		}
	}
	path := func(target string) string { s, _, _ := strings.Cut(target, "?"); return s }
	return path(got.target) == path(expected.target)
}

// asRecorded is a value of a body as the recorder has written it: a token, if it is
// a secret.
func (w *world) asRecorded(p *pair, place, value string) string {
	name := place[strings.LastIndexAny(place, ". ")+1:]
	text := fmt.Sprintf(`{%q:%q}`, name, unquoted(value))
	redacted, _ := w.redactor.Body(p.exchange, "application/json", []byte(text))
	_, rest, _ := strings.Cut(string(redacted), ":")
	out := strings.TrimSuffix(rest, "}")
	if strings.HasPrefix(value, `"`) {
		return out
	}
	return unquoted(out)
}

func (o *oracle) err(format string, args ...any) {
	o.wrong++
	o.errs = append(o.errs, fmt.Sprintf(format, args...))
	o.say(format, args...)
}

func (o *oracle) say(format string, args ...any) {
	o.says = append(o.says, fmt.Sprintf(format, args...))
}

func unquoted(s string) string { return strings.Trim(s, `"`) }

// places takes a request apart: every value by where it stands.
func (q asked) places() map[string]string {
	out := map[string]string{}
	path, query, _ := strings.Cut(q.target, "?")
	for i, s := range strings.Split(path, "/") {
		out[fmt.Sprint("path ", i)] = s
	}
	for name, v := range form(query) {
		out["query "+name] = v
	}
	for _, f := range q.fields {
		if f[0] == "Cookie" {
			for _, c := range strings.Split(f[1], "; ") {
				name, v, _ := strings.Cut(c, "=")
				out["header cookie "+name] = v
			}
			continue
		}
		out["header "+f[0]] = f[1]
	}
	switch {
	case q.media == "":
	case strings.Contains(q.media, "form"):
		for name, v := range form(string(q.body)) {
			out["form "+name] = v
		}
	default:
		d := json.NewDecoder(bytes.NewReader(q.body))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			out["body"] = string(q.body)
		}
		leaves(out, "body $", v)
	}
	return out
}

func form(s string) map[string]string {
	out := map[string]string{}
	values, _ := url.ParseQuery(s)
	for name, v := range values {
		out[name] = strings.Join(v, ",")
	}
	return out
}

func leaves(out map[string]string, at string, v any) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			leaves(out, at+"."+k, e)
		}
	case []any:
		for i, e := range x {
			leaves(out, fmt.Sprint(at, "[", i, "]"), e)
		}
	case string:
		out[at] = `"` + x + `"`
	default:
		out[at] = fmt.Sprint(x)
	}
}
