package audit

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/comparator"
	"understudy.dev/exchange/message"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var (
	recorded = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	replayed = recorded.Add(96 * time.Hour)
)

func answer(status uint32, kind, body string, headers ...string) *understudyv1.Response {
	r := &understudyv1.Response{Status: status, Body: message.BodyOf([]byte(body))}
	for _, h := range append([]string{"Content-Type: " + kind}, headers...) {
		name, value, _ := strings.Cut(h, ": ")
		r.Headers = append(r.Headers, &understudyv1.Header{Name: name, Value: []byte(value)})
	}
	return r
}

// replay is one of a run at speed 1; what is created is stamped when it is
// asked for.
func replay(n int, route string, baseline, candidate *understudyv1.Response) *understudyv1.Replay {
	method, _, _ := strings.Cut(route, " ")
	at := time.Duration(n) * time.Second
	return &understudyv1.Replay{
		Run: "r", Ordinal: uint64(n), Speed: 1, SentUnixNano: replayed.Add(at).UnixNano(), ClosedUnixNano: replayed.Add(at + time.Second).UnixNano(),
		Exchange: &understudyv1.Exchange{
			Id: fmt.Sprint("e", n), Route: route, StartUnixNano: recorded.Add(at).UnixNano(), DurationNano: 20e6, Response: baseline,
			Request: &understudyv1.Request{Method: method, Target: []byte("/orders")},
		},
		Candidate: &understudyv1.Observation{
			Ack: candidate, AckServiceNano: 20e6,
			Completion: &understudyv1.Completion{Channel: understudyv1.Channel_CHANNEL_IMMEDIATE, Seen: 1},
		},
		Substitutions: []*understudyv1.Substitution{
			{Kind: "order", Recorded: fmt.Sprint("ord_100", n), Candidate: fmt.Sprint("O-77-", n), LearnedFrom: "e0", Proof: understudyv1.Substitution_PROOF_CREATED},
			{Kind: "customer", Recorded: fmt.Sprint(7000 + n), RecordedNumber: true, Candidate: fmt.Sprint(9000 + n), CandidateNumber: true, LearnedFrom: "e0", Proof: understudyv1.Substitution_PROOF_CREATED},
		},
	}
}

// completed makes the answer one that came after a 202.
func completed(r *understudyv1.Replay, channel understudyv1.Channel) *understudyv1.Replay {
	r.Candidate.Completion = &understudyv1.Completion{Channel: channel, Payload: r.Candidate.Ack, Seen: 1, ServiceNano: 40e6, DeadlineNano: 1e9}
	r.Candidate.Ack = &understudyv1.Response{Status: 202, Body: &understudyv1.Body{}}
	return r
}

func token(subject string, at time.Time) string {
	code := base64.RawURLEncoding.EncodeToString
	payload := fmt.Sprintf(`{"sub":%q,"role":"clerk","iat":%d,"exp":%d}`, subject, at.Unix(), at.Unix()+3600)
	return code([]byte(`{"alg":"HS256"}`)) + "." + code([]byte(payload)) + "." + code(fmt.Appendf(nil, "%032d", at.Unix()))
}

func order(n int, id string, customer int, at time.Time) string {
	stamp := at.Add(time.Duration(n) * time.Second).Format("2006-01-02T15:04:05.000Z")
	return fmt.Sprintf(`{"id":%q,"customer_id":%d,"total":129.95,"units":9007199254740993,"paid":true,"note":"Leave it at the door","parent_id":null,
		"created_at":%q,"stamp":%d,"items":[{"sku":"A-1","qty":2},{"sku":"B-7","qty":1}],"tags":["red","blue"],"links":{"self":"/orders/%s"}}`,
		id, customer, stamp, at.Unix()+int64(n), id)
}

// orders are a run of one kind of request.
func orders(n int) []*understudyv1.Replay {
	var out []*understudyv1.Replay
	for i := range n {
		headers := []string{"Cache-Control: no-store, max-age=60", "Last-Modified: Tue, 03 Nov 2026 10:00:00 GMT"}
		b := answer(200, "application/json", order(i, fmt.Sprint("ord_100", i), 7000+i, recorded), append(headers, fmt.Sprint("Content-Location: /orders/ord_100", i), "Set-Cookie: seen=1; Path=/")...)
		f := answer(200, "application/json", order(i, fmt.Sprint("O-77-", i), 9000+i, replayed), append(headers, fmt.Sprint("Content-Location: /orders/O-77-", i), "Set-Cookie: seen=1; Path=/")...)
		out = append(out, replay(i, "GET /orders/{id}", b, f))
	}
	return out
}

// same is a replay whose sides are equal.
func same(n int, kind, body string) *understudyv1.Replay {
	return replay(n, "GET /export", answer(200, kind, body), answer(200, kind, body))
}

