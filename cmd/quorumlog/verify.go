package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

func newVerifyCommand(p *program) *cobra.Command {
	var backups []string
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check that the replicas are whole and equal, or that one directory or a backup is whole",
		Long: `With --members: has every member learn what was acknowledged before the command, and compares what they hold, from
the first position that all of them keep to the last that all of them know. Every record is read from disk, and its
checksum compared. All members must be there. Appends may go on meanwhile.

With --data: reads every record of one replica's directory, whose member must be stopped, and compares its checksum. With
what the other replicas hold it compares nothing.

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
	v.Faults = append(v.Faults, fault{at.First, at.Last, members, text})
}

func (v *verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

func (p *program) printVerdict(v verdict) error {
	if p.output != table {
		return printJSON(p.out, p.output, v)
	}
	lines := make([][]string, len(v.Members))
	for i, m := range v.Members {
		lines[i] = strings.Fields(fmt.Sprintln(m.ID, m.Status, m.Begin, m.End, m.Learned, m.Holes))
	}
	if len(lines) > 0 { // a backup has none
		if err := printTable(p.out, "ID STATUS BEGIN END LEARNED HOLES", lines); err != nil {
			return err
		}
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
	case v.looked != "":
		_, err := fmt.Fprintf(p.out, "all is well: %d positions from %d to %d are whole %s\n", v.Positions, v.Begin, v.End, v.looked)
		return err
	}
	_, err := fmt.Fprintf(p.out, "all is well: %d positions from %d to %d are whole and equal\n", v.Positions, v.Begin, v.End)
	return err
}

// verifyOffline looks at one data directory.
func (p *program) verifyOffline() (verdict, error) {
	store, err := p.openOffline()
	if errors.Is(err, cluster.ErrCorrupt) {
		v := newVerdict()
		v.fault(log.Range{}, []log.ReplicaID{}, "%v: %s", err, repairs)
		return v, nil
	}
	if err != nil {
		return verdict{}, err
	}
	defer store.Close() //nolint:errcheck // it was only read
	var bar *progress
	report, err := disk.Check(store, func(done, total uint64) {
		if bar == nil {
			bar = p.progress("check", positionsUnit, total)
		}
		bar.set(done)
	})
	bar.end()
	if err != nil {
		return verdict{}, err
	}
	m := store.Metadata()
	v := newVerdict()
	v.looked = "in this directory; no other replica was looked at"
	v.Begin, v.End, v.Positions = report.Begin, report.End, report.Records
	learned := report.Begin - 1
	if run, found := report.Learned.Run(report.Begin); found {
		learned = run.Last
	}
	unlearned := log.Range{First: report.Begin, Last: report.End}.Len() - report.Learned.Len()
	v.Members = append(v.Members, verifiedSide{m.Replica, m.Status.String(), report.Begin, report.End, learned, unlearned})
	v.judge(report, m.Replica)
	return v, nil
}

// repairs is what is done about a directory that is damaged.
const repairs = "start the replica, with --repair=auto: it copies from the others what is damaged, or keeps this directory aside and recovers from them"

// judge says what of a report is a fault. A position that was never learned is none: the replica may have been away.
func (v *verdict) judge(r disk.Report, who log.ReplicaID) {
	members := []log.ReplicaID{who}
	for at := range r.Corrupt.All() {
		v.fault(at, members, "positions %v are damaged", at)
	}
	for at := range r.Missing.Minus(r.Corrupt).All() {
		v.fault(at, members, "positions %v are learned, and have no record", at)
	}
	switch {
	case r.Damage != nil: // the look may have ended early, and says nothing about holes then
		v.fault(log.Range{}, members, "%v: %s", r.Damage, repairs)
	case !r.Holes.Empty():
		v.note("positions %v have no record: the replica learns them when it catches up", r.Holes)
	}
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
