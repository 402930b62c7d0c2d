package process

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// story is an account, and a log beside it. Every step takes a second.
type story struct {
	*account
	now    time.Duration
	begun  map[uint64][][]byte
	log    []log.Action
	faults []error
}

func newStory() *story {
	s := &story{begun: map[uint64][][]byte{}}
	s.account = newAccount(1, func() time.Duration { s.now += time.Second; return s.now })
	return s
}

func (s *story) call(entries int) uint64 {
	data := s.entries(make([]int, entries))
	number := s.begin(data)
	s.begun[number] = data
	return number
}

func (s *story) answer(number uint64, at log.Position, err error) {
	s.faults = append(s.faults, s.end(number, at, err))
}

// put has the log get an append's entries.
func (s *story) put(number uint64) {
	for _, data := range s.begun[number] {
		s.hold(log.Value{Kind: log.Append, Data: data})
	}
}

func (s *story) hold(v log.Value) {
	s.log = append(s.log, log.Action{Position: s.frontier + log.Position(len(s.log)) + 1, Value: v})
}

// read shows all that the log got since.
func (s *story) read() {
	r := cluster.Records{Range: log.Span(s.frontier+1, len(s.log)), Actions: s.log}
	s.log = nil
	s.faults = append(s.faults, s.show(r))
}

// What an append is told that is not acknowledged.
var (
	unknown = cluster.ErrIndeterminate
	no      = cluster.ErrBusy
)

// happening is a story, and what is found then.
type happening struct {
	name, want string // want: what is found; nothing
	happens    func(s *story)
}

func (c happening) check(t *testing.T) {
	t.Helper()
	s := newStory()
	c.happens(s)
	found := errors.Join(append(s.faults, s.lost())...)
	if c.want == "" && found != nil || c.want != "" && (found == nil || !strings.Contains(found.Error(), c.want)) {
		t.Errorf("%s: want %q, got %v", c.name, c.want, found)
	}
}

func TestAnAccountFindsWhatIsNotWhereItWasAcknowledged(t *testing.T) {
	for _, c := range []happening{
		{"read before it is acknowledged", "", func(s *story) { a := s.call(2); s.put(a); s.read(); s.answer(a, 1, nil) }},
		{"read after it is acknowledged", "", func(s *story) { a := s.call(2); s.answer(a, 1, nil); s.put(a); s.read() }},
		{"unknown, and there", "", func(s *story) { a := s.call(1); s.answer(a, 0, unknown); s.put(a); s.read() }},
		{"unknown, and not there", "", func(s *story) { a := s.call(1); s.answer(a, 0, unknown) }},
		{"rejected, and not there", "", func(s *story) { a := s.call(1); s.answer(a, 0, no) }},
		{"acknowledged, and a NOP is there", "0 of its 1 entries are there", func(s *story) {
			a := s.call(1)
			s.answer(a, 1, nil)
			s.hold(log.Value{Kind: log.NOP})
			s.read()
		}},
		{"acknowledged after its place was read", "and lost", func(s *story) {
			a := s.call(1)
			s.hold(log.Value{Kind: log.NOP})
			s.read()
			s.answer(a, 1, nil)
		}},
		{"acknowledged, and never read", "0 of its 1 entries", func(s *story) { s.answer(s.call(1), 1, nil) }},
		{"half of it", "1 of its 2 entries are there", func(s *story) {
			a := s.call(2)
			s.answer(a, 1, nil)
			s.begun[a] = s.begun[a][:1]
			s.put(a)
			s.hold(log.Value{Kind: log.NOP})
			s.read()
		}},
		{"elsewhere", "and was acknowledged at 2", func(s *story) { a := s.call(1); s.answer(a, 2, nil); s.put(a); s.read() }},
		{"read elsewhere", "and was acknowledged at 2", func(s *story) { a := s.call(1); s.put(a); s.read(); s.answer(a, 2, nil) }},
		{"two at one place", "both acknowledged at 1", func(s *story) { s.answer(s.call(1), 1, nil); s.answer(s.call(1), 1, nil) }},
	} {
		c.check(t)
	}
}

// pieces is what an append of three entries is told of which one is at 1, one at 3, and the last one is not in the log.
func pieces() error {
	return fmt.Errorf("append: %w", &cluster.SplitError{Places: []log.Range{{First: 1, Last: 1}, {First: 3, Last: 3}}, Missing: 1})
}

