package main

import "github.com/spf13/cobra"

// commands are the subcommands, one file each.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.demoCommand(),
		a.devCommand(),
		a.recordCommand(),
		a.recorderCommand(),
		a.gatewayCommand(),
		a.migrationCommand(),
		a.controllerCommand(),
		a.inflightCommand(),
		a.snapshotCommand(),
		a.importCommand(),
		a.replayCommand(),
		a.compareCommand(),
		a.auditCommand(),
		a.judgeCommand(),
		a.rulesCommand(),
		a.redactCommand(),
		a.reportCommand(),
		a.showCommand(),
		a.explainCommand(),
		a.gateCommand(),
		a.runsCommand(),
		a.sqlCommand(),
		a.topicsCommand(),
		a.migrateCommand(),
		a.configCommand(),
		a.versionCommand(),
		a.manCommand(),
	}
}
