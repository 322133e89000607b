package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"understudy.dev/setting/source"
)

// beforeRulesExpire is a day on which the rules in the documentation hold.
var beforeRulesExpire = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// TestYAMLInTheDocs: every configuration that the documentation shows must be
// accepted as it stands.
func TestYAMLInTheDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
			blocks++
			c, origins := defaultConfig(), source.Origins{}
			err := source.Read(block[1], filepath.Base(page), &c, origins)
			if err := c.check(err, origins, beforeRulesExpire); err != nil {
				t.Errorf("%v\n%s", err, block[1])
			}
		}
	}
	if blocks == 0 {
		t.Error("no page shows a configuration: is this the right folder?")
	}
}

// TestCommandsInTheDocs: every `understudy …` in a shell block names a command
// and flags that exist.
func TestCommandsInTheDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(text, -1) {
			for _, line := range strings.Split(strings.ReplaceAll(string(block[1]), "\\\n", " "), "\n") {
				words := strings.Fields(line)
				if len(words) < 2 || !strings.HasSuffix(words[0], "understudy") {
					continue
				}
				commands++
				checkCommand(t, filepath.Base(page), line, words[1:])
			}
		}
	}
	if commands < 10 {
		t.Errorf("found only %d commands", commands)
	}
}

func checkCommand(t *testing.T, page, line string, words []string) {
	t.Helper()
	a := newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
	root := a.rootCommand(nil)
	found, _, err := root.Find(words)
	if err != nil || found == root && !strings.HasPrefix(words[0], "-") {
		t.Errorf("%s: no such command: %s (%v)", page, line, err)
		return
	}
	for _, w := range words {
		name, isFlag := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && found.Flags().Lookup(name) == nil && found.InheritedFlags().Lookup(name) == nil && name != "help" && name != "version" {
			t.Errorf("%s: %s has no flag --%s: %s", page, found.CommandPath(), name, line)
		}
	}
}
