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

// attach opens or makes the data directory of a store that has it for itself, and changes nothing of one that exists, unless it is
// condemned.
func attach(o Options) (*Store, error) {
	e, err := mount(o)
	if err != nil {
		return nil, err
	}
	s, err := e.only(Log{Name: o.Log, OnFatal: o.OnFatal})
	if err != nil {
		return nil, e.giveUp(fmt.Errorf("open %s: %w", titleOf(o.Log), err))
	}
	return s, nil
}

// only takes a log that is to have the engine for itself.
func (e *Engine) only(l Log) (*Store, error) {
	s, err := e.take(l)
	if err != nil {
		return nil, err
	}
	s.become(l)
	s.alone = true
	e.open[l.Name] = s
	e.publish()
	return s, s.options.compareMembers(s.metadata, e.directory.path)
}

// mount opens or makes the data directory, and holds its lock.
func mount(o Options) (*Engine, error) {
	d, err := resolve(o)
	if err != nil {
		return nil, err
	}
	found, err := d.contents()
	if err != nil {
		return nil, err
	}
	if found != complete {
		if err := d.prepare(o, found); err != nil {
			return nil, err
		}
	}
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, directory: d, fault: newFault(d.path), lock: lock, turn: make(chan struct{}, 1),
		loaded: map[string]*Store{}, open: map[string]*Store{},
	}
	e.worker = newWorker(e.fault)
	if err = e.fill(d); err != nil {
		return nil, e.giveUp(err)
	}
	return e, nil
}

// fill looks again what the directory is, now that the lock is held and nobody else changes that, and loads or makes it.
func (e *Engine) fill(d directory) error {
	found, err := d.contents()
	switch {
	case err != nil:
		return err
	case found == complete:
		return e.load(d)
	case found == condemned:
		if err := e.resume(d); err != nil {
			return err
		}
	}
	return e.create(d)
}

// resume goes on to replace a condemned directory.
func (e *Engine) resume(d directory) error {
	l, err := d.readLabel(condemnedFile)
	if err == nil {
		_, err = e.options.checkLabel(l, d.path)
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
