package main

import (
	"fmt"

	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/log/storage/disk"
)

// openOffline opens the log that is meant in the data directory of a replica that is not running, and changes nothing in it.
func (p *program) openOffline() (*disk.Store, error) {
	o := p.offline()
	o.Log = string(p.log)
	return disk.Open(o)
}

func (p *program) offline() disk.Options {
	return disk.Options{Dir: p.data, ReadOnly: true, Logger: zerolog.Nop()}
}

// readOffline prints the entries that the replica is sure of: those up to the first position that it has not learned.
func (p *program) readOffline(r reading, out *rows[entry]) (err error) {
	store, err := p.openOffline()
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // it was only read
	summary, err := store.Summary()
	if err != nil {
		return err
	}
	begin := store.Metadata().Begin
	last := begin - 1
	if run, found := summary.Learned.Run(begin); found {
		last = run.Last
	}
	switch {
	case r.from != 0 && r.from < begin, r.to != 0 && r.to < begin:
		return truncatedTo(begin)
	case r.to > last:
		return fmt.Errorf("%w: this replica has learned the log up to position %d: read up to there", cluster.ErrNotLearned, last)
	}
	within := log.Range{First: max(r.from, begin), Last: last}
	if r.to != 0 {
		within.Last = r.to
	}
	return scan(store, within, out)
}

func scan(store *disk.Store, within log.Range, out *rows[entry]) error {
	var failed error
	err := store.Scan(within, func(a log.Action) bool {
		if a.Value.Kind == log.Append {
			failed = out.add(newEntry(cluster.Entry{Position: a.Position, Data: a.Value.Data}))
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// membersOf are the members of the log that a directory is of, as far as it knows: those that it began with, or that they were
// changed to.
func membersOf(m storage.Metadata) []log.ReplicaID {
	if m.Configuration.Epoch > 0 {
		return m.Configuration.IDs()
	}
	return m.Members
}
