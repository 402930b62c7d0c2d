package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log/storage/backup"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

func newRestoreCommand(p *program) *cobra.Command {
	var from []string
	var to string
	command := &cobra.Command{
		Use:   "restore",
		Short: "Make a new cluster from a backup",
		Long: `Makes a data directory for each of --members, in the directory --to, from a backup: a file, several, or a directory of them.
Positions stay as they were. Each directory is read again before it is there.

It makes a new cluster, with a new name, and never changes one that there is: members of the old one, and of what was
restored before, refuse those of the new one. What was appended after the backup is not in it: stop the writers of the old
cluster first.

Move each directory to its machine, and start all members with the name that is printed (serve --cluster). Run it once for all
members, not once for each: what two runs have made are two clusters.`,
		Example: `  quorumlog restore --from log.backup --to restored --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101
  quorumlog restore --from /var/backups/quorumlog --to restored -o json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.restore(command, from, to) },
	}
	p.addMembers(command)
	p.addCluster(command)
	p.addOutput(command)
	command.Flags().StringArrayVar(&from, "from", nil, "`file` of a backup, or directory of them; may be given several times")
	command.Flags().StringVar(&to, "to", "", "`directory` to make")
	return command
}

func (p *program) restore(command *cobra.Command, from []string, to string) error {
	switch {
	case len(from) == 0:
		return usagef("no backup is given: say --from FILE")
	case to == "":
		return usagef("no place is given: say --to DIR")
	case len(p.members) == 0:
		return errNoMembers()
	}
	chain, err := backup.OpenChain(from...)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	newest, found := chain.Last()
	if !found {
		return usagef("--from %v: there is no backup (*%s)", from, backup.Suffix)
	}
	f := founding{
		program: p, name: p.named(newest.Cluster, command.Flags().Changed("cluster")), members: p.members.replicaIDs(), to: to,
		from: disk.Foundation{
			Begin: chain.Begin(), Highest: chain.Highest(), Records: chain.Records(),
			Origin: fmt.Sprintf("restored at %s by quorumlog %s from a backup of cluster %q that ended at position %d at %s, with SHA-256 %s\n",
				time.Now().UTC().Format(time.RFC3339), thisBuild().Version, newest.Cluster, newest.Last, newest.Ended.Format(time.RFC3339), newest.SHA256),
		},
	}
	for _, file := range chain.Files {
		f.records += file.Manifest.Range().Len()
	}
	result, err := f.all(command.Context())
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if p.output != table {
		return printJSON(p.out, p.output, result)
	}
	return p.printFounded(result)
}
