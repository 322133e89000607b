package noise

import (
	"strings"
	"testing"
	"time"

	"understudy.dev/exchange/names"
	"understudy.dev/exchange/timestamp"
)

var (
	recorded = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	replayed = recorded.Add(96*time.Hour + 7*time.Minute)
)

// evidence is that of a request that took 100 ms on each side, in a run that
// was recorded for a minute before it.
func evidence(sent ...string) *Evidence {
	e := &Evidence{
		Frame: timestamp.Frame{
			Baseline:  timestamp.Span{From: recorded, To: recorded.Add(100 * time.Millisecond)},
			Candidate: timestamp.Span{From: replayed, To: replayed.Add(100 * time.Millisecond)},
			Moments:   []timestamp.Moment{{Recorded: recorded.Add(-time.Minute), Replayed: replayed.Add(-time.Minute)}},
		},
		Pairs:        &names.Pairs{},
		Translator:   names.NewTranslator(&names.Pairs{}, "/orders"),
		BaselineHost: "orders.internal:8080", CandidateHost: "candidate:9090", BaselineScheme: "http", CandidateScheme: "http",
	}
	for _, s := range sent {
		e.Sent = append(e.Sent, []byte(s))
	}
	return e
}

// know adds "kind baseline=candidate".
func (e *Evidence) know(proof names.Proof, pairs ...string) *Evidence {
	for _, p := range pairs {
		kind, both, _ := strings.Cut(p, " ")
		b, c, _ := strings.Cut(both, "=")
		e.Pairs.Add(names.Pair{Kind: kind, Baseline: names.Value{Text: b}, Candidate: names.Value{Text: c}, From: "e0", Proof: proof})
	}
	e.moments, e.shownAs = nil, nil
	return e
}

