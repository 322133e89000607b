package comparator_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"understudy.dev/comparator"
	understudyv1 "understudy.dev/schemas/understudy/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestAnotherJudgeHasAnotherVersion pins what the judge says of some replays to its
// version: rows of two judges must never stand in one judgement. A change of them
// needs a higher JudgeVersion, and then -update.
func TestAnotherJudgeHasAnotherVersion(t *testing.T) {
	then, now := recordedAt(20*time.Millisecond), replayedAt(20*time.Millisecond)
	replays := []*understudyv1.Replay{
		get(`{"a":1}`, `{"a":1}`),
		get(`{"a":1}`, `{"a":2,"b":[1]}`),
		get(`{"id":"o-5","total":"10.00"}`, `{"id":"o-9","total":"10.0"}`, knows("order o-5=o-9")),
		get(`{"id":"o-5"}`, `{"id":"o-5"}`, knows("order o-5=o-9")),
		get(`{"file":"inv-`+uuid1+`.pdf"}`, `{"file":"inv-`+uuid1+`.pdf"}`, knows("invoice "+uuid1+"="+uuid2)),
		get(`{"code":"`+jwt(`{"sub":"u1","role":"user"}`, "s")+`"}`, `{"code":"`+jwt(`{"sub":"u1","role":"admin"}`, "s")+`"}`),
		get(`{"at":"`+then+`"}`, `{"at":"`+now+`"}`),
		get(`{"at":"`+recordedAt(-40*time.Minute)+`"}`, `{"at":"`+replayedAt(-3*time.Minute)+`"}`),
		get(`{"order_id":1001,"status_id":1}`, `{"order_id":0,"status_id":2}`, knows("order #1001=#2001")),
		get(`{"token":"f3Zk09QmPq7LxYt2Rb8W"}`, `{"token":"Xw81LmQ0aKzT5RyB3nVc"}`),
		get(`{"checksum":"f3Zk09QmPq7LxYt2Rb8W"}`, `{"checksum":"Xw81LmQ0aKzT5RyB3nVc"}`),
		get(`[{"id":1,"n":"a"},{"id":2,"n":"b"}]`, `[{"id":2,"n":"b"},{"id":1,"n":"a"}]`),
		get(`{"by":{"17":3}}`, `{"by":{"17":3}}`, knows("customer #17=#91")),
		get(`{"note":"order 1001 is packed"}`, `{"note":"order 2001 is packed"}`, knows("order #1001=#2001")),
		immediate(response(200, `<a id="1"><b>x</b></a>`, "Content-Type: application/xml"), response(200, `<a id="1"><b>y</b></a>`, "Content-Type: application/xml")),
		immediate(response(200, "a b \nc", "Content-Type: text/plain"), response(200, "a b\nc", "Content-Type: text/plain")),
		immediate(response(200, "x", "Cache-Control: no-store", "ETag: \"1\""), response(200, "x", "Cache-Control: private")),
		immediate(response(200, "{}", "Set-Cookie: sid=a; Path=/; Secure"), response(200, "{}", "Set-Cookie: sid=b; Path=/")),
		immediate(response(201, "{}", "Location: /orders/1001"), response(201, "{}", "Location: /orders/1002")),
		immediate(response(200, "{}"), response(500, `{"error":"x"}`)),
		immediate(response(404, "{}"), response(200, `{"a":1}`)),
		called(response(200, `{"n":1}`), sighting(response(200, `{"n":2}`))),
	}
	judge, err := comparator.NewJudge(comparator.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	var says strings.Builder
	fmt.Fprintf(&says, "judge %d\n", comparator.JudgeVersion)
	for i, r := range replays {
		c := judge.Judge(r)
		fmt.Fprintf(&says, "%d %s\n", i, c.Verdict)
		for _, d := range c.Differences {
			fmt.Fprintf(&says, "  %v %s %v %q\n", d.Place, d.Location, d.Kind, d.Noise)
		}
	}
	file := filepath.Join("testdata", "judge.golden")
	golden, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if string(golden) == says.String() {
		return
	}
	if version, _, _ := strings.Cut(string(golden), "\n"); version == fmt.Sprintf("judge %d", comparator.JudgeVersion) {
		t.Fatalf("the judge says otherwise than version %d did: raise JudgeVersion, then run this test with -update\n%s", comparator.JudgeVersion, says.String())
	}
	if !*update {
		t.Fatal("JudgeVersion was raised: run this test with -update")
	}
	if err := os.WriteFile(file, []byte(says.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
