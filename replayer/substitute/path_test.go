package substitute_test

import (
	"testing"

	"understudy.dev/replayer/substitute"
)

// TestPathsThatSystemsHave: words of collections are nobody's names, also where
// links lead through them; a kind may be written short; and what is put beside
// another thing names that.
func TestPathsThatSystemsHave(t *testing.T) {
	f := func(request, want string, story ...step) {
		t.Helper()
		if got := maker.ReplaceAllString(sends(t, substitute.NewMemory(""), story, request), ""); got != want {
			t.Errorf("%s\n got %s\nwant %s", request, got, want)
		}
	}
	depot := step{`s POST /orgs/north/repos {"name":"depot-7-2024x"}`,
		`201 {"id":4810077,"name":"depot-7-2024x","teams_url":"https://h/repos/north/depot-7-2024x/teams","notes_url":"https://h/repos/north/depot-7-2024x/notes{/number}"}`,
		`201 {"id":"dp-x81","name":"depot-7-2024x","teams_url":"https://h/repos/north/depot-7-2024x/crews","notes_url":"https://h/repos/north/depot-7-2024x/notes{/number}"}`}
	f(`s POST /repos/north/depot-7-2024x/notes {"text":"x"}`, `/repos/north/depot-7-2024x/notes {"text":"x"}`, depot)
	f(`s GET /teams/252/members`, `/teams/252/members`, depot)
	f(`s GET /repositories/4810077/notes?page=2`, `/repositories/dp-x81/notes?page=2`, depot)
	f(`s GET /x?repository_id=4810077`, `/x?repository_id=dp-x81`, depot)
	release := step{`s POST /repos/north-1/depot-7-2024x/drops {"tag":"a"}`,
		`201 {"id":7228683,"tag":"a","url":"https://h/repos/north-1/depot-7-2024x/drops/7228683"}`, `201 {"id":"dr-51c","tag":"a","url":"https://h/repos/north-1/depot-7-2024x/drops/dr-51c"}`}
	f(`s GET /repos/north-1/depot-7-2024x/drops/7228683/files`, `/repos/north-1/depot-7-2024x/drops/dr-51c/files`, release)
	card := func(note, theirs, own string) step {
		return step{`s POST /boards/columns/190605/cards {"note":"` + note + `"}`, `201 {"id":` + theirs + `,"url":"https://h/boards/columns/cards/` + theirs + `","note":"` + note + `"}`,
			`201 {"id":"` + own + `","url":"https://h/boards/columns/cards/` + own + `","note":"` + note + `"}`}
	}
	one, two := card("a", "8430051", "cd-1f"), card("b", "8430052", "cd-2e")
	f(`s GET /boards/columns/cards/8430051`, `/boards/columns/cards/cd-1f`, one, two)
	f(`s POST /boards/columns/cards/8430051/moves {"position":"after:8430052"}`, `/boards/columns/cards/cd-1f/moves {"position":"after:cd-2e"}`, one, two)
	f(`s POST /boards/columns/cards/8430051/moves {"position":"top"}`, `/boards/columns/cards/cd-1f/moves {"position":"top"}`, one, two)
}
