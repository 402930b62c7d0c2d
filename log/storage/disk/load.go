package disk

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// newStore is the store of a log of which nothing is known yet but where it is. Its worker runs.
func (e *Engine) newStore(name string, k keys) *Store {
	return &Store{
		engine: e, name: name, keys: k, coder: coder{keys: k}, options: e.options, directory: e.directory, fault: e.fault, db: e.db,
		worker: newWorker(e.fault), readers: newReaders(),
	}
}

// load opens a data directory that exists, and reads what its stores keep in memory: of all its logs, so that damage is found while the
// directory can be replaced.
func (e *Engine) load(d directory) error {
	damaged, err := e.identify(d)
	if err != nil {
		return err
	}
	if err := e.openExisting(d); err != nil {
		return err
	}
	unnamed := e.newStore("", 0)
	e.loaded[""] = unnamed
	if err := unnamed.loadMetadata(); err != nil {
		return err
	}
	if err := e.options.compareMembers(unnamed.metadata, d.path); err != nil {
		return err
	}
	e.ours = true
	if damaged != nil {
		return fmt.Errorf("%w: %s: %w", storage.ErrCorrupt, d.path, damaged)
	}
	if err := unnamed.loadRuns(); err != nil {
		return err
	}
	for i, name := range e.roster.names {
		s, err := e.loadLog(name, keys(i+1))
		if err != nil {
			return fmt.Errorf("load %s: %w", titleOf(name), err)
		}
		e.loaded[name] = s
	}
	if e.options.ReadOnly {
		return nil
	}
	return e.settle(d)
}

// identify reads, before Pebble is let in, whose directory it is, which logs are in it, and what the process before says of it. A label
// that is damaged is returned apart: the metadata may still tell whose it is.
func (e *Engine) identify(d directory) (damaged, err error) {
	l, err := d.readLabel(completeFile)
	if err == nil {
		e.label = l
		e.ours, err = e.options.checkLabel(l, d.path)
	}
	if err == nil {
		e.roster, err = d.readRoster(l.format >= storage.FormatLogs)
	}
	if errors.Is(err, errDamaged) {
		damaged, err = err, nil
	}
	if err != nil {
		return nil, err
	}
	if e.note, err = d.readNote(); err != nil {
		return nil, err
	}
	if e.note.kind == noteCorrupt && e.ours && !e.options.ReadOnly { // before Pebble changes what may be looked at later
		return nil, e.note.err(d.path)
	}
	return damaged, nil
}

func (e *Engine) openExisting(d directory) error {
	if err := d.checkFormat(); err != nil {
		return err
	}
	how := changing
	if e.options.ReadOnly {
		how = reading
	}
	return e.openPebble(d, how)
}

// settle heeds what the last process says of the disk, and lets go of what is not needed any more.
func (e *Engine) settle(d directory) error {
	if err := e.heed(d, e.note); err != nil {
		return err
	}
	if !e.roster.empty() { // a crash may have come between it and the label, while the first log was made
		if err := e.raiseLabel(); err != nil {
			return err
		}
	}
	for _, s := range e.loaded {
		if s.metadata.Status != status.Voting {
			return nil
		}
	}
	if err := d.prune(); err != nil {
		e.options.Logger.Warn().Err(err).Msg("an older damaged directory stays")
	}
	return nil
}

// take returns a log that is not open, and makes it where there is none.
func (e *Engine) take(l Log) (*Store, error) {
	if s := e.loaded[l.Name]; s != nil {
		delete(e.loaded, l.Name)
		return s, nil
	}
	if k, found := e.roster.find(l.Name); found {
		return e.loadLog(l.Name, k)
	}
	return e.makeLog(l)
}

// loadLog reads what the store of a log keeps in memory.
func (e *Engine) loadLog(name string, k keys) (*Store, error) {
	s := e.newStore(name, k)
	err := s.loadMetadata()
	if err == nil {
		err = s.loadRuns()
	}
	if err != nil {
		e.failed = append(e.failed, s)
		return nil, err
	}
	return s, nil
}

// loadMetadata reads whose log it is.
func (s *Store) loadMetadata() error {
	var m storage.Metadata
	key, path := s.keys.key(metadataSpace), s.directory.path
	found, err := s.view(key, func(value []byte) (err error) {
		m, err = decodeMetadata(key, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("read metadata in %s: %w", path, err)
	}
	if !found {
		return fmt.Errorf("%w: %s has no metadata", storage.ErrCorrupt, path)
	}
	s.metadata = m
	s.kept.Store(uint64(m.Begin))
	if err := s.loadAge(); err != nil {
		return fmt.Errorf("read the age of %s: %w", path, err)
	}
	return s.options.compare(s.metadata, path)
}

// loadRuns reads which positions are learned, and which of them are damaged.
func (s *Store) loadRuns() (err error) {
	if s.learned, err = s.runs(learnedSpace); err != nil {
		return fmt.Errorf("read learned runs: %w", s.fault.fail(err))
	}
	damaged, err := s.runs(damagedSpace)
	if err != nil {
		return fmt.Errorf("read damaged runs: %w", s.fault.fail(err))
	}
	if !damaged.Empty() && !s.options.Mend && !s.options.ReadOnly {
		return fmt.Errorf("%w: the records at %v were damaged, and nobody could give them again", storage.ErrCorrupt, damaged)
	}
	s.damage.replace(damaged)
	return nil
}

// runs reads the runs of positions in a space of keys.
func (s *Store) runs(space byte) (set interval.Set, err error) {
	err = s.iterate(s.keys.at(space, 0), s.keys.end(space), func(i *pebble.Iterator) error {
		for ok := i.First(); ok; ok = i.Next() {
			value, err := i.ValueAndErr()
			if err != nil {
				return err
			}
			run, err := decodeRun(i.Key(), value)
			if err != nil {
				return err
			}
			set.Add(run)
		}
		return nil
	})
	return set, err
}

// heed does what a note asks for. After damage the directory is not used any more. After a failure every record is read
// again, which is the only way to find out what the disk made of it, and the note is dropped where nothing is wrong. A
// learned position without its record is wrong, too: the record was written before, and no crash takes it and leaves the mark.
//
// What the logs held is on the disk by then, in a table, also where the system had failed to write a page, and kept it to
// show it to every reader until the power fails: Pebble writes it anew while it opens.
func (e *Engine) heed(d directory, n note) error {
	switch n.kind {
	case "":
		return nil
	case noteCorrupt:
		return n.err(d.path)
	}
	records := uint64(0)
	for _, s := range e.loaded {
		report, err := Check(s, nil)
		if err == nil && report.Damage == nil && !report.Missing.Empty() {
			report.Damage = fmt.Errorf("%w: positions %v are learned, and have no record", storage.ErrCorrupt, report.Missing)
		}
		if err = errors.Join(err, report.Damage); err != nil {
			return fmt.Errorf("read everything again, as the disk failed before (%s): %w", n.text, e.fault.fail(err))
		}
		records += report.Records
	}
	e.options.Logger.Warn().Str("before", n.text).Uint64("records", records).
		Msg("the disk had failed; every record was read again and is right")
	if err := d.remove(faultFile); err != nil {
		return err
	}
	return d.sync()
}
