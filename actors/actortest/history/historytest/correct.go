package historytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
)

// Correct makes a correct history of so many operations, by chance: each of them takes effect at one moment between its
// call and its answer, by the sequential specification; where the outcome is unknown perhaps later, or in part, or never.
func Correct(random *rand.Rand, operations int) *Sample {
	const clients, members = 8, 3
	m := &model{random: random, begin: 1, all: random.IntN(2) == 0, history: &history.History{}}
	for range clients {
		m.clients = append(m.clients, &client{id: len(m.clients) + 1})
	}
	for range members {
		m.members = append(m.members, &member{id: log.ReplicaID(len(m.members) + 1), begin: 1})
	}
	for range operations {
		m.step()
	}
	return m.finish()
}

// model is a log, and who uses it.
type model struct {
	random   *rand.Rand
	history  *history.History
	all      bool // views show every position
	now      time.Duration
	values   []log.Value // from position 1 on
	begin    log.Position
	fence    log.Proposal // of the last election
	clients  []*client
	members  []*member
	late     []*history.Operation // appends that have not taken effect, and will
	entries  int
	sessions uint64
}

// client makes one call after the other.
type client struct {
	id      int
	free    time.Duration // the end of its last call
	fence   log.Proposal
	session uint64
}

// member has learned a part of the log.
type member struct {
	id             log.ReplicaID
	learned, begin log.Position
}

// chance says yes in so many of a hundred cases.
func (m *model) chance(percent int) bool { return m.random.IntN(100) < percent }

func (m *model) between(a, b int64) int64 { return a + m.random.Int64N(b-a+1) }

// step does one operation.
func (m *model) step() {
	m.now += time.Duration(m.between(1, 10))
	if len(m.late) > 0 && m.chance(20) {
		m.write(m.late[0].Entries, m.part(m.late[0].Entries))
		m.late = m.late[1:]
	}
	c := m.idle()
	who := m.members[m.random.IntN(len(m.members))]
	o := &history.Operation{
		Client: c.id, Member: who.id, Outcome: history.Succeeded,
		Call: time.Duration(m.between(int64(c.free)+1, int64(m.now))), Return: m.now + time.Duration(m.between(0, 30)),
	}
	c.free = o.Return
	m.history.Operations = append(m.history.Operations, o)
	switch dice := m.random.IntN(100); {
	case dice < 55:
		m.append(c, o)
	case dice < 75:
		m.read(who, o)
	case dice < 83:
		o.Kind, who.learned, who.begin = history.Catchup, m.last(), m.begin
		o.Told.Last, o.Reader = who.learned, uint64(who.id)
	case dice < 90:
		m.elect(c, o)
	default:
		m.truncate(c, o)
	}
}

// idle is a client without a call; time passes until there is one.
func (m *model) idle() *client {
	c := m.clients[m.random.IntN(len(m.clients))]
	m.now = max(m.now, c.free+1)
	return c
}

func (m *model) last() log.Position { return log.Position(len(m.values)) }

// put writes a value, sometimes behind a NOP.
func (m *model) put(v log.Value) log.Position {
	if m.chance(10) {
		m.values = append(m.values, log.Value{Kind: log.NOP})
	}
	m.values = append(m.values, v)
	if v.Kind == log.Truncate {
		m.begin = max(m.begin, v.To)
	}
	return m.last()
}

// write writes some entries of an append.
func (m *model) write(entries []string, some []bool) log.Range {
	written := log.Range{First: m.last() + 1}
	for i, e := range entries {
		v := log.Value{Kind: log.NOP}
		if some[i] {
			v = one(e)
		}
		m.values = append(m.values, v)
	}
	written.Last = m.last()
	return written
}

// part chooses some entries.
func (m *model) part(entries []string) []bool {
	some := make([]bool, len(entries))
	for i := range some {
		some[i] = m.chance(70)
	}
	return some
}

// refuse answers a writer that was fenced, and says whether it was.
func (m *model) refuse(c *client, o *history.Operation) bool {
	o.Fence = c.fence
	if c.fence == 0 || c.fence == m.fence {
		return false
	}
	o.Outcome, o.Fenced, o.Why = history.Rejected, true, "fenced"
	if m.chance(60) {
		c.fence, c.session = 0, 0
	}
	return true
}

