package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report"
	"understudy.dev/gateway/snapshot"
	"understudy.dev/gateway/stage"
	understudyv1 "understudy.dev/schemas/understudy/v1"
	"understudy.dev/stream"
)

func (a *app) snapshotCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "snapshot", Short: "Keep a migration in one file, and go on from it elsewhere", Args: noCommand, RunE: help,
		Long: `A snapshot has the steps of a migration, what is in flight, how far the
comparator has read, the gateway's folder of state, and the files by which
commands run. It is as secret as these.`,
	}
	parent.AddCommand(a.snapshotSaveCommand(), a.snapshotShowCommand("show", "Show what a snapshot holds"),
		a.snapshotShowCommand("verify", "Check a snapshot, and that it can be restored here"), a.snapshotRestoreCommand())
	return parent
}

// saving is what a snapshot is made of.
type saving struct {
	groups, include []string
}

func (a *app) snapshotSaveCommand() *cobra.Command {
	s := saving{}
	c := &cobra.Command{
		Use: "save FILE --migration NAME", Short: "Write a snapshot to a file that is not there yet", Args: exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if a.cfg.Gateway.Migration == "" {
				return usagef("snapshot save needs --migration NAME")
			}
			path, _ := c.Flags().GetString("config")
			for _, file := range []string{path, a.cfg.Gateway.FlagFile} {
				if file != "" && !slices.Contains(s.include, file) {
					s.include = append(s.include, file)
				}
			}
			return a.saveSnapshot(c.Context(), args[0], s)
		},
	}
	a.kafkaFlags(c)
	a.gatewayPlace(c)
	f := c.Flags()
	f.StringSliceVar(&s.groups, "group", nil, "consumer groups whose offsets are kept; default the comparator's")
	f.StringSliceVar(&s.include, "include", nil, "further files: a plan, a policy of the gate; the configuration and the file of flags always are")
	return c
}

func (a *app) saveSnapshot(ctx context.Context, to string, from saving) error {
	name := a.cfg.Gateway.Migration
	all, err := a.migrations(ctx, name)
	if err != nil {
		return err
	}
	_, counted := stage.Fold(all[name])
	s := &snapshot.Snapshot{Head: snapshot.Head{Made: time.Now().UTC(), By: readBuild().version, Migration: name, Prefix: a.cfg.Kafka.Prefix}, Stages: counted}
	if s.Entries, s.Tallies, err = a.inFlights(ctx, name); err != nil {
		return err
	}
	if len(from.groups) == 0 {
		from.groups = []string{a.cfg.Kafka.Prefix + ".comparator"}
	}
	for _, group := range from.groups {
		list, err := stream.GroupOffsets(ctx, a.cfg.Kafka.Config, group)
		if err != nil {
			return dependency(err)
		}
		for _, o := range list {
			s.Offsets = append(s.Offsets, snapshot.Offset(o))
		}
	}
	if a.cfg.Gateway.StateDir != "" {
		if s.State, err = stateFiles(filepath.Join(a.cfg.Gateway.StateDir, name)); err != nil {
			return err
		}
	}
	s.Files = map[string][]byte{}
	for _, file := range from.include {
		base := filepath.Base(file)
		if _, twice := s.Files[base]; twice {
			return usagef("two files of the snapshot are called %s; rename one", base)
		}
		if s.Files[base], err = os.ReadFile(file); err != nil {
			return usage(err)
		}
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usage(err)
	}
	if err := errors.Join(snapshot.Write(f, s), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	kept, err := readSnapshot(to)
	if err != nil {
		return err
	}
	return a.printSnapshot(kept)
}

// maxState bounds a file of the folder of state.
const maxState = 4 << 20

// stateFiles are those of a gateway's folder, but for locks, which are nobody's
// state, and for the stages, which Kafka has.
func stateFiles(dir string) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() || d.Name() == "lock" || d.Name() == "stages" {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxState {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	return out, err
}

func readSnapshot(path string) (*snapshot.Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usage(err)
	}
	defer f.Close()
	s, err := snapshot.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (a *app) printSnapshot(s *snapshot.Snapshot) error {
	now, _ := stage.Fold(s.Stages)
	held := 0
	for _, e := range s.Entries {
		if e.GetState() == understudyv1.InFlight_STATE_HELD {
			held++
		}
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "migration\t%s, at %s (step %d)\n", report.Clean(s.Head.Migration), stage.Describe(now.At("")), now.Version())
	fmt.Fprintf(w, "made\t%s by understudy %s, format %d, of prefix %s\n", s.Head.Made.Format(time.RFC3339), report.Clean(s.Head.By), s.Head.Format, report.Clean(s.Head.Prefix))
	fmt.Fprintf(w, "in flight\t%d, of which %d wait for a person\n", len(s.Entries), held)
	fmt.Fprintf(w, "offsets\t%d\n", len(s.Offsets))
	for _, p := range s.Head.Parts {
		fmt.Fprintf(w, "%s\t%d bytes\tsha256 %s\n", report.Clean(p.Name), p.Size, report.Clean(p.SHA256))
	}
	return w.Flush()
}

func (a *app) snapshotShowCommand(use, short string) *cobra.Command {
	c := &cobra.Command{
		Use: use + " FILE", Short: short, Args: exactly("FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := readSnapshot(args[0])
			if err != nil {
				return err
			}
			if err := a.printSnapshot(s); err != nil || use == "show" {
				return err
			}
			missing, _, err := a.missing(c.Context(), s)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "it can be restored under %s: %d steps are missing there\n", a.cfg.Kafka.Prefix, len(missing))
			return nil
		},
	}
	if use == "verify" {
		a.kafkaFlags(c)
	}
	return c
}

// missing are the steps of a snapshot that Kafka lacks; fresh says that its ledger
// has nothing of the migration.
func (a *app) missing(ctx context.Context, s *snapshot.Snapshot) (steps []*understudyv1.Stage, fresh bool, err error) {
	if err := a.need("kafka"); err != nil {
		return nil, false, err
	}
	if err := a.requireTopics(ctx, a.names().Stages, a.names().InFlight); err != nil {
		return nil, false, err
	}
	var have []*understudyv1.Stage
	err = stream.EachStage(ctx, a.cfg.Kafka.Config, a.names(), func(step *understudyv1.Stage) {
		if step.GetMigration() == s.Head.Migration {
			have = append(have, step)
		}
	})
	if err != nil {
		return nil, false, dependency(err)
	}
	_, counted := stage.Fold(have)
	if steps, err = s.MissingStages(counted); err != nil {
		return nil, false, err
	}
	entries, tallies, err := stream.InFlights(ctx, a.cfg.Kafka.Config, a.names(), s.Head.Migration)
	return steps, len(entries)+len(tallies) == 0, dependency(err)
}