// cut has the log get the first two entries of an append, and between them what somebody put there.
func (s *story) cut(number uint64, between log.Value) {
	all := s.begun[number]
	s.begun[number] = all[:1]
	s.put(number)
	s.hold(between)
	s.begun[number] = all[1:2]
	s.put(number)
}

func TestAnAccountKnowsAppendsThatAreInTheLogInPieces(t *testing.T) {
	nop := log.Value{Kind: log.NOP}
	for _, c := range []happening{
		{"told before it is read", "", func(s *story) { a := s.call(3); s.answer(a, 0, pieces()); s.cut(a, nop); s.read() }},
		{"told after it is read", "", func(s *story) { a := s.call(3); s.cut(a, nop); s.read(); s.answer(a, 0, pieces()) }},
		{"it is whole", "and was acknowledged at [[1, 1] [3, 3]]", func(s *story) { a := s.call(3); s.answer(a, 0, pieces()); s.put(a); s.read() }},
		{"it is not there", "0 of its 2 entries are there", func(s *story) {
			s.answer(s.call(3), 0, pieces())
			for range 3 {
				s.hold(nop)
			}
			s.read()
		}},
		{"it was not there", "lost in part", func(s *story) {
			a := s.call(3)
			for range 3 {
				s.hold(nop)
			}
			s.read()
			s.answer(a, 0, pieces())
		}},
		{"more of it is there than was told", "though its client was told", func(s *story) {
			a := s.call(3)
			s.answer(a, 0, pieces())
			last := s.begun[a][2:]
			s.cut(a, nop)
			s.begun[a] = last
			s.put(a)
			s.read()
		}},
	} {
		c.check(t)
	}
}

func TestAnAccountFindsWhatShouldNotBeThere(t *testing.T) {
	for _, c := range []happening{
		{"twice", "once more", func(s *story) { a := s.call(1); s.answer(a, 1, nil); s.put(a); s.put(a); s.read() }},
		{"twice, and unknown", "once more", func(s *story) {
			a := s.call(1)
			s.put(a)
			s.put(a)
			s.answer(a, 0, unknown)
			s.read()
		}},
		{"rejected, and there", "told that it is not", func(s *story) { a := s.call(1); s.answer(a, 0, no); s.put(a); s.read() }},
		{"there, and rejected", "told that it is not", func(s *story) { a := s.call(1); s.put(a); s.read(); s.answer(a, 0, no) }},
		{"behind a later one", "behind one that was called after", func(s *story) {
			a := s.call(1)
			s.answer(a, 2, nil)
			b := s.call(1)
			s.put(b)
			s.put(a)
			s.read()
		}},
		{"beside a later one", "", func(s *story) {
			a, b := s.call(1), s.call(1)
			s.answer(a, 2, nil)
			s.put(b)
			s.put(a)
			s.read()
			s.answer(b, 1, nil)
		}},
		{"other bytes", "is not what was appended", func(s *story) {
			data := s.entries([]int{100})
			a := s.begin(data)
			data[0][50] ^= 1
			s.hold(log.Value{Kind: log.Append, Data: data[0]})
			s.answer(a, 0, unknown)
			s.read()
		}},
		{"somebody else's", "once more or", func(s *story) {
			s.hold(log.Value{Kind: log.Append, Data: make([]byte, 20)})
			s.read()
		}},
	} {
		c.check(t)
	}
}

func TestAnAccountForgetsWhatIsOverAndTruncated(t *testing.T) {
	s := newStory()
	for range 1000 {
		s.answer(s.call(1), 0, cluster.ErrIndeterminate) // nobody will ever hear of them
		a := s.call(3)
		s.answer(a, s.frontier+1, nil)
		s.put(a)
		s.read()
	}
	if s.live() != 3000*stamp || len(s.parts) != 1000 {
		t.Errorf("%d bytes are live, in %d parts", s.live(), len(s.parts))
	}
	to := s.keep(30 * stamp)
	s.now += overdue
	s.truncated(to)
	if to != 2971 || len(s.open) > 0 || len(s.told) > 0 || len(s.parts) != 10 || s.live() != 30*stamp || s.unread > 0 {
		t.Errorf("truncated to %d: %d open, %d told, %d parts, %d bytes live, %d unread", to, len(s.open), len(s.told), len(s.parts),
			s.live(), s.unread)
	}
	if err := errors.Join(s.faults...); err != nil {
		t.Error(err)
	}
}
