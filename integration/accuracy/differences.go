package accuracy

import (
	"strconv"
	"strings"
	"time"

	"understudy.dev/comparator"
)

var (
	single   = []carrier{onSingle}
	orders   = []carrier{onSingle, onList}
	anyOrder = []carrier{onSingle, onList, onCreate}
	action   = []carrier{onAction}
	exported = []carrier{onExport}
)

func outcome(name string, v comparator.Verdict, on []carrier, put func(c *cast) string) *kind {
	return &kind{name: name, class: outcomes, verdict: v, on: on, put: put}
}

func structure(name string, on []carrier, put func(c *cast) string) *kind {
	return &kind{name: name, class: structures, on: on, put: put}
}

func worth(name string, on []carrier, put func(c *cast) string) *kind {
	return &kind{name: name, class: values, on: on, put: put}
}

// refuse makes the candidate refuse.
func refuse(status int) func(c *cast) string {
	return func(c *cast) string {
		c.candidate = answerOf(status, of("error", "refused", "message", "It cannot be done."))
		return "status"
	}
}

func ending(how string) func(c *cast) string {
	return func(c *cast) string {
		c.ending = how
		return "completion"
	}
}

// outcomeKinds are differences in what became of a request.
var outcomeKinds = []*kind{
	outcome("another status of success", "mismatch", single, func(c *cast) string { c.candidate.status = 203; return "status" }),
	outcome("another status of error", "mismatch", []carrier{onMissing}, func(c *cast) string { c.candidate.status = 410; return "status" }),
	outcome("refused as invalid (422)", "rejected", action, refuse(422)),
	outcome("refused as a conflict (409)", "rejected", action, refuse(409)),
	outcome("failed (500)", "rejected", action, refuse(500)),
	outcome("accepted what the baseline refused", "rejected", action, func(c *cast) string {
		c.baseline = answerOf(422, of("error", "limit", "message", "The amount is too high."))
		return "status"
	}),
	outcome("accepted what is not there", "rejected", []carrier{onMissing}, func(c *cast) string {
		c.candidate = answerOf(200, of("id", c.stranger("order")))
		return "status"
	}),
	outcome("connection broken off", "error", action, ending(broken)),
	outcome("accepted and never completed", "lost", []carrier{onShip}, ending(lost)),
	outcome("completed after the deadline", "late", []carrier{onShip}, ending(late)),
	outcome("operation failed", "rejected", []carrier{onShip}, ending(failed)),
	outcome("completed twice", "duplicate", []carrier{onDispatch}, ending(calledTwice)),
	outcome("completed twice, otherwise each time", "contradictory", []carrier{onDispatch}, ending(contradictory)),
	outcome("gRPC status in trailers", "rejected", exported, func(c *cast) string {
		for i, a := range []*answer{c.baseline, c.candidate} {
			a.media, a.form, a.body, a.sized = "application/grpc", "raw", text("\x00\x00\x00\x00\x03abc"), false
			a.trailers = []header{{"Grpc-Status", text([]string{"0", "13"}[i])}}
		}
		return "status"
	}),
	outcome("create refused, others depend on it", "rejected", []carrier{onDoomed}, refuse(503)),
	{name: "needs a name that the candidate never made", class: unsent, verdict: "skipped", on: []carrier{onOrphan}, put: func(*cast) string { return "skipped" }},
}

// list of the candidate's whole list.
func (c *cast) list(a *answer) *arr { return a.body.(*obj).get("orders").(*arr) }

