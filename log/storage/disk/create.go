package disk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log/storage"
)

// create makes the data directory. It is complete only at the very end, so that a crash before leaves one to be made.
func (e *Engine) create(d directory) error {
	if err := d.start(); err != nil {
		return err
	}
	if err := d.createMarks(); err != nil {
		return err
	}
	if err := e.openPebble(d, making); err != nil {
		return err
	}
	replacement, logs, err := d.replaces()
	if err != nil {
		return err
	}
	e.roster = logs
	if err := e.createLogs(replacement.Aside != ""); err != nil {
		return err
	}
	e.label = e.options.label()
	if !e.roster.empty() {
		e.label.format = storage.FormatLogs
		if err := d.writeWhole(rosterFile, e.roster.text()); err != nil {
			return err
		}
	}
	if err := d.finish(e.label); err != nil {
		return err
	}
	e.replacement = replacement
	return nil
}

// createLogs makes the log without a name, and those that a directory had which is replaced.
func (e *Engine) createLogs(had bool) error {
	for i, name := range append([]string{""}, e.roster.names...) {
		s := e.newStore(name, keys(i))
		e.loaded[name] = s
		if name != "" {
			s.options.Members = nil // lost with the rest, until it is opened: see boot
		}
		if err := s.establish(had); err != nil {
			return err
		}
	}
	// Pebble makes the first log in its oldest format; a flush makes it start the next one, in ours.
	if err := e.worker.do(e.db.Flush); err != nil {
		return fmt.Errorf("flush the new disk: %w", e.fault.fail(err))
	}
	return nil
}

// establish makes the metadata of a new log durable: of one that had data before, or of one that never was.
func (s *Store) establish(had bool) error {
	random, makeMetadata := s.options.Random, storage.Fresh
	if random == nil {
		random = rand.Uint64
	}
	if had {
		makeMetadata = storage.Replacement
	}
	s.metadata = makeMetadata(storage.Metadata{
		Cluster: s.options.Cluster, Replica: s.options.Replica, Members: slices.Clone(s.options.Members),
	}, random())
	s.kept.Store(uint64(s.metadata.Begin))
	if err := s.SetMetadata(s.metadata); err != nil {
		return err
	}
	s.fresh = true
	return s.Sync()
}

// makeLog makes a log in a directory that exists. It is there once its name is in the roster; what a crash leaves before is removed when
// a log is made under the same number. The label is raised before anybody can be told of the log: a program that knows none with a name
// must not open the directory from then on, or it would replace it without them.
func (e *Engine) makeLog(l Log) (*Store, error) {
	if err := e.mayMake(l.Name); err != nil {
		return nil, err
	}
	s := e.newStore(l.Name, keys(len(e.roster.names)+1))
	s.become(l)
	err := s.clear()
	if err == nil {
		err = s.establish(e.roster.forgotten)
	}
	if err == nil {
		err = e.worker.do(func() error { return e.enroll(l.Name) })
	}
	if err != nil {
		e.failed = append(e.failed, s)
		return nil, fmt.Errorf("make it: %w", e.fault.fail(err))
	}
	return s, nil
}

func (e *Engine) mayMake(name string) error {
	if err := storage.CheckName(name); err != nil {
		return err
	}
	switch {
	case e.options.ReadOnly || !e.options.Create:
		return fmt.Errorf("%w: %s has no log of this name: its logs are %s", storage.ErrNotFound, e.directory.path, e.roster)
	case len(e.roster.names)+1 >= storage.MaxLogs:
		return fmt.Errorf("%w: %s has %d already", storage.ErrTooManyLogs, e.directory.path, storage.MaxLogs)
	}
	return nil
}

// clear removes what a crash has left of a log that was being made.
func (s *Store) clear() error {
	return s.change(func(b *pebble.Batch) error {
		from, to := s.keys.small()
		return errors.Join(b.DeleteRange(from, to, nil), b.DeleteRange(s.keys.record(0), s.keys.end(recordSpace), nil))
	})
}

// enroll makes it durable that there is a log of this name.
func (e *Engine) enroll(name string) error {
	grown := roster{append(slices.Clone(e.roster.names), name), e.roster.forgotten}
	if err := e.directory.writeWhole(rosterFile, grown.text()); err != nil {
		return err
	}
	if err := e.raiseLabel(); err != nil {
		return err
	}
	e.roster = grown
	return nil
}

// raiseLabel has programs that know no log with a name refuse the directory from now on.
func (e *Engine) raiseLabel() error {
	l := e.label
	if l.format >= storage.FormatLogs {
		return nil
	}
	if l.replica == 0 { // an old one, which does not say whose it is
		l = e.options.label()
	}
	l.format = storage.FormatLogs
	if err := e.directory.writeWhole(completeFile, l.text()); err != nil {
		return err
	}
	e.label = l
	return nil
}
