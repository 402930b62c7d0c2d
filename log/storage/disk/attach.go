package disk

import (
	"errors"
	"fmt"

	"github.com/quorumlog/quorumlog/log/storage"
)

// damagedError is an ErrCorrupt in a directory that is known to be this replica's, and that nobody uses any more.
type damagedError struct{ error }

// Unwrap implements what errors.Is looks for.
func (d damagedError) Unwrap() error { return d.error }

// attach opens or makes the data directory, and changes nothing of one that exists, unless it is condemned.
func attach(o Options) (s *Store, fresh bool, err error) {
	d, err := resolve(o)
	if err != nil {
		return nil, false, err
	}
	found, err := d.contents()
	if err != nil {
		return nil, false, err
	}
	if found != complete {
		if err := d.prepare(o, found); err != nil {
			return nil, false, err
		}
	}
	lock, err := d.lock()
	if err != nil {
		return nil, false, err
	}
	s = &Store{options: o, directory: d, fault: newFault(d.path), lock: lock, readers: newReaders()}
	s.worker = newWorker(s.fault)
	if fresh, err = s.fill(d); err == nil {
		return s, fresh, nil
	}
	return nil, false, s.giveUp(err)
}

// giveUp abandons a store that could not be opened, and returns why.
func (s *Store) giveUp(err error) error {
	if gone := s.abandon(); gone && s.ours && errors.Is(err, storage.ErrCorrupt) {
		return damagedError{err}
	}
	return err
}

// fill looks again what the directory is, now that the lock is held and nobody else changes that, and loads or makes it.
func (s *Store) fill(d directory) (fresh bool, err error) {
	found, err := d.contents()
	switch {
	case err != nil:
		return false, err
	case found == complete:
		return false, s.load(d)
	case found == condemned:
		if err := s.resume(d); err != nil {
			return false, err
		}
	}
	return true, s.create(d)
}

// resume goes on to replace a condemned directory.
func (s *Store) resume(d directory) error {
	l, err := d.readLabel(condemnedFile)
	if err == nil {
		_, err = s.options.checkLabel(l, d.path)
	}
	if err != nil && !errors.Is(err, errDamaged) { // a damaged label does not save a directory that was given up
		return err
	}
	return d.moveAside()
}

func (d directory) prepare(o Options, found contents) error {
	if found == condemned {
		if o.ReadOnly || !o.Create || !o.Repair {
			return d.errCondemned()
		}
		return nil
	}
	if o.ReadOnly || !o.Create {
		what := "it has no data directory"
		if found == unfinished {
			what = "its data directory was never finished, and holds nothing"
		}
		return fmt.Errorf("%w: %s: %s: check the path, or start the replica to make it", storage.ErrNotFound, d.path, what)
	}
	return d.make()
}
