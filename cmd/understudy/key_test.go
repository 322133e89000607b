package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"understudy.dev/exchange/token"
)

// TestCommandsShareAKey where none is given, and nobody else can read it.
func TestCommandsShareAKey(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	files := make(chan string)
	for range 8 {
		go func() {
			file, err := sharedKey()
			if err != nil {
				t.Error(err)
			}
			files <- file
		}()
	}
	ids := map[string]bool{}
	for range 8 {
		keys, err := token.Read(<-files)
		if err != nil {
			t.Fatal(err)
		}
		ids[keys.Current().ID()] = true
	}
	if len(ids) != 1 {
		t.Errorf("%d keys", len(ids))
	}
	list, err := os.ReadDir(filepath.Join(dir, "understudy"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if info, err := list[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestAGivenKeyHolds, and where no file can be written there is a random one.
func TestAGivenKeyHolds(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/dev/null/nowhere")
	var errOut bytes.Buffer
	a := newApp(nil, &bytes.Buffer{}, &errOut)
	if err := a.setupLog(); err != nil {
		t.Fatal(err)
	}
	a.cfg.Record.Key = "0123456789abcdef"
	if a.ownKey(); a.cfg.Record.KeyFile != "" {
		t.Errorf("file %s", a.cfg.Record.KeyFile)
	}
	a.cfg.Record.Key = ""
	if a.ownKey(); a.cfg.Record.KeyFile != "" {
		t.Errorf("file %s", a.cfg.Record.KeyFile)
	}
	if keys, err := a.cfg.Record.Keys(); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}
