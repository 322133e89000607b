package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/setting/source"
)

// app is what every subcommand needs: where to read and write, and the
// configuration after defaults, file and environment. Flags write into cfg
// while they are parsed, so precedence is the order of assignment:
// defaults < file < environment < flags.
type app struct {
	in     io.Reader
	out    io.Writer // data
	errOut io.Writer // progress, everything for a person
	cfg    config
	log    *slog.Logger
	logs   *logWriter // to errOut without waiting: logs, and all that is said beside live traffic

	origins  source.Origins  // where the values in cfg came from
	mistakes source.Mistakes // in the file and in the environment
	loadErr  error           // of the file
	output   string          // of a command that replays: text, json or hdr
	places   []string        // the flags --config, --kafka, --prefix and --clickhouse, as they were given
}

func newApp(in io.Reader, out, errOut io.Writer) *app {
	a := &app{in: in, out: out, errOut: &shared{w: errOut}, cfg: defaultConfig(), origins: source.Origins{}, log: slog.New(slog.DiscardHandler)}
	a.logs = newLogWriter(a.errOut, func(lines uint64) {
		slog.New(a.logHandler(slog.LevelWarn)).Warn("log lines were dropped because standard error took none", "lines", lines)
	})
	return a
}

// rootCommand builds the command tree. args are only searched for --config,
// because the file must be read before the flags that override it.
func (a *app) rootCommand(args []string) *cobra.Command {
	path := configPath(args)
	if path != "" {
		a.loadErr = a.cfg.load(path, a.origins)
		a.mistakes = source.Of(a.loadErr)
	}
	root := &cobra.Command{
		Use:   "understudy",
		Short: "Rehearse an asynchronous system on the traffic of the synchronous one it is to replace",
		Long: `Understudy records production exchanges into Kafka, replays them at scaled
rates against the asynchronous system that is to take over, compares what both
did, answer and late completion alike, and writes every difference to
ClickHouse.

Exit codes: 0 ok, 1 failed, 2 usage, 3 threshold exceeded, 4 dependency
unavailable. Every flag can be set as UNDERSTUDY_<FLAG>, e.g. UNDERSTUDY_KAFKA.`,
		Version:       readBuild().version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.errOut)
	root.SetVersionTemplate("understudy {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	wrapUsage(root)
	a.persistentFlags(root, path)
	enumerate(root, "log-level", "debug", "info", "warn", "error")
	enumerate(root, "log-format", "text", "json")
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	a.borrowFlags(root)
	a.fromEnvironment(root)
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if c.Name() == cobra.ShellCompRequestCmd || c.Name() == cobra.ShellCompNoDescRequestCmd {
			return nil // words can be completed while the file is being written, or its name typed
		}
		if err := c.ValidateFlagGroups(); err != nil { // cobra's own error would not be one of usage
			return flagError(c, err)
		}
		a.noteFlags(c)
		switch {
		case a.loadErr != nil && a.mistakes == nil:
			return usagef("--config: %w", a.loadErr)
		case len(a.mistakes) > 0:
			// Report mistakes in the values at the same time.
			return a.cfg.check(a.mistakes, a.origins, time.Now())
		}
		return a.setupLog()
	}
	return root
}

// persistentFlags are those of every command; path is the configuration file.
func (a *app) persistentFlags(root *cobra.Command, path string) {
	flags := root.PersistentFlags()
	flags.String("config", path, "YAML file with settings; unknown keys are errors")
	flags.StringVar(&a.cfg.Log.Level, "log-level", a.cfg.Log.Level, "debug, info, warn or error")
	flags.StringVar(&a.cfg.Log.Format, "log-format", a.cfg.Log.Format, "text or json")
}

// noCommand reports an unknown subcommand as a usage error.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	c.SuggestionsMinimumDistance = 2
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", strings.Join(s, " or "))
	}
	return usagef("unknown command %q%s; see %s --help", args[0], hint, c.CommandPath())
}

// exactly checks the number of positional arguments and names them in the
// error.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return usagef("%s takes no argument, got %q; see %s --help", c.CommandPath(), args, c.CommandPath())
		}
		return usagef("%s takes %s, got %d argument(s); see %s --help",
			c.CommandPath(), strings.Join(names, " "), len(args), c.CommandPath())
	}
}

// configPath finds --config before cobra parses anything.
func configPath(args []string) string {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--config="); ok {
			return v
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("UNDERSTUDY_CONFIG")
}

func (a *app) setupLog() error {
	if err := a.need("log"); err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.cfg.Log.Level)); err != nil {
		return err
	}
	a.log = slog.New(a.logHandler(level))
	// net/http's client uses package log, which would write straight to standard
	// error; this redirects it.
	slog.SetDefault(slog.New(newLibraryLog(a.log)))
	return nil
}

func (a *app) logHandler(level slog.Level) slog.Handler {
	opts := &slog.HandlerOptions{Level: level}
	if a.cfg.Log.Format == "json" {
		return slog.NewJSONHandler(a.logs, opts)
	}
	return slog.NewTextHandler(a.logs, opts)
}