// formats are one of each format.
func formats() []*understudyv1.Replay {
	gzip, err := encode([]byte(`{"name":"falcon","n":12}`), "gzip")
	if err != nil {
		panic(err)
	}
	coded := answer(200, "application/json", string(gzip), "Content-Encoding: gzip")
	grpc := answer(200, "application/grpc", "\x00\x00\x00\x00\x03abc")
	grpc.Trailers = []*understudyv1.Header{{Name: "Grpc-Status", Value: []byte("0")}, {Name: "Grpc-Message", Value: []byte("fine")}}
	receipt := base64.StdEncoding.EncodeToString([]byte(`{"total":12.50,"currency":"EUR"}`))
	documents := func(at time.Time) *understudyv1.Response {
		return answer(200, "application/json", fmt.Sprintf(`{"receipt":%q,"meta":"{\"qty\":3}","token":%q}`, receipt, token("u1", at.Add(65*time.Second))))
	}
	long := func() *understudyv1.Response {
		r := answer(200, "text/plain", strings.Repeat("x", 200))
		message.CutBody(r.Body, 100)
		return r
	}
	missing := answer(404, "application/json", `{"error":"there is no such order"}`)
	return []*understudyv1.Replay{
		same(50, "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
		same(51, "text/event-stream", "data: {\"total\":5}\n\ndata: {\"total\":6}\n\n"),
		same(52, "text/event-stream", "data: hello\n\n"),
		same(53, "application/x-www-form-urlencoded", "name=falcon&city=Rome"),
		same(54, "text/csv", "sku,price\nA-1,12\nB-2,13\n"),
		same(55, "text/plain", "first line\nsecond line\n"),
		same(56, "application/xml", `<orders><order id="1"><city>Rome</city></order></orders>`),
		same(57, "text/html", `<html><head><style>a{}</style></head><body><p>Hello there</p><!-- no --></body></html>`),
		same(58, "multipart/mixed; boundary=b1", "--b1\r\nContent-Type: text/plain\r\n\r\nhello there\r\n--b1--\r\n"),
		same(59, "image/png", "\x89PNG\r\n\x1a\n\x00\x00\xff\xd8"),
		replay(60, "GET /coded", coded, coded),
		replay(61, "POST /grpc", grpc, grpc),
		replay(62, "GET /missing", missing, missing),
		completed(same(63, "application/json", `{"state":"done","n":4}`), understudyv1.Channel_CHANNEL_POLL),
		completed(same(64, "application/json", `{"state":"done","n":5}`), understudyv1.Channel_CHANNEL_CALLBACK),
		replay(66, "GET /long", long(), long()),
		replay(65, "POST /sessions", documents(recorded), documents(replayed)),
	}
}

func run(t *testing.T, cfg comparator.Config, replays []*understudyv1.Replay) Result {
	t.Helper()
	s := NewSurvey(1, 1000)
	for _, r := range replays {
		s.Add(r)
	}
	a, err := New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range replays {
		if a.Wants(r) {
			a.Replay(r)
		}
	}
	return a.Result()
}

// TestWithoutRules: what is planted is found, each kind in some replay of the
// run, and nothing hides without a reason.
func TestWithoutRules(t *testing.T) {
	all := slices.Concat(orders(20), formats())
	got := run(t, comparator.DefaultConfig(), all)
	if got.Audited != uint64(len(all)) || got.Bodies["a body that was cut"] != 1 || len(got.Bodies) > 1 || len(got.Unplantable) > 0 {
		t.Errorf("audited %d of %d: %v, bodies %v", got.Audited, len(all), got.Unplantable, got.Bodies)
	}
	for _, k := range kinds() {
		if !slices.ContainsFunc(got.Kinds, func(s NamedScore) bool { return s.Name == k.name && s.Counted() > 0 }) {
			t.Errorf("%s is planted nowhere", k.name)
		}
	}
	for _, p := range got.Places {
		if p.Outcome != Default && p.By != "presumed:identifier" && p.By != "presumed:random" && p.By != "presumed:completion" {
			t.Errorf("%s %s: %d of %d (%v) not found: %s", p.Route, p.Path, p.Lost, p.Planted, p.Kinds, p.By)
		}
	}
	if got.Total.Recall == nil || *got.Total.Recall < 0.99 {
		t.Errorf("recall %+v", got.Total)
	}
	if sum := got.Total.Found + got.Total.Presumed + got.Total.Hidden + got.Total.Default; sum != got.Total.Planted {
		t.Errorf("%d planted, %d accounted for", got.Total.Planted, sum)
	}
}

// TestOneSeedOneResult: whatever the order of the replays is, and though some
// are there twice.
func TestOneSeedOneResult(t *testing.T) {
	all := slices.Concat(orders(8), formats())
	want := run(t, comparator.DefaultConfig(), all)
	slices.Reverse(all)
	all = append(all, all[3])
	got := run(t, comparator.DefaultConfig(), all)
	got.Replays--
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestRulesThatHide: each is named with the places that it hides, also one that
// leaves no trace.
func TestRulesThatHide(t *testing.T) {
	rule := func(name, path, action string) comparator.Rule {
		return comparator.Rule{Name: name, Owner: "o", Reason: "r", Path: path, Action: action}
	}
	f := func(r comparator.Rule, path string, kinds ...string) {
		t.Helper()
		cfg := comparator.DefaultConfig()
		cfg.Rules = []comparator.Rule{r}
		got := run(t, cfg, orders(10))
		i := slices.IndexFunc(got.Places, func(p Place) bool { return p.By == "rule:"+r.Name && p.Path == path })
		if i < 0 {
			t.Errorf("%s hides nothing at %s: %+v", r.Path, path, got.Places)
			return
		}
		for _, k := range kinds {
			if !slices.Contains(got.Places[i].Kinds, k) {
				t.Errorf("%s at %s hides %v, not %s", r.Path, path, got.Places[i].Kinds, k)
			}
		}
		if p := got.Places[i]; p.Lost == 0 || p.Lost > p.Planted-p.Found {
			t.Errorf("%+v", p)
		}
	}
	f(rule("all", "$.**", "ignore"), "$.total", "number one more", "number with a digit less")
	f(rule("all", "$.**", "ignore"), "$.customer_id", "name of another thing")
	f(rule("all", "$.**", "ignore"), "$.created_at", "time moved by a day")
	f(rule("items", "$.items[].*", "ignore"), "$.items[].qty", "number one more")
	f(rule("tags", "$.tags[]", "unordered"), "$.tags[]", "two elements swapped")
	tolerance := rule("near", "$.total", "tolerance")
	tolerance.Tolerance = "2%"
	f(tolerance, "$.total", "number one more")
	f(rule("cache", "header:cache-control", "ignore"), "header:cache-control", "header changed")

	cfg := comparator.DefaultConfig()
	cfg.Rules = []comparator.Rule{rule("all", "$.**", "ignore")}
	if got := run(t, cfg, orders(10)); got.Total.Recall == nil || *got.Total.Recall > 0.8 {
		t.Errorf("recall %+v", got.Total)
	}
}

// TestWhatIsNotAudited is counted by its reason.
func TestWhatIsNotAudited(t *testing.T) {
	differs := replay(1, "GET /a", answer(200, "application/json", `{"a":1}`), answer(200, "application/json", `{"a":2}`))
	skipped := same(2, "text/plain", "x")
	skipped.Skipped = "unsafe"
	long := same(3, "application/json", `{"a":"`+strings.Repeat("x", maxBody)+`"}`)
	cut := same(4, "application/json", `{"a":1}`)
	cut.Candidate.Ack.Body.Truncated, cut.Exchange.Response.Body.Truncated = true, true
	got := run(t, comparator.DefaultConfig(), []*understudyv1.Replay{differs, skipped, {Run: "r", Orphan: &understudyv1.Orphan{}}, long, cut})
	if d := cmp.Diff(map[string]uint64{"mismatch": 1, "skipped": 1, "orphan": 1}, got.Unplantable); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]uint64{"a body of more than 128 KiB": 1, "a body that was cut": 1}, got.Bodies); d != "" {
		t.Error(d)
	}
	if got.Total.Planted == 0 || got.Audited != 2 {
		t.Errorf("%+v", got)
	}
}

