package substitute_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"understudy.dev/replayer/substitute"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

// TestPackedBodiesAreLookedInto: what stands in MessagePack, CBOR, protocol buffers
// or bytes is not replaced, and so is not sent if the candidate calls it otherwise.
func TestPackedBodiesAreLookedInto(t *testing.T) {
	const uuid = "3f2b8c1e-aaaa-4bbb-8ccc-1234567890ab"
	raw, err := hex.DecodeString(strings.ReplaceAll(uuid, "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	make := func(what, id, own string) step {
		return step{"s POST /" + what + " {}", `201 {"id":` + id + `}`, `201 {"id":` + own + `}`}
	}
	short, long, unique := make("orders", "1002", "7002"), make("orders", `"ord_1001"`, `"ord_2044"`), make("orders", `"`+uuid+`"`, `"9d0e7f6a-1111-4222-8333-ba0987654321"`)
	f := func(request string, sent bool, story ...step) {
		t.Helper()
		_, media, _ := strings.Cut(request, "Content-Type: ")
		media, body, _ := strings.Cut(media, "; ")
		got := sends(t, substitute.NewMemory(""), story, request)
		if want := "/x " + body; got != want && sent || !sent && !strings.Contains(got, " of exchange e") {
			t.Errorf("%s %q: got %q", media, body, got)
		}
	}
	message := func(fields ...any) string {
		var out []byte
		for i, v := range fields {
			switch v := v.(type) {
			case int:
				out = protowire.AppendVarint(protowire.AppendTag(out, protowire.Number(i+1), protowire.VarintType), uint64(v))
			case string:
				out = protowire.AppendString(protowire.AppendTag(out, protowire.Number(i+1), protowire.BytesType), v)
			}
		}
		return string(out)
	}
	framed := func(m string) string { return "\x00\x00\x00\x00" + string(rune(len(m))) + m }
	filler := strings.Repeat("x", 40)
	for body, story := range map[string]step{
		"application/msgpack; \x82\xa8order_id\xcd\x03\xea\xa1n\x01": short, "application/x-msgpack; \x81\xa6orders\x91\xcd\x03\xea": short,
		"application/vnd.msgpack; \x81\xa8order_id\xa8ord_1001": long, "application/msgpack; \x81\xa1t\xd9\x31" + filler + " ord_1001": long,
		"application/msgpack; \x81\xa8order_id\xc4\x10" + string(raw): unique, "application/msgpack; \x81\xa8order_id\xd8\x02" + string(raw): unique,
		"application/cbor; \xa2\x68order_id\x19\x03\xea\x61n\x01": short, "application/problem+cbor; \xa1\x65order\xa1\x62id\x19\x03\xea": short,
		"application/cbor; \xa1\x68order_id\x68ord_1001": long, "application/cbor; \xa1\x68order_id\xd8\x25\x50" + string(raw): unique,
		"application/x-protobuf; " + message(3, 1002): short, "application/protobuf; " + message(message(1002)): short,
		"application/x-protobuf; " + message(1, filler[:1]+" ord_1001"): long, "application/x-protobuf; " + message(string(raw)): unique,
		"application/grpc; " + framed(message(1, 1002)): short, "application/grpc+proto; " + framed(message("ord_1001")): long,
		"application/octet-stream; \xff\x00" + string(raw): unique, "application/octet-stream; \xff\x00ord_1001": long, "image/png; \x89PNG\x00\xff ord_1001": long,
		"application/msgpack; \xff\x00\xa8ord_1001\xc7": long, // it is none
	} {
		f("s POST /x Content-Type: "+body, false, story)
		f("s POST /x Content-Type: "+body, true)                                                                   // nobody made it
		f("s POST /x Content-Type: "+body, true, step{story.request, story.recorded, "201 " + story.recorded[4:]}) // both call it so
		f("s POST /x Content-Type: "+body, false, step{story.request, story.recorded, ""})
		if story != short {
			f("t POST /x Content-Type: "+body, false, story) // what one has made, another uses
		}
	}
	for _, body := range []string{
		"application/msgpack; \x81\xa3qty\xcd\x03\xea", "application/cbor; \xa1\x63qty\x19\x03\xea", "application/x-protobuf; " + message(1003, 2),
		"application/octet-stream; \xff\x03\xea", "application/msgpack; " + strings.Repeat("\x91", 100_000),
	} {
		f("s POST /x Content-Type: "+body, true, short, long, unique)
	}
	f("s POST /x Content-Type: application/x-protobuf; "+message(7, 17), true, make("orders", "17", "91")) // it counts something
}

func FuzzPackedBodies(f *testing.F) {
	f.Add([]byte("\x82\xa8order_id\xcd\x03\xea\xa1n\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), byte(0))
	f.Add([]byte("\xa1\x68order_id\xd8\x25\x50aaaaaaaaaaaaaaaa"), byte(1))
	f.Add([]byte("\x08\xea\x07\x12\x03abc"), byte(2))
	f.Fuzz(func(t *testing.T, content []byte, format byte) {
		media := []string{"application/msgpack", "application/cbor", "application/x-protobuf", "application/grpc", "image/png"}[format%5]
		m := substitute.NewMemory("")
		x := m.Register(&understudyv1.Exchange{
			Id: "e", Session: "s", Response: response("200 {}"),
			Request: &understudyv1.Request{Method: "POST", Target: []byte("/x"), Headers: fieldsOf("Content-Type", media), Body: body(string(content))},
		})
		defer x.Settle()
		if _, u := x.Wait(t.Context(), time.Minute, time.Time{}); u != nil {
			t.Error(u)
		}
		if _, u := x.Translate(func(r *substitute.Request) {
			if got := r.Body(media, content); string(got) != string(content) {
				t.Errorf("%q became %q", content, got)
			}
		}); u != nil && u.Why != "the request holds more than is looked at" {
			t.Error(u)
		}
	})
}
