package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"understudy.dev/setting/source"
)

const deployments = "../../deployments"

// TestCommandsInDeployments: every command line of the compose file and of the
// systemd units is one that this program takes, values of flags included.
func TestCommandsInDeployments(t *testing.T) {
	compose := readCompose(t)
	ran := map[string]bool{}
	for name, service := range compose.Services {
		if !strings.HasPrefix(service.Image, "understudy:") {
			continue
		}
		words := []string{}
		for _, w := range service.Command {
			words = append(words, expandCompose(w))
		}
		parseCommand(t, "compose.yaml: "+name, words)
		ran[words[0]] = true
		for key, value := range service.Environment {
			parseSetting(t, "compose.yaml: "+name, key, expandCompose(value))
		}
	}
	for path, unit := range readUnits(t) {
		for _, key := range []string{"ExecStart", "ExecStartPre"} {
			for _, line := range unit[key] {
				words := strings.Fields(strings.NewReplacer("%d", "/run/credentials/x", "%S", "/var/lib", "%H", "host").Replace(line))
				if words[0] != "/usr/local/bin/understudy" || strings.Contains(strings.Join(words, " "), "%") {
					t.Errorf("%s: %s=%s: not a command this test understands", path, key, line)
					continue
				}
				parseCommand(t, path, words[1:])
				ran[words[1]] = true
			}
		}
	}
	page, err := os.ReadFile(filepath.Join(deployments, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^(?:docker compose run --rm compare|understudy) (.*)$`).FindAllStringSubmatch(string(page), -1) {
		parseCommand(t, "README.md", strings.Fields(m[1]))
		ran[strings.Fields(m[1])[0]] = true
	}
	for _, want := range []string{"record", "replay", "report", "compare", "topics", "migrate", "config"} {
		if !ran[want] {
			t.Errorf("nothing in deployments runs %s: does this test read the right files?", want)
		}
	}
}

// TestCommandsThatCannotBeParsed: the test above can fail.
func TestCommandsThatCannotBeParsed(t *testing.T) {
	f := func(words ...string) {
		t.Helper()
		if err := parsed(words); err == nil {
			t.Errorf("%q was taken", words)
		}
	}
	f("recordr")
	f("record", "--basline=http://x")
	f("record", "--capture-limit=plenty")
	f("migrate", "now")
	f("topics")
}

// TestSettingsInDeployments: the file of the units is a valid configuration.
func TestSettingsInDeployments(t *testing.T) {
	c := defaultConfig()
	origins := source.Origins{}
	err := c.load(filepath.Join(deployments, "understudy.yaml"), origins)
	if err := c.check(err, origins, beforeRulesExpire); err != nil {
		t.Error(err)
	}
}

// TestDeploymentsWaitForTheDrain: whatever stops the process gives it the time
// that it may take, and the units give it no rights.
func TestDeploymentsWaitForTheDrain(t *testing.T) {
	longest := defaultConfig().Record.ShutdownTimeout
	units := readUnits(t)
	for path, unit := range units {
		for key, want := range map[string]string{
			"KillSignal": "SIGTERM", "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "",
		} {
			if got := unit[key]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q, want %q", path, key, got, want)
			}
		}
		if got := unit["TimeoutStopSec"]; len(got) != 1 {
			t.Errorf("%s: TimeoutStopSec is %q", path, got)
		} else if d, err := time.ParseDuration(got[0] + "s"); err != nil || d <= longest {
			t.Errorf("%s: TimeoutStopSec=%s, want more than %v seconds (%v)", path, got[0], longest, err)
		}
	}
	for name, s := range readCompose(t).Services {
		if s.Image == "understudy" || strings.HasPrefix(s.Image, "understudy:") {
			if d, err := time.ParseDuration(s.StopGracePeriod); err != nil || d <= longest {
				t.Errorf("compose.yaml: %s: stop_grace_period %q, want more than %v (%v)", name, s.StopGracePeriod, longest, err)
			}
		} else if s.Healthcheck == nil {
			t.Errorf("compose.yaml: %s has no healthcheck", name)
		}
	}
	if len(units) != 2 {
		t.Errorf("%d units, want 2", len(units))
	}
}

type composeFile struct {
	Services map[string]struct {
		Image           string
		Command         []string
		Environment     map[string]string
		StopGracePeriod string `yaml:"stop_grace_period"`
		Healthcheck     map[string]any
	}
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployments, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 4 {
		t.Fatalf("%d services", len(c.Services))
	}
	return c
}

// readUnits gives the settings of each unit file, several where a key is
// repeated.
func readUnits(t *testing.T) map[string]map[string][]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(deployments, "systemd", "*.service"))
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]map[string][]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		unit := map[string][]string{}
		for _, line := range strings.Split(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
			if key, value, found := strings.Cut(line, "="); found && !strings.HasPrefix(line, "#") {
				unit[key] = append(unit[key], value)
			}
		}
		units[filepath.Base(path)] = unit
	}
	return units
}

// variable is ${NAME}, ${NAME:-default} or ${NAME:?why it must be set}.
var variable = regexp.MustCompile(`\$\{(\w+)(?::([-?])([^}]*))?\}`)

// expandCompose puts a value in the place of each variable.
func expandCompose(s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string {
		m := variable.FindStringSubmatch(v)
		switch {
		case m[2] == "-":
			return m[3]
		case m[1] == "BASELINE":
			return "http://baseline:8080"
		}
		return "x"
	})
}

func parseCommand(t *testing.T, where string, words []string) {
	t.Helper()
	if err := parsed(words); err != nil {
		t.Errorf("%s: understudy %s: %v", where, strings.Join(words, " "), err)
	}
}

// parsed takes a command line as far as it goes without running it.
func parsed(words []string) error {
	a := newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
	command, rest, err := a.rootCommand(nil).Find(words)
	if err != nil {
		return err
	}
	if command.HasSubCommands() && command.Name() != "replay" {
		return usagef("%s alone does nothing", command.CommandPath())
	}
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	return command.ValidateArgs(command.Flags().Args())
}

// parseSetting checks that an environment variable is the name of a flag, and
// its value one that the flag takes.
func parseSetting(t *testing.T, where, key, value string) {
	t.Helper()
	name := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, "UNDERSTUDY_")), "_", "-")
	found := false
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			if f := set.Lookup(name); f != nil {
				found = true
				if err := f.Value.Set(value); err != nil {
					t.Errorf("%s: %s=%s: %v", where, key, value, err)
				}
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}).rootCommand(nil))
	if !found || !strings.HasPrefix(key, "UNDERSTUDY_") {
		t.Errorf("%s: %s sets no flag", where, key)
	}
}