// structureKinds are differences in what there is.
var structureKinds = []*kind{
	structure("member missing", anyOrder, func(c *cast) string { _, f := c.docs(); f.remove("currency"); return c.path + ".currency" }),
	structure("nested member missing", anyOrder, func(c *cast) string {
		_, f := c.docs()
		f.get("billing").(*obj).remove("email")
		return c.path + ".billing.email"
	}),
	structure("member more", anyOrder, func(c *cast) string { return c.change("debug", "trace on") }),
	structure("member null instead of a value", anyOrder, func(c *cast) string { return c.change("city", nil) }),
	structure("number as text", anyOrder, func(c *cast) string { return c.change("vat", "19") }),
	structure("flag as number", anyOrder, func(c *cast) string { return c.change("gift", number("0")) }),
	structure("object instead of a list", orders, func(c *cast) string { return c.change("tags", of("0", "red")) }),
	structure("element missing", []carrier{onList}, func(c *cast) string {
		l := c.list(c.candidate)
		if len(l.elements) < 2 {
			return ""
		}
		l.elements = append(l.elements[:c.which:c.which], l.elements[c.which+1:]...)
		return "$.orders[]"
	}),
	structure("element twice", []carrier{onList}, func(c *cast) string {
		l := c.list(c.candidate)
		l.elements = append(l.elements, clone(l.elements[c.which]))
		return "$.orders[]"
	}),
	structure("element of somebody else", []carrier{onList}, func(c *cast) string {
		l := c.list(c.candidate)
		other := clone(l.elements[c.which]).(*obj)
		other.set("id", ref{c.stranger("order")})
		l.elements = append(l.elements, other)
		return "$.orders[]"
	}),
	structure("list empty", []carrier{onList}, func(c *cast) string { c.list(c.candidate).elements = nil; return "$.orders" }),
	structure("other order of a list", orders, func(c *cast) string {
		_, f := c.docs()
		tags := f.get("tags").(*arr).elements
		if textOf(tags[0].(lit).v) == textOf(tags[2].(lit).v) {
			return ""
		}
		f.set("tags", &arr{[]node{tags[2], tags[1], tags[0]}})
		return c.path + ".tags"
	}),
	structure("scalar more in a list", orders, func(c *cast) string {
		_, f := c.docs()
		tags := f.get("tags").(*arr)
		tags.elements = append(tags.elements, text("extra"))
		return c.path + ".tags"
	}),
	structure("entry of a map missing", orders, func(c *cast) string {
		_, f := c.docs()
		m := f.get("by_item").(*obj)
		m.members = m.members[1:]
		return c.path + ".by_item"
	}),
	structure("another media type", single, func(c *cast) string {
		c.candidate.media = "text/html"
		return "header:Content-Type"
	}),
	structure("no body", single, func(c *cast) string {
		c.candidate.body, c.candidate.form = text(""), "raw"
		return "$"
	}),
	structure("JSON cut in the middle", single, func(c *cast) string { c.candidate.behind = "\x00cut"; return "$" }),
	structure("something behind the JSON", single, func(c *cast) string { c.candidate.behind = "Warning: undefined index"; return "$" }),
	structure("ETag lost", single, func(c *cast) string { c.candidate.removeField("Etag"); return "header:etag" }),
	structure("Location lost", action, func(c *cast) string { c.candidate.removeField("Location"); return "header:location" }),
	structure("Vary lost", single, func(c *cast) string { c.candidate.removeField("Vary"); return "header:vary" }),
	structure("header more", single, func(c *cast) string { c.candidate.setField("Deprecation", "true"); return "header:deprecation" }),
	structure("method missing in Allow", []carrier{onMissing}, func(c *cast) string {
		return c.bothFields("Allow", "GET, HEAD, PUT, DELETE", "HEAD, GET, PUT")
	}),
	structure("relation missing in Link", []carrier{onList}, func(c *cast) string {
		c.candidate.setField("Link", join("</orders?customer_id=", c.order.customer, "&page=2>; rel=\"next\""))
		return "header:link"
	}),
	structure("cookie not set", single, func(c *cast) string {
		c.baseline.setField("Set-Cookie", "seen=1; Path=/")
		return "header:set-cookie"
	}),
	structure("cookie without Secure", single, func(c *cast) string {
		return c.bothFields("Set-Cookie", "seen=1; Path=/; Secure", "seen=1; Path=/")
	}),
	structure("CSV without a column", exported, func(c *cast) string {
		c.as("text/csv", "csv")
		for _, e := range c.candidate.body.(*arr).elements {
			e.(*obj).remove("qty")
		}
		return "$"
	}),
	structure("CSV without a row", exported, func(c *cast) string { c.as("text/csv", "csv"); return c.dropRow() }),
	structure("XML without an element", exported, func(c *cast) string {
		c.as("application/xml", "xml")
		c.row().remove("sku")
		return "$"
	}),
	structure("NDJSON without a line", exported, func(c *cast) string { c.as("application/x-ndjson", "ndjson"); return c.dropRow() }),
	structure("event missing in a stream", exported, func(c *cast) string { c.as("text/event-stream", "sse"); return c.dropRow() }),
	structure("part missing in multipart", exported, func(c *cast) string {
		c.as("multipart/mixed; boundary=b1", "multipart")
		return c.dropRow()
	}),
	{name: "another length beyond what is kept", class: structures, rare: true, on: exported, put: func(c *cast) string {
		for i, a := range []*answer{c.baseline, c.candidate} {
			a.body, a.form = of("blob", strings.Repeat("0123456789", keep/10+20+i)), "json"
		}
		return "$"
	}},
}

