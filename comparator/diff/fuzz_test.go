package diff

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// corpus are pairs that have been or could be judged wrongly.
var corpus = [][2]string{
	{`{"a":1,"b":2}`, `{"b":2,"a":1}`},
	{`{"a":1,"a":2}`, `{"a":2,"a":1}`},
	{`{"a":1,"a":2}`, `{"a":2}`},
	{`{"a":1,"\u0061":2}`, `{"\u0061":1,"a":2}`},
	{`9007199254740993`, `9007199254740992`},
	{`1.0`, `1`}, {`1e2`, `100`}, {`-0`, `0`}, {`-0.0e7`, `0`}, {`0.1e1`, `1`}, {`1E+2`, `1e02`},
	{`1e999999999`, `1e999999998`}, {`10e999999998`, `1e999999999`},
	{`1e99999999999999999999999`, `10e99999999999999999999998`},
	{`1e-99999999999999999999999`, `0.1e-99999999999999999999998`},
	{`1e100000000000000000000000`, `10e99999999999999999999999`},
	{`1e1000000000000000000`, `10e999999999999999999`},
	{`1e1000000000000000000`, `1e-1000000000000000000`},
	{`"\ud83d\ude00"`, `"😀"`}, {`"\ud83d"`, `"\ud83e"`}, {`"\ud83d"`, `"�"`}, {`"\ud83d\ud83d\ude00"`, `"\ud83d😀"`}, {`"\udc00"`, `"\udc00"`},
	{`"\/"`, `"/"`}, {`"\u000a"`, `"\n"`}, {`"a"`, `"A"`}, {`"\u00e9"`, `"é"`}, {`"é"`, `"é"`},
	{`[1,2,3]`, `[3,2,1]`}, {`[1,2,3]`, `[1,3]`}, {`[[1,2],[2,1]]`, `[[2,1],[1,2]]`}, {`[1,1,2]`, `[1,2,2]`}, {`[1,2.0]`, `[2,1.0]`},
	{`[{"a":1},{"b":2}]`, `[{"b":2.0},{"a":1e0}]`}, {`[1,"1"]`, `["1",1]`},
	{`{"a":null}`, `{}`}, {`{"a":null}`, `{"a":false}`}, {`[]`, `{}`}, {`[]`, `[[]]`}, {`""`, `null`},
	{` [ 1 , 2 ] `, `[1,2]`}, {"\t{\r\n}", `{}`},
	{`{"a":[1,{"b":[2,3]}]}`, `{"a":[1,{"b":[3,2]}]}`},
	// not JSON
	{``, `1`}, {`01`, `1`}, {`1.`, `1`}, {`.5`, `0.5`}, {`+1`, `1`}, {`1e`, `1`}, {`-`, `1`}, {`[1,]`, `[1]`}, {`{"a":1,}`, `{}`}, {`{,}`, `{}`},
	{`{"a"}`, `{}`}, {`{"a":}`, `{}`}, {`{1:2}`, `{}`}, {`[1 2]`, `[1]`}, {`[1}`, `[1]`}, {`{"a":1]`, `{}`}, {`"`, `""`}, {`"\x"`, `""`}, {`"\u12"`, `""`},
	{"\"a\nb\"", `""`}, {"\"\xff\"", `""`}, {"[1]\xff", `[1]`}, {`nul`, `null`}, {`truE`, `true`}, {`1 2`, `1`}, {`[`, `]`}, {"\ufeff1", `1`}, {`[1]]`, `[1]`},
	{"\"12345678\x0112345678\"", `""`}, {"\"\x80\"", `""`}, {`{"":1}`, `{" ":1}`},
}

func TestAgreeWithTheOracle(t *testing.T) {
	for _, c := range corpus {
		agree(t, []byte(c[0]), []byte(c[1]))
		agree(t, []byte(c[1]), []byte(c[0]))
		agree(t, []byte(`{"k":[`+c[0]+`,0]}`), []byte(`{"k":[`+c[1]+`,0]}`))
	}
}

func FuzzAgainstOracle(f *testing.F) {
	for _, c := range corpus {
		f.Add([]byte(c[0]), []byte(c[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) { agree(t, a, b) })
}

// FuzzMutations makes the second document of the first by changes that keep or
// nearly keep the grammar, so that most pairs are almost equal.
func FuzzMutations(f *testing.F) {
	for i, c := range corpus {
		f.Add([]byte(c[0]), uint64(i))
	}
	f.Add(order(2000, false, same), uint64(7))
	f.Fuzz(func(t *testing.T, doc []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		for range 8 {
			agree(t, doc, mutate(r, doc))
		}
	})
}

var pairs = flag.Int("pairs", 20_000, "how many mutated pairs are put to the oracle")

// TestMutatedPairs walks away from the corpus step by step: each pair is a
// document and its mutation.
func TestMutatedPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(uint64(*pairs), 2))
	docs := [][]byte{order(500, false, same), order(900, true, same)}
	for _, c := range corpus {
		docs = append(docs, []byte(c[0]), []byte(`{"a":[`+c[0]+`,`+c[1]+`],"b":`+c[1]+`}`))
	}
	valid := 0
	for n := range *pairs {
		doc := docs[n%len(docs)]
		other := mutate(r, doc)
		agree(t, doc, other)
		agree(t, other, mutate(r, other))
		if Valid(doc) == nil && Valid(other) == nil {
			valid++
		}
	}
	t.Logf("%d pairs, in %d of the first %d both were JSON", 2**pairs, valid, *pairs)
}

