package media_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator/diff"
	"understudy.dev/comparator/media"
)

// body is a Content-Type and what it is of.
type body struct{ kind, text string }

func open(t *testing.T, b body) media.Document {
	t.Helper()
	d, err := media.Open(b.kind, []byte(b.text), media.Options{})
	if err != nil {
		t.Fatalf("%s %q: %v", b.kind, b.text, err)
	}
	return d
}

// differences between two documents as "kind path at place".
func differences(t *testing.T, a, b media.Document) []string {
	t.Helper()
	if a.Format != b.Format {
		return []string{a.Format + " is not " + b.Format}
	}
	out := []string{}
	err := diff.JSON(a.JSON, b.JSON, diff.Options{}, func(d diff.Difference) bool {
		at := a
		if d.Kind == diff.Extra {
			at = b
		}
		out = append(out, fmt.Sprintf("%s %s at %s", d.Kind, d.Path(), at.Place(d.Location())))
		return true
	})
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, a.JSON, b.JSON)
	}
	return out
}

// asides are the rules under which two documents differ.
func asides(a, b media.Document) []string {
	out := []string{}
	for _, x := range slices.Concat(a.Aside, b.Aside) {
		if !slices.Contains(out, x.Rule) && (!slices.Contains(a.Aside, x) || !slices.Contains(b.Aside, x)) {
			out = append(out, x.Rule)
		}
	}
	slices.Sort(out)
	return out
}

const (
	formType  = "application/x-www-form-urlencoded"
	lineType  = "application/x-ndjson"
	eventType = "text/event-stream"
	boundary  = "multipart/form-data; boundary="
)

func multipart(boundary string, parts ...string) string {
	return "--" + boundary + "\r\n" + strings.Join(parts, "\r\n--"+boundary+"\r\n") + "\r\n--" + boundary + "--\r\n"
}

func field(name, value string) string {
	return "Content-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value
}

func frame(flags byte, message string) string {
	return string([]byte{flags, 0, 0, 0, byte(len(message))}) + message
}

