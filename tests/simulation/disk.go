package simulation

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// disk stands between a replica and its disk, for one life of the process. It tells the truth about what becomes durable,
// and checks that the replica never goes back on what it said.
type disk struct {
	storage.Store
	id      log.ReplicaID
	truth   *truth
	synced  storage.Metadata
	votes   []placed                      // accepted, and not synced
	asked   []placed                      // promised, and not synced
	granted map[log.Position]log.Proposal // promised and synced
	changed func()                        // is told of every change and every sync
}

// placed is a vote and where, or a promise and where.
type placed struct {
	at log.Position
	vote
}

// newDisk takes in what a disk holds when its process starts, all of which is durable. Before is the disk as the process
// before knew it; nil for none.
func newDisk(s storage.Store, t *truth, before *disk, changed func()) *disk {
	d := &disk{Store: s, id: s.Metadata().Replica, truth: t, granted: map[log.Position]log.Proposal{}, changed: changed}
	if err := s.Scan(log.Range{First: 1, Last: log.MaxPosition}, func(a log.Action) bool {
		d.note(a)
		return true
	}); err != nil {
		t.violate("the disk of replica %d cannot be read: %v", d.id, err)
	}
	d.becameDurable()
	if before != nil && before.synced.Incarnation == d.synced.Incarnation {
		d.keeps(before)
	}
	return d
}

// keeps checks that nothing is lost that was synced before a crash.
func (d *disk) keeps(before *disk) {
	is, was := d.synced, before.synced
	if is.Promised < was.Promised || is.Highest < was.Highest || is.Status < was.Status || is.Begin < was.Begin {
		d.truth.violate("replica %d crashed with %+v on its disk, and starts with %+v", d.id, was, is)
	}
	for at, by := range before.granted {
		_, final := d.truth.value(at)
		if max(d.granted[at], is.Promised) < by && at >= is.Begin && !final {
			d.truth.violate("replica %d had promised %s at %d before its crash, and has promised %s", d.id, by, at, d.granted[at])
		}
	}
}

// note remembers a record until the next sync.
func (d *disk) note(a log.Action) {
	m := d.Store.Metadata()
	v := placed{a.Position, vote{a.Promised, a.Value, d.id, m.Incarnation, m.Known}}
	d.asked = append(d.asked, v)
	if a.Performed > 0 && a.Value.Kind != log.None {
		v.by = a.Performed
		d.votes = append(d.votes, v)
	}
}

func (d *disk) becameDurable() {
	for _, v := range d.votes {
		d.truth.accept(v.at, v.vote)
	}
	for _, v := range d.asked {
		d.granted[v.at] = max(d.granted[v.at], v.by)
	}
	d.votes, d.asked, d.synced = nil, nil, d.Store.Metadata()
}

// Put notes what is accepted and promised.
func (d *disk) Put(actions ...log.Action) error {
	err := d.Store.Put(actions...)
	if err != nil {
		return err
	}
	for _, a := range actions {
		if a.Promised < a.Performed {
			d.truth.violate("replica %d has promised %s at %d, and accepted %s", d.id, a.Promised, a.Position, a.Performed)
		}
		d.note(a)
	}
	d.changed()
	return nil
}

// SetMetadata checks that the replica goes forward only.
func (d *disk) SetMetadata(next storage.Metadata) error {
	before := d.Store.Metadata()
	if err := d.Store.SetMetadata(next); err != nil {
		return err
	}
	violate := func(what string, a, b any) { d.truth.violate("replica %d: %s went from %v to %v", d.id, what, a, b) }
	switch {
	case !follows(before.Status, next.Status):
		violate("its status", before.Status, next.Status)
	case next.Promised < before.Promised:
		violate("its promise", before.Promised, next.Promised)
	case next.Highest < before.Highest, next.Highest < next.Promised:
		violate("its highest proposal", before.Highest, next.Highest)
	case next.Boot != before.Boot:
		violate("its boot", before.Boot, next.Boot)
	case next.Incarnation != before.Incarnation && before.Status != status.Empty,
		next.Incarnation.Generation < before.Incarnation.Generation:
		violate("its incarnation", before.Incarnation, next.Incarnation)
	}
	for _, k := range before.Known {
		if now, found := next.Known.Of(k.Replica); !found || now.Generation < k.Incarnation.Generation {
			violate("the incarnation that it knows", k, now)
		}
	}
	d.changed()
	return nil
}

// follows says whether a status may come after another, or be the same.
func follows(before, next status.Status) bool {
	switch next {
	case before:
		return true
	case status.Starting:
		return before == status.Empty
	case status.Recovering:
		return before == status.Empty || before == status.Starting
	case status.Voting:
		return before == status.Starting || before == status.Recovering
	case status.Empty:
	}
	return false
}

// Learn checks that what is learned is what is chosen.
func (d *disk) Learn(r log.Range) error {
	if err := d.Store.Learn(r); err != nil {
		return err
	}
	n := uint64(0)
	err := d.Store.Scan(r, func(a log.Action) bool {
		d.truth.learn(d.id, a.Position, a.Value)
		n++
		return true
	})
	if broken := err != nil; !broken && n != r.Len() {
		d.truth.violate("replica %d learns %s, and holds %d records there", d.id, r, n)
	}
	d.changed()
	return nil
}

// Truncate checks that the log is truncated only where that is chosen.
func (d *disk) Truncate(begin log.Position) error {
	if begin > d.truth.begin {
		d.truth.violate("replica %d truncates to %d, and %d is the highest that is chosen", d.id, begin, d.truth.begin)
	}
	err := d.Store.Truncate(begin)
	d.changed()
	return err
}

// Sync makes the votes count.
func (d *disk) Sync() error {
	if err := d.Store.Sync(); err != nil {
		return err
	}
	d.becameDurable()
	d.changed()
	return nil
}

// learned is the position up to which the disk has learned everything.
func (d *disk) learned() log.Position {
	begin := d.Store.Metadata().Begin
	summary, err := d.Store.Summary()
	run, found := summary.Learned.Run(begin)
	if err != nil || !found {
		return begin - 1
	}
	return run.Last
}
