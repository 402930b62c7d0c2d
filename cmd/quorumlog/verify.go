package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/log"
)

func newVerifyCommand(p *program) *cobra.Command {
	var backups []string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check that the replicas are whole and equal, or that one directory or a backup is whole",
		Long: `With --members: has every member learn what was acknowledged before the command, and compares what they hold, from
the first position that all of them keep to the last that all of them know. Every record is read from disk, and its
checksum compared. All members must be there. Appends may go on meanwhile.

With --data: reads every record of one replica's directory, of all logs in it or of that which --log names, and compares its
checksum. Its member must be stopped. With what the other replicas hold it compares nothing.

With --backup: reads all of a backup, a file or a directory of them, compares its checksums, and looks whether files follow each
other.

Shows on stderr how far it is: as a bar on a terminal, and elsewhere only with -o ndjson, as events.

Ends with 0 if all is well, with 2 if a member has another member list than this command, with 3 if a member cannot be
asked, and with 4 and what is wrong if something is.`,
		Example: `  quorumlog verify --members 1=10.0.0.1:7101,2=10.0.0.2:7101,3=10.0.0.3:7101
  quorumlog verify --data /var/lib/quorumlog -o json
  quorumlog verify --backup log.backup`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return p.verify(command, backups) },
	}
	p.addClient(command)
	p.addData(command, "check this data `directory` instead of a running log", false)
	command.Flags().StringArrayVar(&backups, "backup", nil, "check this `file`, or directory of backups, instead of a running log; may be given several times")
	return command
}

// verdict is what verify prints.
type verdict struct {
	Healthy   bool           `json:"healthy"`
	Begin     log.Position   `json:"begin"`     // the first position that was looked at
	End       log.Position   `json:"end"`       // the last one; begin - 1 if there was none
	Positions uint64         `json:"positions"` // how many were found to be right
	Members   []verifiedSide `json:"members"`
	Faults    []fault        `json:"faults"`
	Notes     []string       `json:"notes"` // what is worth knowing and no fault

	looked string // what was looked at alone, and compared with nothing; empty for all members
}

// verifiedSide is one replica of a verdict.
type verifiedSide struct {
	Log     string        `json:"log,omitempty"` // its name, where several logs of a directory are looked at
	ID      log.ReplicaID `json:"id"`
	Status  string        `json:"status"`
	Begin   log.Position  `json:"begin"`
	End     log.Position  `json:"end"`
	Learned log.Position  `json:"learned"`
	Holes   uint64        `json:"holes"` // positions that the replica has not learned
}

// fault is something that must not be.
type fault struct {
	First   log.Position    `json:"first"` // where; 0 if nowhere in particular
	Last    log.Position    `json:"last"`
	Members []log.ReplicaID `json:"members"`
	Log     string          `json:"log,omitempty"` // as of a member
	Text    string          `json:"text"`
}

func (p *program) verify(command *cobra.Command, backups []string) error {
	var v verdict
	var err error
	switch offline := command.Flags().Changed("data"); {
	case offline && len(backups) > 0:
		return usagef("--data and --backup are two things to check: choose one")
	case offline:
		v, err = p.verifyOffline()
	case len(backups) > 0:
		v, err = p.verifyBackup(backups)
	default:
		v, err = p.verifyOnline(command.Context())
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	v.Healthy = len(v.Faults) == 0
	if err := p.printVerdict(v); err != nil {
		return err
	}
	if !v.Healthy {
		return dataFaultf("verify: found %d faults", len(v.Faults))
	}
	return nil
}

// newVerdict makes lists that encode as [] and not as null.
func newVerdict() verdict {
	return verdict{Members: []verifiedSide{}, Faults: []fault{}, Notes: []string{}}
}

func (v *verdict) fault(at log.Range, members []log.ReplicaID, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	v.Faults = append(v.Faults, fault{First: at.First, Last: at.Last, Members: members, Text: text})
}

func (v *verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

func (p *program) printVerdict(v verdict) error {
	if p.output != table {
		return printJSON(p.out, p.output, v)
	}
	if err := p.printSides(v.Members); err != nil {
		return err
	}
	for _, n := range v.Notes {
		if _, err := fmt.Fprintln(p.out, "note: "+n); err != nil {
			return err
		}
	}
	for _, f := range v.Faults {
		if _, err := fmt.Fprintln(p.out, "fault: "+f.Text); err != nil {
			return err
		}
	}
	switch {
	case !v.Healthy:
		return nil
	case v.Positions == 0:
		_, err := fmt.Fprintln(p.out, "all is well: there is no position to look at")
		return err
	case v.looked != "" && len(v.Members) > 1:
		_, err := fmt.Fprintf(p.out, "all is well: %d positions of %d logs are whole %s\n", v.Positions, len(v.Members), v.looked)
		return err
	case v.looked != "":
		_, err := fmt.Fprintf(p.out, "all is well: %d positions from %d to %d are whole %s\n", v.Positions, v.Begin, v.End, v.looked)
		return err
	}
	_, err := fmt.Fprintf(p.out, "all is well: %d positions from %d to %d are whole and equal\n", v.Positions, v.Begin, v.End)
	return err
}

// printSides prints a row for each replica, or for each log of a directory. A backup has none.
func (p *program) printSides(sides []verifiedSide) error {
	heads, named := "ID STATUS BEGIN END LEARNED HOLES", slices.ContainsFunc(sides, func(s verifiedSide) bool { return s.Log != "" })
	if named {
		heads += " LOG"
	}
	var lines [][]string
	for _, s := range sides {
		line := strings.Fields(fmt.Sprintln(s.ID, s.Status, s.Begin, s.End, s.Learned, s.Holes))
		if named {
			line = append(line, cmp.Or(s.Log, "-"))
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	return printTable(p.out, heads, lines)
}

// verifyOnline looks at all members of a running log.
func (p *program) verifyOnline(ctx context.Context) (verdict, error) {
	client, err := p.client(ctx)
	if err != nil {
		return verdict{}, err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	c := comparison{program: p, client: client, verdict: newVerdict()}
	if err := c.prepare(ctx); err != nil {
		return verdict{}, err
	}
	err = c.compare(ctx)
	return c.verdict, err
}
