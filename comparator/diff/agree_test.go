package diff

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// found is what was reported, copied.
type found struct {
	kind                Kind
	path, location, key string
	baseline, candidate string
}

func differences(t testing.TB, a, b []byte, o Options) ([]found, error) {
	t.Helper()
	var out []found
	err := JSON(a, b, o, func(d Difference) bool {
		out = append(out, found{d.Kind, d.Path(), d.Location(), d.Key(), string(d.Baseline.Raw), string(d.Candidate.Raw)})
		return true
	})
	return out, err
}

// agree checks one pair against the oracle.
func agree(t testing.TB, a, b []byte) {
	t.Helper()
	x, okA := decode(a)
	y, okB := decode(b)
	got, err := differences(t, a, b, Options{})
	if bytes.Equal(a, b) {
		if err != nil || len(got) > 0 {
			t.Fatalf("equal bytes: %v, %v\n%q", got, err, a)
		}
		return
	}
	if !okA || !okB {
		var side *SideError
		if !errors.As(err, &side) || !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) || (side.Side == "baseline") == okA {
			t.Fatalf("error %v, but valid are: baseline %v, candidate %v\n%q\n%q", err, okA, okB, a, b)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v\n%q\n%q", err, a, b)
	}
	if want := oracleEqual(x, y); want != (len(got) == 0) {
		t.Fatalf("oracle says equal: %v, differ says %+v\n%q\n%q", want, got, a, b)
	}
	// However the pair is walked, the same comes out.
	none := Options{Arrays: func(string) Policy { return Policy{} }}
	if walked, err := differences(t, a, b, none); err != nil || !slices.Equal(got, walked) {
		t.Fatalf("shadowed %+v\nwalked %+v (%v)\n%q\n%q", got, walked, err, a, b)
	}
	for _, f := range got {
		checkFound(t, f, a, b)
	}
}

// checkFound: what is reported is different in the way it says.
func checkFound(t testing.TB, f found, a, b []byte) {
	t.Helper()
	x, okX := decode([]byte(f.baseline))
	y, okY := decode([]byte(f.candidate))
	good := false
	switch f.kind {
	case Missing:
		good = okX && f.candidate == "" && bytes.Contains(a, []byte(f.baseline))
	case Extra:
		good = okY && f.baseline == "" && bytes.Contains(b, []byte(f.candidate))
	case Type:
		good = okX && okY && typeOf(x) != typeOf(y)
	case Value:
		good = okX && okY && typeOf(x) == typeOf(y) && !oracleEqual(x, y)
	case Order:
		good = okX && okY && !oracleEqual(x, y) && permuted(x, y)
	}
	if !good || !strings.HasPrefix(f.path, "$") || !strings.HasPrefix(f.location, "$") {
		t.Fatalf("reported %+v\n%q\n%q", f, a, b)
	}
}

func permuted(x, y any) bool {
	a, okA := x.([]any)
	b, okB := y.([]any)
	if !okA || !okB || len(a) != len(b) {
		return false
	}
	left := slices.Clone(b)
	for _, v := range a {
		i := slices.IndexFunc(left, func(o any) bool { return oracleEqual(v, o) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func typeOf(v any) string {
	switch v.(type) {
	case fields:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case num:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}
