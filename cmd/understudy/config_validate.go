package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/setting/source"
)

func (a *app) configValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate FILE", Short: "Check a file, naming line and column of every mistake", Args: exactly("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, origins := defaultConfig(), source.Origins{}
			if err := c.check(c.load(args[0], origins), origins, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: ok\n", args[0])
			return nil
		},
	}
}

// check adds mistakes in the values of a file to err, the mistakes in its text.
func (c config) check(err error, origins source.Origins, now time.Time) error {
	mistakes := source.Of(err)
	if err != nil && mistakes == nil {
		return err // the file could not be read
	}
	return usage(mistakes.With(origins, c.alone().problems(now)).Err())
}
