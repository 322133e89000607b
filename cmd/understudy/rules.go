package main

import (
	"time"

	"github.com/spf13/cobra"

	"understudy.dev/comparator/report/text"
	"understudy.dev/setting"
	"understudy.dev/setting/source"
)

func (a *app) rulesCommand() *cobra.Command {
	parent := &cobra.Command{Use: "rules", Short: "Show by which rules differences are judged", Args: noCommand, RunE: help}
	format := text.Table
	list := &cobra.Command{
		Use: "list", Short: "List your rules and those that hold by default", Args: exactly(),
		Long: `Lists the rules of the configuration, which are asked first, and those that
hold unless compare.default_rules_off names them: what each covers and why. A
difference that a rule covers is in the view noise under the class shown here.`,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format); err != nil {
				return usagef("%w", err)
			}
			// A rule that has expired is listed as such.
			var ps setting.Problems
			ps.Under("compare", a.cfg.Compare.Validate())
			if err := usage(source.Mistakes{}.With(a.origins, ps.Err()).Err()); err != nil {
				return err
			}
			return text.Rules(a.out, a.cfg.Compare.List(time.Now()), format)
		},
	}
	formatFlag(list, &format)
	parent.AddCommand(list)
	return parent
}
