package recorder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"understudy.dev/recorder"
)

// TestOpenAPI: the paths of a description give routes, behind one's own templates.
func TestOpenAPI(t *testing.T) {
	file := filepath.Join(t.TempDir(), "api.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("servers: [{url: /v1}]\npaths:\n  /shops/{shop}: {}\n  /shops/{shop}/open: {}\n")
	cfg := recorder.DefaultConfig()
	cfg.OpenAPI, cfg.Routes = file, []string{"/v1/shops/{own}/open"}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	routes, err := cfg.Templates()
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]string{"/v1/shops/anna": "GET /v1/shops/{shop}", "/v1/shops/anna/open": "GET /v1/shops/{own}/open", "/shops/anna": "GET /shops/anna"} {
		if got := routes.Route("GET", target); got != want {
			t.Errorf("%s: %s", target, got)
		}
	}
	write("paths:\n  shops: {}\n")
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "openapi") || !strings.Contains(err.Error(), file+":2:3: the path \"shops\" does not begin with /") {
		t.Error(err)
	}
	if _, err := cfg.Templates(); err == nil {
		t.Error("a wrong description is taken")
	}
}
