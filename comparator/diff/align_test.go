package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"understudy.dev/comparator/diff"
)

// TestVolatile: what may differ between the same elements decides nothing when
// they are aligned, and is compared all the same.
func TestVolatile(t *testing.T) {
	f := func(a, b string, unordered bool, want ...string) {
		t.Helper()
		o := diff.Options{
			Volatile: func(name []byte, s diff.Scalar) bool {
				return string(name) == "at" || string(name) == "ids" || strings.HasPrefix(string(s.Raw), `"@`)
			},
			Ignored: func(path string) bool { return strings.HasSuffix(path, "[].seen") },
		}
		if unordered {
			o.Arrays = func(string) diff.Policy { return diff.Policy{Unordered: true} }
		}
		var got []string
		if err := diff.JSON([]byte(a), []byte(b), o, func(d diff.Difference) bool {
			got = append(got, fmt.Sprintf("%s %s %v", d.Kind, d.Location(), d.Names()))
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s\n%s\n got %q\nwant %q", a, b, got, want)
		}
	}
	// One more at the front, each with a time of its own.
	f(`[{"t":"a","at":1},{"t":"b","at":2}]`, `[{"t":"n","at":8},{"t":"a","at":9},{"t":"b","at":7}]`, false,
		"extra $[0] []", "value $[0].at [at]", "value $[1].at [at]")
	f(`{"e":[{"t":"a","at":1},{"t":"b","at":2},{"t":"c","at":3}]}`, `{"e":[{"t":"a","at":4},{"t":"c","at":3}]}`, false,
		"value $.e[0].at [e at]", "missing $.e[1] [e]")
	// The same ones in another order, with a time or a name of their own.
	f(`[{"t":"a","at":1},{"t":"b","at":2}]`, `[{"t":"b","at":3},{"t":"a","at":4}]`, false, "order $ []", "value $[0].at [at]", "value $[1].at [at]")
	f(`[{"t":"a","x":"@1"},{"t":"b","x":"@2"}]`, `[{"t":"b","x":"@3"}, {"t":"a","x":"@4"}]`, false, "order $ []", "value $[0].x [x]", "value $[1].x [x]")
	f(`[{"t":"a","at":1},{"t":"b","at":2}]`, `[{"t":"a","at":3},{"t":"b","at":4}]`, false, "value $[0].at [at]", "value $[1].at [at]")
	// An ignored member decides nothing, nor does whether it is there.
	f(`[{"s":1,"seen":"x"},{"s":2,"seen":"y"},{"s":3,"seen":"z"}]`, `[{"s":3,"seen":"p"},{"s":1},{"s":2,"seen":"r"}]`, true,
		"missing $[0].seen [seen]", "value $[1].seen [seen]", "value $[2].seen [seen]")
	f(`[1,2,3]`, `[3,4,1]`, true, "value $[0] []")
	f(`{"ids":[1,2,3]}`, `{"ids":[4,5]}`, false, "value $.ids[0] [ids]", "value $.ids[1] [ids]", "missing $.ids[2] [ids]")
}