// doubt leaves the outcome of a call open.
func (m *model) doubt(o *history.Operation) {
	o.Outcome, o.Why = history.Unknown, "indeterminate"
	if m.chance(50) {
		o.Outcome, o.Return = history.Pending, history.Never
	}
}

func (m *model) append(c *client, o *history.Operation) {
	o.Kind, o.Session = history.Append, c.session
	for range m.between(1, 3) {
		m.entries++
		o.Entries = append(o.Entries, fmt.Sprintf("e%d", m.entries))
	}
	if m.refuse(c, o) {
		return
	}
	whole := slices.Repeat([]bool{true}, len(o.Entries))
	if m.chance(10) {
		m.values = append(m.values, log.Value{Kind: log.NOP})
	}
	switch dice := m.random.IntN(100); {
	case dice < 75:
		o.Told = m.write(o.Entries, whole)
	case dice < 85:
		o.Outcome, o.Why = history.Rejected, "no quorum"
	case dice < 90:
		m.doubt(o)
	case dice < 95 || c.fence > 0:
		m.doubt(o)
		m.write(o.Entries, m.part(o.Entries))
	default:
		m.doubt(o)
		m.late = append(m.late, o)
	}
}

func (m *model) truncate(c *client, o *history.Operation) {
	o.Kind = history.Truncate
	o.To = max(1, m.last()+1-min(m.last(), log.Position(m.between(0, 25))))
	if m.refuse(c, o) {
		return
	}
	v := log.Value{Kind: log.Truncate, To: o.To}
	switch dice := m.random.IntN(100); {
	case dice < 70:
		at := m.put(v)
		o.Told = log.Range{First: at, Last: at}
	case dice < 85:
		o.Outcome, o.Why = history.Rejected, "bad range"
	case dice < 90:
		m.doubt(o)
		m.put(v)
	default:
		m.doubt(o)
	}
}

func (m *model) elect(c *client, o *history.Operation) {
	o.Kind = history.Elect
	if m.chance(10) {
		o.Outcome, o.Why = history.Rejected, "not elected"
		return
	}
	m.fence = m.fence.Next(o.Member)
	if m.chance(30) {
		m.values = append(m.values, log.Value{Kind: log.NOP})
	}
	if m.chance(20) {
		m.doubt(o)
		return
	}
	m.sessions++
	o.Fence, o.Told.Last = m.fence, m.last()
	c.fence, c.session = m.fence, m.sessions
}

func (m *model) read(who *member, o *history.Operation) {
	o.Kind, o.Reader, o.Linearizable = history.Read, uint64(who.id), m.chance(20)
	before := who.learned
	who.learned = log.Position(m.between(int64(before), int64(m.last())))
	if o.Linearizable {
		who.learned = m.last()
	}
	for _, v := range m.values[before:who.learned] {
		who.begin = max(who.begin, v.To)
	}
	first, last := who.begin, who.learned
	if first < last {
		first = log.Position(m.between(int64(first), int64(last)))
		last = min(last, first+log.Position(m.between(0, 20)))
	}
	o.View = m.view(first, last)
	if m.all {
		o.View.Begin, o.View.Learned = who.begin, who.learned
	}
}

// view shows a range.
func (m *model) view(first, last log.Position) history.View {
	v := history.View{First: first, Last: max(last, first-1), All: m.all}
	for at := first; at <= last; at++ {
		if value := m.values[at-1]; m.all || value.Kind == log.Append {
			v.Records = append(v.Records, history.Record{At: at, Value: value})
		}
	}
	return v
}

// finish has all members learn everything.
func (m *model) finish() *Sample {
	s := &Sample{History: m.history}
	known := m.view(1, m.begin-1)
	s.History.Known = known.Records
	for _, who := range m.members {
		v := m.view(m.begin, m.last())
		v.Begin = m.begin
		s.Logs = append(s.Logs, history.Log{Member: who.id, View: v})
	}
	return s
}
