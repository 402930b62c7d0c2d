package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// account compares a log with what its clients were told, while both go on: it forgets an append once its fate is known and
// its entries were read, and a part of the log once that was truncated. So its memory does not grow with time. Any goroutine
// may use it.
//
//   - What was acknowledged is at its position; what was rejected is nowhere; nothing is there twice.
//   - An append that was called after another one had been acknowledged is behind it.
//   - Every entry is, byte for byte, what was appended.
type account struct {
	mu    sync.Mutex
	clock func() time.Duration
	pool  []byte // whatever entries are filled with

	last         uint64 // the number of the append that began last
	open         map[uint64]*pledge
	told         map[log.Position]*pledge // acknowledged, and not read completely, by their last position
	frontier     log.Position             // everything up to here was read
	newest       time.Duration            // when the newest append was called that was read
	parts        []part                   // of the log, that are read and not truncated
	unread       int64                    // bytes that are acknowledged and not read
	kept         int64                    // bytes of parts
	acknowledged int64                    // appends
	bytes        int64                    // of these
	at           time.Duration            // of the newest acknowledgement
}

// pledge is an append whose fate, or whose place, is not known for good.
type pledge struct {
	number  uint64
	entries int
	bytes   int64
	called  time.Duration
	ended   time.Duration // 0: it waits for its answer
	at      log.Position  // as acknowledged; 0: it was not
	places  []log.Range   // as acknowledged, of one that is in the log in pieces
	read    int           // entries
	first   log.Position  // as read
	behind  time.Duration // the newest call of an append that was read before this one
}

// part is a page of the log, as it was read.
type part struct {
	last  log.Position
	bytes int64
}

// overdue is how long an append whose outcome is unknown may take effect; long after its deadline.
const overdue = 5 * time.Minute

func newAccount(seed uint64, clock func() time.Duration) *account {
	a := &account{clock: clock, pool: make([]byte, 2*log.MaxEntry), open: map[uint64]*pledge{}, told: map[log.Position]*pledge{}}
	source := rand.NewPCG(seed, 1)
	for i := 0; i < len(a.pool); i += 8 {
		binary.LittleEndian.PutUint64(a.pool[i:], source.Uint64())
	}
	return a
}

// An entry is the number of its append, its index in there, and bytes of the pool, which its size says.
const (
	stamp  = 12        // bytes
	spread = 2_654_435 // so that entries of different sizes begin at different places of the pool
)

// entries are some of these sizes, for one append after the other, none of them more than once at a time.
func (a *account) entries(sizes []int) [][]byte {
	entries := make([][]byte, len(sizes))
	for i, size := range sizes {
		entries[i] = make([]byte, max(size, stamp))
		copy(entries[i][stamp:], a.filling(len(entries[i])))
	}
	return entries
}

func (a *account) filling(size int) []byte { return a.pool[size*spread%log.MaxEntry:] }

// begin notes that an append of these entries is about to be called, and returns its number, which is in them then.
func (a *account) begin(entries [][]byte) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	p := &pledge{number: a.last, entries: len(entries), bytes: sum(entries), called: a.clock()}
	for i, entry := range entries {
		binary.LittleEndian.PutUint64(entry, p.number)
		binary.LittleEndian.PutUint32(entry[8:], uint32(i))
	}
	a.open[p.number] = p
	return p.number
}

func sum(entries [][]byte) (bytes int64) {
	for _, entry := range entries {
		bytes += int64(len(entry))
	}
	return bytes
}

// end notes what the caller of an append was told, and returns what is wrong with that.
func (a *account) end(number uint64, at log.Position, err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.open[number]
	if p == nil {
		return fmt.Errorf("append %d was answered twice", number)
	}
	var split *cluster.SplitError
	switch p.ended = a.clock(); {
	case errors.As(err, &split):
		return a.split(p, split)
	case err == nil:
		a.acknowledged, a.bytes, a.at = a.acknowledged+1, a.bytes+p.bytes, p.ended
		return a.acknowledge(p, at)
	case errors.Is(err, cluster.ErrIndeterminate):
		return nil
	case p.read > 0:
		return fmt.Errorf("append %d is at %d, and its client was told that it is not: %w", number, p.first, err)
	}
	delete(a.open, number)
	return nil
}

// split notes that an append is in the log in pieces, and perhaps not all of it.
func (a *account) split(p *pledge, s *cluster.SplitError) error {
	p.entries, p.places = p.entries-s.Missing, s.Places
	said := 0
	for _, r := range s.Places {
		said += int(r.Len())
	}
	switch {
	case said != p.entries || said == 0:
		return fmt.Errorf("of append %d it is said that %d entries are at %v", p.number, p.entries, s.Places)
	case p.read > 0 && p.first != s.Places[0].First:
		return fmt.Errorf("append %d is at %d, and was acknowledged at %v", p.number, p.first, s.Places)
	case p.read == p.entries:
		delete(a.open, p.number)
		return nil
	}
	last := s.Places[len(s.Places)-1].Last
	if last <= a.frontier {
		return fmt.Errorf("append %d was acknowledged at %v, and lost in part: the log was read up to %d", p.number, s.Places, a.frontier)
	}
	a.told[last] = p
	a.unread += p.bytes
	return nil
}

