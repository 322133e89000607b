package substitute_test

import (
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestWhereANameIsTold: places that say what they hold by something beside them.
func TestWhereANameIsTold(t *testing.T) {
	f := func(request, want string, story ...step) {
		t.Helper()
		if got := maker.ReplaceAllString(sends(t, substitute.NewMemory(""), story, request), ""); got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	const u, v = "0b6a3f8e-2f1f-4a77-9d3c-5f1f0a7c1d11", "c3d2e1f0-9a8b-4c7d-8e6f-112233445566"
	uuid := step{`s POST /orders {"n":1}`, `201 {"id":"` + u + `","n":1}`, `201 {"id":"` + v + `","n":1}`}
	long := step{`s POST /orders {"n":1}`, `201 {"id":"ord_4Zk29QpLm3","n":1}`, `201 {"id":"ord_9Xw81TyRn7","n":1}`}
	for _, end := range []string{".json", ".pdf", ".tar.gz"} {
		f(`s GET /orders/`+u+end, `/orders/`+v+end, uuid)
		f(`s GET /orders/ord_4Zk29QpLm3`+end, `/orders/ord_9Xw81TyRn7`+end, long)
	}
	file := step{`s POST /files {"n":1}`, `201 {"id":"ab12cd34.pdf","n":1}`, `201 {"id":"ef56ab78.pdf","n":1}`} // that is its name
	f(`s GET /files/ab12cd34.pdf`, `file "ab12cd34.pdf": it is spelled, or stands, where it is not replaced`, file)
	board := step{`s POST /boards {"n":1}`, `201 {"id":3011,"n":1}`, `201 {"id":4022,"n":1}`}
	f(`s GET /rest/boards?id=eq.3011`, `/rest/boards?id=eq.4022`, board)
	f(`s GET /boards?id=eq.3011`, `/boards?id=eq.4022`, board)
	f(`s GET /boards?id=in.(3011,3012)`, `/boards?id=in.(4022,4023)`, board, step{`s POST /boards {"n":2}`, `201 {"id":3012,"n":2}`, `201 {"id":4023,"n":2}`})
	f(`s GET /boards?id=not.in.(3011,7)&total=eq.3011`, `/boards?id=not.in.(4022,7)&total=eq.3011`, board)
	f(`s PATCH /cards/7 [{"op":"replace","path":"/board_id","value":3011}]`, `/cards/7 [{"op":"replace","path":"/board_id","value":4022}]`, board)
	f(`s PATCH /cards/7 [{"op":"replace","path":"/board_id","value":3011},{"op":"add","path":"/title","value":"a"}]`, `/cards/7 [{"op":"replace","path":"/board_id","value":4022},{"op":"add","path":"/title","value":"a"}]`, board)
	f(`s PATCH /cards/7 [{"op":"replace","path":"/board_id","value":3011},{"op":"add","path":"/amount","value":3011}]`, `value "3011": it may be what that exchange made, which the candidate calls otherwise`, board)
	del := step{`s DELETE /boards/3011`, `204 `, `204 `}
	again := step{`s POST /boards {"n":2}`, `201 {"id":3012,"n":2}`, `201 {"id":4022,"n":2}`}
	f(`s GET /boards/3012`, `/boards/4022`, board, del, again)
	f(`t GET /boards/3012`, `/boards/4022`, board, del, again)
	// As long as it is not deleted on both sides that is another's.
	const broken = `board "3012": the answers contradict each other about what the candidate calls it`
	f(`s GET /boards/3012`, broken, board, again)
	f(`s GET /boards/3012`, broken, board, step{`s DELETE /boards/3011`, `204 `, `409 `}, again)
	f(`s GET /boards/3011`, `board "3011": the candidate's answers do not hold it, and no pair is known`, board, del, again)
	f(`s GET /boards/3011`, `/boards/4022`, board, del)
	f(`t GET /boards/3012`, `/boards/4022`, board, step{`t GET /boards/3011`, `200 {"id":3011,"n":1}`, `200 {"id":4022,"n":1}`}, del, again)
}
