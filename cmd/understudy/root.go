package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is what every subcommand needs: where to read and write, and the
// configuration after defaults, file and environment. Flags write into cfg
// while they are parsed, so precedence is the order of assignment:
// defaults < file < environment < flags.
type app struct {
	in     io.Reader
	out    io.Writer // data
	errOut io.Writer // logs, progress, everything for a person
	cfg    config
	log    *slog.Logger
}

func newApp(in io.Reader, out, errOut io.Writer) *app {
	return &app{in: in, out: out, errOut: errOut, cfg: defaultConfig(), log: slog.New(slog.DiscardHandler)}
}

// rootCommand builds the command tree. args are looked at for --config alone,
// because the file must be read before the flags that override it.
func (a *app) rootCommand(args []string) *cobra.Command {
	path, loadErr := configPath(args), error(nil)
	if path != "" {
		loadErr = a.cfg.load(path)
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
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see %s --help", err, c.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.String("config", path, "YAML file with settings; unknown keys are errors")
	flags.StringVar(&a.cfg.Log.Level, "log-level", a.cfg.Log.Level, "debug, info, warn or error")
	flags.StringVar(&a.cfg.Log.Format, "log-format", a.cfg.Log.Format, "text or json")

	enumerate(root, "log-level", "debug", "info", "warn", "error")
	enumerate(root, "log-format", "text", "json")
	for _, c := range a.commands() {
		root.AddCommand(c)
	}
	envErr := fromEnvironment(root)
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if loadErr != nil {
			return loadErr
		}
		if envErr != nil {
			return envErr
		}
		return a.setupLog()
	}
	return root
}

// noCommand turns a word that is no subcommand into a usage error.
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

// fromEnvironment sets every flag of the tree from UNDERSTUDY_<FLAG>.
func fromEnvironment(root *cobra.Command) error {
	var first error
	seen := map[*pflag.Flag]bool{}
	set := func(f *pflag.Flag) {
		name := "UNDERSTUDY_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, ok := os.LookupEnv(name)
		if seen[f] || !ok || f.Name == "config" || f.Name == "help" || f.Name == "version" {
			return
		}
		seen[f] = true
		err := error(nil)
		if list, isList := f.Value.(pflag.SliceValue); isList {
			err = list.Replace(strings.Split(value, ","))
		} else {
			err = f.Value.Set(value)
		}
		if err != nil && first == nil {
			first = usagef("environment %s=%q: %w", name, value, err)
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.PersistentFlags().VisitAll(set)
		c.Flags().VisitAll(set)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return first
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
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.cfg.Log.Level)); err != nil {
		return usagef("--log-level %q: want debug, info, warn or error", a.cfg.Log.Level)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch a.cfg.Log.Format {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.errOut, opts))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.errOut, opts))
	default:
		return usagef("--log-format %q: want text or json", a.cfg.Log.Format)
	}
	return nil
}
