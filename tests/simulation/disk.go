package simulation

import (
	"errors"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
)

// disk stands between a replica and its disk, for one life of the process. It tells the truth about what becomes durable,
// and checks that the replica never goes back on what it said.
type disk struct {
	storage.Store
	watch
	id      log.ReplicaID
	live    map[log.Position]record // what a reader sees
	durable map[log.Position]held   // what was synced
	synced  storage.Metadata
	raised  []raise // what was synced of Highest, in order
	later   batch   // what no sync covers that has begun
	syncing int     // changes that the sync covers which runs
	failed  bool    // an operation failed: nothing that the replica grants is true any more
}

// batch is what one sync makes durable.
type batch struct {
	votes   []placed // accepted
	records []kept
	changes int
}

// watch is who looks at a disk.
type watch struct {
	truth    *truth
	adoption func(next storage.Metadata) adoption // what a replica that recovers could know
	changed  func(moment)                         // is told of every change, and every begin and end of a sync
	advanced func(status.Status)                  // is told of every status
}

// moment is what a disk just did.
type moment uint8

const (
	changing moment = iota
	syncing         // a sync begins
	synced          // it ends
)

// record is what a disk holds at a position.
type record struct {
	promised, performed log.Proposal
	value               log.Value
	learned             bool
}

// held is the highest promise and the highest proposal that a disk ever held at a position.
type held struct{ promised, performed log.Proposal }

// higher is the highest of both.
func (h held) higher(o held) held {
	return held{max(h.promised, o.promised), max(h.performed, o.performed)}
}

// kept is what was written at a position.
type kept struct {
	at log.Position
	held
}

// raise is the highest proposal from one age of the disk on.
type raise struct {
	highest log.Proposal
	age     uint64
}

// placed is a vote and where.
type placed struct {
	at log.Position
	vote
}

// newDisk takes in what a disk holds when its process starts, all of which is durable. Before is the disk as the process
// before knew it; nil for none.
func newDisk(s storage.Store, before *disk, w watch) *disk {
	d := &disk{Store: s, watch: w, id: s.Metadata().Replica, live: map[log.Position]record{}, durable: map[log.Position]held{}}
	d.readAll(before)
	d.becameDurable(d.cover())
	if before != nil && before.synced.Incarnation == d.synced.Incarnation {
		check(ofRestarts, restart{before, d}, w.truth.accuse)
	}
	return d
}

// readAll takes in all records. Those that have rotten are the ones that they were before.
func (d *disk) readAll(before *disk) {
	for from := log.Position(1); from > 0; {
		err := d.Store.Scan(log.Range{First: from, Last: log.MaxPosition}, func(a log.Action) bool {
			d.note(a, d.Store.Metadata())
			return true
		})
		from = 0
		var damage storage.Damage
		if fails(err) {
			d.truth.accuse(20, readable, err.Error())
		} else if errors.As(err, &damage) {
			at := damage.Range.First
			if before != nil {
				d.live[at], d.durable[at] = before.live[at], before.durable[at]
			}
			from = at + 1
		}
	}
}

// note remembers a record until the next sync.
func (d *disk) note(a log.Action, m storage.Metadata) {
	d.live[a.Position] = record{a.Promised, a.Performed, a.Value, a.Learned || d.live[a.Position].learned}
	d.later.records = append(d.later.records, kept{a.Position, held{a.Promised, a.Performed}})
	if a.Performed > 0 && a.Value.Kind != log.None {
		d.later.votes = append(d.later.votes, placed{a.Position, vote{a.Performed, a.Value, d.id, m.Incarnation, m.Known, m.Configuration.Epoch}})
	}
}

// cover returns what a sync makes durable that begins now.
func (d *disk) cover() (batch, storage.Metadata) {
	covered := d.later
	d.later, d.syncing = batch{}, covered.changes
	return covered, d.Store.Metadata()
}

func (d *disk) becameDurable(b batch, m storage.Metadata) {
	for _, v := range b.votes {
		d.truth.accept(v.at, v.vote)
	}
	for _, r := range b.records {
		d.durable[r.at] = d.durable[r.at].higher(r.held)
	}
	d.syncing, d.synced = 0, m
	if d.reserved(m.Highest) == 0 {
		d.raised = append(d.raised, raise{m.Highest, d.Store.Age()})
	}
}

// reserved is the age from which on the disk knows that a proposal is used.
func (d *disk) reserved(by log.Proposal) uint64 {
	for _, r := range d.raised {
		if r.highest >= by {
			return r.age
		}
	}
	return 0
}

// did is called after every operation that changes the disk, or should have.
func (d *disk) did(err error) error {
	d.failed = d.failed || err != nil
	if err == nil {
		d.later.changes++
		d.changed(changing)
	}
	return err
}

