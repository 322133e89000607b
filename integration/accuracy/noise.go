package accuracy

import (
	"slices"
	"strings"
	"time"
)

func harmless(name string, on []carrier, put func(c *cast) string) *kind {
	return &kind{name: name, class: noises, on: on, put: put}
}

// unproven is noise that nothing in the record can prove.
func unproven(name string, on []carrier, put func(c *cast) string) *kind {
	return &kind{name: name, class: noises, on: on, put: put, presumed: true}
}

const somewhere = "noise"

func spelled(change func(s *style)) func(c *cast) string {
	return func(c *cast) string { change(&c.candidate.style); return somewhere }
}

func inFormat(media, form string) func(c *cast) string {
	return func(c *cast) string { c.as(media, form); return somewhere }
}

// noiseKinds are differences that are none.
var noiseKinds = []*kind{
	harmless("order of members", anyOrder, spelled(func(s *style) { s.shuffle = true })),
	harmless("white space", anyOrder, spelled(func(s *style) { s.indent = true })),
	harmless("spelling of numbers", anyOrder, spelled(func(s *style) { s.respell = true })),
	harmless("escapes in texts", anyOrder, spelled(func(s *style) { s.escape = true })),
	harmless("byte order mark", orders, func(c *cast) string { c.candidate.before = "\ufeff"; return somewhere }),
	harmless("blanks at the end", orders, func(c *cast) string { c.candidate.behind = " \r\n"; return somewhere }),
	harmless("charset parameter", anyOrder, func(c *cast) string { c.candidate.media = "application/json; charset=utf-8"; return somewhere }),
	harmless("charset of a text", exported, func(c *cast) string {
		c.as("text/plain; charset=utf-8", "text")
		c.candidate.media, c.candidate.form = "text/plain; charset=ISO-8859-1", "latin"
		c.row().set("city", text("Köln"))
		b := c.baseline.body.(*arr).elements
		f := c.candidate.body.(*arr).elements
		for i := range b {
			b[i].(*obj).set("city", text("Köln"))
			f[i].(*obj).set("city", text("Köln"))
		}
		return somewhere
	}),
	harmless("compressed otherwise", orders, func(c *cast) string {
		c.baseline.level, c.candidate.level = 1, 9
		c.baseline.setField("Content-Encoding", "gzip")
		c.candidate.setField("Content-Encoding", "gzip")
		return somewhere
	}),
	harmless("sets in headers", []carrier{onMissing, onSingle}, func(c *cast) string {
		c.bothFields("Allow", "GET, PUT, DELETE", "DELETE, GET,PUT")
		c.bothFields("Access-Control-Allow-Methods", "GET, PUT", "PUT, GET")
		c.bothFields("Access-Control-Expose-Headers", "ETag, Link", "link, etag")
		c.bothFields("Vary", "Accept, Authorization", "authorization, accept")
		return somewhere
	}),
	harmless("order of links", []carrier{onList}, func(c *cast) string {
		c.candidate.setField("Link", join("</orders?customer_id=", c.order.customer, "&page=9>; rel=\"last\", </orders?customer_id=", c.order.customer, "&page=2>; rel=\"next\""))
		return somewhere
	}),
	harmless("headers of servers and proxies", orders, func(c *cast) string {
		c.bothFields("Server", "nginx/1.26", "caddy")
		c.bothFields("Via", "1.1 a", "1.1 b")
		c.candidate.setField("X-Runtime", random{"123456789", 6})
		return somewhere
	}),
	harmless("our marks echoed", single, func(c *cast) string {
		_, f := c.docs()
		f.set("idempotency_key", echo{"Idempotency-Key"})
		c.candidate.setField("Understudy-Run", echo{"Understudy-Run"})
		return somewhere
	}),
	harmless("names in sentences", orders, func(c *cast) string {
		c.both("note", join("Please pack order ", c.order.e, "; see (", c.order.items[0].e, ")."))
		return somewhere
	}),
	harmless("names in links", orders, func(c *cast) string {
		c.both("href", join("http://", authority{}, "/orders/", c.order.e, "/items/", c.order.items[0].e, "?customer_id=", c.order.customer))
		return somewhere
	}),
	harmless("names in headers", single, func(c *cast) string {
		c.bothFields("X-Order-Id", ref{c.order.e}, ref{c.order.e})
		c.bothFields("Content-Location", join("/orders/", c.order.e), join("/orders/", c.order.e))
		return somewhere
	}),
	harmless("names as texts in a list", orders, func(c *cast) string {
		l := &arr{}
		for _, i := range c.order.items {
			l.elements = append(l.elements, ref{i.e})
		}
		c.both("item_ids", l)
		return somewhere
	}),
	harmless("names in nested JSON", single, func(c *cast) string {
		c.both("meta", inside{"json", of("order_id", c.order.e, "qty", number("3"))})
		return somewhere
	}),
	harmless("names in base64", single, func(c *cast) string {
		c.both("receipt", inside{"base64", of("order_id", c.order.e, "total", number("3"))})
		return somewhere
	}),
	harmless("names in those of files", orders, func(c *cast) string {
		c.both("file", join("/files/order-", c.order.e, ".pdf"))
		return somewhere
	}),
	harmless("names in global ids", orders, func(c *cast) string {
		c.both("global", inside{"code", join("Order:", c.order.e)})
		return somewhere
	}),
	harmless("other words for a kind", orders, func(c *cast) string { c.both("order_number", ref{c.order.e}); return somewhere }),
	harmless("spelling of a file's name in a field", single, func(c *cast) string {
		return c.bothFields("Content-Disposition", join("attachment; filename=order-", c.order.e, ".pdf"), join("Attachment;filename=\"order-", c.order.e, ".pdf\""))
	}),
	harmless("spelling of a policy", orders, func(c *cast) string {
		c.bothFields("Strict-Transport-Security", "max-age=31536000; includeSubDomains", "includesubdomains;max-age=\"31536000\"")
		return c.bothFields("Www-Authenticate", `Bearer realm="shop", scope="a"`, `bearer scope=a, realm=shop`)
	}),
	harmless("form of a time in HTTP", single, func(c *cast) string {
		return c.bothFields("Last-Modified", when{at: c.order.updated, layout: httpDate}, when{at: c.order.updated, layout: "Monday, 02-Jan-06 15:04:05 GMT"})
	}),
	unproven("token signed by another key", single, func(c *cast) string { c.both("badge", c.jwt(c.order.customer, "clerk")); return somewhere }),
	unproven("random token", orders, func(c *cast) string { c.both("upload_token", random{base62, 40}); return somewhere }),
	unproven("random in hexadecimal", orders, func(c *cast) string { c.both("nonce", random{hexDigits, 32}); return somewhere }),
	unproven("opaque cursor", []carrier{onList}, func(c *cast) string {
		for _, a := range []*answer{c.baseline, c.candidate} {
			a.body.(*obj).set("next_cursor", random{base62, 48})
		}
		return somewhere
	}),
	unproven("value of a cookie", single, func(c *cast) string {
		v := join("seen=", random{base62, 24}, "; Path=/; HttpOnly")
		c.bothFields("Set-Cookie", v, v)
		return somewhere
	}),
	unproven("list of things of others, and one of them", []carrier{onOthers}, func(*cast) string { return somewhere }),
	unproven("things of others", orders, func(c *cast) string { c.both("approved_by_customer_id", c.stranger("customer")); return somewhere }),
	harmless("expiry of a cookie", single, func(c *cast) string {
		v := join("seen=1; Path=/; Expires=", when{plus: 24 * time.Hour, layout: httpDate})
		c.bothFields("Set-Cookie", v, v)
		return somewhere
	}),
	harmless("cookie attributes in another order", single, func(c *cast) string {
		c.bothFields("Set-Cookie", "seen=1; Path=/; HttpOnly; Secure", "seen=1; secure; httponly; path=/")
		return somewhere
	}),
	harmless("time of the answer", orders, func(c *cast) string { c.both("served_at", when{layout: millis}); return somewhere }),
	harmless("time in seconds", orders, func(c *cast) string { c.both("served_at", when{layout: "unix"}); return somewhere }),
	harmless("time in milliseconds", orders, func(c *cast) string { c.both("served_at", when{layout: "ms"}); return somewhere }),
	harmless("time with an offset", orders, func(c *cast) string { c.both("served_at", when{layout: millis, zone: 3600}); return somewhere }),
	harmless("time as in HTTP", single, func(c *cast) string {
		v := when{at: c.order.updated, layout: httpDate}
		c.bothFields("Last-Modified", v, v)
		return somewhere
	}),
	harmless("fraction without zeros at its end", orders, func(c *cast) string {
		c.both("served_at", when{layout: "2006-01-02T15:04:05.999999999Z07:00"})
		return somewhere
	}),
	harmless("day of the answer", orders, func(c *cast) string { c.both("printed_on", when{layout: time.DateOnly}); return somewhere }),
	harmless("end of an hour from now", orders, func(c *cast) string { c.both("expires_at", when{plus: time.Hour, layout: millis}); return somewhere }),
	harmless("time stored a moment later", []carrier{onCreate}, func(c *cast) string {
		c.both("indexed_at", when{plus: time.Duration(1+c.r.IntN(40)) * time.Millisecond, layout: millis})
		return somewhere
	}),
	harmless("equal checksum", orders, func(c *cast) string { c.both("checksum", digest{of("due", c.order.due)}); return somewhere }),
	harmless("error that names the request", []carrier{onMissing}, func(c *cast) string { c.both("path", "/orders"); return somewhere }),
	harmless("answered later, by poll", []carrier{onShip}, func(c *cast) string { return somewhere }),
	harmless("answered later, by callback", []carrier{onDispatch}, func(c *cast) string { return somewhere }),
	harmless("new names by an action", action, func(c *cast) string { return somewhere }),
	harmless("CSV", exported, inFormat("text/csv", "csv")),
	harmless("XML", exported, inFormat("application/xml", "xml")),
	harmless("XML, indented", exported, func(c *cast) string {
		c.as("application/xml", "xml")
		c.candidate.style.indent = true
		return somewhere
	}),
	harmless("NDJSON", exported, inFormat("application/x-ndjson", "ndjson")),
	harmless("events", exported, inFormat("text/event-stream", "sse")),
	harmless("form", exported, inFormat("application/x-www-form-urlencoded", "form")),
	harmless("text", exported, inFormat("text/plain", "text")),
	harmless("ends of lines of a text", exported, func(c *cast) string {
		c.as("text/plain", "text")
		c.candidate.form = "crlf"
		return somewhere
	}),
	harmless("multipart with another boundary", exported, func(c *cast) string {
		c.as("multipart/mixed; boundary=b1", "multipart")
		c.candidate.media = "multipart/mixed; boundary=other"
		return somewhere
	}),
	harmless("trailers in another order", exported, func(c *cast) string {
		for _, a := range []*answer{c.baseline, c.candidate} {
			a.media, a.form, a.body, a.sized = "application/grpc", "raw", text("\x00\x00\x00\x00\x03abc"), false
			a.trailers = []header{{"Grpc-Status", text("0")}, {"Grpc-Message", text("OK")}}
		}
		slices.Reverse(c.candidate.trailers)
		return somewhere
	}),
	{name: "equal beyond what is kept", class: noises, rare: true, on: exported, put: func(c *cast) string {
		for _, a := range []*answer{c.baseline, c.candidate} {
			a.body = of("blob", strings.Repeat("0123456789", keep/10+20))
		}
		return somewhere
	}},
	{name: "10,000 times", class: noises, rare: true, on: exported, put: func(c *cast) string {
		for _, a := range []*answer{c.baseline, c.candidate} {
			a.body = of("samples", tenThousand(), "state", "whole")
		}
		return somewhere
	}},
}

// echo is a field of the request as it was received.
type echo struct{ name string }

func (n echo) render(x *rendering) any {
	if x.request == nil {
		return ""
	}
	return x.request.Get(n.name)
}

// renamedBefore: the session's customer was there before the recording, under
// another name in the candidate.
var renamedBefore = unproven("customer renamed before the recording", nil, nil)

// overtakes: an operation is done before an earlier one of its session, which
// is late.
var overtakes = outcome("completed before an earlier one, which is late", "out_of_order", nil, nil)

// allKinds are all kinds of difference and of noise.
var allKinds = slices.Concat(outcomeKinds, []*kind{overtakes}, structureKinds, valueKinds, noiseKinds, []*kind{renamedBefore})