// as writes the rows of an export in another format.
func (c *cast) as(media, form string) {
	for _, a := range []*answer{c.baseline, c.candidate} {
		a.media, a.form = media, form
	}
}

// row is one row of the candidate's export.
func (c *cast) row() *obj {
	rows := c.candidate.body.(*arr).elements
	return rows[c.r.IntN(len(rows))].(*obj)
}

func (c *cast) dropRow() string {
	rows := c.candidate.body.(*arr)
	rows.elements = rows.elements[:len(rows.elements)-1]
	if len(rows.elements) == 0 {
		return "" // nothing is left to be of a format
	}
	return "$"
}

// valueKinds are differences in what is said.
var valueKinds = []*kind{
	worth("amount", anyOrder, func(c *cast) string { return c.change("amount", number("999.01")) }),
	worth("amount off by a cent", orders, func(c *cast) string { return c.differ("net", number("1234.56"), number("1234.57")) }),
	worth("digits beyond a double", orders, func(c *cast) string { return c.differ("units", number("9007199254740993"), number("9007199254740992")) }),
	worth("price in a list", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("items").(*arr).elements[0].(*obj).set("price", num("0.07"))
		return c.path + ".items[].price"
	}),
	worth("flag", anyOrder, func(c *cast) string { return c.change("gift", true) }),
	worth("word", anyOrder, func(c *cast) string { return c.change("city", "Berlin") }),
	worth("case of a word", orders, func(c *cast) string { return c.change("currency", "eur") }),
	worth("enumeration by number", anyOrder, func(c *cast) string {
		return c.change("status_id", number(strconv.Itoa(1+c.order.status%5)))
	}),
	worth("enumeration by word", orders, func(c *cast) string { return c.change("status", statuses[1+c.order.status%5]) }),
	worth("plan by key", orders, func(c *cast) string { return c.differ("plan_id", "pro-2024", "free-2024") }),
	worth("somebody else's customer", anyOrder, func(c *cast) string { return c.change("customer_id", c.stranger("customer")) }),
	worth("somebody else's order", orders, func(c *cast) string { return c.change("id", c.stranger("order")) }),
	worth("right in one place, wrong in the other", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("billing").(*obj).set("customer_id", ref{c.stranger("customer")})
		return c.path + ".billing.customer_id"
	}),
	worth("two names swapped", orders, func(c *cast) string {
		_, f := c.docs()
		items := f.get("items").(*arr).elements
		if len(items) < 2 {
			return ""
		}
		x, y := items[0].(*obj), items[1].(*obj)
		a, b := x.get("id"), y.get("id")
		x.set("id", b)
		y.set("id", a)
		return c.path + ".items[]"
	}),
	worth("nil instead of a name", orders, func(c *cast) string { return c.change("customer_id", "00000000-0000-0000-0000-000000000000") }),
	worth("zero instead of a name", orders, func(c *cast) string { return c.change("customer_id", number("0")) }),
	worth("the baseline's name instead of the candidate's", orders, func(c *cast) string {
		w, e := c.w, c.order.e
		c.vanished = func() bool { return w.baseline.name(e, w.now).text == w.candidate.name(e, w.now).text }
		return c.change("id", alias{w.baseline, e})
	}),
	worth("stale list", []carrier{onList}, func(c *cast) string {
		if !c.order.patched {
			return ""
		}
		c.change("status_id", number(strconv.Itoa(c.order.before)))
		c.change("status", statuses[c.order.before])
		return c.change("updated_at", when{at: c.order.created, layout: c.w.layout})[:len(c.path)] + ".status"
	}),
	worth("link to another thing", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("links").(*obj).set("self", join("/orders/", c.stranger("order")))
		return c.path + ".links.self"
	}),
	worth("link to another kind of thing", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("links").(*obj).set("self", join("/archive/", c.order.e))
		return c.path + ".links.self"
	}),
	worth("another name in a sentence", orders, func(c *cast) string {
		return c.change("summary", join("Order ", c.order.e, " of customer ", c.stranger("customer"), " has ", strconv.Itoa(len(c.order.items)), " items."))
	}),
	worth("another number in a sentence", orders, func(c *cast) string {
		return c.change("summary", join("Order ", c.order.e, " of customer ", c.order.customer, " has 77 items."))
	}),
	worth("key of a map names another thing", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("by_item").(*obj).members[0].name = ref{c.stranger("item")}
		return c.path + ".by_item"
	}),
	worth("value in a map keyed by names", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("by_item").(*obj).members[0].value = num("91")
		return c.path + ".by_item"
	}),
	worth("subject of a token", single, func(c *cast) string {
		return c.differ("badge", c.jwt(c.order.customer, "clerk"), c.jwt(c.stranger("customer"), "clerk"))
	}),
	worth("role in a token", single, func(c *cast) string {
		return c.differ("badge", c.jwt(c.order.customer, "clerk"), c.jwt(c.order.customer, "admin"))
	}),
	worth("total in base64", single, func(c *cast) string {
		return c.differ("receipt", inside{"base64", of("total", number("100"), "order_id", c.order.e)}, inside{"base64", of("total", number("999"), "order_id", c.order.e)})
	}),
	worth("quantity in nested JSON", single, func(c *cast) string {
		return c.differ("meta", inside{"json", of("qty", number("3"), "order_id", c.order.e)}, inside{"json", of("qty", number("4"), "order_id", c.order.e)})
	}),
	worth("checksum", orders, func(c *cast) string {
		return c.differ("checksum", digest{of("sum", c.order.iban, "due", c.order.due)}, digest{of("sum", c.order.iban, "due", "2026-02-30")})
	}),
	worth("IBAN", anyOrder, func(c *cast) string { return c.change("iban", ibans[2+c.r.IntN(2)]) }),
	worth("mail address", orders, func(c *cast) string { return c.differ("contact", c.s.mail, "root@example.org") }),
	worth("time moved by a minute", orders, func(c *cast) string {
		return c.change("created_at", when{at: c.order.created, plus: time.Minute, layout: c.w.layout})
	}),
	worth("time moved by a day", anyOrder, func(c *cast) string {
		return c.change("created_at", when{at: c.order.created, plus: -24 * time.Hour, layout: c.w.layout})
	}),
	worth("now instead of then", orders, func(c *cast) string {
		if c.start.Sub(c.order.at) < time.Duration(c.w.speed*float64(time.Second)) || c.w.layout == "2006-01-02T15:04:05Z07:00" {
			return "" // both may be the same second
		}
		return c.change("created_at", when{layout: c.w.layout})
	}),
	worth("an old time is now", orders, func(c *cast) string {
		_, f := c.docs()
		f.get("billing").(*obj).set("since", when{layout: millis})
		return c.path + ".billing.since"
	}),
	worth("time of another precision", orders, func(c *cast) string {
		return c.differ("seen_at", when{layout: millis}, when{layout: "2006-01-02T15:04:05Z07:00"})
	}),
	worth("time of another offset", orders, func(c *cast) string {
		return c.differ("seen_at", when{layout: millis}, when{layout: millis, zone: 7200})
	}),
	worth("time in another unit", orders, func(c *cast) string { return c.differ("seen_at", when{layout: "ms"}, when{layout: "unix"}) }),
	worth("expires in a day instead of an hour", orders, func(c *cast) string {
		return c.differ("expires_at", when{plus: time.Hour, layout: millis}, when{plus: 24 * time.Hour, layout: millis})
	}),
	worth("date", orders, func(c *cast) string { return c.change("due_on", "2026-01-01") }),
	worth("cookie cleared", single, func(c *cast) string {
		return c.bothFields("Set-Cookie", join("seen=", random{base62, 20}, "; Path=/"), "seen=; Path=/; Max-Age=0")
	}),
	worth("tenant in a header", single, func(c *cast) string { return c.bothFields("X-Tenant-Id", "t1", "t2") }),
	worth("max-age", single, func(c *cast) string {
		return c.bothFields("Cache-Control", "private, max-age=60", "private, max-age=6000")
	}),
	worth("target of a Location", action, func(c *cast) string {
		c.candidate.setField("Location", join("/payments/", c.stranger("payment")))
		return "header:location"
	}),
	worth("target of a Link", []carrier{onList}, func(c *cast) string {
		c.candidate.setField("Link", join("</orders?customer_id=", c.order.customer, "&page=2>; rel=\"next\", </orders?customer_id=", c.order.customer, "&page=12>; rel=\"last\""))
		return "header:link"
	}),
	worth("name of the wrong thing after an action", action, func(c *cast) string { return c.change("order_id", c.stranger("order")) }),
	worth("amount after an action", action, func(c *cast) string { return c.change("amount", number("0.01")) }),
	worth("carrier after an operation", []carrier{onShip}, func(c *cast) string { return c.change("carrier", "UPS") }),
	worth("weight after an operation", []carrier{onShip}, func(c *cast) string { return c.change("weight", number("32.0")) }),
	worth("depot in a callback", []carrier{onDispatch}, func(c *cast) string { return c.change("depot", "South") }),
	worth("text of an error", []carrier{onMissing}, func(c *cast) string { return c.change("error", "forbidden") }),
	worth("price in CSV", exported, func(c *cast) string { c.as("text/csv", "csv"); c.row().set("price", num("0.01")); return "$" }),
	worth("price in XML", exported, func(c *cast) string { c.as("application/xml", "xml"); c.row().set("price", num("0.01")); return "$" }),
	worth("price in NDJSON", exported, func(c *cast) string {
		c.as("application/x-ndjson", "ndjson")
		c.row().set("price", num("0.01"))
		return "$"
	}),
	worth("price in an event", exported, func(c *cast) string { c.as("text/event-stream", "sse"); c.row().set("price", num("0.01")); return "$" }),
	worth("price in a part", exported, func(c *cast) string {
		c.as("multipart/mixed; boundary=b1", "multipart")
		c.row().set("price", num("0.01"))
		return "$"
	}),
	worth("value in a form", exported, func(c *cast) string {
		c.as("application/x-www-form-urlencoded", "form")
		c.row().set("price", num("0.01"))
		return "$"
	}),
	worth("line of a text", exported, func(c *cast) string { c.as("text/plain", "text"); c.row().set("sku", text("SKU-999-void")); return "$" }),
	worth("wrong order in CSV", exported, func(c *cast) string {
		c.as("text/csv", "csv")
		c.row().set("order_id", ref{c.stranger("order")})
		return "$"
	}),
	worth("wrong order in XML", exported, func(c *cast) string {
		c.as("application/xml", "xml")
		c.row().set("order_id", ref{c.stranger("order")})
		return "$"
	}),
	worth("bytes of an image", exported, func(c *cast) string {
		for i, a := range []*answer{c.baseline, c.candidate} {
			a.media, a.form, a.body = "image/png", "raw", text("\x89PNG\r\n\x1a\n\x00\xff"+strings.Repeat("p", 200)+strconv.Itoa(i))
		}
		return "$"
	}),
	{name: "the last of 10,000 places", class: values, rare: true, on: exported, put: func(c *cast) string {
		for i, a := range []*answer{c.baseline, c.candidate} {
			a.body = of("samples", tenThousand(), "state", []string{"whole", "damaged"}[i])
		}
		return "$.state"
	}},
}

func tenThousand() *arr {
	out := &arr{elements: make([]node, 10_000)}
	for i := range out.elements {
		out.elements[i] = when{layout: "ms"}
	}
	return out
}

func (c *cast) jwt(subject *entity, role string) node {
	return inside{"jwt", of("sub", subject, "role", role, "iat", when{layout: "unix"}, "exp", when{plus: time.Hour, layout: "unix"})}
}

// alias is another system's name of a thing.
type alias struct {
	of *side
	e  *entity
}

func (n alias) render(x *rendering) any { return n.of.name(n.e, x.now).json() }
