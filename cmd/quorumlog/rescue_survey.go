package main

import (
	"fmt"
	"iter"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// survey is what one directory knows of a log, and what of it a rescue keeps: see docs/adr/0018.
//
// A value that the replica has accepted and does not know to be chosen is kept. It may have been acknowledged. If it was not,
// its writer was never told that it is in the log; it may have been told that it is not, where a later writer put another
// value in its place on the disks that are lost. So the new log may hold what was refused, in place of what is lost anyway.
// To drop such values instead would lose what was acknowledged last in the most common case: the surviving replica voted, and
// had not yet heard that its vote decided. Only what a reign voids is not kept that the directory knows of: that was fenced before
// it was chosen, and its entries may be in the log once more, further down.
type survey struct {
	store   *disk.Store
	plan    rescuePlan
	highest log.Proposal
	reign   log.Reign
}

func (p *program) survey(store *disk.Store, keep log.ReplicaID) (*survey, error) {
	m := store.Metadata()
	switch {
	case m.Replica != keep:
		return nil, usagef("--keep %d: %s is the directory of replica %d", keep, p.data, m.Replica)
	case m.Status == status.Empty, m.Status == status.Starting:
		return nil, fmt.Errorf("replica %d is %v: it has nothing to keep: give the directory of one that was VOTING", keep, m.Status)
	}
	members, err := p.newMembers(keep)
	if err != nil {
		return nil, err
	}
	s := &survey{store: store, highest: max(m.Highest, m.Promised), reign: m.Reign, plan: rescuePlan{
		Cluster: m.Cluster, Replica: keep, Status: m.Status.String(), Begin: m.Begin, Members: members,
	}}
	if err := s.look(p); err != nil {
		return nil, err
	}
	s.plan.Losses = s.losses(membersOf(m))
	return s, nil
}

// look reads every record, and finds what is kept.
func (s *survey) look(p *program) error {
	var bar *progress
	report, err := disk.Check(s.store, func(done, total uint64) {
		if bar == nil {
			bar = p.progress("check", positionsUnit, total)
		}
		bar.set(done)
	})
	bar.end()
	if err != nil {
		return err
	}
	if report.Damage != nil || !report.Missing.Empty() {
		return dataFaultf("the directory is damaged (%v; learned positions without a record: %v): give another one that is left, or restore a backup",
			report.Damage, &report.Missing)
	}
	held, err := s.held(log.Range{First: report.Begin, Last: report.End})
	if err != nil {
		return err
	}
	s.plan.End = report.Begin - 1
	if last, found := held.Last(); found {
		s.plan.End = last
	}
	s.plan.Learned = report.Begin - 1
	if run, found := report.Learned.Run(report.Begin); found {
		s.plan.Learned = run.Last
	}
	s.plan.Doubted = stretches(held.Minus(report.Learned))
	s.plan.Empty = stretches(held.Complement(log.Range{First: report.Begin, Last: s.plan.End}))
	return nil
}

// held returns the positions with a value, accepted or learned.
func (s *survey) held(within log.Range) (held interval.Set, err error) {
	err = s.store.Scan(within, func(a log.Action) bool {
		s.highest = max(s.highest, a.Promised, a.Performed)
		if s.keeps(a) {
			held.Add(log.Range{First: a.Position, Last: a.Position})
		}
		return true
	})
	return held, err
}

// keeps says whether a record has a value that may have been chosen.
func (s *survey) keeps(a log.Action) bool {
	return a.Value.Kind != log.None && !s.reign.Voids(a)
}

func stretches(set interval.Set) []stretch {
	all := []stretch{}
	for r := range set.All() {
		all = append(all, stretch{r.First, r.Last})
	}
	return all
}

// losses says what may be lost, in sentences.
func (s *survey) losses(members []log.ReplicaID) []string {
	p := s.plan
	losses := []string{fmt.Sprintf("whatever was acknowledged above position %d by the others of the members %s alone is lost: this replica never saw it",
		p.End, listedIDs(members))}
	if len(p.Doubted) > 0 {
		losses = append(losses, fmt.Sprintf("positions %s are kept as this replica has accepted them: they may have been acknowledged, or never, "+
			"or another entry may have been in their place", spelled(p.Doubted)))
	}
	if len(p.Empty) > 0 {
		losses = append(losses, fmt.Sprintf("of positions %s this replica knows nothing: what was acknowledged there is lost, and they become positions without an entry",
			spelled(p.Empty)))
	}
	if p.Status != status.Voting.String() {
		losses = append(losses, fmt.Sprintf("this replica was %s: it had not yet got back what an earlier disk of it knew; a directory that was VOTING is the better one", p.Status))
	}
	return losses
}

func spelled(all []stretch) string {
	parts := make([]string, len(all))
	for i, r := range all {
		parts[i] = fmt.Sprintf("%d to %d", r.First, r.Last)
	}
	return strings.Join(parts, ", ")
}

// records yields what is kept, without a gap.
func (s *survey) records() iter.Seq2[[]log.Action, error] {
	return func(yield func([]log.Action, error) bool) {
		r := rescuing{survey: s, next: s.plan.Begin, yield: yield}
		err := s.store.Scan(log.Range{First: s.plan.Begin, Last: s.plan.End}, func(a log.Action) bool {
			for r.next < a.Position {
				if !r.add(log.Action{Position: r.next}) {
					return false
				}
			}
			return r.add(a)
		})
		switch {
		case r.stopped:
		case err != nil:
			yield(nil, err)
		case len(r.piece) > 0:
			yield(r.piece, nil)
		}
	}
}

// rescuing collects records into pieces.
type rescuing struct {
	*survey
	yield   func([]log.Action, error) bool
	next    log.Position
	piece   []log.Action
	bytes   int
	stopped bool
}

// add adds the record of the next position, and says whether more is wanted. One without a value becomes a NOP; so does a
// TRUNCATE that may never have been chosen, for it would drop entries that are still there.
func (r *rescuing) add(a log.Action) bool {
	if !r.keeps(a) || a.Value.Kind == log.Truncate && !a.Learned && a.Value.To > r.plan.Begin {
		a = log.Action{Position: a.Position, Performed: r.highest, Value: log.Value{Kind: log.NOP}}
	}
	r.piece, r.bytes, r.next = append(r.piece, a), r.bytes+len(a.Value.Data), a.Position+1
	if len(r.piece) < log.MaxRun && r.bytes < log.MaxRunBytes {
		return true
	}
	r.stopped = !r.yield(r.piece, nil)
	r.piece, r.bytes = nil, 0
	return !r.stopped
}
