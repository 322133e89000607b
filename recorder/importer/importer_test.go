package importer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"understudy.dev/exchange/message"
	"understudy.dev/exchange/redact"
	"understudy.dev/exchange/route"
	"understudy.dev/exchange/session"
	"understudy.dev/exchange/token"
	"understudy.dev/recorder/importer"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

func options(t testing.TB) importer.Options {
	key, err := token.New([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := session.New(session.DefaultRules(), key)
	if err != nil {
		t.Fatal(err)
	}
	routes, err := route.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return importer.Options{Recorder: "import-test", Routes: routes, Sessions: sessions, CaptureLimit: message.DefaultCaptureLimit}
}

// imported is the result of one import of a text.
func imported(t testing.TB, format, text string, change ...func(*importer.Options)) (got []*understudyv1.Exchange, bad []string, s importer.Summary, err error) {
	o := options(t)
	o.Bad = func(m importer.Mistake) { bad = append(bad, m.Error()) }
	for _, f := range change {
		f(&o)
	}
	read, err := importer.ByName(format)
	if err != nil {
		t.Fatal(err)
	}
	s, err = read(t.Context(), strings.NewReader(text), o, func(e *understudyv1.Exchange) error {
		got = append(got, e)
		return nil
	})
	if s.Entries != s.Imported+s.Bad || s.Imported != uint64(len(got)) || s.Bad != uint64(len(bad)) {
		t.Errorf("summary %+v, %d exchanges, %d mistakes", s, len(got), len(bad))
	}
	return got, bad, s, err
}

func header(lines ...string) (out []*understudyv1.Header) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		out = append(out, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return out
}

func digest(s string) []byte { sum := sha256.Sum256([]byte(s)); return sum[:] }

func TestCombinedLine(t *testing.T) {
	got, bad, _, err := imported(t, "combined",
		`1.2.3.4 - frank lee [17/May/2015:10:05:03 +0200] "POST /a%20b?x=\"1\"\\\xe4 c HTTP/1.1" 201 17 "http://r/" "Mozilla \"x\""`+"\n")
	if err != nil || bad != nil || len(got) != 1 {
		t.Fatalf("%v %v %v", got, bad, err)
	}
	e := got[0]
	want := &understudyv1.Exchange{
		Id: e.Id, Recorder: "import-test", Sequence: 1, Session: e.Session, Route: "POST /{long}",
		StartUnixNano: time.Date(2015, 5, 17, 8, 5, 3, 0, time.UTC).UnixNano(),
		Request: &understudyv1.Request{
			Method: "POST", Target: []byte("/a%20b?x=\"1\"\\\xe4 c"), Scheme: "http", Protocol: "HTTP/1.1",
			Headers: header("Referer: http://r/", `User-Agent: Mozilla "x"`),
			Body:    &understudyv1.Body{DeclaredLength: -1, Truncated: true},
		},
		Response: &understudyv1.Response{Status: 201, Body: &understudyv1.Body{DeclaredLength: -1, Length: 17, Truncated: true}},
		ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "import/combined",
	}
	if diff := cmp.Diff(want, e, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestVirtualHosts: Apache's vhost_combined has the virtual host in front of
// the client.
func TestVirtualHosts(t *testing.T) {
	f := func(front, scheme, authority, sameClientAs string) {
		t.Helper()
		const rest = ` - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "agent"`
		got, bad, _, err := imported(t, "combined", front+rest+"\n"+sameClientAs+rest+"\n",
			func(o *importer.Options) { o.Authority = "else.example" })
		if err != nil || bad != nil || len(got) != 2 {
			t.Fatalf("%s: %v %v %v", front, got, bad, err)
		}
		q := got[0].Request
		if q.Scheme != scheme || q.Authority != authority {
			t.Errorf("%s: got %s://%s, want %s://%s", front, q.Scheme, q.Authority, scheme, authority)
		}
		if got[0].Session != got[1].Session {
			t.Errorf("%s: not the session of %s", front, sameClientAs)
		}
	}
	f("192.0.2.1", "http", "else.example", "192.0.2.1")
	f("client.example", "http", "else.example", "client.example")
	f("shop.example:80 192.0.2.1", "http", "shop.example", "192.0.2.1")
	f("shop.example:443 192.0.2.1", "https", "shop.example", "192.0.2.1")
	f("shop.example:8080 192.0.2.1", "http", "shop.example:8080", "192.0.2.1")
	f("shop.example 2001:db8::1", "http", "shop.example", "2001:db8::1")
	f("[2001:db8::1]:80 192.0.2.1", "http", "2001:db8::1", "192.0.2.1")
	f("shop.example:80 client.example", "http", "shop.example", "client.example")
}

// TestQuotedLines: some collectors quote each line as a whole.
func TestQuotedLines(t *testing.T) {
	const line = `192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a?b=%22 HTTP/1.1" 200 5 "-" "agent"`
	want, _, _, err := imported(t, "combined", line)
	if err != nil || len(want) != 1 {
		t.Fatal(want, err)
	}
	for _, quote := range []string{`\"`, `""`} {
		got, bad, _, err := imported(t, "combined", `"`+strings.ReplaceAll(line, `"`, quote)+`"`)
		if err != nil || bad != nil || len(got) != 1 || got[0].Session != want[0].Session || string(got[0].Request.Target) != "/a?b=%22" {
			t.Errorf("%s: %v %v %v", quote, got, bad, err)
		}
	}
	_, bad, _, _ := imported(t, "combined", `"192.0.2.1 - - [17/May/2015:10:05:03 +0000] nothing"`)
	if len(bad) != 1 || !strings.HasPrefix(bad[0], "line 1, column 44 ") {
		t.Errorf("got %v", bad)
	}
}

func TestPackedFilesAreUnpacked(t *testing.T) {
	const text = "some\nlines\n"
	var z, s bytes.Buffer
	g := gzip.NewWriter(&z)
	_, _ = g.Write([]byte(text))
	g.Close()
	w, err := zstd.NewWriter(&s)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(text))
	w.Close()
	for name, in := range map[string]string{"plain": text, "gzip": z.String(), "two members": z.String() + z.String(), "zstd": s.String(), "short": "a", "empty": ""} {
		r, err := importer.Open(iotest.OneByteReader(strings.NewReader(in)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(r)
		want := map[string]string{"two members": text + text, "short": "a", "empty": ""}
		if w, ok := want[name]; ok && (string(got) != w || err != nil) || !ok && (string(got) != text || err != nil) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if r.Close() != nil {
			t.Errorf("%s: close", name)
		}
	}
	for _, broken := range []string{z.String()[:len(z.String())-5], s.String()[:len(s.String())-2], "\x1f\x8bxx"} {
		r, err := importer.Open(strings.NewReader(broken))
		if err == nil {
			_, err = io.ReadAll(r)
		}
		if err == nil {
			t.Errorf("%q: no error", broken)
		}
	}
}

func TestCombinedKeepsTheGoodLines(t *testing.T) {
	const good = `h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 - "-" "-"`
	f := func(line string, want ...string) {
		t.Helper()
		got, bad, _, err := imported(t, "combined", good+"\n"+line+"\r\n"+good)
		if err != nil || len(got) != 3-len(want) {
			t.Fatalf("%d exchanges, error %v", len(got), err)
		}
		if diff := cmp.Diff(want, bad); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f(good)
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 5`)                            // common
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 5 "-" "-" "more" 0.3`)         // longer
	f(`h - - [17/May/2015:10:05:03 +0000] "GET /" 200 5`)                                     // HTTP/0.9
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozil`)                 // breaks off
	f(`nonsense`, "line 2, column 9 (byte 74): no time such as [17/May/2015:10:05:03 +0000]") // at its end
	f(`h - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.0" 200 5`, "line 2, column 7 (byte 72): no time such as [17/May/2015:10:05:03 +0000]")
	f(`h - - [17/May/2015:10:05:03 +0000] "-" 408 -`, "line 2, column 35 (byte 100): the request line is not METHOD TARGET PROTOCOL")
	f(`h - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 226`, "line 2, column 35 (byte 100): the request line is not METHOD TARGET PROTOCOL")
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HT`, "line 2, column 35 (byte 100): the request is not in closed quotes")
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 2000 5`, "line 2, column 52 (byte 117): the status is not a number of three digits")
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 five`, "line 2, column 56 (byte 121): the response length is neither a number nor -")
	f(`h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "http://`, "line 2, column 58 (byte 123): the Referer is not in closed quotes")
}

func TestOverlongEntriesAreCountedNotKept(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	limit := func(o *importer.Options) { o.MaxEntry = 100 << 10 }
	const good = `h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -`
	got, bad, _, err := imported(t, "combined", good+"\n"+long+"\n"+good, limit)
	if err != nil || len(got) != 2 || len(bad) != 1 || !strings.HasPrefix(bad[0], "line 2, column 1 (byte 58)") {
		t.Errorf("%d exchanges, %v, %v", len(got), bad, err)
	}
	const element = `{"method":"get","path":"/","status":200}`
	got, bad, _, err = imported(t, "nock", "["+element+",\n{\"x\":\""+long+"\"},"+element+"]", limit)
	if err != nil || len(got) != 2 || len(bad) != 1 || !strings.HasPrefix(bad[0], "line 2, column 1 (byte 43)") {
		t.Errorf("%d exchanges, %v, %v", len(got), bad, err)
	}
}

func TestNockElement(t *testing.T) {
	got, bad, _, err := imported(t, "nock", `[{"scope":"https://api.example:443","method":"patch","path":"/o/7?x=%2f",
		"body":{"n": 9007199254740993, "f":1.0,  "e":"\u00e9<"},"status":201,"response":[ 1.50, {"a" : "b  c"} ],
		"rawHeaders":["Date","Tue, 19 Jul 2022 04:36:44 GMT","X-B","1","X-A","2","x-b","3"],
		"reqheaders":{"z":"1","content-length":44,"a":["2","3"]},"responseIsBinary":false}]`)
	if err != nil || bad != nil || len(got) != 1 {
		t.Fatalf("%v %v %v", got, bad, err)
	}
	e := got[0]
	const request, response = `{"n":9007199254740993,"f":1.0,"e":"\u00e9<"}`, `[1.50,{"a":"b  c"}]`
	want := &understudyv1.Exchange{
		Id: e.Id, Recorder: "import-test", Sequence: 1, Session: e.Id, Route: "PATCH /o/{id}",
		StartUnixNano: time.Date(2022, 7, 19, 4, 36, 44, 0, time.UTC).UnixNano(),
		Request: &understudyv1.Request{
			Method: "PATCH", Target: []byte("/o/7?x=%2f"), Scheme: "https", Authority: "api.example",
			Headers: header("z: 1", "content-length: 44", "a: 2", "a: 3"),
			Body:    &understudyv1.Body{Content: []byte(request), DeclaredLength: 44, Length: int64(len(request)), Sha256: digest(request)},
		},
		Response: &understudyv1.Response{
			Status: 201, Headers: header("Date: Tue, 19 Jul 2022 04:36:44 GMT", "X-B: 1", "X-A: 2", "x-b: 3"),
			Body: &understudyv1.Body{Content: []byte(response), DeclaredLength: -1, Length: int64(len(response)), Sha256: digest(response)},
		},
		ServedBy: understudyv1.Side_SIDE_BASELINE, Source: "import/nock",
	}
	if diff := cmp.Diff(want, e, protocmp.Transform()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestNockBodies(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		got, bad, _, err := imported(t, "nock", `[{"method":"get","path":"/","status":200,`+fields+`}]`)
		if err != nil || len(got) != 1 {
			t.Fatalf("%v %v", bad, err)
		}
		if diff := cmp.Diff(want, string(got[0].Response.Body.Content)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	f(`"response":""`, "")
	f(`"response":null`, "")
	f(`"response":"a\u00e9\n"`, "aé\n")
	f(`"response":"00ff","responseIsBinary":true`, "\x00\xff")
	f(`"response":["1f8b","08"],"rawHeaders":["Content-Encoding","gzip"]`, "\x1f\x8b\x08")
	f(`"response":["a"]`, `["a"]`)
	f(`"response":12e3`, "12e3")
}

// TestUnpackedNockBodies: recorders of fixtures unpack a body and leave the
// Content-Encoding beside it.
func TestUnpackedNockBodies(t *testing.T) {
	const packed = "1f8b08000000000002ffab56ca48cdc9c957b25228cf2fca49510200"
	f := func(response, wantBody, wantHeaders string) {
		t.Helper()
		got, bad, _, err := imported(t, "nock", `[{"method":"get","path":"/","status":200,"response":`+response+
			`,"rawHeaders":["Content-Type","application/json","content-encoding","gzip","Content-Length","28"]}]`)
		if err != nil || bad != nil || len(got) != 1 {
			t.Fatalf("%s: %v %v %v", response, got, bad, err)
		}
		var names []string
		for _, h := range got[0].Response.Headers {
			names = append(names, h.Name)
		}
		if body := string(got[0].Response.Body.Content); body != wantBody || strings.Join(names, " ") != wantHeaders {
			t.Errorf("%s: got %q with %v, want %q with %s", response, body, names, wantBody, wantHeaders)
		}
	}
	raw, err := hex.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	f(`{"n": 1}`, `{"n":1}`, "Content-Type")
	f(`[{"n": 1}, 2]`, `[{"n":1},2]`, "Content-Type")
	f(`[10, 20]`, `[10,20]`, "Content-Type")
	f(`["10", 20]`, `["10",20]`, "Content-Type")
	f(`"{\"n\": 1}"`, `{"n": 1}`, "Content-Type")
	f(`"`+packed+`"`, string(raw), "Content-Type content-encoding Content-Length")
	f(`["`+packed[:10]+`","`+packed[10:]+`"]`, string(raw), "Content-Type content-encoding Content-Length")
	f(`null`, "", "Content-Type content-encoding Content-Length")
}

func TestImportedBodiesAreCutAtTheLimit(t *testing.T) {
	got, _, _, err := imported(t, "nock", `[{"method":"post","path":"/","status":200,"body":"hello","response":"hi"}]`,
		func(o *importer.Options) { o.CaptureLimit = 2 })
	if err != nil || len(got) != 1 {
		t.Fatalf("%d exchanges, %v", len(got), err)
	}
	want := &understudyv1.Body{Content: []byte("he"), DeclaredLength: -1, Length: 5, Truncated: true, Sha256: digest("hello")}
	if diff := cmp.Diff(want, got[0].Request.Body, protocmp.Transform()); diff != "" {
		t.Errorf("longer: -want +got\n%s", diff)
	}
	want = &understudyv1.Body{Content: []byte("hi"), DeclaredLength: -1, Length: 2, Sha256: digest("hi")}
	if diff := cmp.Diff(want, got[0].Response.Body, protocmp.Transform()); diff != "" {
		t.Errorf("as long: -want +got\n%s", diff)
	}
	got, _, _, err = imported(t, "nock", `[{"method":"post","path":"/notes/7","status":200,"body":"hello"},{"method":"post","path":"/","status":200,"body":"hello"}]`,
		func(o *importer.Options) {
			o.CaptureLimit, o.CaptureLimits = 2, map[string]int64{"POST /notes/{id}": 4}
		})
	if err != nil || len(got) != 2 || string(got[0].Request.Body.Content) != "hell" || string(got[1].Request.Body.Content) != "he" {
		t.Errorf("limits by route: %v, %v", got, err)
	}
	if _, _, _, err := imported(t, "nock", `[]`, func(o *importer.Options) { o.CaptureLimit = -1 }); err == nil {
		t.Error("a negative limit: no error")
	}
}

func TestNockKeepsTheGoodElements(t *testing.T) {
	const good = `{"method":"get","path":"/","status":200}`
	f := func(text string, kept int, wantErr bool, want ...string) {
		t.Helper()
		got, bad, _, err := imported(t, "nock", text)
		if len(got) != kept || (err != nil) != wantErr {
			t.Errorf("%s: %d exchanges, error %v", text, len(got), err)
		}
		if diff := cmp.Diff(want, bad); diff != "" {
			t.Errorf("%s: -want +got\n%s", text, diff)
		}
	}
	f("[]", 0, false)
	f("\xef\xbb\xbf["+good+"]\n", 1, false)
	f("\xef\xbb\xbf{}", 0, true, "line 1, column 1 (byte 3): the file is not a JSON array")
	f("["+good+",\n 7,"+good+"]", 2, false, "line 2, column 2 (byte 44): the element is not an object")
	f("["+good+",\n {\"method\":7},"+good+"]", 2, false, "line 2, column 12 (byte 54): method is not a string with the name of a method")
	f("["+good+",\n {\"method\":\"get\" 8},"+good+"]", 2, false, "line 2, column 18 (byte 60): not valid JSON: invalid character '8' after object value (expecting ',' or '}')")
	f("["+good+",,"+good+"]", 2, false, "line 1, column 43 (byte 42): an element is missing")
	f("["+good+",]", 1, false, "line 1, column 43 (byte 42): an element is missing")
	f("["+good+",\n{\"method\":\"g", 1, true, "line 2, column 1 (byte 43): the file ends within the element that begins here")
	f("["+good, 1, true, "line 1, column 42 (byte 41): the file ends before the array does")
	f("["+good+"] x", 1, true, "line 1, column 44 (byte 43): there is more after the array's end")
	f("{}", 0, true, "line 1, column 1 (byte 0): the file is not a JSON array")
	f("", 0, true, "line 1, column 1 (byte 0): the file ends before the array does")
}

func TestArrivalsWithoutDate(t *testing.T) {
	const element = `{"method":"get","path":"/","status":200,"rawHeaders":["Date","%s"]}`
	text := "[" + strings.Join([]string{
		fmt.Sprintf(element, ""), fmt.Sprintf(element, "Tue, 19 Jul 2022 04:36:44 GMT"),
		fmt.Sprintf(element, "Tue, 19 Jul 2022 04:36:44 GMT"), fmt.Sprintf(element, "Tue, 19 Jul 2022 04:36:40 GMT"),
	}, ",") + "]"
	got, _, s, err := imported(t, "nock", text, func(o *importer.Options) { o.Interval = 2 * time.Second })
	if err != nil {
		t.Fatal(err)
	}
	base := time.Date(2022, 7, 19, 4, 36, 44, 0, time.UTC).Unix()
	for i, want := range []int64{0, base, base, base + 2} {
		if at := got[i].StartUnixNano / 1e9; at != want {
			t.Errorf("%d: arrival %d, want %d", i, at, want)
		}
	}
	if s.First.Unix() != 0 || s.Last.Unix() != base+2 {
		t.Errorf("from %v to %v", s.First, s.Last)
	}
}

func TestSameImportGivesSameIDs(t *testing.T) {
	const text = `h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -` + "\n" + `h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -`
	a, _, _, _ := imported(t, "combined", text)
	b, _, _, _ := imported(t, "combined", text)
	if a[0].Id != b[0].Id || a[0].Id == a[1].Id {
		t.Errorf("ids %s %s, again %s", a[0].Id, a[1].Id, b[0].Id)
	}
}

func TestOtherEntriesHaveOtherIDs(t *testing.T) {
	id := func(path, recorder string, sequence uint64) string {
		t.Helper()
		got, _, _, err := imported(t, "nock", `[{"method":"get","path":"`+path+`","status":200}]`,
			func(o *importer.Options) { o.Recorder, o.Sequence = recorder, sequence })
		if err != nil || len(got) != 1 {
			t.Fatalf("%d exchanges, %v", len(got), err)
		}
		return got[0].Id
	}
	one := id("/a", "r", 0)
	for what, other := range map[string]string{"entry": id("/b", "r", 0), "recorder": id("/a", "s", 0), "sequence": id("/a", "r", 1)} {
		if other == one {
			t.Errorf("another %s has the same id", what)
		}
	}
}

func TestImportRedacts(t *testing.T) {
	key, _ := token.New(nil)
	got, _, _, err := imported(t, "nock",
		`[{"method":"get","path":"/?token=hunter2","status":200,"reqheaders":{"authorization":"token hunter2"},"rawHeaders":["set-cookie","a=hunter2"]}]`,
		func(o *importer.Options) { o.Redactor = redact.New(redact.Config{}, key) })
	if err != nil || strings.Contains(got[0].String(), "hunter2") || len(got[0].Redactions) != 3 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestErrorsOfReaderAndSinkAreReturned(t *testing.T) {
	broken := errors.New("broken")
	for name, read := range importer.Formats() {
		if _, err := read(t.Context(), iotest.ErrReader(broken), options(t), nil); !errors.Is(err, broken) {
			t.Errorf("%s: reader's error became %v", name, err)
		}
		text := map[string]string{"combined": `h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 304 -`, "nock": `[{"method":"get","path":"/","status":200}]`}[name]
		if _, err := read(t.Context(), strings.NewReader(text), options(t), func(*understudyv1.Exchange) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("%s: sink's error became %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := read(ctx, strings.NewReader(text), options(t), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: canceled became %v", name, err)
		}
		if _, err := read(t.Context(), strings.NewReader(text), importer.Options{}, nil); err == nil {
			t.Errorf("%s: options without anything were taken", name)
		}
	}
	if _, err := importer.ByName("har"); err == nil || !strings.Contains(err.Error(), "combined, nock") {
		t.Errorf("got %v", err)
	}
}

// shared is recorded traffic in the folder that UNDERSTUDY_DATA names; where it
// is set, nothing may be missing. Elsewhere integration/imports has fixtures.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	dir := os.Getenv("UNDERSTUDY_DATA")
	if dir == "" {
		fmt.Fprintf(os.Stderr, "SKIPPING %s: UNDERSTUDY_DATA is not set\n", t.Name())
		t.Skip("SKIP: no recorded traffic: UNDERSTUDY_DATA is not set")
	}
	path := filepath.Join(append([]string{dir}, parts...)...)
	if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
		t.Fatalf("UNDERSTUDY_DATA=%s must be the absolute path of a folder with %s (%v)", dir, filepath.Join(parts...), err)
	}
	return path
}

func TestRealAccessLogRoundTrips(t *testing.T) {
	raw, err := os.ReadFile(shared(t, "access-log", "apache_combined.log"))
	if err != nil {
		t.Fatal(err)
	}
	got, bad, s, err := imported(t, "combined", string(raw))
	if err != nil || len(bad) != 0 || s.Imported != 10_000 {
		t.Fatalf("%v, %v, first mistakes %v", s, err, bad[:min(3, len(bad))])
	}
	// Each exchange, written as a line again, is the line it came from.
	for i, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		e := got[i]
		rest := line[strings.IndexByte(line, '['):]
		length := strconv.FormatInt(e.Response.Body.Length, 10)
		if strings.Contains(rest, fmt.Sprintf(`" %d - `, e.Response.Status)) {
			length = "-"
		}
		again := fmt.Sprintf(`[%s] "%s %s %s" %d %s %s %s`, time.Unix(0, e.StartUnixNano).UTC().Format("02/Jan/2006:15:04:05 -0700"),
			e.Request.Method, escape(e.Request.Target), e.Request.Protocol, e.Response.Status, length,
			field(e, "Referer"), field(e, "User-Agent"))
		if !strings.HasSuffix(rest, `"`) {
			again = strings.TrimSuffix(again, `"`) // one line of this log breaks off
		}
		if again != rest || e.Sequence != uint64(i+1) {
			t.Fatalf("line %d: sequence %d\n%s\n%s", i+1, e.Sequence, rest, again)
		}
	}
}

// escape writes bytes as Apache does.
func escape(in []byte) string {
	var out []byte
	for _, c := range in {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ' || c >= 0x7f:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func field(e *understudyv1.Exchange, name string) string {
	for _, h := range e.Request.Headers {
		if h.Name == name {
			return `"` + escape(h.Value) + `"`
		}
	}
	return `"-"`
}

// fixture is what encoding/json makes of an element, as a second opinion.
type fixture struct {
	Method, Path      string
	Status            uint32
	Body, Response    json.RawMessage
	RawHeaders        []string
	ResponseIsBinary  bool
	RequestHeaderText json.RawMessage `json:"reqheaders"`
}

func TestRealFixturesComeOutByteForByte(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "github-exchanges"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	total, sameLength, declared := 0, 0, 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []fixture
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		got, bad, _, err := imported(t, "nock", string(raw))
		if err != nil || len(bad) != 0 || len(got) != len(want) {
			t.Fatalf("%s: %d of %d, %v, %v", file, len(got), len(want), bad, err)
		}
		var before int64
		for i, e := range got {
			f := want[i]
			if e.Request.Method != strings.ToUpper(f.Method) || string(e.Request.Target) != f.Path || e.Response.Status != f.Status {
				t.Errorf("%s %d: %s %s %d", file, i, e.Request.Method, e.Request.Target, e.Response.Status)
			}
			var lines []string
			for _, h := range e.Response.Headers {
				lines = append(lines, h.Name, string(h.Value))
			}
			if diff := cmp.Diff(f.RawHeaders, lines); diff != "" {
				t.Errorf("%s %d: headers -want +got\n%s", file, i, diff)
			}
			sameBody(t, f.Body, e.Request.Body, false)
			sameBody(t, f.Response, e.Response.Body, f.ResponseIsBinary)
			date, err := http.ParseTime(lines[indexOf(lines, "Date")+1])
			if err != nil || (e.StartUnixNano != date.UnixNano() && date.UnixNano() >= before) || e.StartUnixNano < before {
				t.Errorf("%s %d: arrival %d, date %v, before %d", file, i, e.StartUnixNano, date, before)
			}
			before = e.StartUnixNano
			if b := e.Response.Body; b.DeclaredLength >= 0 {
				declared++
				if b.DeclaredLength == b.Length {
					sameLength++
				}
			}
			total++
		}
	}
	t.Logf("%d exchanges; of %d bodies with a declared length %d have it", total, declared, sameLength)
	// The fixtures' editor changed five bodies after the recording.
	if total != 132 || declared-sameLength > 5 {
		t.Errorf("%d exchanges, %d bodies differ from their declared length", total, declared-sameLength)
	}
}

func indexOf(lines []string, name string) int {
	for i := 0; i < len(lines); i += 2 {
		if strings.EqualFold(lines[i], name) {
			return i
		}
	}
	return -1
}

func sameBody(t *testing.T, want json.RawMessage, got *understudyv1.Body, binary bool) {
	t.Helper()
	var expect []byte
	var text string
	switch {
	case json.Unmarshal(want, &text) == nil && binary:
		if hex := fmt.Sprintf("%x", got.Content); hex != text {
			t.Errorf("binary body %s, want %s", hex, text)
		}
		return
	case json.Unmarshal(want, &text) == nil:
		expect = []byte(text)
	default:
		var b bytes.Buffer
		if err := json.Compact(&b, want); err != nil {
			t.Fatal(err)
		}
		expect = b.Bytes()
	}
	if !bytes.Equal(expect, got.Content) || got.Truncated || got.Length != int64(len(expect)) {
		t.Errorf("body -want +got\n%s", cmp.Diff(string(expect), string(got.Content)))
	}
	if len(expect) > 0 && !bytes.Equal(got.Sha256, digest(string(expect))) {
		t.Error("hash of the body is wrong")
	}
}

func fuzz(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, bad, _, _ := imported(t, format, string(data), func(o *importer.Options) { o.MaxEntry = 4096 })
		for i, e := range got {
			if e.Sequence != uint64(i+1) || e.Request.Method == "" || len(e.Request.Target) == 0 || e.Response.Status < 100 {
				t.Errorf("exchange %v", e)
			}
			if _, err := proto.Marshal(e); err != nil {
				t.Errorf("cannot be written: %v", err)
			}
		}
		for _, m := range bad {
			if !strings.HasPrefix(m, "line ") {
				t.Errorf("mistake without a place: %s", m)
			}
		}
	})
}

func FuzzCombined(f *testing.F) {
	fuzz(f, "combined",
		`1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a?b=\"c\" HTTP/1.1" 200 5 "-" "x"`,
		"h - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 -\n\\x\n\"",
		`h - - [17/May/2015:10:05:03 +0000] "GET /\x`)
}

func FuzzNock(f *testing.F) {
	fuzz(f, "nock",
		`[{"scope":"https://a:443","method":"get","path":"/","status":200,"body":{"a":1},"response":"x","rawHeaders":["A","b"],"reqheaders":{"c":["d"],"e":5}}]`,
		`[{"method":"get","path":"/","status":200,"response":["00","ff"],"responseIsBinary":true},7,{]`,
		"[\"\\ud800\",\n{}", `[{"method":"get","path":"/\ud800","status":200}]`)
}

func BenchmarkCombined(b *testing.B) {
	line := `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /presentations/kibana-search.png?x=1 HTTP/1.1" 200 203023 "http://semicomplete.com/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1)"` + "\n"
	text := strings.Repeat(line, 1000)
	o := options(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := importer.Combined(b.Context(), strings.NewReader(text), o, func(*understudyv1.Exchange) error { return nil }); err != nil || s.Imported != 1000 {
			b.Fatal(s, err)
		}
	}
}
