package accuracy

import (
	"strings"

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
	structure("number of a thing as text", anyOrder, func(c *cast) string {
		if !c.w.candidate.mints["order"].scheme.number || c.on == onCreate && !c.w.baseline.mints["order"].scheme.number {
			return "" // it has not shown that it has numbers
		}
		return c.change("id", join("", c.order.e))
	}),
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