// placed says whether an entry is where a split append was acknowledged.
func (p *pledge) placed(index int, at log.Position) bool {
	for _, r := range p.places {
		if index < int(r.Len()) {
			return at == r.First+log.Position(index)
		}
		index -= int(r.Len())
	}
	return false
}

func (a *account) acknowledge(p *pledge, at log.Position) error {
	p.at = at
	if p.read > 0 && p.first != at {
		return fmt.Errorf("append %d is at %d, and was acknowledged at %d", p.number, p.first, at)
	}
	if p.read == p.entries {
		delete(a.open, p.number)
		return nil
	}
	last := at + log.Position(p.entries) - 1
	if last <= a.frontier {
		return fmt.Errorf("append %d was acknowledged at %d, and lost: the log was read up to %d", p.number, at, a.frontier)
	}
	if other := a.told[last]; other != nil {
		return fmt.Errorf("appends %d and %d were both acknowledged at %d", other.number, p.number, last)
	}
	a.told[last] = p
	a.unread += p.bytes
	return nil
}

// show notes a part of the log, the one behind those before, and returns all that is wrong with it.
func (a *account) show(r cluster.Records) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Range.First != a.frontier+1 || r.Range.Empty() {
		return fmt.Errorf("%v was read behind %d", r.Range, a.frontier)
	}
	var faults []error
	page := part{last: r.Range.Last}
	for _, action := range r.Actions {
		if action.Value.Kind == log.Append {
			page.bytes += int64(len(action.Value.Data))
			faults = append(faults, a.see(action.Position, action.Value.Data))
		}
	}
	for at := r.Range.First; at <= r.Range.Last; at++ {
		if p := a.told[at]; p != nil {
			if p.read < p.entries {
				faults = append(faults, fmt.Errorf("append %d was acknowledged at %d, and %d of its %d entries are there", p.number,
					p.at, p.read, p.entries))
			}
			delete(a.told, at)
			a.unread -= p.bytes
		}
	}
	a.frontier = r.Range.Last
	a.parts, a.kept = append(a.parts, page), a.kept+page.bytes
	return errors.Join(faults...)
}

// see notes one entry of the log.
func (a *account) see(at log.Position, data []byte) error {
	if len(data) < stamp {
		return fmt.Errorf("nobody appended the %d bytes at %d", len(data), at)
	}
	number, index := binary.LittleEndian.Uint64(data), int(binary.LittleEndian.Uint32(data[8:]))
	p := a.open[number]
	switch {
	case p == nil:
		return fmt.Errorf("append %d is at %d, once more or though its client was told that it is not", number, at)
	case index != p.read:
		return fmt.Errorf("entry %d of append %d is at %d, and entry %d of it comes next", index, number, at, p.read)
	case !bytes.Equal(data[stamp:], a.filling(len(data))[:len(data)-stamp]):
		return fmt.Errorf("entry %d of append %d, at %d, is not what was appended", index, number, at)
	case len(p.places) > 0 && !p.placed(index, at):
		return fmt.Errorf("entry %d of append %d is at %d, and was acknowledged at %v", index, number, at, p.places)
	case p.at > 0 && p.at+log.Position(index) != at:
		return fmt.Errorf("entry %d of append %d is at %d, and was acknowledged at %d", index, number, at, p.at+log.Position(index))
	case p.at > 0 && p.ended < a.newest:
		return fmt.Errorf("append %d is at %d, behind one that was called after it was acknowledged", number, at)
	}
	if p.read++; p.read == 1 {
		p.first, p.behind = at, a.newest
	}
	a.newest = max(a.newest, p.called)
	if p.read == p.entries && p.ended > 0 {
		delete(a.open, number)
	}
	return nil
}

// next is the first position that was not read.
func (a *account) next() log.Position {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.frontier + 1
}

// live is how many bytes of entries are in the log, as far as they are known of.
func (a *account) live() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept + a.unread
}

// backlog is how many bytes are acknowledged and not read.
func (a *account) backlog() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unread
}

// keep is the first position of the newest parts that have so many bytes together.
func (a *account) keep(most int64) log.Position {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.kept
	for _, p := range a.parts {
		if left <= most {
			break
		}
		if left -= p.bytes; left <= most {
			return p.last + 1
		}
	}
	return 0
}

// truncated forgets what is before a position, and appends of which nobody will ever hear.
func (a *account) truncated(to log.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.parts) > 0 && a.parts[0].last < to {
		a.kept -= a.parts[0].bytes
		a.parts = a.parts[1:]
	}
	for number, p := range a.open {
		if p.at == 0 && p.ended > 0 && p.ended < a.clock()-overdue {
			delete(a.open, number)
		}
	}
}

// lost is what was acknowledged and never read, once everything was.
func (a *account) lost() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var faults []error
	for _, p := range a.open {
		if p.at > 0 || p.ended == 0 {
			faults = append(faults, fmt.Errorf("append %d, acknowledged at %d, ended %v after its call: %d of its %d entries were read",
				p.number, p.at, p.ended-p.called, p.read, p.entries))
		}
	}
	return errors.Join(faults...)
}

// sinceAcknowledged is how long ago something was acknowledged, or since a later moment.
func (a *account) sinceAcknowledged(but time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.clock() - max(a.at, but)
}

// accepted is how many appends were acknowledged, and their bytes.
func (a *account) accepted() (appends, bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.acknowledged, a.bytes
}