var tokens = []string{`1`, `1.0`, `10e-1`, `"a"`, `"\u0061"`, `null`, `true`, `[]`, `{}`, ` `, `,`, `"`, `0`, `\`, `[1,2]`, `{"a":1}`, `e5`, `-`}

func mutate(r *rand.Rand, doc []byte) []byte {
	out := bytes.Clone(doc)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(out) + 1)
		end := min(len(out), at+r.IntN(6))
		switch r.IntN(4) {
		case 0:
			out = append(out[:at:at], out[end:]...)
		case 1:
			out = append(append(out[:at:at], tokens[r.IntN(len(tokens))]...), out[at:]...)
		case 2:
			out = append(append(out[:at:at], tokens[r.IntN(len(tokens))]...), out[end:]...)
		case 3: // move a piece
			to := r.IntN(len(out) + 1)
			piece := bytes.Clone(out[at:end])
			out = append(out[:at:at], out[end:]...)
			to = min(to, len(out))
			out = append(append(out[:to:to], piece...), out[to:]...)
		}
	}
	return out
}

// genValue draws a JSON value from few names and scalars, so that equal and
// nearly equal values are frequent.
func genValue(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		shape := rapid.IntRange(0, 5).Draw(t, "shape")
		if depth == 0 {
			shape = 0
		}
		n := rapid.IntRange(0, 5).Draw(t, "n")
		var parts []string
		switch shape {
		case 4:
			for range n {
				parts = append(parts, genValue(depth-1).Draw(t, "element"))
			}
			return "[" + strings.Join(parts, ",") + "]"
		case 5:
			for range n {
				name := rapid.SampledFrom([]string{`"a"`, `"b"`, `"\u0061"`, `"c"`, `"long name with blanks"`}).Draw(t, "name")
				parts = append(parts, name+":"+genValue(depth-1).Draw(t, "member"))
			}
			return "{" + strings.Join(parts, ", ") + "}"
		}
		return rapid.SampledFrom([]string{`0`, `-0`, `1`, `1.0`, `0.1e1`, `2`, `"a"`, `"\u0061"`, `"1"`, `null`, `true`, `false`, `""`}).Draw(t, "scalar")
	})
}

func TestGeneratedPairs(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := genValue(4).Draw(r, "a"), genValue(4).Draw(r, "b")
		agree(t, []byte(a), []byte(b))
		wide := fmt.Sprintf(`{"x":%s,"y":[%s,%s],"z":%s}`, a, a, b, a)
		agree(t, []byte(wide), []byte(fmt.Sprintf(`{"z":%s,"y":[%s,%s],"x":%s}`, a, b, a, a)))
		agree(t, []byte(wide), []byte(fmt.Sprintf(`{"x":%s,"y":[%s,%s],"z":%s}`, a, a, b, b)))
		agree(t, []byte(wide), []byte(fmt.Sprintf(`{"x":%s,"y":[%s],"z":%s}`, b, b, a)))
	})
}

// genTwins draws two values of one structure of which some scalars differ.
func genTwins(depth int) *rapid.Generator[[2]string] {
	return rapid.Custom(func(t *rapid.T) [2]string {
		shape := rapid.IntRange(0, 4).Draw(t, "shape")
		if depth == 0 || shape < 2 {
			scalars := rapid.SampledFrom([]string{`0`, `1`, `1.0`, `12`, `-1`, `"a"`, `"\u0061"`, `"b"`, `"ab"`, `null`, `true`, `1e999999999999999999999`})
			a, b := scalars.Draw(t, "a"), scalars.Draw(t, "b")
			if rapid.IntRange(0, 2).Draw(t, "same") > 0 {
				b = a
			}
			return [2]string{a, b}
		}
		var out [2][]string
		for i := range rapid.IntRange(0, 4).Draw(t, "n") {
			pair := genTwins(depth-1).Draw(t, "part")
			for side, s := range pair {
				if shape == 2 {
					s = fmt.Sprintf(`"k%d" : %s`, i%3, s)
				}
				out[side] = append(out[side], s)
			}
		}
		ends := []string{"[", "]"}
		if shape == 2 {
			ends = []string{"{", "}"}
		}
		return [2]string{
			ends[0] + strings.Join(out[0], ", ") + ends[1],
			ends[0] + strings.Join(out[1], ", ") + ends[1],
		}
	})
}

func TestGeneratedTwins(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pair := genTwins(4).Draw(r, "twins")
		agree(t, []byte(pair[0]), []byte(pair[1]))
		agree(t, []byte(" "+pair[0]), []byte(" "+pair[1]+" "))
	})
}

// TestGeneratedUnordered: an unordered array equals any permutation of itself.
func TestGeneratedUnordered(t *testing.T) {
	unordered := Options{Arrays: func(string) Policy { return Policy{Unordered: true} }}
	rapid.Check(t, func(r *rapid.T) {
		elements := rapid.SliceOf(genValue(2)).Draw(r, "elements")
		a := "[" + strings.Join(elements, ",") + "]"
		b := "[" + strings.Join(rapid.Permutation(elements).Draw(r, "order"), ",") + "]"
		if got, err := differences(t, []byte(a), []byte(b), unordered); len(got) > 0 || err != nil {
			t.Fatalf("%v %v\n%s\n%s", got, err, a, b)
		}
	})
}
