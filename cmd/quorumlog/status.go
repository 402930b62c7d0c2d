package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
)

func newStatusCommand(p *program) *cobra.Command {
	command := &cobra.Command{
		Use:   "status",
		Short: "Show how every member is",
		Long: `Asks every member how it is, and shows a row for each, with why it could not be reached where that is so.

  STATUS    EMPTY: the disk is new; STARTING: the log is new; RECOVERING: it copies what it missed; VOTING: it is
            fully there
  LEARNED   up to where it knows everything, from BEGIN on; HOLES counts what it does not know up to END
  SINCE     when it entered this status, by its own clock
  PROMISED  it refuses writers with a lower number than this, ROUND.REPLICA: each writer that is elected has a higher one
  LEADER    its coordinator is elected: it writes
  INCARNATION  names its disk: a new directory has another one, and the others then refuse the former

Ends with 0 if a quorum of the members can be reached and votes, else with 3; with 2 if a member has another member list
than this command.`,
		Example: "  quorumlog status --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101\n  quorumlog status -o json",
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return p.status(command.Context()) },
	}
	p.addClient(command)
	return command
}

func (p *program) status(ctx context.Context) error {
	client, err := p.client(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	limited, cancel := p.limited(ctx)
	defer cancel()
	statuses := client.Status(limited)
	if err := p.printStatuses(statuses); err != nil {
		return err
	}
	if err := sameMembers(client.Configuration(), statuses); err != nil {
		return err
	}
	return quorumVotes(statuses)
}

// sameMembers returns an error if members were given another list than this command. What it says of the log would be said
// of some of the members only, or of another quorum.
func sameMembers(configuration string, statuses []cluster.Status) error {
	var faults []string
	for _, s := range statuses {
		if s.Reachable && s.Epoch == 0 && s.Configuration != configuration {
			faults = append(faults, fmt.Sprintf("member %d at %s has another member list than this command", s.ID, s.Address))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return usagef("%s: give the --members that serve was given", strings.Join(faults, "; "))
}

func (p *program) printStatuses(statuses []cluster.Status) error {
	switch p.output {
	case asJSON:
		return printJSON(p.out, p.output, statuses)
	case ndjson:
		for _, s := range statuses {
			if err := printJSON(p.out, p.output, s); err != nil {
				return err
			}
		}
		return nil
	case table:
	}
	lines := make([][]string, len(statuses))
	for i, s := range statuses {
		lines[i] = statusCells(s)
	}
	return printTable(p.out, "ID ADDRESS STATUS SINCE BEGIN END LEARNED HOLES PROMISED LEADER INCARNATION NOTE", lines)
}

// statusCells is the row of one member.
func statusCells(s cluster.Status) []string {
	id := strconv.Itoa(int(s.ID))
	note := strings.ReplaceAll(s.Error, "\n", "; ")
	if !s.Reachable {
		return []string{id, s.Address, "UNREACHABLE", "-", "-", "-", "-", "-", "-", "-", "-", note}
	}
	leader := "no"
	if s.Leader {
		leader = "yes"
	}
	if note == "" && s.Role == observer {
		note = "an observer: its vote does not count"
	}
	if note == "" && s.Status == "RECOVERING" && s.Catchup.Total > 0 {
		note = fmt.Sprintf("copied %d of %d positions", s.Catchup.Done, s.Catchup.Total)
	}
	return []string{
		id, s.Address, s.Status, s.Since.Format("2006-01-02T15:04:05Z07:00"), fmt.Sprint(s.Begin), fmt.Sprint(s.End), fmt.Sprint(s.Learned),
		fmt.Sprint(s.Holes), s.Promised, leader, s.Incarnation, note,
	}
}

// quorumVotes returns an error if fewer than a quorum of the members votes.
func quorumVotes(statuses []cluster.Status) error {
	votes, voters := 0, 0
	for _, s := range statuses {
		if s.Role == observer {
			continue
		}
		voters++
		if s.Reachable && s.Status == voting {
			votes++
		}
	}
	if quorum := voters/2 + 1; votes < quorum {
		return notReadyf("no quorum: %d of %d members can be reached and vote, and %d must: start the others, or wait until they have recovered",
			votes, voters, quorum)
	}
	return nil
}
