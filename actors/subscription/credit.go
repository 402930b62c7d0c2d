package subscription

import "github.com/quorumlog/quorumlog/log"

// What may be on its way to one subscriber, whatever that one grants. It waits in this process's memory where a peer
// reads nothing, and a member has many subscribers.
const (
	maxEntries    = 4096
	maxBytes      = log.MaxRunBytes // of entries
	maxDeliveries = 64
)

// credit is what a subscriber has granted, and what of it is on its way. All of it counts behind what was received, so that a grant
// that is lost or comes twice does no harm.
type credit struct {
	entries, bytes int        // that may be on their way at once; 0 until something was granted
	out            []delivery // that were not acknowledged, in the order of their positions
}

type delivery struct {
	last           log.Position
	entries, bytes int
}

// grant takes the place of the grant before, unless it is empty, and says whether it is another one. Where one of the two is 0, that is
// no limit but our own.
func (c *credit) grant(entries uint32, bytes uint64) (changed bool) {
	if entries == 0 && bytes == 0 {
		return false
	}
	before := *c
	c.entries, c.bytes = maxEntries, maxBytes
	if entries > 0 {
		c.entries = int(min(entries, maxEntries))
	}
	if bytes > 0 {
		c.bytes = int(min(bytes, maxBytes))
	}
	return c.entries != before.entries || c.bytes != before.bytes
}

// received takes what lies up to a position off the way. A delivery that was received in part is on its way as a whole.
func (c *credit) received(upTo log.Position) {
	n := 0
	for n < len(c.out) && c.out[n].last <= upTo {
		n++
	}
	c.out = append([]delivery(nil), c.out[n:]...)
}

// lost takes everything off the way.
func (c *credit) lost() { c.out = nil }

func (c *credit) sent(d delivery) { c.out = append(c.out, d) }

// room is how many entries, of how many bytes, may be sent now: of bytes less than none where less is granted than is on its way. With
// nothing on its way an entry may be larger than that.
func (c *credit) room() (entries, bytes int) {
	if len(c.out) >= maxDeliveries {
		return 0, 0
	}
	entries, bytes = c.entries, c.bytes
	for _, d := range c.out {
		entries, bytes = entries-d.entries, bytes-d.bytes
	}
	return max(entries, 0), bytes
}

// fits says whether an entry of this size may be sent, besides so many others that are about to be.
func (c *credit) fits(size, entries, bytes int) bool {
	roomForEntries, roomForBytes := c.room()
	alone := len(c.out) == 0 && entries == 0
	return entries < roomForEntries && (bytes+size <= roomForBytes || alone)
}
