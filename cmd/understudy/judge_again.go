package main

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"understudy.dev/comparator"
	"understudy.dev/comparator/report"
	"understudy.dev/setting/source"
)

// rulesAgain takes the rules of a judgement of a run, by the beginning of its
// name, in place of the configuration's; nil without a name.
func (a *app) rulesAgain(run, prefix string) func(context.Context, driver.Conn) error {
	if prefix == "" {
		return nil
	}
	return func(ctx context.Context, conn driver.Conn) error {
		j, err := a.judgementOf(ctx, conn, run, prefix)
		if err != nil {
			return err
		}
		c, err := repeatable(j)
		if err != nil {
			return usagef("%w; understudy judge%s %s judges the run under the rules given now, beside it", err, a.where("judge"), report.Shell(run))
		}
		a.cfg.Compare = c
		return nil
	}
}

// repeatable gives the rules under which this program writes the same rows of a
// judgement once more, or says why it would make another one.
func repeatable(j report.Judgement) (comparator.Config, error) {
	if j.Config == "" {
		return comparator.Config{}, fmt.Errorf("judgement %s: the tables do not keep its rules", j.Name())
	}
	if j.Version != comparator.JudgeVersion {
		return comparator.Config{}, fmt.Errorf("judgement %s was made by version %d of the judge, and this program has version %d, which makes another one; use a program of that version",
			j.Name(), j.Version, comparator.JudgeVersion)
	}
	c, again, err := keptRules(j)
	switch {
	case err != nil:
		return c, err
	case again.ID == j.ID:
		return c, nil
	case c.DescriptorSet != "":
		return c, fmt.Errorf("judgement %s cannot be made again: the descriptor_set of its rules, %s, has changed since", j.Name(), report.Clean(c.DescriptorSet))
	}
	return c, fmt.Errorf("judgement %s cannot be made again: from the rules that the tables keep of it this program makes %s", j.Name(), again.ID)
}

// keptRules are the rules that the tables keep of a judgement, and the judgement
// that this program makes of them.
func keptRules(j report.Judgement) (comparator.Config, comparator.Judgement, error) {
	c := comparator.DefaultConfig()
	if err := source.Read([]byte(j.Config), "judgement "+j.Name(), &c, source.Origins{}); err != nil {
		return c, comparator.Judgement{}, fmt.Errorf("the rules of judgement %s cannot be read by this version: %w", j.Name(), err)
	}
	again, err := c.Judgement()
	if err != nil {
		return c, again, fmt.Errorf("the rules of judgement %s: %w", j.Name(), err)
	}
	return c, again, nil
}
