package substitute_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/timestamp"
	"understudy.dev/exchange/token"
	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestFormsAreSentWithTheCandidatesTokens: what a page or a cookie gave against
// forged requests goes back as the candidate gave it, redacted or not.
func TestFormsAreSentWithTheCandidatesTokens(t *testing.T) {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	redactor := redact.New(redact.Config{}, key)
	var isRedacted bool
	// f plays what was answered, and then the request; "-" is one that is not sent.
	f := func(request, want string, story ...step) {
		t.Helper()
		m := substitute.NewMemory("")
		register := func(request, recorded string) (*understudyv1.Exchange, *substitute.Exchange) {
			e := exchange(request, recorded)
			e.Request.Headers = e.Request.Headers[:len(e.Request.Headers)-1] // of JSON
			if isRedacted {
				redactor.Exchange(e)
			}
			return e, m.Register(e)
		}
		for _, s := range story {
			_, x := register(s.request, s.recorded)
			x.Learn(nil, response(s.candidate), timestamp.Frame{})
			x.Settle()
		}
		e, x := register(request, "200 {}")
		defer x.Settle()
		if _, u := x.Wait(t.Context(), time.Minute, time.Time{}); u != nil {
			t.Error(u)
		}
		got := ""
		_, u := x.Translate(func(r *substitute.Request) {
			contentType := ""
			for _, h := range e.Request.Headers {
				switch h.Name {
				case "Content-Type":
					contentType = string(h.Value)
				case "Cookie":
					got += r.Cookie(string(h.Value), "/x", !isRedacted) + " "
				default:
					if value, ok := r.Credential(h.Name, string(h.Value), !isRedacted); ok {
						got += value
					}
				}
			}
			got += string(r.Body(contentType, e.Request.Body.Content))
		})
		if (u != nil) != (want == "-") || u == nil && got != want {
			t.Errorf("%s (redacted: %t)\n got %s %v\nwant %s", request, isRedacted, got, u, want)
		}
	}
	const was, is, other = "b4s3l1n3X4s3l1n3Y4s3l1n3", "c4nd1d4t3X4nd1d4t3Y4nd1d4", "0th3rX4nd1d4t30th3r9"
	const form = "s POST /x Content-Type: application/x-www-form-urlencoded; "
	page := func(of string, values ...any) string {
		return "200 Content-Type: text/html; <!doctype html><html>" + fmt.Sprintf(of, values...) + "</html>"
	}
	for _, isRedacted = range []bool{false, true} {
		for _, field := range []string{"csrfmiddlewaretoken", "authenticity_token", "_token", "__RequestVerificationToken", "_wpnonce", "csrf_nonce"} {
			input := `<form><input type="hidden" name="` + field + `" value="%s"></form>`
			shown := step{"s GET /form", page(input, was), page(input, is)}
			f(form+"a=1&"+field+"="+was, "a=1&"+field+"="+is, shown)
			part := "--b\r\nContent-Disposition: form-data;name=\"" + field + "\"\r\n\r\n%s\r\n--b\r\nContent-Disposition: form-data;name=\"a\"\r\n\r\n1\r\n--b--\r\n"
			f("s POST /x Content-Type: multipart/form-data;boundary=b; "+fmt.Sprintf(part, was), fmt.Sprintf(part, is), shown)
			f(form+"a=1&"+field+"="+was, "-", step{"s GET /form", page(input, was), page("<p>none</p>")})
			f(form+"a=1&"+field+"="+was, "-", step{"s GET /form", page(input, was), "500 {}"})
			// The latest page, and of its forms the one that was sent.
			again := step{"s GET /form", page(input, was+"1"), page(input, is+"1")}
			f(form+field+"="+was+"1", field+"="+is+"1", shown, again)
			f(form+field+"="+was, field+"="+is, shown, again)
			two := step{"s GET /form", page(input+input, was, was+"2"), page(input+input, is, other)}
			f(form+field+"="+was+"2", field+"="+other, two)
			f(form+field+"="+was, field+"="+is, two)
		}
		// A script repeats what stands in the page.
		meta := `<head><meta name="csrf-token" content="%s" /></head>`
		shown := step{"s GET /form", page(meta, was), page(meta, is)}
		f("s POST /x X-Csrf-Token: "+was+"; ", is, shown)
		f("s POST /x X-Csrf-Token: "+was+"; ", "", step{"s GET /form", page(meta, was), page("<p>none</p>")})
		// Or in a cookie, without its escapes.
		cookie := func(value string) string { return "200 Set-Cookie: XSRF-TOKEN=" + value + ";Path=/; {}" }
		set := step{"s GET /form", cookie(was + "%3D%2Ba+b"), cookie(is + "%3D%2Bc+d")}
		f("s POST /x Cookie: XSRF-TOKEN="+was+"%3D%2Ba+b; X-Xsrf-Token: "+was+"=+a+b; ", "XSRF-TOKEN="+is+"%3D%2Bc+d "+is+"=+c+d", set)
		// The cookie is the secret, and what is sent with the form was made of it.
		input := `<input value="%s" name="csrfmiddlewaretoken" type=hidden>`
		f(form+"Cookie: csrftoken="+was+"C; csrfmiddlewaretoken="+was, "csrftoken="+is+"C csrfmiddlewaretoken="+is,
			step{"s GET /form", strings.Replace(page(input, was), "200 ", "200 Set-Cookie: csrftoken="+was+"C;Path=/; ", 1), strings.Replace(page(input, is), "200 ", "200 Set-Cookie: csrftoken="+is+"C;Path=/; ", 1)})
	}
	isRedacted = false
	for _, field := range []string{"__VIEWSTATE", "javax.faces.ViewState", "form_build_id"} {
		input := `<input type="hidden" name="` + field + `" value="%s">`
		f(form+field+"="+was, field+"="+is, step{"s GET /form", page(input, was), page(input, is)})
	}
	// What no answer gave is the client's own, and so is what is no token.
	input := `<input type="hidden" name="action" value="%s">`
	f(form+"_token="+was, "_token="+was)
	f(form+"action=updateall", "action=updateall", step{"s GET /form", page(input, "updateall"), page(input, "removeall")})
	f("t POST /x Content-Type: application/x-www-form-urlencoded; _token=short", "_token=short", step{"s GET /form", page(input, "short"), page(input, "long")})
}
