package redact_test

import (
	"strings"
	"testing"

	"understudy.dev/exchange/redact"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// BenchmarkBody is what redaction costs for an answer's body, by type and by
// whether something in it is a secret.
func BenchmarkBody(b *testing.B) {
	order := `{"id":"ord_8231","customer":"c-17","lines":[{"sku":"A-1","qty":2,"price":"12.90"}],"state":"paid","at":"2026-11-24T10:00:00Z","note":"leave it at the door"},`
	list := "[" + strings.Repeat(order, 7) + `{"id":1}]`
	for _, c := range []struct{ name, contentType, body string }{
		{"json 1 KiB", "application/json", list},
		{"json 1 KiB with three secrets", "application/json", strings.Replace(list, `{"id":1}`, `{"email":"ann@shop.example","password":"hunter22","card":"4111111111111111"}`, 1)},
		{"json 256 KiB", "application/json", "[" + strings.Repeat(order, 1700) + `{"id":1}]`},
		{"text 256 KiB", "text/plain", strings.Repeat("2026-11-24 10:00:00 INFO order ord_8231 is paid, 12.90 EUR\n", 4500)},
		{"html 256 KiB", "text/html", strings.Repeat(`<div class="order" data-id="8231"><a href="/orders/8231">Order</a> is paid<br></div>`, 3100)},
		{"form", "application/x-www-form-urlencoded", "name=Ann+Example&city=Rome&street=Via+Appia+1&zip=00100&country=IT"},
		{"png 256 KiB", "image/png", strings.Repeat("\x89PNG", 64<<10)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := redact.New(redact.Config{}, key(b))
			headers := []*understudyv1.Header{{Name: "Content-Type", Value: []byte(c.contentType)}}
			content := []byte(c.body)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				r.Exchange(&understudyv1.Exchange{Response: &understudyv1.Response{Headers: headers, Body: &understudyv1.Body{Content: content}}})
			}
		})
	}
}