// TestSameForAUser: bodies that are spelled otherwise, and the rules that say
// what is set aside of them.
func TestSameForAUser(t *testing.T) {
	f := func(kindA, a, kindB, b string, rules ...string) {
		t.Helper()
		x, y := open(t, body{kindA, a}), open(t, body{kindB, b})
		if diff := cmp.Diff([]string{}, differences(t, x, y)); diff != "" {
			t.Errorf("%q and %q (-want +got)\n%s\n%s\n%s", a, b, diff, x.JSON, y.JSON)
		}
		if diff := cmp.Diff(append([]string{}, rules...), asides(x, y)); diff != "" {
			t.Errorf("%q and %q: rules (-want +got)\n%s", a, b, diff)
		}
	}
	same := func(kind, a, b string, rules ...string) {
		t.Helper()
		f(kind, a, kind, b, rules...)
	}
	same("application/json", "\ufeff"+`{"a":1,"b":[]}`, "\ufeff"+`{"b":[],"a":1.0}`)
	same("application/problem+json", "\ufeff"+`{"a":"é"}`, `{"a":"\u00e9"}`, media.Charset)
	f("application/json; charset=ISO-8859-1", "{\"a\":\"\xe9\"}", "application/json", `{"a":"é"}`, media.Charset)
	f("application/json; charset=ISO-8859-1", `{"a":"é"}`, "application/json", `{"a":"é"}`) // UTF-8 whatever it says
	same("application/json", "\xff\xfe{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", `{"a":1}`, media.Charset)
	same("text/plain", `{"a":1,"b":2}`, " {\"b\":2,\n\"a\":1}")
	same("", `[1]`, `[1.0]`)

	same(lineType, "{\"n\":1,\"at\":\"x\"}\n{\"n\":2}\n", "{\"at\": \"x\", \"n\": 1}\r\n\r\n{\"n\":2.0}")
	f("application/jsonl", "1\n2\n", "application/x-ndjson", "\n1\n2")
	same("application/json-seq", "\x1e{\"a\":1}\n\x1e[2]\n", "\x1e {\"a\": 1}\n\x1e[2]")

	same(eventType, "data: {\"n\":1,\"m\":2}\n\n", "\ufeffevent: message\r\ndata:{\"m\":2,\r\ndata: \"n\":1.0}\r\n\r\n", media.Charset)
	same(eventType, ": ping\n\nid: 7\nevent: tick\ndata: x\n\n", "data: x\nevent: tick\nid: 7\r\r: ping\n: ping\n\n", media.Comments)
	same(eventType, "data:a\n\n", "data: a\n\nwhat: is that\n\n", media.Comments)

	same(formType, "a=1&b=two+words&a=2", "b=two%20words&a=1&&a=2")
	same(formType, "%61=%2B", "a=%2b")
	f(formType+"; charset=utf-8", "a=1", formType, "a=1&")

	part := field("a", "1")
	f(boundary+"x", multipart("x", part, field("b", "2")), boundary+"--yy", multipart("--yy", field("b", "2"), part))
	f(boundary+"x", multipart("x", "Content-Type: application/json\r\n"+field("a", `{"x":1,"y":2}`)),
		boundary+"y", "preamble\r\n"+multipart("y", "content-type: application/json\r\n"+field("a", `{"y":2.0, "x":1}`))+"epilogue")
	f(boundary+"x", multipart("x", "Content-Transfer-Encoding: base64\r\n"+field("a", "aGVsbG8=")),
		boundary+"x", multipart("x", "Content-Transfer-Encoding: quoted-printable\r\n"+field("a", "h=65llo")))
	f("multipart/mixed; boundary=x", multipart("x", "Content-Type: text/plain\r\n\r\na", "\r\n"),
		"multipart/mixed; boundary=y", multipart("y", "content-type: text/plain\r\n\r\na \n", "\r\n"), media.TrailingBlanks)

	same("application/xml", `<a x="1" y='2'/>`, "<?xml version=\"1.0\"?>\n<a\n y=\"2\" x=\"1\"></a>\n")
	same("text/xml", `<p:a xmlns:p="urn:x"><p:b>t</p:b></p:a>`, `<a xmlns="urn:x"><q:b xmlns:q="urn:x">t</q:b></a>`)
	same("application/soap+xml", `<a><b>1</b><c/></a>`, "<a>\n  <b>1</b>\n  <c>\n  </c>\n</a>", media.Indentation)
	same("application/xml", "<a>\n <b/>\n</a>", "<a>\n <b/>\n</a><!-- -->", media.Comments)
	const xhtml, html5 = "application/xhtml+xml", `<html xmlns="http://www.w3.org/1999/xhtml">`
	same(xhtml, "<p><b>do</b> <i>not</i></p>", "<p>\n<b>do</b>\n  <i>not</i> </p>")
	same(xhtml, html5+"<body><p>a</p><p>b</p></body></html>", html5+"\n<body> <p>a</p>\n\n<p>b</p> </body>\n</html>")
	same("application/xml", html5+"<p>a  b</p></html>", html5+"<p>a\nb</p></html>")
	same("image/svg+xml", "<svg><g> <text>do <tspan>not</tspan></text></g></svg>", "<svg><g> <text>\n do\n <tspan>not</tspan>\n</text></g></svg>")
	same("image/svg+xml", "<svg><g><path/></g></svg>", "<svg>\n<g>\n <path/>\n</g></svg>", media.Indentation)
	same("application/xml", `<a><![CDATA[x<y]]> &amp; z</a>`, `<a>x&lt;y &#38;<![CDATA[ z]]></a>`)
	same("application/xml", `<a>x<!-- one -->y</a>`, `<!DOCTYPE a><a>xy</a>`, media.Comments)
	same("application/xml", `<?style  s?><a>x<?p  i?></a>`, "<?xml version='1.0'?>\n<?style s?>\n<a>x<?p i ?></a>")
	same("application/xml", `<a xmlns:p="urn:x" t="p:T"><b>p:Server</b></a>`, `<a xmlns:q="urn:x" t="q:T"><b>q:Server</b></a>`)
	for _, blank := range []string{"\n", "\t", "\r\n", "\r"} {
		same("application/xml", "<a b='x"+blank+"y'>1</a>", `<a b="x y">1</a>`)
		same("application/xml", "<a"+blank+`b="x"`+blank+"/>", `<a b="x"/>`)
		same("application/xml", "<a><![CDATA[<i j=']]>"+blank+"'</a>", "<a>&lt;i j='"+blank+"'</a>")
	}
	same("application/xml", `<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>`, `<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>`)
	same("application/xml", "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "<a>é</a>", media.Charset)
	same("image/svg+xml", `<svg  a="1"/>`, `<svg a="1"></svg>`)

	same("text/html", "<!DOCTYPE html><ul><li class='a b'>x</li><li>y</ul>", "<!doctype html>\n<html><head></head><body>\n<ul>\n <li class=\"b  a\">\n x\n </li>\n <li>y</li>\n</ul>\n</body></html>\n")
	same("text/html", "<p title=x id=y>a <b>b</b> c<br>d</p>", "<p id='y' title='x'>\n a\n <b>b</b>\n c <br> d")
	same("text/html", "<table><tr><td>1</table>", "<table><tbody><tr><td>1</td></tr></tbody></table>")
	same("text/html", "<p>&eacute;&nbsp;<!-- x --></p>", "<p>é\u00a0</p>", media.Comments)
	same("text/html", "<meta charset=latin1><p>\xe9", "\ufeff<meta charset=latin1><p>é", media.Charset)

	same("text/csv", "id,name\r\n1,\"Ann\"\r\n", "id,name\n1,Ann")
	same("text/csv", "a;b\n\"1,5\";2\n", "\"a\";\"b\"\n1,5;2")
	f("text/csv;header=absent", "1,2\n", "text/csv; header=absent; charset=utf-8", "\"1\",2\n")
	same("text/tab-separated-values", "a\tb\n1\t2\"\n", "a\tb\r\n1\t2\"\r\n")
	same("text/csv", "a,b\n\n1,2\n\n", "a,b\n1,2\n")

	same("application/grpc+proto", frame(0, "\x08\x01"), frame(0, "\x08\x01"))
	f("application/grpc-web", frame(0, "abc"), "application/grpc-web-text", "AAAAAANhYmM=")

	same("text/plain", "a  \nb\r\n\n", "a\nb", media.TrailingBlanks)
	same("text/markdown", "a \nb   \nc  \n", "a\nb  \nc", media.TrailingBlanks)
	same("text/markdown", "a  \nb", "a  \nb")
	for _, kind := range []string{"text/javascript", "application/yaml", "text/x-python", "text/x-patch", "text/css"} {
		same(kind, "a: |+\n  x\n\n", "a: |+\n  x\n", "") // which counts
		same(kind, "a \n", "a\n", "")
		same(kind, "a\r\n", "a\n", "")
		same(kind, "a \nb\n", "a \nb\n")
	}
	same("application/octet-stream", "a\n", "a", "") // which counts
	f("text/plain; charset=ISO-8859-1", "caf\xe9\n", "text/plain; charset=utf-8", "café\n", media.Charset)
	f("text/plain; charset=utf-16", "\xfe\xff\x00a\x26\x3a", "text/plain", "a☺", media.Charset)
	f("text/plain; charset=shift_jis", "\x93\xfa\x96\x7b", "text/plain", "日本", media.Charset)
	same("image/png", "\x00\x01", "\x00\x01")
	f("text/plain; charset=of-no-one", "é", "text/plain", "é", "", media.Charset) // the first counts
}

// TestDiffers: bodies that are not the same, where they differ, and what a
// person is told about the place.
func TestDiffers(t *testing.T) {
	f := func(kindA, a, kindB, b string, want ...string) {
		t.Helper()
		x, y := open(t, body{kindA, a}), open(t, body{kindB, b})
		if diff := cmp.Diff(want, differences(t, x, y)); diff != "" {
			t.Errorf("%q and %q (-want +got)\n%s\n%s\n%s", a, b, diff, x.JSON, y.JSON)
		}
	}
	other := func(kind, a, b string, want ...string) {
		t.Helper()
		f(kind, a, kind, b, want...)
	}
	other("application/json", "\ufeff"+`{"a":1}`, `{"a":2}`, "value $.a at $.a")
	f("application/json", `{}`, "text/html", `{}`, "json is not html")
	other("text/plain", `{"a":1}`, `a: 1`, "json is not text")
	other("text/plain", "a", "\x00", "text is not binary")
	other("text/plain", "1\t2\t\n", "1\t2\n", "value $[] at line 1")
	other("text/plain", "1\t\n\t\n", "1\t\n", "missing $[] at line 2")
	other("text/markdown", "a  \nb", "a\nb", "value $[] at line 1")
	other("text/markdown", "a   \r\nb", "a \r\nb", "value $[] at line 1")

	other(lineType, "{\"at\":1}\n\n{\"at\":2}", "{\"at\":1}\n\n{\"at\":3}", "value $[].at at line 3: $.at")
	other(lineType, "1\n2", "1\n2\n3", "extra $[] at line 3")
	other(lineType, "1\n2", "2\n1", "order $ at $")
	other("application/json-seq", "\x1e1\n\x1e2\n", "\x1e1\n\x1e3\n", "value $[] at record 2")

	const sheet = `<?xml-stylesheet href="a.xsl"?>`
	other("application/xml", sheet+`<a>1</a>`, strings.ReplaceAll(sheet, "a.xsl", "b.xsl")+`<a>1</a>`, `value $.a[]["@?"] at /a/@?`)
	other("application/xml", sheet+`<a>1</a>`, `<a>1</a>`, `missing $.a[]["@?"] at /a/@?`)
	other("application/xml", `<a>1</a>`, `<a>1</a>`+sheet, `extra $.a[]["@?"] at /a/@?`)
	other("application/xml", `<a><?page 1?><b/></a>`, `<a><?page 2?><b/></a>`, `value $.a[]["?page"][] at /a/?page/text()`)

	other(eventType, "data: a\n\nevent: x\ndata: {\"n\":[1]}\n\n", "data: a\n\nevent: y\ndata: {\"n\":[2]}\n\n",
		"value $[].event at event 2 event", "value $[].data.n[] at event 2 data: $.n[0]")
	other(eventType, "data: a\n\n", "data: a\n", "extra $[].unfinished at event 1 unfinished")
	other(eventType, "data: a\n\ndata: b\n\n", "data: a\n\n", "missing $[] at event 2")
	other(eventType, "data: 1.0\n\n", "data: 1\n\n", "value $[].data at event 1 data")
	other(eventType, "id: 1\ndata: a\n\n", "data: a\n\n", "missing $[].id at event 1 id")

	other(formType, "a=1&a=2", "a=2&a=1", "order $.a at $.a")
	other(formType, "a=1&odd.name=2", "a=2", "value $.a[] at $.a[0]", `missing $["odd.name"] at $["odd.name"]`)
	other(formType, "a=%FF", "a=%FE", "value $.a[].bytes at $.a[0].bytes")

	f(boundary+"x", multipart("x", field("a", "1"), field("b", "2")), boundary+"y", multipart("y", field("a", "2")),
		`value $.a[].body[] at part "a": line 1`, `missing $.b at part "b"`)
	f(boundary+"x", multipart("x", "Content-Type: application/json\r\n"+field("f", `{"x":[1]}`)),
		boundary+"x", multipart("x", "Content-Type: application/json\r\n"+field("f", `{"x":[2]}`)),
		`value $.f[].body.x[] at part "f": $.x[0]`)
	f(boundary+"x", multipart("x", "Content-Type: application/json\r\n"+field("f", `{"x":1}`)),
		boundary+"x", multipart("x", "Content-Type: application/json\r\n"+field("f", `{"x":`)),
		`type $.f[].body at part "f"`)
	f(boundary+"x", multipart("x", "Content-Disposition: form-data; name=f; filename=a.png\r\nContent-Type: image/png\r\n\r\n\x00"),
		boundary+"x", multipart("x", "Content-Disposition: form-data; name=f; filename=b.png\r\nContent-Type: image/png\r\n\r\n\x01"),
		`value $.f[].filename at part "f": $.filename`, `value $.f[].body at part "f"`)
	f("multipart/byteranges; boundary=x", multipart("x", "Content-Range: bytes 0-1/9\r\n\r\na"),
		"multipart/byteranges; boundary=y", multipart("y", "Content-Range: bytes 1-2/9\r\n\r\na"),
		"value $[].content-range at part 1: $.content-range")

	f("multipart/mixed; boundary=x", multipart("x", "Content-Type: text/plain\r\n\r\na"), "multipart/mixed; boundary=x", multipart("x", "Content-Type: text/x-log\r\n\r\na"),
		"value $[].type at part 1: $.type")

	const order = `<order id="1"><item>a</item><item>b</item></order>`
	xml := func(a, b string, want ...string) { t.Helper(); other("application/xml", a, b, want...) }
	xml(`<a b="x&#10;y"/>`, "<a b='x\ny'/>", `value $.a[]["@b"] at /a/@b`)
	xml("<!-- it's <a b='x\ny'> --><a>x\ny</a>", "<!-- it's <a b='x\ny'> --><a>x y</a>", "value $.a[] at /a/text()")
	xml("<!DOCTYPE a [ <!ELEMENT a ANY> ]><a b='x\ty' c='1'/>", "<!DOCTYPE a [ <!ELEMENT a ANY> ]><a b='x y' c='2'/>", `value $.a[]["@c"] at /a/@c`)
	xml(order, strings.Replace(order, ">b<", ">c<", 1), "value $.order[].item[] at /order/item[2]/text()")
	xml(order, strings.Replace(order, `"1"`, `"2"`, 1), `value $.order[]["@id"] at /order/@id`)
	xml(order, strings.Replace(order, "</order>", "<total/></order>", 1), "extra $.order[] at /order/total")
	xml(`<a><b/><c/></a>`, `<a><c/><b/></a>`, "order $.a at /a")
	// A prefix in a value means a namespace, the innermost of that prefix.
	xml(`<a xmlns:p="urn:x" t="p:T"/>`, `<a xmlns:p="urn:y" t="p:T"/>`, `value $.a[]["@t"] at /a/@t`)
	xml(`<a xmlns:p="urn:x"><b xmlns:p="urn:y"/><c>p:S</c></a>`, `<a xmlns:p="urn:x"><b/><c xmlns:p="urn:y">p:S</c></a>`, `value $.a[].c[] at /a/c/text()`)
	xml(`<!DOCTYPE a [<!ATTLIST a c CDATA "EUR">]><a/>`, `<!DOCTYPE a [<!ATTLIST a c CDATA "USD">]><a/>`, `value $.a[]["@!DOCTYPE"] at /a/@!DOCTYPE`)
	xml(`<a xmlns="urn:x"/>`, `<a xmlns="urn:y"/>`, `value $.a[]["@xmlns"] at /a/@xmlns`)
	xml(`<a>x</a>`, `<a> x</a>`, "value $.a[] at /a/text()")
	xml(`<a> </a>`, `<a/>`, "missing $.a[] at /a/text()")
	xml(`<a>x <b/> y</a>`, `<a>x<b/> y</a>`, "value $.a[] at /a/text()")
	xml(`<a xml:space="preserve"> <b/></a>`, `<a xml:space="preserve"><b/></a>`, "missing $.a[] at /a/text()")
	// White space between two words in elements of their own parts them.
	xml("<para><emphasis>do</emphasis> <emphasis>not</emphasis></para>", "<para><emphasis>do</emphasis><emphasis>not</emphasis></para>", "missing $.para[] at /para/text()")
	xml(`<p xml:space="preserve"><g><b/>`+"\n"+`<b/></g></p>`, `<p xml:space="preserve"><g><b/><b/></g></p>`, "missing $.p[].g[] at /p/g/text()")
	const ofXHTML, ofSVG = ` xmlns="http://www.w3.org/1999/xhtml"`, ` xmlns="http://www.w3.org/2000/svg"`
	for _, space := range []string{" ", "\n", "\t"} {
		other("application/xhtml+xml", "<p><b>do</b>"+space+"<i>not</i></p>", "<p><b>do</b><i>not</i></p>", "missing $.p[] at /p/text()")
		xml("<p"+ofXHTML+"><b>do</b>"+space+"<i>not</i></p>", "<p"+ofXHTML+"><b>do</b><i>not</i></p>", "missing $.p[] at /p/text()")
		xml("<pre"+ofXHTML+"><b>do</b>"+space+"<i>not</i></pre>", "<pre"+ofXHTML+"><b>do</b><i>not</i></pre>", "missing $.pre[] at /pre/text()")
		other("image/svg+xml", "<text><tspan>do</tspan>"+space+"<tspan>not</tspan></text>", "<text><tspan>do</tspan><tspan>not</tspan></text>", "missing $.text[] at /text/text()")
		xml("<text"+ofSVG+"><a><tspan>do</tspan>"+space+"<tspan>not</tspan></a></text>", "<text"+ofSVG+"><a><tspan>do</tspan><tspan>not</tspan></a></text>", "missing $.text[].a[] at /text/a/text()")
	}
	other("application/xhtml+xml", "<pre>a\n\nb</pre>", "<pre>a\nb</pre>", "value $.pre[] at /pre/text()")

	html := func(a, b string, want ...string) { t.Helper(); other("text/html", a, b, want...) }
	html("<p>a</p><p>b</p>", "<p>a</p><p>c</p>", "value $.html[].body[].p[] at /html/body/p[2]/text()")
	html("<a href=/x>a</a>", "<a href=/y>a</a>", `value $.html[].body[].a[]["@href"] at /html/body/a/@href`)
	html("<!DOCTYPE html><p>a", "<p>a", "missing $.doctype at $.doctype")
	html("<p>a <b>b</b>", "<p>a<b>b</b>", "value $.html[].body[].p[] at /html/body/p/text()")
	html("<p><b>b</b> c", "<p><b>b</b>c", "value $.html[].body[].p[] at /html/body/p/text()")
	html("<pre>a\n b</pre>", "<pre>a b</pre>", "value $.html[].body[].pre[] at /html/body/pre/text()")
	html("<p>a<p>b", "<p>a<div>b", "missing $.html[].body[].p at /html/body/p[2]", "extra $.html[].body[].div at /html/body/div")

	const table = "id,price\n1,5\n2,6\n"
	csv := func(a, b string, want ...string) { t.Helper(); other("text/csv", a, b, want...) }
	csv(table, "id,price\n1,5\n2,7\n", "value $.rows[].price at row 2 column price")
	csv(table, "price,id\n5,1\n6,2\n", "order $.columns at $.columns")
	csv(table, "id,price\n1,5\n2,6,x\n", `extra $.rows[]["column 3"] at row 2 column 3`)
	csv(table, "id;price\n1;5\n2;6\n", "value $.delimiter at $.delimiter")
	csv(table, "id,price\n1,5\n", "missing $.rows[] at row 2")
	csv("id\n1\n\n2\n", "id\n1\n2\n", "missing $.rows[] at row 2")
	csv("id\n\"1\n\"\n2\n", "id\n\"1\n\"\n\n2\n", "extra $.rows[] at row 2")
	other("text/csv; header=absent", "1,2\n", "1,3\n", "value $.rows[][] at row 1 column 2")

	other("application/grpc", frame(0, "a")+frame(0, "b"), frame(0, "a")+frame(0, "c"), "value $[] at message 2")
	other("application/grpc", frame(0, "a"), frame(0, "a")+frame(0, "b"), "extra $[] at message 2")
	other("application/grpc", frame(0, "a"), frame(1, "a"), "value $[] at message 1")
	other("application/grpc-web", frame(0x80, "grpc-status: 0\r\n"), frame(0x80, "grpc-status:13\r\n"),
		"value $[].trailers.grpc-status at message 1: $.trailers.grpc-status")

	other("text/plain", "a\nb\nc", "a\nx\nb\nc", "extra $[] at line 2")
	other("text/plain", "a\n\nc", "a\nc", "missing $[] at line 2")
	other("text/plain", " a", "a", "value $[] at line 1")
	f("text/plain; charset=iso-8859-1", "\xe9", "text/plain; charset=iso-8859-5", "\xe9", "value $[] at line 1")
	other("image/png", "\x00", "\x01", "value $ at $")
	other("application/octet-stream", "\xff", "\xfe", "value $ at $")
}

func TestNotWhatTheTypeSays(t *testing.T) {
	f := func(kind, text, want string) {
		t.Helper()
		_, err := media.Open(kind, []byte(text), media.Options{})
		var syntax *media.SyntaxError
		if !errors.As(err, &syntax) || err.Error() != want {
			t.Errorf("%s %q: %v, want %s", kind, text, err, want)
		}
		if d, err := media.OpenPlain(kind, []byte(text), media.Options{}); err != nil || d.Format != media.Text && d.Format != media.Binary {
			t.Errorf("%s %q as text: %v %v", kind, text, d.Format, err)
		}
	}
	f(lineType, "1\n{\n", "not json lines: not JSON: expected a name at offset 1 of the value at offset 2")
	f(formType, "a=1&b=%zz", "not form: invalid escape in the field at offset 4")
	f("multipart/mixed", "x", "not multipart: the Content-Type has no boundary")
	f("multipart/mixed; boundary=x", "--x\r\n\r\na", "not multipart: unexpected EOF in a part")
	f("application/xml", "<a><b></a>", "not xml: element <b> closed by </a> in line 1 at offset 10")
	f("application/xml", "<a/><b/>", "not xml: a second root element at offset 8")
	f("application/xml", "  ", "not xml: no element at offset 2")
	f("application/xml", "<a>&no;</a>", "not xml: invalid character entity &no; in line 1 at offset 7")
	f("application/xml", `<a b="1" b="2"/>`, "not xml: an attribute twice at offset 16")
	f("text/csv", "a,b\n\"1,2\n", "not csv: extraneous or missing \" in quoted-field in line 2 at offset 9")
	f("application/grpc", "\x00\x00\x00\x00\x05a", "not grpc: a message is cut at offset 0")
	f("application/grpc", "\x04\x00\x00\x00\x00", "not grpc: unknown flags at offset 0")
	f("text/html; charset=utf-8", "<p>\xff", "not html: invalid UTF-8 at offset 3")
	f("application/json; charset=shift_jis", "{\"a\":\"\xff\"}", "not json: invalid shift_jis at offset 6")
}

// TestLimits: what is beyond a limit is not compared, and said to be.
func TestLimits(t *testing.T) {
	f := func(kind, text string, l media.Limits, want string) {
		t.Helper()
		_, err := media.Open(kind, []byte(text), media.Options{Limits: l})
		if !errors.Is(err, media.ErrLimit) || err.Error() != want {
			t.Errorf("%s %.40q: %v, want %s", kind, text, err, want)
		}
	}
	none := media.Limits{}
	f("text/plain", strings.Repeat("a\n", 10), media.Limits{Nodes: 9}, "beyond a limit: more than 9 values")
	f("text/plain", strings.Repeat("a", 100), media.Limits{Bytes: 99}, "beyond a limit: more than 99 bytes")
	f("text/plain; charset=latin1", strings.Repeat("\xe9", 60), media.Limits{Bytes: 99}, "beyond a limit: more than 99 bytes")
	f(formType, strings.Repeat("a&", 10), media.Limits{Nodes: 9}, "beyond a limit: more than 9 fields")
	f("application/xml", strings.Repeat("<a>", 300), none, "beyond a limit: more than 250 elements in each other")
	f("application/xml", "<a>"+strings.Repeat("<b/>", 10)+"</a>", media.Limits{Nodes: 9}, "beyond a limit: more than 9 nodes")
	f("text/html", strings.Repeat("<div>", 300), none, "beyond a limit: more than 250 elements in each other")
	f("text/html", strings.Repeat("<div>", 600), none, "beyond a limit: more than 250 elements in each other")
	f(lineType, strings.Repeat("[", 600)+strings.Repeat("]", 600), none, "beyond a limit: more than 512 levels of JSON")
	f("text/csv", strings.Repeat("a", 100)+"\n"+strings.Repeat("1\n", 100), media.Limits{Bytes: 1000}, "beyond a limit: more than 1000 bytes")
	f("multipart/mixed; boundary=x", multipart("x", slices.Repeat([]string{"\r\n"}, 5)...), media.Limits{Parts: 4}, "beyond a limit: more than 4 parts")
	nested := "a"
	for level := range 10 {
		nested = multipart(fmt.Sprint("level", level), fmt.Sprintf("Content-Type: multipart/mixed; boundary=level%d\r\n\r\n", level-1)+nested)
	}
	f("multipart/mixed; boundary=level9", nested, none, "beyond a limit: more than 8 multipart bodies in each other")

	// A long page of cells is nothing special.
	if _, err := media.Open("text/html", []byte("<table>"+strings.Repeat("<tr><td>a value</td><td>another value", 50_000)), media.Options{}); err != nil {
		t.Error(err)
	}
	closed := "<td>" + strings.Repeat("<b>", 100) + "</td>" + strings.Repeat("</b>", 100) + strings.Repeat("<p>x", 1000)
	if _, err := media.Open("text/html", []byte(closed), media.Options{Limits: media.Limits{Nodes: 20_000}}); err != nil {
		t.Error(err)
	}
	// A few bytes that the parser of HTML would make very much of.
	var bold strings.Builder
	for i := range 400 {
		fmt.Fprintf(&bold, "<b id=%d>", i)
	}
	f("text/html", "<div>"+bold.String()+"</div>"+strings.Repeat("<div>x</div>", 20_000), none, "beyond a limit: more than 1048576 elements")
	f("text/html", "<table><td>"+bold.String()+"</td></table>"+strings.Repeat("</b>", 400)+strings.Repeat("<p>x", 1000), media.Limits{Nodes: 1000}, "beyond a limit: more than 1000 elements")
	f("text/html", "<td>"+bold.String()+"</td>"+strings.Repeat("<p>x", 1000), media.Limits{Nodes: 2000}, "beyond a limit: more than 2000 elements")
	f("text/html", strings.Repeat("aaaa</x>", 100_000), none, "beyond a limit: more than 4294967296 bytes put together")
	f("text/html", "<table>"+strings.Repeat("aaaaa<input type=hidden>", 100_000), none, "beyond a limit: more than 4294967296 bytes put together")
	f("text/html", "<table><table></table>"+strings.Repeat("aaaaa<td>", 100_000), none, "beyond a limit: more than 4294967296 bytes put together")
	f("text/html", strings.Repeat("<body a>", 20_000), none, "beyond a limit: more than 4294967296 bytes put together")
}

func TestNames(t *testing.T) {
	f := func(kind, text, location, key, want string) {
		t.Helper()
		if got := open(t, body{kind, text}).Name(location, key); got != want {
			t.Errorf("%s: got %q, want %q", location, got, want)
		}
	}
	f("application/json", `{}`, "$.a", "a", "a")
	f("application/xml", `<a id="1"/>`, `$.a[0]["@id"]`, "@id", "id")
	f("application/xml", `<a><id>1</id></a>`, `$.a[1].id[1]`, "id", "id")
	f(boundary+"x", multipart("x", field("order_id", "1")), "$.order_id[0].body[0]", "body", "order_id")
	f(boundary+"x", multipart("x", field("order_id", "1")), "$.order_id[0].body.total", "total", "total")
}

func TestSameCharset(t *testing.T) {
	f := func(a, b string, want bool) {
		t.Helper()
		if got := media.SameCharset(a, b); got != want {
			t.Errorf("%q and %q: got %v", a, b, got)
		}
	}
	f("text/html", "text/html; charset=utf-8", false)
	f("text/html; charset=UTF-8", "text/plain;charset=\"utf-8\"", true)
	f("text/html", "", true)
}

// FuzzOpen: no input makes an opener panic, write what is no JSON or more than
// it may, or open otherwise the next time.
func FuzzOpen(f *testing.F) {
	seed := func(kind, text string) { f.Add(kind, []byte(text)) }
	for _, s := range []body{
		{"application/json", "\ufeff{}"}, {lineType, "{\"a\":1}\n[2]"}, {"application/json-seq", "\x1e1\n"},
		{eventType, ": c\nid: 1\nretry: 10\nevent: x\ndata: {\"a\":1}\n\ndata"},
		{formType, "a=1&b=%FF&a="}, {boundary + "x", multipart("x", field("a", "1"), "Content-Type: application/json\r\n\r\n{}")},
		{"multipart/mixed; boundary=x", multipart("x", "Content-Type: text/csv\r\n\r\na,b\n1,2", "\r\n")},
		{"application/xml", `<a xmlns="u" b="1">x<![CDATA[y]]><!-- c --><?p i?><c xml:space="preserve"> </c></a>`},
		{"text/html", "<!doctype html><table><b>a<td>b</table><p>c<pre> d</pre><svg xlink:href=x><select><td>"},
		{"text/csv", "a,b\n1,\"x\"\n2,3,4\n"}, {"text/csv; header=absent", "1;2\n"}, {"text/tab-separated-values", "a\tb\n"},
		{"application/grpc", frame(0, "abc") + frame(1, "d")}, {"application/grpc-web-text", "gAAAAAA="},
		{"text/plain; charset=utf-16", "\xff\xfea\x00"}, {"text/plain; charset=iso-2022-jp", "\x1b$B%"}, {"text/plain", "a \r\n\n"},
		{"", "[1]"}, {"image/png", "\x00"},
	} {
		seed(s.kind, s.text)
	}
	o := media.Options{Limits: media.Limits{Bytes: 1 << 16, Nodes: 1 << 10, Parts: 20, Depth: 50}}
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		before := string(b)
		for _, open := range []func(string, []byte, media.Options) (media.Document, error){media.Open, media.OpenPlain} {
			d, err := open(kind, b, o)
			again, errAgain := open(kind, b, o)
			if d.Format != again.Format || string(d.JSON) != string(again.JSON) || !slices.Equal(d.Aside, again.Aside) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
				t.Fatalf("opened again it is something else: %v %v", err, errAgain)
			}
			if err != nil {
				continue
			}
			if d.Format != media.JSON && (len(d.JSON) > o.Bytes || !utf8.Valid(d.JSON)) {
				t.Fatalf("%d bytes of a document", len(d.JSON))
			}
			if err := diff.Valid(d.JSON); err != nil && d.Format != media.JSON && !errors.Is(err, diff.ErrLimit) {
				t.Fatalf("%s: %v: %s", d.Format, err, d.JSON)
			}
			var a media.Aside
			for _, a = range d.Aside {
				if !utf8.ValidString(a.Text) {
					t.Fatalf("aside %q", a.Text)
				}
			}
			_ = diff.JSON([]byte("0"), d.JSON, diff.Options{}, func(x diff.Difference) bool {
				_, _ = d.Place(x.Location()), d.Name(x.Location(), x.Key())
				return true
			})
			for _, location := range []string{"$", "$[0]", "$[1].data.x", `$.a[0].body[0]`, `$.html[1].body[0]["@x"]`, "$.a[0]", "$[", `$["`, kind} {
				_, _ = d.Place(location), d.Name(location, "k")
			}
		}
		if string(b) != before {
			t.Fatal("opening changed the body")
		}
	})
}
