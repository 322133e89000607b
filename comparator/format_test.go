package comparator_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// typed is an answer of a media type.
func typed(kind, body string, headers ...string) *understudyv1.Response {
	r := response(200, body, headers...)
	r.Headers[0].Value = []byte(kind)
	return r
}

// inBodies are the differences of the bodies, with their locations.
func inBodies(c comparator.Comparison) []string {
	out := []string{}
	for _, d := range c.Differences {
		if d.Place != comparator.InBody {
			continue
		}
		s := string(d.Kind) + " " + d.Path + " at " + d.Location + ": " + d.Baseline + "|" + d.Candidate
		if d.Noise != "" {
			s += " (" + d.Noise + ")"
		}
		out = append(out, s)
	}
	return out
}

// TestFormats: the same comparison, rules and noise for every format. A body
// differs if one of its places counts.
func TestFormats(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{
		{Name: "build", Owner: "o", Reason: "r", Path: "$[].build", Action: "ignore"},
		{Name: "tax", Owner: "o", Reason: "r", Path: "$.order[].tax[]", Action: "tolerance", Tolerance: "0.01"},
		{Name: "rows", Owner: "o", Reason: "r", Path: "$.rows[]", Action: "keyed", Key: "sku"},
	}
	j, err := comparator.NewJudge(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		if diff := cmp.Diff(append([]string{}, want...), inBodies(j.Judge(immediate(baseline, candidate)))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", baseline.Headers[0].Value, diff)
		}
	}
	same := func(kind, a, b string, want ...string) {
		t.Helper()
		f(typed(kind, a), typed(kind, b), want...)
	}
	const before, after = "2026-11-24T10:00:00.100Z", "2026-11-24T10:10:00.300Z" // each just after its own request
	const mark = "\ufeff"

	// A byte order mark on one side, on both with members in another order.
	same("application/json", `{"colour":"red","left":3}`, mark+`{"colour":"red","left":3}`, "value $ at $: utf-8|utf-8 with a byte order mark (default:charset)")
	same("application/json", mark+`{"colour":"red","left":3}`, mark+`{"left":3,"colour":"red"}`)
	same("application/json", mark+`{"left":3}`, mark+`{"left":4}`, "value $.left at $.left: 3|4")

	// Lines and events of JSON have times and rules as JSON has.
	same("application/x-ndjson", `{"sent_at":"`+before+`","seq":1,"build":7}`+"\n", `{"seq":1,"build":8,"sent_at":"`+after+`"}`+"\n",
		"value $[].sent_at at line 1: $.sent_at: "+before+"|"+after+" (timestamp)", "value $[].build at line 1: $.build: 7|8 (rule:build)")
	same("application/x-ndjson", "{\"seq\":1}\n\n{\"seq\":2}\n", "{\"seq\":1}\n\n{\"seq\":3}\n", "value $[].seq at line 3: $.seq: 2|3")
	same("text/event-stream", `data: {"seq":1,"at":"`+before+`"}`+"\n\n", ": ping\n\n"+`data: {"at":"`+after+`","seq":1}`+"\n\n",
		"value $[].data.at at event 1 data: $.at: "+before+"|"+after+" (timestamp)", "value $ at $: |: ping (default:comments)")
	same("text/event-stream", "event: done\ndata: 1\n\n", "event: failed\ndata: 1\n\n", "value $[].event at event 1 event: done|failed")

	same("application/xml", "<order><tax>1.00</tax></order>", "<order>\n<tax>1.01</tax></order>", "value $.order[].tax[] at /order/tax/text(): 1.00|1.01 (rule:tax)",
		`value $ at $: |order[0] "\n" (default:indentation)`)
	same("application/xml", "<order><tax>1.00</tax></order>", "<order><tax>1.02</tax></order>", "value $.order[].tax[] at /order/tax/text(): 1.00|1.02")
	same("application/xml", "<order><a/></order>", "<order><a/><b/></order>", `extra $.order[] at /order/b: |{"b":[{}]}`)
	same("text/csv", "sku,left\na,1\nb,2\n", "sku,left\nb,2\na,3\n", "value $.rows[].left at row 1 column left: 1|3")
	same("text/html", `<a href="/orders/71">mine</a>`, `<a href="/orders/72">yours</a>`,
		`value $.html[].body[].a[]["@href"] at /html/body/a/@href: /orders/71|/orders/72`, "value $.html[].body[].a[] at /html/body/a/text(): mine|yours")
	f(typed("multipart/form-data; boundary=one", "--one\r\nContent-Disposition: form-data; name=left\r\n\r\n3\r\n--one--\r\n"),
		typed("multipart/form-data; boundary=two", "--two\r\nContent-Disposition: form-data; name=left\r\n\r\n4\r\n--two--\r\n"),
		`value $.left[].body[] at part "left": line 1: 3|4`)

	// The same text in two charsets, the same bytes in two charsets.
	f(typed("text/plain; charset=ISO-8859-1", "d\xe9j\xe0 vu"), typed("text/plain; charset=utf-8", "déjà vu"), "value $ at $: windows-1252|utf-8 (default:charset)")
	f(typed("text/plain; charset=ISO-8859-1", "\xa4 5"), typed("text/plain; charset=ISO-8859-15", "\xa4 5"),
		"value $[] at line 1: ¤ 5|€ 5", "value $ at $: windows-1252|iso-8859-15 (default:charset)")
	f(typed("text/plain; charset=of-no-one", "é"), typed("text/plain; charset=utf-8", "é"), "value $ at $: charset of-no-one|")

	same("text/plain", "a \nb", "a\nb\n", `value $ at $: line 1 ends in " \n", the text ends in ""|the text ends in "\n" (default:trailing-blanks)`)
	same("text/javascript", "a \nb\n", "a\nb\n", `value $ at $: line 1 ends in " \n", the text ends in "\n"|the text ends in "\n"`)
	same("text/plain", "a", " a", "value $[] at line 1: a| a")

	// Another format, and bodies that are not what they are called.
	f(typed("application/json", `{"a":1}`), typed("text/html", `<p>Sorry`), `type $ at $: json: {"a":1}|html: <p>Sorry`)
	same("text/plain", `{"a":1}`, `none`, `type $ at $: json: {"a":1}|text: none`)
	same("application/json", `{"a":1}`, `{"a":`, `unparsable $ at $: {"a":1}|not JSON: unexpected end at offset 5`)
	same("application/json", `{"a":`, `{"b":`, `value $[] at line 1: {"a":|{"b":`)
	same("application/xml", "<a>", "<a/>", "unparsable $ at $: not xml: unexpected EOF in line 1 at offset 3|<a/>")
	same("application/xml", "<a>&x;</a> ", "<a>&x;</a>", `value $ at $: the text ends in " "|the text ends in "" (default:trailing-blanks)`)

	// What is beyond a limit is not called equal.
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	same("application/json", deep, deep+" ", "truncated $ at $: beyond a limit: nested too deeply at offset 512|beyond a limit: nested too deeply at offset 512 (incomparable)")
	same("application/xml", strings.Repeat("<a>", 300), "<a/>", "truncated $ at $: beyond a limit: more than 250 elements in each other| (incomparable)")
}

