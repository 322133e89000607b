package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the manual pages; packages call it through make man.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write a manual page for every command", Args: exactly("FOLDER"), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			b := readBuild()
			// The date is that of the commit, so that the same source gives the
			// same pages.
			date, err := time.Parse(time.RFC3339, b.date)
			if err != nil {
				date = time.Unix(0, 0)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			head := &doc.GenManHeader{Title: "UNDERSTUDY", Section: "1", Source: "Understudy " + b.version, Manual: "Understudy", Date: &date}
			if err := doc.GenManTree(root, head, args[0]); err != nil {
				return fmt.Errorf("man: %w", err)
			}
			return nil
		},
	}
}
