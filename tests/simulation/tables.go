package simulation

import (
	"fmt"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/sessions"
	"github.com/quorumlog/quorumlog/log/storage"
)

// tables are what the log says of the sessions at each of its positions: what every replica must remember.
type tables struct {
	table *sessions.Table
	at    [][]byte // by the position; that of 0 is empty
}

func newTables(limit int) *tables { return &tables{table: sessions.New(limit), at: [][]byte{nil}} }

// table is that at a position; false where something below it is not chosen.
func (t *truth) table(at log.Position) ([]byte, bool) {
	for next := log.Position(len(t.tables.at)); next <= at; next++ {
		v, found := t.value(next)
		if !found {
			return nil, false
		}
		for _, r := range sessions.Extend(nil, next, &v) {
			t.tables.table.Note(r)
		}
		t.tables.at = append(t.tables.at, t.tables.table.Encode())
	}
	return t.tables.at[at], true
}

// hasNumber says whether what is chosen at a position has a number in a session.
func (t *truth) hasNumber(at log.Position) bool {
	v, _ := t.value(at)
	return v.Sequence > 0
}

// ordered looks at the whole log: the numbers of each session are in it in order, and a TRUNCATE carries the table before it.
func (t *truth) ordered() {
	next := map[log.Session]uint64{}
	for at := log.Position(1); at <= t.last; at++ {
		v, found := t.value(at)
		switch {
		case !found:
			return // nothing above it is chosen by whoever settles it; linked looks at that
		case v.Kind == log.Truncate:
			if want, ok := t.table(at - 1); ok && string(want) != string(v.Data) {
				t.accuse(14, sameTables, fmt.Sprintf("the TRUNCATE at %d has the table %x, and the log has %x", at, v.Data, want))
			}
		case v.Sequence > 0:
			if next[v.Session]++; v.Sequence != next[v.Session] {
				t.accuse(14, inSequence, fmt.Sprintf("number %d of session %x is at %d, and %d comes next", v.Sequence, v.Session[:4], at, next[v.Session]))
				return
			}
		}
	}
}

// SetCheckpoint implements storage.Store.
func (d *disk) SetCheckpoint(c storage.Checkpoint) error {
	if want, found := d.truth.table(c.UpTo); found && string(want) != string(c.Table) {
		d.truth.accuse(14, sameTables, fmt.Sprintf("replica %d remembers %x at %d, and the log has %x", d.id, c.Table, c.UpTo, want))
	}
	return d.did(d.Store.SetCheckpoint(c))
}

// Checkpoint is Get for the checkpoint.
func (d *disk) Checkpoint() (storage.Checkpoint, error) {
	c, err := d.Store.Checkpoint()
	d.failed = d.failed || err != nil
	return c, err
}