func TestTimes(t *testing.T) {
	e := evidence("/x")
	f := func(baseline, candidate, want string) {
		t.Helper()
		number := !strings.ContainsAny(baseline, "-: /")
		if got := e.Class([]string{"created"}, Value{baseline, number}, Value{candidate, number}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	f("2026-11-20T10:00:00Z", "2026-11-24T10:07:01Z", Timestamp)
	f("2026-11-20T11:00:00Z", "2026-11-24T11:07:00Z", Timestamp) // both expire in an hour
	f("2026-11-20T09:59:30.120Z", "2026-11-24T10:06:30.1Z", Timestamp)
	f("2026-11-20T10:00:01Z", "2026-11-24T10:07:30Z", "")
	f("2026-11-20T10:00:01Z", "2026-11-20T10:00:02Z", "") // of the recording
	f("2026-11-20T10:00:01Z", "1970-01-01T00:00:00Z", "")
	// Written otherwise: separator, offset, precision, unit.
	f("2026-11-20T10:00:01Z", "2026-11-24 10:07:01", "")
	f("2026-11-20T10:00:01Z", "2026-11-24T12:07:01+02:00", "")
	f("2026-11-20T10:00:01Z", "2026-11-24T10:07:01+00:00", "")
	f("2026-11-20T10:00:01.123Z", "2026-11-24T10:07:01Z", "")
	f("2026-11-20T10:00:01.123Z", "2026-11-24T10:07:01.123456Z", "")
	f("Fri, 20 Nov 2026 10:00:01 GMT", "Tue, 24 Nov 2026 10:07:01 GMT", Timestamp)
	f("Fri, 20 Nov 2026 10:00:01 GMT", "2026-11-24T10:07:01Z", "")
	f("2026-11-20", "2026-11-24", Timestamp)
	f("2026-11-20", "2026-11-23", "")
	f("2026/11/21", "2026/11/25", Presumed(Timestamp)) // as a day that is wrong by one looks on the next day
	f("1980-05-17", "1980-05-21", "")
	f("1795168800", "1795514820", Timestamp)
	f("1795168800", "1795514820000", "")
	f("1795168800000", "1795514820040", Timestamp)
	f("1795168800000", "1795514820900", Presumed(Timestamp)) // after the answer
	f("1795168800000", "1795514829000", "")
	f("9007199254740993", "9007199254740992", "")

	// At five times the speed, after a pause of 20 s that was cut to 1 s.
	e.Frame.Speed = 5
	e.Frame.Moments = []timestamp.Moment{{Recorded: recorded.Add(-60 * time.Second), Replayed: replayed.Add(-5 * time.Second)}, {Recorded: recorded.Add(-20 * time.Second), Replayed: replayed.Add(-4 * time.Second)}}
	f("2026-11-20T09:59:00Z", "2026-11-24T10:06:55Z", Timestamp)
	f("2026-11-20T09:59:49Z", "2026-11-24T10:06:57Z", Timestamp)
	f("2026-11-20T09:59:50Z", "2026-11-24T10:06:58Z", Presumed(Timestamp)) // or now, if its clock is late
	f("2026-11-20T09:59:52.000Z", "2026-11-24T10:06:58.400Z", Timestamp)
	f("2026-11-20T09:59:56.000Z", "2026-11-24T10:06:59.200Z", Presumed(Timestamp))
	f("2026-11-20T09:59:56.000Z", "2026-11-24T10:07:00.000Z", Presumed(Timestamp)) // now instead of then
	f("2026-11-20T09:59:35Z", "2026-11-24T10:06:56Z", Timestamp)                   // in the pause
	f("2026-11-20T09:59:41Z", "2026-11-24T10:07:00Z", "")                          // 19 s ago, and now
	f("2026-11-20T09:00:00Z", "2026-11-24T10:06:00Z", "")                          // before the recording

	// Seen before in the session: the very same, however near.
	e.know(names.Aligned, "@time 2026-11-20T09:59:59.500Z=2026-11-24T10:06:59.800Z")
	f("2026-11-20T09:59:59.500Z", "2026-11-24T10:06:59.800Z", Timestamp)
	f("2026-11-20T09:59:59.500Z", "2026-11-24T10:06:59.807Z", Timestamp) // two events of one moment
	f("2026-11-20T09:59:59.500Z", "2026-11-24T10:06:59.890Z", Presumed(Timestamp))
	f("2026-11-20T09:59:59.500Z", "2026-11-24T10:07:00.000Z", "")
	// Nor the moment of another, though that is within what clocks may be apart.
	f("2026-11-20T10:00:00.010Z", "2026-11-24T10:07:00.010Z", Timestamp)
	f("2026-11-20T10:00:00.010Z", "2026-11-24T10:06:59.800Z", "")
	f("2026-11-20T09:59:56.000Z", "2026-11-24T10:06:59.800Z", Presumed(Timestamp))
	f("2026-11-20T09:59:59.530Z", "2026-11-24T10:06:59.800Z", Presumed(Timestamp)) // at once, or not set anew
	f("2026-11-20T09:59:59.503Z", "2026-11-24T10:06:59.800Z", Timestamp)
	f("2026-11-20T10:00:00.010Z", "2026-11-24T10:06:59.800Z", "")

	// Of minutes only that both are now is told for certain.
	f("2026-11-20 10:00", "2026-11-24 10:07", Timestamp)
	f("2026-11-20 10:00", "2026-11-24 10:08", Presumed(Timestamp))
	f("2026-11-20 11:00", "2026-11-24 11:07", Presumed(Timestamp))
	f("2026-11-20 11:00", "2026-11-24 12:07", "")

	// At twenty times the speed half a second is no more than a moment: nothing tells
	// what was stored from what is made anew.
	e = evidence("/x")
	e.Frame.Speed = 20
	f("2026-11-20T10:00:00.010Z", "2026-11-24T10:07:00.030Z", Timestamp)
	f("2026-11-20T09:59:59.400Z", "2026-11-24T10:06:59.970Z", Presumed(Timestamp)) // that moment
	f("2026-11-20T09:59:59.400Z", "2026-11-24T10:07:00.010Z", Presumed(Timestamp)) // now
	f("2026-11-20T09:59:59.980Z", "2026-11-24T10:07:00.010Z", Timestamp)           // clocks are no nearer
	f("2026-11-20T09:59:59.400Z", "2026-11-24T10:06:59.400Z", Timestamp)
	f("2026-11-20T10:00:00Z", "2026-11-24T10:07:00Z", Timestamp)

	// Two things that were made one after the other, whose times the candidate swaps,
	// takes from each other, or makes anew whenever it is asked.
	for _, speed := range []float64{1, 20} {
		e = evidence("/x")
		e.Frame.Speed = speed
		e.know(names.Aligned, "@time 2026-11-20T09:59:59.900Z=2026-11-24T10:06:59.900Z", "@time 2026-11-20T09:59:59.930Z=2026-11-24T10:06:59.930Z",
			"@time 2026-11-20T09:59:59.935Z=2026-11-24T10:06:59.935Z", "@time 2026-11-20T09:59:59.996Z=2026-11-24T10:06:59.995Z")
		f("2026-11-20T09:59:59.900Z", "2026-11-24T10:06:59.900Z", Timestamp)
		f("2026-11-20T09:59:59.900Z", "2026-11-24T10:06:59.904Z", Timestamp)
		f("2026-11-20T09:59:59.900Z", "2026-11-24T10:06:59.930Z", "")
		f("2026-11-20T09:59:59.930Z", "2026-11-24T10:06:59.900Z", "")
		f("2026-11-20T09:59:59.930Z", "2026-11-24T10:06:59.935Z", Presumed(Timestamp))
		f("2026-11-20T09:59:59.900Z", "2026-11-24T10:06:59.960Z", Presumed(Timestamp)) // that of a third one
		f("2026-11-20T09:59:59.996Z", "2026-11-24T10:07:00.002Z", Presumed(Timestamp)) // now
		f("2026-11-20T09:59:59.996Z", "2026-11-24T10:07:00.000Z", Presumed(Timestamp)) // now, cut
		e.know(names.Aligned, "@time 2026-11-20T09:59:57.763Z=2026-11-24T10:06:57.575Z")
		f("2026-11-20T09:59:57Z", "2026-11-24T10:06:57Z", Timestamp)
		f("2026-11-20T09:59:57Z", "2026-11-24T10:06:58Z", Presumed(Timestamp)) // cut and rounded
		f("2026-11-20T10:00:00.020Z", "2026-11-24T10:07:00.030Z", Timestamp)
		f("2026-11-20T10:00:00.020Z", "2026-11-24T10:06:59.930Z", Presumed(Timestamp)) // not set anew
		f("2026-11-20T10:00:00.050Z", "2026-11-24T10:06:59.900Z", "")
	}

	// Likewise in seconds, which do not tell events apart that are nearer.
	for _, speed := range []float64{1, 5} {
		e = evidence("/x")
		e.Frame.Speed = speed
		e.know(names.Aligned, "@time 2026-11-20T09:59:57Z=2026-11-24T10:06:57Z", "@time 2026-11-20T09:59:58Z=2026-11-24T10:06:58Z", "@time 2026-11-20T10:00:00Z=2026-11-24T10:06:59Z")
		f("2026-11-20T09:59:58Z", "2026-11-24T10:06:58Z", Timestamp)
		f("2026-11-20T09:59:58Z", "2026-11-24T10:06:57Z", Presumed(Timestamp))
		f("2026-11-20T09:59:58Z", "2026-11-24T10:06:59Z", Presumed(Timestamp))
		f("2026-11-20T09:59:58Z", "2026-11-24T10:07:00Z", "") // now
		f("2026-11-20T09:59:59Z", "2026-11-24T10:06:58Z", Presumed(Timestamp))
		f("2026-11-20T10:00:00Z", "2026-11-24T10:06:57Z", "")                  // not set anew
		f("2026-11-20T10:00:00Z", "2026-11-24T10:06:58Z", Presumed(Timestamp)) // likewise
		f("2026-11-20T10:00:01Z", "2026-11-24T10:07:01Z", Timestamp)
		f("2026-11-20T10:00:00Z", "2026-11-24T10:07:01Z", "")                  // to come
		f("2026-11-20T10:00:01Z", "2026-11-24T10:06:58Z", Presumed(Timestamp)) // not set anew
		f("2026-11-20T10:00:00Z", "2026-11-24T10:07:00Z", Timestamp)           // another event of that second
		f("Fri, 20 Nov 2026 09:59:58 GMT", "Tue, 24 Nov 2026 10:06:59 GMT", Presumed(Timestamp))
	}

	// At sixty times the speed: what was shown as two events of one moment stays so.
	e = evidence("/x")
	e.Frame.Speed, e.Frame.Moments = 60, []timestamp.Moment{{Recorded: recorded.Add(-time.Minute), Replayed: replayed.Add(-time.Second)}}
	e.know(names.Aligned, "@time 2026-11-20T09:59:54.000Z=2026-11-24T10:06:59.900Z", "@time 2026-11-20T09:59:54.000Z=2026-11-24T10:06:59.901Z")
	f("2026-11-20T09:59:54.000Z", "2026-11-24T10:06:59.900Z", Timestamp)
	f("2026-11-20T09:59:54.000Z", "2026-11-24T10:06:59.901Z", Timestamp)
	f("2026-11-20T09:59:54.000Z", "2026-11-24T10:06:59.980Z", Presumed(Timestamp)) // now, or a third one
	f("2026-11-20T09:59:54.000Z", "2026-11-24T10:07:00.010Z", "")
	// And in another style.
	f("Fri, 20 Nov 2026 09:59:54 GMT", "Tue, 24 Nov 2026 10:06:59 GMT", Timestamp)
	f("Fri, 20 Nov 2026 09:59:54 GMT", "Tue, 24 Nov 2026 10:07:00 GMT", Timestamp) // rounded
	f("Fri, 20 Nov 2026 09:59:54 GMT", "Tue, 24 Nov 2026 10:06:58 GMT", Presumed(Timestamp))

	// An operation that took half a minute.
	e = evidence("/x")
	e.Frame.Candidate.To = replayed.Add(30 * time.Second)
	f("2026-11-20T11:00:00.000Z", "2026-11-24T11:07:00.100Z", Timestamp)
	f("2026-11-20T11:00:00.000Z", "2026-11-24T11:07:30.000Z", Timestamp)
	f("2026-11-20T11:00:00.000Z", "2026-11-24T11:07:15.000Z", Presumed(Timestamp)) // set in the midst of it, or moved
	f("2026-11-20T11:00:00.000Z", "2026-11-24T11:06:40.000Z", "")                  // earlier
	f("2026-11-20T09:59:52.000Z", "2026-11-24T10:07:22.000Z", Presumed(Timestamp)) // eight seconds before the answer, which was before the request
}

func TestNames(t *testing.T) {
	const u1, u2, none = "4f1c2d3e-1111-4222-8333-444455556666", "0a1b2c3d-9999-4888-8777-666655554444", "00000000-0000-0000-0000-000000000000"
	f := func(path, baseline, candidate, want string) {
		t.Helper()
		number := names.IsDigits(baseline) && names.IsDigits(candidate)
		e := evidence("/orders/ord_77?limit=10", `{"customer_id": 7, "reference": "R-2024-11"}`).
			know(names.Created, "order 1001=2001", "order ord_1=x_1", "doc 10201=a3f1", "item 2124953651403117199=ite_iPkq81", "item 16120=6b0560265ee0100126003f0e", "item 17=ite_h6G19LKgMts212", "item 13061=13089", "item 18=91").know(names.Aligned, "order 1002=2002")
		if got := e.Class(strings.Split(path, "."), Value{baseline, number}, Value{candidate, number}); got != want {
			t.Errorf("%s: %s and %s: %q, want %q", path, baseline, candidate, got, want)
		}
	}
	// Created together: proven. Only aligned: presumed. Anything else differs.
	f("order_id", "1001", "2001", Identifier)
	f("order_id", "1002", "2002", Presumed(Identifier))
	f("order_id", "1001", "2009", "")
	f("order_id", "1003", "2001", "") // another order
	f("doc.id", "10201", "a3f1", Identifier)
	f("quantity", "1001", "2001", "")
	f("text", "ord_1", "x_1", Identifier)
	// Never by the name alone.
	f("status_id", "1", "2", "")
	f("customer_id", "7", "9", "")
	f("user_id", "100100", "100200", "")
	f("order_id", "1001", "0", "")
	f("plan_id", "pro-2024", "free-2024", "")
	f("plan_key", "tier1", "tier3", "")
	f("currency_id", "USD", "EUR", "")
	f("tax_id", "DE123456789", "DE987654321", Presumed(Identifier)) // nothing tells them from generated ones
	f("id", u1, none, "")
	f("id", "ord_77", "ord_78", "") // the client gave it
	f("ref", "129.90", "129.95", "")
	// By the shape: presumed.
	f("payload", u1, u2, Presumed(Identifier))
	f("id", "ord_1007", "ord_2008", Presumed(Identifier))
	f("payload", u1, "0a1b2c3d", "")
	f("customer_id", "2124953651403117182", "2124953651405865638", Presumed(Identifier)) // a time and a counter
	f("balance", "2124953651403117182", "2124953651405865638", "")
	f("customer_id", "4111111111111111", "4242424242424242", "")
	f("self", "/orders/ord_AY9I56aDG7Jzt9", "/orders/O-1151", Presumed(Identifier))
	f("self", "/orders/open", "/orders/O-1151", "")
	f("summary", "Order ord_AY9I56aDG7Jzt9 is open.", "Order O-1151 is open.", Presumed(Identifier))
	f("text", "see (2124953651403117182)", "see (ite_i4)", "")
	f("text", "see (2124953651403117199)", "see (ite_iPkq81)", Identifier)
	f("text", "see (10201)", "see (a3f1)", "")
	f("text", "see (16120)", "see (6b0560265ee0100126003f0e)", Identifier)
	f("text", "see (17)", "see (ite_h6G19LKgMts212)", Identifier)
	f("text", "see (16121)", "see (6b0560265ee0100126003f0e)", "")
	f("text", "see (13061)", "see (13089)", Presumed(Identifier))
	f("text", "see (13061)", "see (13090)", "")
	f("text", "see (18)", "see (91)", "")

	e := evidence()
	class := func(b, c string) string { return e.Class([]string{"id"}, Value{Text: b}, Value{Text: c}) }
	if class(u1, u2) == "" || class(u1, strings.Replace(u2, "0a", "1a", 1)) != "" || class(strings.Replace(u1, "4f", "5f", 1), u2) != "" {
		t.Error("names by shape are not one to one")
	}
}

func TestRandom(t *testing.T) {
	f := func(name, baseline, candidate, want string) {
		t.Helper()
		if got := evidence("sent=aB3dE5fG7hJ9kL1m").Class([]string{name}, Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	const r1, r2 = "9f86d081884c7d659a2feaa0c55ad015", "2c26b46b68ffc68ff99b453c1d304134"
	f("value", r1, r2, Presumed(Random))
	f("value", "gEWGefvllBAOPVhZjCsJvheKFfJ1sKcK", "7YjyGwwH1Kp6Y4v0vRok8OAId35YSCS4", Presumed(Random))
	f("parcel_id", "par_vsHYGfUsmvbuWJ1", "6b08614dcee693f1ca002371", Presumed(Identifier))
	f("value", "tok_A8s7Df6gH5jK4l3M", "tok_Zx9Cv8Bn7Mq6We5R", Presumed(Random))
	f("value", "user.A8s7Df6gH5jK4l3M", "user.Zx9Cv8Bn7Mq6We5R", Presumed(Random))
	f("value", "user.A8s7Df6gH5jK4l3M", "admin.Zx9Cv8Bn7Mq6We5R", "")
	for _, name := range []string{"checksum", "sha256", "content_hash", "signature", "file.md5", "Digest"} {
		f(name, r1, r2, "") // it follows from what it is of
	}
	f("mode", "AutoApproveAllItems", "ManualApprovalByTeam", "")
	f("value", "product-2024-summer-special", "product-2025-summer-special", "")
	f("value", "SKU-000123-LARGE-RED", "SKU-000124-LARGE-RED", "")
	f("value", r1, r1[:31]+"6", "") // one digit
	f("value", r1, "none", "")
	f("value", "aB3dE5fG7hJ9kL1m", "Zx9Cv8Bn7Mq6We5R", "") // the client's
	f("iban", "DE89370400440532013000", "DE02120300000000202051", "")
	f("iban", "GB29NWBK60161331926819", "GB33BUKB20201555555555", "")
	f("value", "internationalization-2024", "internationalisation-2025", "")
}

func TestLinks(t *testing.T) {
	f := func(baseline, candidate, want string) {
		t.Helper()
		e := evidence("/orders/ord_77").know(names.Created, "order ord_9=x-9", "order 17=91").know(names.Aligned, "order ord_8=x-8")
		if got := e.Class([]string{"href"}, Value{Text: baseline}, Value{Text: candidate}); got != want {
			t.Errorf("%s and %s: %q, want %q", baseline, candidate, got, want)
		}
	}
	const u1, u2 = "4f1c2d3e-1111-4222-8333-444455556666", "0a1b2c3d-9999-4888-8777-666655554444"
	f("/orders/"+u1, "/orders/"+u2, Presumed(Identifier))
	f("/orders/17", "/orders/91", Identifier)
	f("/customers/17", "/customers/91", "")
	f("/orders/ord_9", "/orders/x-9", Identifier)
	f("/orders/ord_8", "/orders/x-8", Presumed(Identifier))
	f("/orders/ord_9", "/orders/x-8", "")
	f("/orders/5", "/orders/6", "")
	f("/orders/ord_77", "/orders/ord_78", "") // the client's
	f("/v1/orders/17", "/v2/orders/91", "")
	f("/orders/17", "/order/91", "")
	f("/orders/17", "/orders/91/", "")
	f("http://orders.internal:8080/orders/17", "http://candidate:9090/orders/91", Identifier)
	f("http://orders.internal:8080/orders", "https://candidate/orders", "") // neither asked so, nor the same
	f("https://orders.internal:8080/orders", "http://orders.internal:8080/orders", "")
	f("/orders", "//evil.example/orders", "")
	f("http://orders.internal:8080/orders", "ftp://candidate:9090/orders", "")
	f("http://orders.internal:8080/orders/17", "/orders/91", Identifier)
	f("http://elsewhere/orders/1", "http://candidate:9090/orders/1", Presumed(Identifier)) // it may call itself so
	f("http://elsewhere/orders/1", "http://other/orders/1", "")
	f("http://elsewhere/orders/1", "https://elsewhere/orders/1", "")
	f("orders.internal:8080", "candidate:9090", Identifier)
	f("/orders?page=2", "/orders?page=3", "")
	f("/orders?order_id=17&x=1", "/orders?order_id=91&x=1", Identifier)
	f("/orders?order_id=17&x=1", "/orders?order_id=91&x=2", "")
	f("/orders?order_id=5,17", "/orders?order_id=5,91", Identifier)
	f("/orders?order_id=5,17", "/orders?order_id=6,91", "")
	f("/orders?order_id=5,17", "/orders?order_id=91", "")
	f("/a#x", "/a#y", "")
	f("urn:order:ord_9", "urn:order:x-9", Identifier)
	f("urn:order:1", "urn:payment:8", "")
	f("see order ord_9, please.", "see order x-9, please.", Identifier)
	f("see order ord_9 of "+u1, "see order x-9 of "+u2, Presumed(Identifier))
	f("see order ord_9, please.", "see order x-8, please.", "")
	f("see ord_9", "look at x-9", "")
	f("16:9", "4:3", "")
	f("12:30", "12:45", "")
	f("1/2", "3/4", "")
}

func FuzzClass(f *testing.F) {
	f.Add("id", "ord_1", "uuid-2", "/orders/ord_1")
	f.Add("at", "2026-11-20T10:00:01Z", "2026-11-24T10:07:02Z", "")
	f.Add("href", "http://a/%zz?x=1&&=", "urn:a:b", "x")
	f.Fuzz(func(t *testing.T, name, baseline, candidate, sent string) {
		for _, number := range []bool{false, true} {
			b, c := Value{baseline, number}, Value{candidate, number}
			class, again := evidence(sent).Class([]string{name}, b, c), evidence(sent).Class([]string{name}, b, c)
			if class != again || class == same {
				t.Fatalf("%q, then %q", class, again)
			}
			// Nothing is known of names: none is proven.
			if class == Identifier && !strings.Contains(baseline, "orders.internal") && !strings.Contains(candidate, "orders.internal") {
				t.Fatalf("%q is proven", baseline)
			}
		}
	})
}
