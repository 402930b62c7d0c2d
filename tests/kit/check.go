package kit

import (
	"time"

	"github.com/quorumlog/quorumlog/log"
)

// settle is how long Check lets the world run before it looks.
const settle = 6 * time.Second

// acknowledged is an entry, and where a client was told that it is.
type acknowledged struct {
	at    log.Position
	entry string
}

// Acknowledge remembers for Check that a client was told that values are in the log. Write and Append do it themselves.
func (c *Cluster) Acknowledge(first log.Position, values ...log.Value) {
	for i, v := range values {
		if v.Kind == log.Append {
			c.acked = append(c.acked, acknowledged{first + log.Position(i), string(v.Data)})
		}
	}
}

// highest is the highest position that was acknowledged.
func (c *Cluster) highest() log.Position {
	var p log.Position
	for _, a := range c.acked {
		p = max(p, a.at)
	}
	return p
}

// Check lets the world come to rest, and ends the test where two disks know different values as chosen at one position,
// or where a value is chosen at a position that was acknowledged for another one, or where an acknowledged entry is gone,
// or is there twice. The entries of the test must differ.
func (c *Cluster) Check() {
	c.t.Helper()
	c.World.Run(settle)
	chosen, begin := c.chosen()
	places := map[string][]log.Position{}
	for p, v := range chosen {
		if v.Kind == log.Append {
			places[string(v.Data)] = append(places[string(v.Data)], p)
		}
	}
	for entry, at := range places {
		if len(at) > 1 {
			c.t.Errorf("entry %q is in the log at %d", entry, at)
		}
	}
	for _, a := range c.acked {
		v, found := chosen[a.at]
		switch {
		case a.at < begin:
		case !found:
			c.t.Errorf("entry %q was acknowledged at %d, and nobody has learned anything there", a.entry, a.at)
		case !v.Equal(Entry(a.entry)):
			c.t.Errorf("entry %q was acknowledged at %d, and %s %q is chosen there", a.entry, a.at, v.Kind, v.Data)
		}
	}
}

// chosen is what any disk knows as chosen, and the highest begin of the logs.
func (c *Cluster) chosen() (map[log.Position]log.Value, log.Position) {
	c.t.Helper()
	chosen := map[log.Position]log.Value{}
	var begin log.Position
	for _, m := range c.Members {
		if m.Failure() != nil {
			continue // its disk answers nothing any more
		}
		begin = max(begin, m.Store.Metadata().Begin)
		for _, a := range m.records() {
			known, found := chosen[a.Position]
			if a.Learned && found && !known.Equal(a.Value) {
				c.t.Errorf("at %d member %d has %s %q, and another one %s %q", a.Position, m.ID, a.Value.Kind, a.Value.Data, known.Kind, known.Data)
			}
			if a.Learned {
				chosen[a.Position] = a.Value
			}
		}
	}
	return chosen, begin
}

// Agree is Check for members that all have learned everything: their logs must be equal, too.
func (c *Cluster) Agree(members ...*Member) {
	c.t.Helper()
	c.Check()
	first := members[0].Read()
	for _, m := range members[1:] {
		if got := m.Read(); !equal(got, first) {
			c.t.Errorf("member %d has learned\n%v, and member %d\n%v", m.ID, got, members[0].ID, first)
		}
	}
}

func equal(a, b []log.Action) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Position != b[i].Position || !a[i].Value.Equal(b[i].Value) {
			return false
		}
	}
	return true
}