// Put notes what is accepted and promised.
func (d *disk) Put(actions ...log.Action) error {
	err := d.Store.Put(actions...)
	m := d.Store.Metadata()
	for i := 0; i < len(actions) && err == nil; i++ {
		a := actions[i]
		check(ofRecords, change{d.id, d.live[a.Position], a, d.synced.Status == status.Voting}, d.truth.accuse)
		d.note(a, m)
	}
	return d.did(err)
}

// SetMetadata checks that the replica goes forward only.
func (d *disk) SetMetadata(next storage.Metadata) error {
	before := d.Store.Metadata()
	err := d.Store.SetMetadata(next)
	if err == nil {
		check(ofMetadata, step{d.truth, before, next}, d.truth.accuse)
		d.truth.begun(next.Founders)
		if next.Status != before.Status {
			d.advance(before, next)
		}
	}
	return d.did(err)
}

// advance looks at a change of the status.
func (d *disk) advance(before, next storage.Metadata) {
	reborn := before.Status == status.Voting // it asks only after that
	if next.Status == status.Recovering && !reborn || before.Status == status.Recovering {
		a := d.adoption(next)
		a.learned = d.learned()
		check(ofAdoptions, a, d.truth.accuse)
	}
	d.advanced(next.Status)
}

// Learn checks that what is learned is what is chosen.
func (d *disk) Learn(r log.Range) error {
	err := d.Store.Learn(r)
	for at := r.First; at <= r.Last && err == nil; at++ {
		is, found := d.live[at]
		if !found {
			d.truth.accuse(3, "what is learned is there", complain(true, "replica %d learns %s, and holds nothing at %d", d.id, r, at))
			break
		}
		d.truth.learn(d.id, at, is.value)
		is.learned = true
		d.live[at] = is
	}
	return d.did(err)
}

// Truncate checks that the log is truncated only where that is chosen.
func (d *disk) Truncate(begin log.Position) error {
	check(ofTruncations, truncation{d.truth, d.id, begin}, d.truth.accuse)
	err := d.Store.Truncate(begin)
	if err == nil {
		for at := range d.live {
			if at < begin {
				delete(d.live, at)
			}
		}
	}
	return d.did(err)
}

// StartSync makes the votes count once wait returns.
func (d *disk) StartSync() (wait func() error) {
	inner := d.Store.StartSync()
	covered, metadata := d.cover()
	d.changed(syncing)
	return func() error {
		err := inner()
		d.failed = d.failed || err != nil
		if err == nil {
			d.becameDurable(covered, metadata)
			d.changed(synced)
		}
		return err
	}
}

// Damaged is Get for what has rotted.
func (d *disk) Damaged() (interval.Set, error) {
	set, err := d.Store.Damaged()
	d.failed = d.failed || err != nil
	return set, err
}

// Mend checks that what is written anew is what was chosen.
func (d *disk) Mend(actions ...log.Action) error {
	err := d.Store.Mend(actions...)
	for i := 0; i < len(actions) && err == nil; i++ {
		a := actions[i]
		d.truth.learn(d.id, a.Position, a.Value)
		a.Learned = true
		d.note(a, d.Store.Metadata())
	}
	return d.did(err)
}

// fails says whether an error is the end of a store.
func fails(err error) bool { return err != nil && !errors.As(err, new(storage.Damage)) }

// Get notices that a read failed; so do Scan and Summary. Whoever reads beside the replica is not looked at: it learns of a failure
// there when it next looks at its disk, and what it grants until then lies on that.
func (d *disk) Get(p log.Position) (log.Action, bool, error) {
	a, found, err := d.Store.Get(p)
	d.failed = d.failed || fails(err)
	return a, found, err
}

// Scan is Get for a range.
func (d *disk) Scan(r log.Range, visit func(log.Action) bool) error {
	err := d.Store.Scan(r, visit)
	d.failed = d.failed || fails(err)
	return err
}

// Summary is Get for the positions.
func (d *disk) Summary() (storage.Summary, error) {
	s, err := d.Store.Summary()
	d.failed = d.failed || err != nil
	return s, err
}

// promised is the promise of a position that is durable.
func (d *disk) promised(at log.Position) log.Proposal {
	return max(d.durable[at].promised, d.synced.Promised)
}

// learned is the position up to which the disk has learned everything.
func (d *disk) learned() log.Position {
	at := d.Store.Metadata().Begin
	for d.live[at].learned {
		at++
	}
	return at - 1
}

// unlearned counts the records that are not learned.
func (d *disk) unlearned() int {
	n := 0
	for _, r := range d.live {
		if !r.learned {
			n++
		}
	}
	return n
}