// TestOtherLengthsAreProof: a long answer where the baseline sent a short one
// differs, though it was cut or is not unpacked.
func TestOtherLengthsAreProof(t *testing.T) {
	cut := func(length int64, coding string, whole bool) *understudyv1.Response {
		r := typed("application/json", `{"a":`)
		if coding != "" {
			r = typed("application/json", `{"a":`, "Content-Encoding: "+coding)
		}
		r.Body.Truncated, r.Body.Length = true, length
		if whole {
			r.Body.Sha256 = []byte("some hash")
		}
		return r
	}
	short := typed("application/json", `{"status":"ready","total":12,"unit":"m"}`)
	f := func(baseline, candidate *understudyv1.Response, want ...string) {
		t.Helper()
		got := inBodies(judgement(t, immediate(baseline, candidate)))
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		body := func(d comparator.Difference) bool { return d.Place == comparator.InBody && d.Counts() }
		if counts := len(want) > 0 && !strings.HasSuffix(want[0], ")"); counts != slices.ContainsFunc(judgement(t, immediate(baseline, candidate)).Differences, body) {
			t.Errorf("counts: %v", !counts)
		}
	}
	f(short, cut(100<<20, "", true), "truncated $ at $: 40 of 40 bytes kept|5 of 104857600 bytes kept")
	f(cut(100<<20, "", true), short, "truncated $ at $: 5 of 104857600 bytes kept|40 of 40 bytes kept")
	f(short, cut(100<<20, "gzip", true), "truncated $ at $: 40 of 40 bytes kept|5 of 104857600 bytes kept")
	f(short, cut(100<<20, "", false), "truncated $ at $: 40 of 40 bytes kept|5 of 104857600 bytes kept")
	f(short, cut(20, "", false), "truncated $ at $: 40 of 40 bytes kept|5 of 20 bytes kept (incomparable)") // it broke off
	odd := typed("application/json", "uryyb", "Content-Encoding: rot13")
	f(odd, response(200, ""), `missing $ at $: unknown content coding "rot13"|`)
	f(response(200, ""), odd, `extra $ at $: |unknown content coding "rot13"`)
	f(odd, short, `truncated $ at $: unknown content coding "rot13"|40 bytes (incomparable)`)
	f(short, cut(900, "gzip", true), "truncated $ at $: 40 of 40 bytes kept|5 of 900 bytes kept (incomparable)")
	f(cut(900, "gzip", true), cut(901, "gzip", true)) // one hash
	f(cut(900, "", true), cut(900, "gzip", true), "truncated $ at $: 5 of 900 bytes kept|5 of 900 bytes kept (incomparable)")
}

func TestDescriptorSet(t *testing.T) {
	cfg := comparator.DefaultConfig()
	cfg.DescriptorSet = filepath.Join(t.TempDir(), "none")
	if _, err := comparator.NewJudge(cfg); err == nil || !strings.HasPrefix(err.Error(), "descriptor_set: ") {
		t.Errorf("no file: %v", err)
	}
	text := descriptorpb.FieldDescriptorProto_TYPE_STRING
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("shop.proto"), Package: proto.String("shop"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Order"), Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("note"), Number: proto.Int32(1), Type: &text},
		}}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Orders"), Method: []*descriptorpb.MethodDescriptorProto{
			{Name: proto.String("Get"), InputType: proto.String(".shop.Order"), OutputType: proto.String(".shop.Order")},
		}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.DescriptorSet, set, 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := comparator.NewJudge(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := immediate(typed("application/grpc", "\x00\x00\x00\x00\x03\x0a\x01a"), typed("application/grpc", "\x00\x00\x00\x00\x03\x0a\x01b"))
	r.Exchange.Request.Target = []byte("/shop.Orders/Get")
	if diff := cmp.Diff([]string{"value $[].note at message 1: $.note: a|b"}, inBodies(known.Judge(r))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := inBodies(judgement(t, r)); len(got) != 1 || !strings.HasPrefix(got[0], "body $[] at message 1: 3 bytes, sha256 ") {
		t.Errorf("without descriptors: %q", got)
	}
}
