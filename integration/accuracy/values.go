package accuracy

import (
	"strconv"
	"strings"
	"time"
)

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
	kept("the baseline's name in base64", single, false, "receipt", func(order node) node { return inside{"base64", of("order_id", order, "total", number("3"))} }),
	kept("the baseline's name in nested JSON", single, false, "meta", func(order node) node { return inside{"json", of("order_id", order, "qty", number("3"))} }),
	kept("the baseline's name in a token", single, false, "badge", func(order node) node { return inside{"jwt", of("order_id", order, "role", "clerk")} }),
	kept("the baseline's name in that of a file", single, true, "file", func(order node) node { return cat{[]node{text("/files/order-"), order, text(".pdf")}} }),
	kept("the baseline's name in a global id", single, true, "global", func(order node) node { return inside{"code", cat{[]node{text("Order:"), order}}} }),
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
		if c.start.Sub(c.order.at) < time.Duration(c.w.speed*float64(200*time.Millisecond)) || c.w.layout == "2006-01-02T15:04:05Z07:00" {
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

// kept is a member in which the candidate writes the baseline's name of the order,
// as the baseline does. glued: what stands there says nothing of it, so that it is
// seen only if it is no name by chance.
func kept(name string, on []carrier, glued bool, key string, of func(order node) node) *kind {
	return worth(name, on, func(c *cast) string {
		w, e := c.w, c.order.e
		if e.name != "" || glued && !w.baseline.mints["order"].scheme.unguessable {
			return ""
		}
		c.vanished = func() bool { return w.baseline.name(e, w.now).text == w.candidate.name(e, w.now).text }
		return c.differ(key, of(ref{e}), of(alias{w.baseline, e}))
	})
}

// alias is another system's name of a thing.
type alias struct {
	of *side
	e  *entity
}

func (n alias) render(x *rendering) any { return n.of.name(n.e, x.now).json() }
