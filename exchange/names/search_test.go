package names_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"understudy.dev/exchange/names"
)

func TestSearch(t *testing.T) {
	const uuid, other, plain = "4f1c2d3e-1111-4222-8333-444455556666", "9f1c2d3e-1111-4222-8333-444455557777", "0f1c2d3e111142228333444455557777"
	const ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	pairs := pairsOf("order #1001=#2001", "order #17=#18", "file "+uuid+"=f-1", "doc "+plain+"=d-1", "ticket "+ulid+"=t-1", "note n-52=n-51", "customer cus_9a8b7c6d5e4f=c-1",
		"day 2026-11-26=x", "pet brave-yak-tan=calm-emu", "same a-1=a-1")
	pairs.Add(names.Pair{Kind: "code", Baseline: names.Value{Text: "MDEyMzQ1Njc4OTEy="}, Candidate: names.Value{Text: "z"}})
	s := names.NewSearch(pairs)
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		s.In(text, func(at names.Sighting) bool {
			found := at.Name + "@" + text[at.From:at.To] + "<" + text[at.Within:at.Until]
			if at.Alone() != (text[at.Within:at.Until] == at.Name) {
				found += "?"
			}
			if with := at.Spell(at.Name); with != text[at.From:at.To] {
				found += " spelled " + with
			}
			got = append(got, found)
			return true
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
	f("order 1001, 17.", "1001@1001<1001", "17@17<17")
	f(`{"a":1001,"b":"n-52"}`, "1001@1001<1001", "n-52@n-52<n-52")
	f("11001 1001a x17 b2b1001")
	f("INV1001 PO-INV1001.pdf", "1001@1001<INV1001", "1001@1001<PO-INV1001.pdf")
	f("1.17 17.50 10:17 2026-11-17 1001-1001 3,17", "17@17<17")
	f("inv-1001.pdf 0001001 order_17", "1001@1001<inv-1001.pdf", "1001@0001001<0001001", "17@17<order_17")
	f(uuid, uuid+"@"+uuid+"<"+uuid)
	f("inv_"+uuid+".tar.gz", uuid+"@"+uuid+"<inv_"+uuid+".tar.gz")
	f("x"+uuid+" "+other+" "+uuid+"0", uuid+"@"+uuid+"<x"+uuid, uuid+"@"+uuid+"<"+uuid+"0")
	f(`"\u6ce8`+uuid+`"`, uuid+"@"+uuid+"<u6ce8"+uuid) // as JSON escapes what is not ASCII
	f(strings.ToUpper(uuid), uuid+"@"+strings.ToUpper(uuid)+"<"+strings.ToUpper(uuid))
	bare := strings.ReplaceAll(uuid, "-", "")
	f("a-"+bare, uuid+"@"+bare+"<a-"+bare)
	f("0f1c2d3e-1111-4222-8333-444455557777", plain+"@0f1c2d3e-1111-4222-8333-444455557777<0f1c2d3e-1111-4222-8333-444455557777")
	f("/t/"+strings.ToLower(ulid), ulid+"@"+strings.ToLower(ulid)+"<"+strings.ToLower(ulid))
	f("green-52 n-520 N-52")
	f("cus_9a8b7c6d5e4f-1 CUS_9A8B7C6D5E4F", "cus_9a8b7c6d5e4f@cus_9a8b7c6d5e4f<cus_9a8b7c6d5e4f-1", "cus_9a8b7c6d5e4f@CUS_9A8B7C6D5E4F<CUS_9A8B7C6D5E4F")
	f("MDEyMzQ1Njc4OTEy=", "MDEyMzQ1Njc4OTEy=@MDEyMzQ1Njc4OTEy=<MDEyMzQ1Njc4OTEy=")
	f("see brave-yak-tan.png", "brave-yak-tan@brave-yak-tan<brave-yak-tan.png")
	f("a-1")
	f("")

	// Of names within each other the inner one is looked at if the outer one is not taken.
	in := names.NewSearch(pairsOf("file inv-n-52=x-1", "note n-52=n-51"))
	for _, taken := range []bool{true, false} {
		var got []string
		in.In("inv-n-52", func(at names.Sighting) bool { got = append(got, at.Name); return taken })
		if want := map[bool][]string{true: {"inv-n-52"}, false: {"inv-n-52", "n-52"}}[taken]; !slices.Equal(got, want) {
			t.Errorf("taken %t: %q", taken, got)
		}
	}
	if s := names.NewSearch(pairsOf("same a-1=a-1", "@time 2026-11-26T10:00:00Z=2026-11-27T10:00:00Z")); !s.Idle() {
		t.Error("there is nothing to look for")
	}
	long := names.SearchUnguessable(func(name string) bool { return name == uuid || name == "n-52" })
	var got []string
	long.In("n-52 "+uuid+".pdf", func(at names.Sighting) bool { got = append(got, at.Name); return true })
	if !slices.Equal(got, []string{uuid}) {
		t.Errorf("unguessable: %q", got)
	}
}

// TestSearchForOne: a name that is the only one, and so the shortest, is found in
// every form that it may have, also in a text that is nothing else.
func TestSearchForOne(t *testing.T) {
	const uuid, bare = "4f1c2d3e-1111-4222-8333-444455556666", "4f1c2d3e111142228333444455556666"
	f := func(name, text string) {
		t.Helper()
		var pairs names.Pairs
		pairs.Add(names.Pair{Kind: "file", Baseline: names.Value{Text: name}, Candidate: names.Value{Text: "z"}})
		found := ""
		names.NewSearch(&pairs).In(text, func(at names.Sighting) bool { found = at.Name; return true })
		if found != name {
			t.Errorf("%s in %s: %q", name, text, found)
		}
	}
	f("1001", "1001")
	f("1001", "INV1001")
	f("17", "0017")
	f("n-52", "n-52.pdf")
	f(uuid, uuid)
	f(uuid, bare)
	f(uuid, strings.ToUpper(bare))
	f(bare, uuid)
	f("cus_9a8b7c6d5e4f", "CUS_9A8B7C6D5E4F")
	f("MDEyMzQ1Njc4OTEy=", "MDEyMzQ1Njc4OTEy=")
	f("MDEyMzQ1Njc4OTE4Nw==", "(MDEyMzQ1Njc4OTE4Nw==)")
}

func TestSearchInBytes(t *testing.T) {
	const uuid = "4f1c2d3e-1111-4222-8333-444455556666"
	s := names.NewSearch(pairsOf("file "+uuid+"=f-1", "order #2097153=#5", "order #1001=#6", "order #4611686018427387905=#7"))
	raw := "\x4f\x1c\x2d\x3e\x11\x11\x42\x22\x83\x33\x44\x44\x55\x55\x66\x66"
	frame := func(message string) string { return "\x00\x00\x00\x00" + string(byte(len(message))) + message }
	f := func(content string, messages bool, want ...string) {
		t.Helper()
		var got []string
		s.InBytes([]byte(content), messages, func(name string) { got = append(got, name) })
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
	f("\x00\xff"+uuid+".pdf\x00", false, uuid)
	f("\x00\xff"+raw+"\x00", false, uuid)
	f("\x00\xff 1001 \x00", false) // a number stands there by chance
	f(frame("\x08\x81\x80\x80\x01"), true, "2097153")
	f(frame("\x08\x81\x80\x80\x01"), false)
	f(frame("\x12\x05\x08\x81\x80\x80\x01"), true, "2097153") // within another message
	f(frame("\x08\xe9\x07"), true)
	f(frame("\x09\x01\x00\x00\x00\x00\x00\x00\x40"), true, "4611686018427387905")
	f(frame("\x0a\x24"+uuid), true, uuid)
	f("\x00\x00\x00\x00\xff\x08\x81\x80\x80\x01", true)
	f(frame("\x08"), true)
	f("", true)
}

func TestEachField(t *testing.T) {
	f := func(content string, framed bool, want string) {
		t.Helper()
		got := ""
		names.EachField([]byte(content), framed, func(v uint64) { got += fmt.Sprint(v, " ") }, func(b []byte) { got += fmt.Sprintf("%q ", b) })
		if got != want {
			t.Errorf("%q: got %s, want %s", content, got, want)
		}
	}
	f("\x08\xea\x07\x12\x03abc", false, `1002 "abc" `)
	f("\x00\x00\x00\x00\x02\x08\x05\x00\x00\x00\x00\x02\x08\x06", true, "5 6 ")
	f("\x08\xea\x07", true, "")
	f("\xff", false, "")
}

func TestCoded(t *testing.T) {
	std, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	f := func(text string, want ...string) {
		t.Helper()
		var got []string
		names.Coded(text, func(from, to int, plain string) { got = append(got, plain) })
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	f(`{"id":"`+std([]byte("Customer:17"))+`"}`, "Customer:17")
	f("/node/"+url([]byte("Customer:17?>"))+"/x", "Customer:17?>")
	f("Bearer "+url([]byte(`{"a":10}`))+"."+url([]byte(`{"b":100}`))+".c2ln", `{"b":100}`)
	f("data:text/plain;base64,"+std([]byte("größer als 17")), "größer als 17")
	f("/orders?limit=1&cursor="+std([]byte("Customer:17"))+"&x=1", "Customer:17")
	f("a="+std([]byte("Customer:17"))+";b="+std([]byte("Customer:18 ")), "Customer:17", "Customer:18 ")
	f("an-ordinary-sentence with wonderfully long words 123456789012345")
	f(std([]byte("a\x00b and more")))
	f(std([]byte("\xff\xfe and more of it")))
	f("short "+std([]byte("17")), "17")
	f("cursor="+url([]byte("id:17"))+"&x="+std([]byte("1001")), "id:17", "1001")
	f("short " + std([]byte("7")) + " " + std([]byte("x17")) + " " + std([]byte("1,7")))
	f("The MSSt of NotEq or idTag and camelCase words, aWQ and MTA1x")
}

func TestCalls(t *testing.T) {
	f := func(label, kind string, is, asName bool) {
		t.Helper()
		if gotIs, gotAsName := names.Calls(label, kind); gotIs != is || gotAsName != asName {
			t.Errorf("%s of %s: got %t, %t", label, kind, gotIs, gotAsName)
		}
	}
	for _, label := range []string{"order_number", "orderNo", "OrderNr", "order-ref", "id_order", "idOrder", "order_ids", "order no", "Order Number", "X-Order-Number", "orders_id", "last_order_no"} {
		f(label, "order", true, true)
	}
	for _, label := range []string{"order", "orders", "data-order", "last_order", "ORDER"} {
		f(label, "order", true, false)
	}
	for _, label := range []string{"", "id", "number", "reorder", "order_count", "orderly", "border", "ids_of_customers"} {
		f(label, "order", false, false)
	}
	f("categories", "category", true, false)
	f("buyer_no", "customer", true, true) // a role
	f("anything", "", false, false)

	before := func(text, want string, member bool) {
		t.Helper()
		if got, isMember := names.LabelBefore(text, strings.Index(text, "17")); got != want || isMember != member {
			t.Errorf("%s: got %q, %t", text, got, isMember)
		}
	}
	before("order 17", "order", false)
	before("Order no. 17", "Order no", false)
	before("the order #17", "order", false)
	before("/orders/17", "orders", false)
	before("urn:order:17", "order", false)
	before(`{"order_id":17}`, "order_id", true)
	before(`{\"order\" : \"17`, "order", true)
	before("order_id=17", "order_id", false)
	before("order17", "order", false)
	before("2order17", "order", false)
	before("17 orders", "", false)
	before("3 17", "", false)
	before("order: see page three of the manual, 17", "", false)
}

// FuzzSearch: a name stands where it was found, as it is spelled there.
func FuzzSearch(f *testing.F) {
	const uuid = "4f1c2d3e-1111-4222-8333-444455556666"
	for _, text := range []string{"inv-" + uuid + ".pdf", "order no. 001001", "INV1001", strings.ToUpper(uuid), strings.ReplaceAll(uuid, "-", ""), "Q3VzdG9tZXI6MTAwMQ==", "\x00\x00\x00\x00\x05\x08\x81\x80\x80\x01"} {
		f.Add(text)
	}
	s := names.NewSearch(pairsOf("order #1001=#2001", "file "+uuid+"=f-1", "note n-52=n-51", "order #2097153=#5", "pet brave-yak-tan=calm-emu", "label kqzvb=wtrpl"))
	f.Fuzz(func(t *testing.T, text string) {
		s.In(text, func(at names.Sighting) bool {
			if at.Within > at.From || at.From >= at.To || at.To > at.Until || at.Until > len(text) || at.Spell(at.Name) != text[at.From:at.To] && !strings.EqualFold(at.Name, text[at.From:at.To]) &&
				!strings.EqualFold(strings.ReplaceAll(at.Name, "-", ""), text[at.From:at.To]) {
				t.Errorf("%q: %+v", text, at)
			}
			names.LabelBefore(text, at.From)
			return len(text)%2 == 0
		})
		s.InBytes([]byte(text), true, func(name string) {})
		names.Coded(text, func(from, to int, plain string) {
			if from < 0 || from >= to || to > len(text) {
				t.Errorf("%q: %d, %d", text, from, to)
			}
		})
	})
}
