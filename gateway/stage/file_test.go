package stage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/gateway/stage"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "stages")
	if s, err := stage.Load(path); s != nil || err != nil {
		t.Errorf("no file: %v, %v", s, err)
	}
	route := stage.Order{Action: stage.ActionPromote, Route: "GET /x", To: at("canary:0.01%"), Reason: "one\nline"}
	want := play(t, stage.Order{Action: stage.ActionCreate}, route, stage.Order{Action: stage.ActionPromote, To: at("live")})
	if err := stage.Save(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := stage.Load(path)
	if err != nil || got.Version() != 3 || got.Migration() != "m" || stage.Describe(got.At("GET /x")) != "canary:0.01%" || stage.Describe(got.At("")) != "live" {
		t.Errorf("%v: %v", got.Steps(), err)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Every change of a byte, and every end too early, is seen.
	f := func(damaged string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := stage.Load(path); err == nil || !strings.Contains(err.Error(), path+":1:") || s != nil {
			t.Errorf("%q: %v, %v", damaged[:min(len(damaged), 80)], s, err)
		}
	}
	for i := range data {
		damaged := []byte(string(data))
		damaged[i] ^= 1
		f(string(damaged))
		f(string(data[:i]))
	}
}
