package disk

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/interval"
)

// Report is what a look at every record found.
type Report struct {
	Begin   log.Position // the first position that is kept
	End     log.Position // the highest position with a record; Begin - 1 where there is none
	Records uint64       // positions with a record that is right
	Learned interval.Set // positions that are learned
	Holes   interval.Set // positions from Begin to End without a record
	Corrupt interval.Set // positions with a record that is damaged
	Missing interval.Set // learned positions without a record that is right and has a value
	Damage  error        // one example of Corrupt, or why the look ended early; nil if all is well
}

// Check reads every record and compares its checksum. It calls visit (unless that is nil) now and then with the number of
// positions that were seen and that are to be seen. Damage is in the report; an error means that the store was closed or
// had failed before.
func Check(s *Store, visit func(done, total uint64)) (Report, error) {
	if err := s.enter(); err != nil {
		return Report{}, fmt.Errorf("check the disk: %w", err)
	}
	r := Report{Begin: s.metadata.Begin, End: s.metadata.Begin - 1, Learned: s.learned.Clone()}
	c := checker{store: s, report: &r, visit: visit}
	err := s.iterate(s.keys.record(r.Begin), s.keys.above(log.MaxPosition), c.walk)
	if err != nil {
		r.Damage = classify(err)
	}
	c.finish()
	if r.Damage == nil {
		r.Damage = s.damage.known(log.Range{First: r.Begin, Last: log.MaxPosition})
	}
	if note := s.engine.note; r.Damage == nil && note.kind == noteCorrupt {
		r.Damage = note.err(s.directory.path)
	}
	return r, nil
}

type checker struct {
	store  *Store
	report *Report
	visit  func(done, total uint64)
	held   interval.Set // positions with a record, damaged or not
	values interval.Set // positions with a value
}

// progressEvery is the number of records between two calls of visit.
const progressEvery = 1024

func (c *checker) walk(i *pebble.Iterator) error {
	if i.Last() {
		if end, err := position(i.Key()); err == nil {
			c.report.End = max(c.report.End, end)
		}
	}
	for ok := i.First(); ok && c.store.fault.failed() == nil; ok = i.Next() {
		p, err := position(i.Key())
		if err != nil {
			return err
		}
		if err := c.look(p, i); err != nil {
			return err
		}
		if c.visit != nil && uint64(p)%progressEvery == 0 {
			c.visit(uint64(p-c.report.Begin)+1, uint64(c.report.End-c.report.Begin)+1)
		}
	}
	return c.store.fault.failed()
}

func (c *checker) look(p log.Position, i *pebble.Iterator) error {
	at := log.Range{First: p, Last: p}
	c.held.Add(at)
	value, err := i.ValueAndErr()
	if err != nil {
		return err
	}
	a, err := c.store.decode(i.Key(), value)
	if err != nil {
		c.report.Corrupt.Add(at)
		c.report.Damage = err
		return nil
	}
	c.report.Records++
	if a.Value.Kind != log.None {
		c.values.Add(at)
	}
	return nil
}

func (c *checker) finish() {
	r := c.report
	r.Holes = c.held.Complement(log.Range{First: r.Begin, Last: r.End})
	r.Missing = r.Learned.Minus(c.values)
	if total := uint64(r.End+1) - uint64(r.Begin); c.visit != nil && total > 0 {
		c.visit(total, total)
	}
}
