package disk

import (
	"errors"
	"fmt"
	"iter"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/invariant"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// originFile, with a name behind it where the log has one, says, for people, where a log came from that did not start as an empty one: see Origin.
const originFile = "ORIGIN"

// Foundation is what Build makes the data directory of a new log from. The directories of all its members are built from the
// same: they are VOTING at once, and hold the same learned records.
type Foundation struct {
	Begin   log.Position    // where the log begins; at least 1
	Highest log.Proposal    // what was ever proposed in the log that the records are of; the new one goes on above it
	Disks   identity.Vector // the first life of each member of the new log, so that no other disk passes for one of them
	Origin  string          // for people, and for audits: where the log came from
	// Records are all records from Begin on, without a gap and with a value each; what is below Begin is passed over.
	Records iter.Seq2[[]log.Action, error]
}

// Build makes a data directory of a log that begins with records, or such a log in a directory that has others. That is safe only for
// a log under a name that no cluster ever had, and only where it is done once for all of its members: see docs/adr/0018. A log that
// exists is refused. Where Build fails, what it has made is RECOVERING: it never votes by itself.
func Build(o Options, f Foundation) error {
	o.Create, o.ReadOnly, o.Repair = true, false, false
	life, found := f.Disks.Of(o.Replica)
	invariant.Hold(found, "the new log has no disk of replica %d", o.Replica)
	s, err := attach(o)
	if err != nil {
		return err
	}
	if !s.fresh {
		s.engine.abandon()
		return fmt.Errorf("%w: %s has %s already: give a path where there is none", storage.ErrForeign, o.Dir, titleOf(o.Log))
	}
	if err := s.start(s.armAlone); err != nil {
		return s.engine.giveUp(err)
	}
	return errors.Join(s.build(f, life), s.Close())
}

func (s *Store) build(f Foundation, life identity.Incarnation) error {
	m := s.Metadata()
	m.Incarnation, m.Known, m.Status = life, f.Disks, status.Recovering // until all is there
	m.Promised, m.Highest = f.Highest, f.Highest
	if err := s.SetMetadata(m); err != nil {
		return err
	}
	if err := s.Truncate(f.Begin); err != nil {
		return err
	}
	next := f.Begin
	for actions, err := range f.Records {
		if err != nil {
			return err
		}
		if next, err = s.buildOn(next, actions); err != nil {
			return err
		}
	}
	if err := s.directory.writeWhole(s.originFile(), f.Origin); err != nil {
		return err
	}
	m = s.Metadata()
	m.Status = status.Voting
	for _, k := range f.Disks {
		m.Founders = append(m.Founders, k.Incarnation.Disk)
	}
	return errors.Join(s.SetMetadata(m), s.Sync())
}

// buildOn stores the next records, and returns the position after them.
func (s *Store) buildOn(next log.Position, actions []log.Action) (log.Position, error) {
	for len(actions) > 0 && actions[0].Position < next {
		actions = actions[1:]
	}
	if len(actions) == 0 {
		return next, nil
	}
	built := make([]log.Action, len(actions))
	for i, a := range actions {
		if a.Position != next || a.Value.Kind == log.None {
			return next, fmt.Errorf("position %d is missing: the records go on at %d", next, a.Position)
		}
		a.Promised = a.Performed        // nobody of the new log has promised anything
		if a.Value.Kind == log.Config { // nor are the old one's members its own: it begins with its own list
			a.Value = log.Value{Kind: log.NOP}
		}
		built[i], next = a, next+1
	}
	err := s.Put(built...)
	if err == nil {
		err = s.Learn(log.Span(built[0].Position, len(built)))
	}
	return next, err
}

// Origin returns what Build was told of where a log came from; empty where it started as an empty one.
func (s *Store) Origin() (string, error) {
	found, err := s.directory.has(s.originFile())
	if err != nil || !found {
		return "", err
	}
	text, err := s.directory.read(s.originFile())
	return string(text), err
}

func (s *Store) originFile() string {
	if s.name == "" {
		return originFile
	}
	return originFile + "." + s.name
}
