package main

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// rescueOptions is what rescue is told.
type rescueOptions struct {
	keep   uint16
	to     string
	accept bool
}

func newRescueCommand(p *program) *cobra.Command {
	var o rescueOptions
	command := &cobra.Command{
		Use:   "rescue",
		Short: "Make a new cluster from one surviving directory, when a quorum is lost for good",
		Long: `For a log that lost the disks of a quorum for good, and nothing else: it may lose entries that were acknowledged. Where
a quorum of the disks is left, on whatever machines, start those instead; where a backup is newer than the directory, restore
that.

Reads the data directory of one replica that is left (--data, with --keep to say whose it is), which must be stopped, and
changes nothing in it. Without --i-accept-data-loss it only says what it would do, and what may be lost. With it, it makes a
data directory for each of --members, or for that replica alone, in the directory --to. They are a new cluster with a new
name: members of the old one, should they turn up again, are refused, and refuse it.

What the replica has learned is kept. So is what it has accepted and does not know to be chosen: each of these entries may have
been acknowledged, and none that was is given up. A position that it knows nothing of, below one that it keeps, becomes one
without an entry.

A directory with several logs is rescued one log at a time (--log), each as a cluster of its own.

Of several directories that are left, take the one with the highest END: quorumlog rescue shows it for each.

What was done, by whom, and what may be lost, stands in the file ORIGIN of each new directory.`,
		Example: `  quorumlog rescue --keep 2 --data /var/lib/quorumlog
  quorumlog rescue --keep 2 --data /var/lib/quorumlog --to rescued --i-accept-data-loss \
      --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.rescue(command, o) },
	}
	p.addMembers(command)
	p.addCluster(command)
	p.addLog(command)
	p.addOutput(command)
	command.Flags().StringVar(&p.data, "data", "", "data `directory` that is left; it stays as it is")
	command.Flags().Var((*idFlag)(&o.keep), "keep", "`id` of the replica whose directory it is")
	command.Flags().StringVar(&o.to, "to", "", "`directory` to make")
	command.Flags().BoolVar(&o.accept, "i-accept-data-loss", false, "do it: entries that were acknowledged may be lost for ever")
	return command
}

// rescuePlan is what rescue says that it would do, or has done. Its names are a contract.
type rescuePlan struct {
	Done    bool            `json:"done"`
	Cluster string          `json:"cluster"` // of the directory
	Replica log.ReplicaID   `json:"replica"`
	Status  string          `json:"status"`
	Begin   log.Position    `json:"begin"`
	Learned log.Position    `json:"learned"` // up to here everything is certain
	End     log.Position    `json:"end"`     // the last position that is kept
	Doubted []stretch       `json:"doubted"` // kept, but whether they were chosen is not known
	Empty   []stretch       `json:"empty"`   // nothing is known of them, and they become positions without an entry
	Losses  []string        `json:"losses"`  // what may be lost, in sentences
	New     *founded        `json:"new"`     // null where nothing was done
	Members []log.ReplicaID `json:"members"` // of the new cluster
}

// stretch is positions in a row.
type stretch struct {
	First log.Position `json:"first"`
	Last  log.Position `json:"last"`
}

func (p *program) rescue(command *cobra.Command, o rescueOptions) error {
	switch {
	case p.data == "":
		return usagef("no data directory is given: say with --data which one is left")
	case o.keep == 0:
		return usagef("no replica is given: say with --keep whose directory it is")
	case o.accept && o.to == "":
		return usagef("no place is given: say --to DIR")
	}
	store, err := p.openOffline()
	if err != nil {
		return fmt.Errorf("rescue: %w", err)
	}
	defer store.Close() //nolint:errcheck // it was only read
	survey, err := p.survey(store, log.ReplicaID(o.keep))
	if err != nil {
		return fmt.Errorf("rescue: %w", err)
	}
	if o.accept {
		if err := p.found(command, survey, o); err != nil {
			return fmt.Errorf("rescue: %w", err)
		}
	}
	return p.printRescue(survey.plan)
}

// found makes the new cluster.
func (p *program) found(command *cobra.Command, s *survey, o rescueOptions) error {
	f := founding{
		program: p, name: p.named(s.plan.Cluster, command.Flags().Changed("cluster")), members: s.plan.Members, to: o.to,
		from: disk.Foundation{Begin: s.plan.Begin, Highest: s.highest, Records: s.records(), Origin: s.origin()},
	}
	f.records = log.Range{First: s.plan.Begin, Last: s.plan.End}.Len()
	made, err := f.all(command.Context())
	if err != nil {
		return err
	}
	s.plan.Done, s.plan.New = true, &made
	return nil
}

// origin is the record of a rescue, for audits.
func (s *survey) origin() string {
	who, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if name, err := os.Hostname(); err == nil {
		host = name
	}
	m := s.store.Metadata()
	return fmt.Sprintf("rescued at %s by %s on %s, with quorumlog %s, from the directory of replica %d (incarnation %s) of cluster %q with the members %v\n%s\n",
		time.Now().UTC().Format(time.RFC3339), who, host, thisBuild().Version, m.Replica, m.Incarnation, m.Cluster, membersOf(m),
		strings.Join(s.plan.Losses, "\n"))
}

func (p *program) printRescue(r rescuePlan) error {
	if p.output != table {
		return printJSON(p.out, p.output, r)
	}
	err := printTable(p.out, "REPLICA CLUSTER STATUS BEGIN LEARNED END", [][]string{{
		fmt.Sprint(r.Replica), r.Cluster, r.Status, fmt.Sprint(r.Begin), fmt.Sprint(r.Learned), fmt.Sprint(r.End),
	}})
	if err != nil {
		return err
	}
	for _, loss := range r.Losses {
		if _, err := fmt.Fprintln(p.out, "loss: "+loss); err != nil {
			return err
		}
	}
	if r.New != nil {
		return p.printFounded(*r.New)
	}
	_, err = fmt.Fprintf(p.out, "nothing was done: with --i-accept-data-loss and --to DIR, it makes a new cluster of the members %s\n", listedIDs(r.Members))
	return err
}

func listedIDs(ids []log.ReplicaID) string { return strings.Trim(fmt.Sprint(ids), "[]") }

// newMembers are those of the new cluster: the ones that were named, or the replica alone.
func (p *program) newMembers(keep log.ReplicaID) ([]log.ReplicaID, error) {
	if len(p.members) == 0 {
		return []log.ReplicaID{keep}, nil
	}
	ids := p.members.replicaIDs()
	if !slices.Contains(ids, keep) {
		return nil, usagef("--members has no replica %d: the new cluster keeps the one whose directory it is", keep)
	}
	return ids, nil
}
