package source_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

type room struct {
	Timeout time.Duration  `yaml:"timeout"`
	Linger  *time.Duration `yaml:"linger"`
	Count   int            `yaml:"count"`
	Codes   []uint32       `yaml:"codes"`
	Inner   `yaml:",inline"`
	Hidden  string `yaml:"-"`
}

type Inner struct {
	Ratio float64          `yaml:"ratio"`
	On    bool             `yaml:"on"`
	Words []string         `yaml:"words"`
	Sizes map[string]int64 `yaml:"sizes"`
}

type house struct {
	Name  string `yaml:"name"`
	Room  room   `yaml:"room"`
	Rooms []room `yaml:"rooms"`
}

func read(text string) (house, source.Origins, error) {
	h, origins := house{Name: "default", Room: room{Count: 7}}, source.Origins{}
	err := source.Read([]byte(text), "h.yaml", &h, origins)
	return h, origins, err
}

func TestMistakes(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, _, err := read(text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if w := strings.Join(want, "\n"); got != w {
			t.Errorf("%q:\n%s\nwant\n%s", text, got, w)
		}
	}
	f("")
	f("# nothing\n---\n")
	f("name: 5\nroom: {timeout: 5s, linger: 0s, codes: [1], ratio: 2, on: true, words: [1, a], sizes: {a b: 3}}\n")
	f("name: ~\nroom: {words: }\n")
	f("room:\n  timeout: 5\n  linger: soon\n",
		"h.yaml:2:12: room.timeout: 5 has no unit; want a duration such as 5s",
		`h.yaml:3:11: room.linger: "soon" is not a duration; want a duration such as 5s`)
	f("room:\n  count: 1.5\n  ratio: x\n  on: yes\n",
		"h.yaml:2:10: room.count: 1.5 is not a whole number that fits",
		`h.yaml:3:10: room.ratio: "x" is not a number`,
		`h.yaml:4:7: room.on: "yes" is neither true nor false`)
	f("room:\n  codes: [1, -2]\n  words: a\n  sizes:\n    a b: x\n",
		"h.yaml:2:14: room.codes[1]: -2 is not a whole number of 0 or more that fits",
		`h.yaml:3:10: room.words: "a" is not a list; want [a, b]`,
		`h.yaml:5:10: room.sizes["a b"]: "x" is not a whole number that fits`)
	f("room:\nnamed: x\n", "h.yaml:1:1: room: section room is empty; remove it", "h.yaml:2:1: named: unknown key; did you mean name?")
	f("null\n", "h.yaml:1:1: the document is empty; remove it")
	f("\ufeffroom: {count: 1}\n")
	f("\ufeffnamed: x\n", "h.yaml:1:1: named: unknown key; did you mean name?")
	f("rooms:\n  - cuont: 1\n  - count: 2\n    hidden: x\n",
		"h.yaml:2:5: rooms[0].cuont: unknown key; did you mean count?", "h.yaml:4:5: rooms[1].hidden: unknown key")
	f("room: secret\n", "h.yaml:1:7: room: is not a section of the form key: value")
	f("- a\n", "h.yaml:1:3: the document is not a section of the form key: value")
	f("name: a\n---\nname: b\n", "h.yaml:3:1: a second YAML document; a configuration is one")
	f("name: [\n", "h.yaml:1:7: sequence end token ']' not found")
	f("name: a\nname: b\n", `h.yaml:2:1: mapping key "name" already defined at [1:1]`)
	f("name: &a !!str *a\n", "h.yaml:1:7: name: its anchors lead in a circle")
	f("room: &a {count: 1, <<: *a}\n", "h.yaml:1:11: room: its merges lead in a circle")
	f("room: {<<: [[{count: 1}], 5]}\n", "h.yaml:1:13: room: is not a section of the form key: value", "h.yaml:1:27: room: is not a section of the form key: value")
	f("room: &n {}\n*n : b\n", "h.yaml:1:10: is not a key; want a word")
	f("name: *a\nroom: &a {}\n", "h.yaml:1:7: name: there is no anchor &a above")
	f("name: &n name\n*n : b\n", "h.yaml:1:10: key name stands here twice")
	f("name: *a\n", "h.yaml:1:7: name: there is no anchor &a above")
}

func TestAliasesAndMerge(t *testing.T) {
	h, _, err := read("rooms:\n  - &r {count: 1, timeout: &d 3s}\n  - <<: *r\n    linger: *d\n")
	if err != nil || len(h.Rooms) != 2 || h.Rooms[1].Count != 1 || *h.Rooms[1].Linger != 3*time.Second {
		t.Errorf("%+v, %v", h, err)
	}
}

