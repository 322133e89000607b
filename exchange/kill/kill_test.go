package kill_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"understudy.dev/exchange/kill"
)

func TestSwitch(t *testing.T) {
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	path := filepath.Join(dir, "state", "killed")
	s := kill.New(path, "stop", log)
	f := func(what string, want bool) {
		t.Helper()
		if s.On() != want {
			t.Errorf("%s: on is %t", what, s.On())
		}
	}
	f("no file", false)
	if err := s.Set(true, "it lies"); err != nil {
		t.Fatal(err)
	}
	f("set", true)
	if s = kill.New(path, "stop", log); !s.On() {
		t.Error("a restart has turned it off")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "it lies\n" {
		t.Errorf("file %q, %v", text, err)
	}
	if err := s.Set(false, ""); err != nil {
		t.Fatal(err)
	}
	f("unset", false)
	if err := s.Set(false, ""); err != nil {
		t.Errorf("off twice: %v", err)
	}

	// Where no file can be written it is on all the same, and stays so.
	blocked := filepath.Join(dir, "blocked")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = kill.New(filepath.Join(blocked, "killed"), "stop", log)
	f("a folder that is a file: nothing can be looked at", true)
	if err := s.Set(true, "x"); err == nil {
		t.Error("it was written into a file that is no folder")
	}
	f("not written", true)
}

// TestSwitchFollowsTheFile that somebody else makes and removes.
func TestSwitchFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "killed")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := kill.New(path, "stop", slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		see := func(on bool) {
			t.Helper()
			time.Sleep(kill.Every + time.Millisecond)
			synctest.Wait()
			if s.On() != on {
				t.Errorf("on is %t, want %t", s.On(), on)
			}
		}
		for _, on := range []bool{true, false, true} {
			if on {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			see(on)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		see(false)
		// A folder in which nobody can look counts as a file that is there.
		if err := os.Remove(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Dir(path), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		see(true)
		cancel()
		<-done
	})
}