// TestNoFaultIsNone: a name that the candidate has just made can be any, and
// what means the same is no fault.
func TestNoFaultIsNone(t *testing.T) {
	f := func(r *understudyv1.Replay, path string, kinds ...string) {
		t.Helper()
		judge, err := comparator.NewJudge(comparator.DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		s := NewSurvey(1, 10)
		s.Add(r)
		sub, why := newSubject(s, r, judge.Judge(r))
		if why != "" {
			t.Fatal(why)
		}
		for _, k := range jsonKinds {
			if !slices.Contains(kinds, k.name) {
				continue
			}
			for _, p := range k.find(sub, 100) {
				if p.path == path && !p.unreal {
					t.Errorf("%s is planted at %s", k.name, path)
				}
			}
		}
	}
	made := replay(1, "POST /orders", answer(201, "application/json", `{"id":"ord_77","n":1}`), answer(201, "application/json", `{"id":"falcon-12","n":1}`))
	made.Substitutions = append(made.Substitutions, &understudyv1.Substitution{
		Kind: "order", Recorded: "ord_77", Candidate: "falcon-12", LearnedFrom: made.Exchange.Id, Proof: understudyv1.Substitution_PROOF_CREATED,
	})
	f(made, "$.id", "letter or digit of a text", "case of a letter", "text cut short")
	f(same(2, "application/json", `{"list":[1.0,1],"a":2}`), "$.list[]", "two elements swapped")
	f(same(3, "application/json", `{"at":"2026-11-03T10:00:00Z"}`), "$.at", "letter or digit of a text", "case of a letter")
}
