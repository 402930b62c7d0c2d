package main

import (
	"fmt"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

func newInitializeCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "initialize",
		Short: "Start a new log by hand: stop every member, run it once for each, start them again",
		Long: `Makes a replica of a new log vote as soon as it is started, where --auto-initialize is off. Its data directory is made,
or EMPTY. Stop every member, run it once for each, and start them again.

Never do it to replace a disk that was lost: the replica would not know what it has promised, and the log could lose
entries. Start such a replica with an empty directory instead; it recovers from the others by itself.`,
		Example: "  quorumlog initialize --data /var/lib/quorumlog --id 1 --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.initialize() },
	}
	p.addData(command, "data `directory` to make", true)
	p.addID(command)
	p.addMembers(command)
	p.addCluster(command)
	p.addLog(command)
	return command
}

func (p *program) initialize() error {
	p.security.Insecure = true // it talks with nobody
	c, err := p.node()
	if err != nil {
		return err
	}
	err = disk.Initialize(disk.Options{
		Dir: c.Data, Log: string(p.log), Cluster: c.Cluster, Replica: c.ID, Members: p.members.replicaIDs(), Logger: zerolog.Nop(),
	})
	if err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	_, err = fmt.Fprintf(p.out, "replica %d in %s is initialized: it votes as soon as it is started\n", c.ID, c.Data)
	return err
}

// node is the configuration of a member as it was set. An error is one of usage.
func (p *program) node() (cluster.Config, error) {
	source, err := p.source()
	if err != nil {
		return cluster.Config{}, err
	}
	c := cluster.Config{
		ID: log.ReplicaID(p.id), Cluster: p.cluster, Data: p.data, Listen: p.listen, Members: p.members,
		AutoInitialize: p.autoInitialize, AutoElect: p.autoElect, Repair: cluster.Repair(p.repair), Security: p.security,
		Discovery: source, Announce: p.announce, Logs: p.logs,
	}
	switch {
	case len(p.members) == 0:
		return c, errNoMembers()
	case p.id == 0:
		return c, usagef("no replica is given: say with --id which of the members %v this one is", &p.members)
	case p.data == "":
		return c, usagef("no data directory is given: say --data DIR")
	}
	if err := c.Validate(); err != nil {
		return c, usage(err)
	}
	return c, nil
}
