package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"understudy.dev/embedded/engine"
)

// version, commit and date (RFC 3339) are set by the linker; without them the
// build information is used. A commit, its date and whether it was changed come
// from one of the two, never from both.
var version, commit, date = "", "", ""

// build is what this binary was made of.
type build struct {
	version, commit, date string
	modified              bool
}

func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(build{version: version, commit: commit, date: date}, info)
}

// buildOf fills in from the build information what the linker was not given.
func buildOf(b build, info *debug.BuildInfo) build {
	if main := info.Main.Version; b.version == "" && main != "(devel)" {
		b.version = main // go install understudy.dev/cmd/understudy@v1.2.3
	}
	if b.commit == "" {
		b.date = ""
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.commit = s.Value
			case "vcs.time":
				b.date = s.Value
			case "vcs.modified":
				b.modified = s.Value == "true"
			}
		}
	}
	b.version, b.commit = cmp.Or(b.version, "dev"), cmp.Or(b.commit, "unknown")
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version, its commit and what it was built with", Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			b := readBuild()
			fmt.Fprintf(a.out, "understudy  %s\ncommit      %s", b.version, b.commit)
			if b.modified {
				fmt.Fprint(a.out, ", with changes")
			}
			if b.date != "" {
				fmt.Fprintf(a.out, " (%s)", b.date)
			}
			fmt.Fprintf(a.out, "\ngo          %s %s/%s\nclickhouse  %s (embedded engine)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, engine.Version)
			return nil
		},
	}
}