// TestMergedLists: a key's own value comes before a merged one, and of those
// merged the first.
func TestMergedLists(t *testing.T) {
	f := func(text string, want room) {
		t.Helper()
		h, _, err := read(text)
		if err != nil || len(h.Rooms) == 0 {
			t.Fatalf("%s: %+v, %v", text, h, err)
		}
		if diff := cmp.Diff(want, h.Rooms[len(h.Rooms)-1]); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	const two = "rooms:\n  - &a {count: 1, sizes: {x: 1}}\n  - &b {count: 2, sizes: {y: 2}, ratio: 3}\n"
	f(two+"  - <<: [*a, *b]\n", room{Count: 1, Inner: Inner{Ratio: 3, Sizes: map[string]int64{"x": 1}}})
	f(two+"  - <<: [*b, *a]\n    count: 9\n", room{Count: 9, Inner: Inner{Ratio: 3, Sizes: map[string]int64{"y": 2}}})
	f(two+"  - <<: [*a, {<<: *b, ratio: 4}]\n", room{Count: 1, Inner: Inner{Ratio: 4, Sizes: map[string]int64{"x": 1}}})
	f("rooms:\n  - sizes: {<<: [{x: 1}, {x: 2, y: 3}], z: 4}\n", room{Inner: Inner{Sizes: map[string]int64{"x": 1, "y": 3, "z": 4}}})
	f("rooms:\n  - ? count\n    : 3\n    &r ratio: !!float 2\n", room{Count: 3, Inner: Inner{Ratio: 2}})
}

// TestEachUseOfAnAlias: a key that is a mistake at one use of an alias may be
// right at the next.
func TestEachUseOfAnAlias(t *testing.T) {
	h, _, err := read("room:\n  sizes: &s {count: 3, other: 4}\nrooms:\n  - *s\n  - sizes: *s\n")
	if want := `h.yaml:2:24: rooms[0].other: unknown key`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if len(h.Rooms) != 2 || h.Rooms[0].Count != 3 || len(h.Room.Sizes) != 2 || len(h.Rooms[1].Sizes) != 2 {
		t.Errorf("got %+v", h)
	}
}

// TestManyAliases: a few lines that name a billion values.
func TestManyAliases(t *testing.T) {
	text := "room:\n  codes: &a0 [" + strings.Repeat("1, ", 999) + "1]\nrooms:\n"
	for range 200 {
		text += "  - codes: *a0\n"
	}
	_, _, err := read(text)
	if err == nil || len(source.Of(err)) != 1 || !strings.Contains(err.Error(), "its aliases make more than 100000 values of the document") {
		t.Errorf("got %.300v", err)
	}
}

// TestWhatIsRightIsRead: a mistake keeps its own default only.
func TestWhatIsRightIsRead(t *testing.T) {
	h, origins, err := read("name: given\nroom:\n  count: x\n  timeout: -3s\nrooms:\n  - 5\n  - count: 9\n")
	if err == nil || h.Name != "given" || h.Room.Count != 7 || h.Room.Timeout != -3*time.Second || len(h.Rooms) != 2 || h.Rooms[1].Count != 9 {
		t.Errorf("%+v, %v", h, err)
	}
	origins.Set("name", source.Origin{Kind: source.Flag, Name: "--name"})
	var ps setting.Problems
	ps.Require(false, "room.timeout", h.Room.Timeout, "is negative")
	ps.Require(false, "room.count", 7, "is told only once")
	ps.Require(false, "rooms[0].count", 0, "is told only once")
	ps.Require(false, "rooms[1].ratio", 0, "is less than 1")
	ps.Require(false, "name", "given", "is odd")
	ps.Require(false, "elsewhere", nil, "is needed")
	want := `h.yaml:3:10: room.count: "x" is not a whole number that fits
h.yaml:4:12: room.timeout: -3s is negative
h.yaml:6:5: rooms[0]: is not a section of the form key: value
h.yaml:7:5: rooms[1].ratio: 0 is less than 1
elsewhere: is needed
--name: "given" is odd`
	if got := source.Of(err).With(origins, ps.Err()).Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOriginsOfOverriddenLists(t *testing.T) {
	_, origins, err := read("room:\n  words: [a, b]\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := origins["room.words[1]"].String(); got != "h.yaml:2" {
		t.Errorf("got %q", got)
	}
	origins.Set("room.words", source.Origin{Kind: source.Environment, Name: "H_WORDS"})
	found := source.Mistakes{}.With(origins, setting.Problems{{Path: "room.words[1]", Value: "c", Fault: "is odd"}})
	if got := found.Error(); got != `H_WORDS: "c" is odd` {
		t.Errorf("got %q", got)
	}
	if source.Of(errors.New("x")) != nil {
		t.Error("any error holds mistakes")
	}
}

// TestOriginsAroundMembers: the keys of a map are the user's own, with whatever
// brackets and dots.
func TestOriginsAroundMembers(t *testing.T) {
	f := func(has, problem string, want string) {
		t.Helper()
		origins := source.Origins{has: {Kind: source.Flag, Name: "--found"}}
		got := source.Mistakes{}.With(origins, setting.Problems{{Path: problem, Fault: "is odd"}}).Error()
		if got != want {
			t.Errorf("%s under %s: got %q, want %q", problem, has, got, want)
		}
	}
	f(`a["b"]`, `a["b"]["c"]`, "--found: is odd")
	f(`a["b.c"]`, `a["b.c"].d[2].e`, "--found: is odd")
	f(`a["b"]`, `a["b"]["["]["x[\"]y"]`, "--found: is odd")
	f(`a["b["]`, `a["b["].c`, "--found: is odd")
	f("a", `a["b["]`, "--found: is odd")
	f(`a["b"]`, `a["c"]["b"]`, `a["c"]["b"]: is odd`)
}

func FuzzRead(f *testing.F) {
	f.Add("room: {count: 1}\nrooms: [{on: true}, *a]\nname: &a b\n")
	f.Add("? [a]\n: b\n<<: {name: x}\n!!str name: ~\n")
	f.Add("room: &r {<<: [*r, {count: 1}], sizes: &s {a: 1}}\nrooms: [*r, {<<: *s}, {sizes: *s}]\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _, _ = read(text) })
}
