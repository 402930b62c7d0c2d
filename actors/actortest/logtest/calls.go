package logtest

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest/history"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// again is how long a call that was rejected waits until it asks again.
const again = 100 * time.Millisecond

// Writer writes under the fence of an election: once another member is elected, nothing more of it gets into the log.
type Writer struct {
	// Member is whose coordinator was elected.
	Member *Member
	// Fence is the proposal of the election.
	Fence log.Proposal
	// End is the end of the log at the election.
	End log.Position

	session uint64
}

// Elect has the member's coordinator elected, and asks again while it loses. It ends the test where it is not within
// Patience.
func (m *Member) Elect() *Writer {
	m.cluster.t.Helper()
	c := m.insist("is elected", m.begin(history.Operation{Kind: history.Elect}, true, func(number uint64) proto.Message {
		return &messages.ElectRequest{Request: number}
	}), false)
	m.cluster.sessions++
	return &Writer{Member: m, Fence: c.operation.Fence, End: c.operation.Told.Last, session: m.cluster.sessions}
}

// Begin asks the member to append entries, behind each other, and returns before anything happens: the world must run, as
// with Call.Await or Cluster.Pass. No entry may be appended twice in a test.
func (m *Member) Begin(entries ...string) *Call { return m.appending(Writer{}, false, entries) }

// Begin is Member.Begin under the writer's fence.
func (w *Writer) Begin(entries ...string) *Call { return w.Member.appending(*w, false, entries) }

// Append appends an entry through this member, or through the one that writes where this one can reach it, and returns its
// position. It ends the test where it cannot within Patience, or where the outcome is unknown; where that may be, use
// Begin. No entry may be appended twice in a test.
func (m *Member) Append(entry string) log.Position {
	m.cluster.t.Helper()
	return m.insist("appends "+entry, m.appending(Writer{}, true, []string{entry}), true).Range().First
}

// Append appends an entry under the writer's fence, and returns its position. It ends the test where that fails.
func (w *Writer) Append(entry string) log.Position {
	w.Member.cluster.t.Helper()
	return w.Member.insist("appends "+entry, w.Begin(entry), false).Range().First
}

func (m *Member) appending(w Writer, insists bool, entries []string) *Call {
	o := history.Operation{Kind: history.Append, Entries: entries, Fence: w.Fence, Session: w.session}
	return m.begin(o, insists, func(number uint64) proto.Message {
		r := &messages.AppendRequest{Request: number, Writer: uint64(w.Fence)}
		for _, e := range entries {
			r.Entries = append(r.Entries, []byte(e))
		}
		return r
	})
}

// Truncate drops everything below a position, which must be in the log, and returns where the log says so. It ends the test
// where it cannot within Patience.
func (m *Member) Truncate(to log.Position) log.Position {
	m.cluster.t.Helper()
	c := m.begin(history.Operation{Kind: history.Truncate, To: to}, true, func(number uint64) proto.Message {
		return &messages.TruncateRequest{Request: number, To: uint64(to)}
	})
	return m.insist("truncates", c, true).Range().First
}

// Catchup has the member learn everything that was acknowledged before, and returns up to where it has everything. It ends
// the test where it cannot within Patience.
func (m *Member) Catchup() log.Position {
	m.cluster.t.Helper()
	c := m.begin(history.Operation{Kind: history.Catchup}, true, func(number uint64) proto.Message {
		return &messages.CatchupRequest{Request: number}
	})
	return m.insist("catches up", c, false).operation.Told.Last
}

// Read returns everything that the member keeps and has learned: appends, truncations, and NOPs. It is a prefix of the log,
// and may be old; see Catchup.
func (m *Member) Read() []history.Record {
	m.cluster.t.Helper()
	return m.read().Records
}

// Entries are the entries that the member keeps and has learned, in their order.
func (m *Member) Entries() []string {
	m.cluster.t.Helper()
	var entries []string
	for _, r := range m.Read() {
		if r.Value.Kind == log.Append {
			entries = append(entries, string(r.Value.Data))
		}
	}
	return entries
}

// read reads page by page, until a page is empty.
func (m *Member) read() history.View {
	m.cluster.t.Helper()
	var all history.View
	for from := log.Position(0); ; {
		c := m.begin(history.Operation{Kind: history.Read}, true, func(number uint64) proto.Message {
			return &messages.ReadRequest{Request: number, From: uint64(from)}
		})
		page := m.insist("reads", c, false).operation.View
		if from == 0 {
			all = page
		}
		if page.Range().Empty() {
			return all
		}
		if from > 0 {
			all.Last, all.Learned = page.Last, page.Learned
			all.Records = append(all.Records, page.Records...)
		}
		from = page.Last + 1
	}
}

// view is what a page shows.
func view(page *messages.Page) history.View {
	v := history.View{Begin: log.Position(page.GetBegin()), Learned: log.Position(page.GetLearned()), All: true}
	r, actions, err := codec.DecodePage(page)
	if err != nil || r.Empty() {
		v.First, v.Last = v.Learned+1, v.Learned
		return v
	}
	v.First, v.Last = r.First, r.Last
	for _, a := range actions {
		v.Records = append(v.Records, history.Record{At: a.Position, Value: a.Value})
	}
	return v
}

// insist runs the world until a call has succeeded, asks again while it is rejected, and ends the test where that takes
// longer than Patience. Where it follows, it asks whom the last one names.
func (m *Member) insist(what string, c *Call, follows bool) *Call {
	m.cluster.t.Helper()
	w := m.cluster.World
	for deadline := w.Elapsed() + Patience; ; {
		_ = w.Until(deadline-w.Elapsed(), func() bool { return c.done || c.rejected }) // told below
		switch {
		case w.Err() != nil:
			m.cluster.t.Fatal(w.Err())
		case c.done && c.err == nil:
			return c
		case !c.done && c.rejected && w.Elapsed()+again < deadline:
			w.Run(again)
		default:
			m.giveUp(what, c)
		}
		if follows {
			m.writer(c).ask(c)
		} else {
			m.ask(c)
		}
	}
}

// writer is who writes by the last answer, where it runs and the member can reach it, and else the member itself.
func (m *Member) writer(c *Call) *Member {
	if c.writer == 0 || !m.cluster.World.Net.Reaches(Address(m.ID), Address(c.writer)) {
		return m
	}
	if w := m.cluster.Member(c.writer); w.running {
		return w
	}
	return m
}

// giveUp ends the test.
func (m *Member) giveUp(what string, c *Call) {
	m.cluster.t.Helper()
	why := c.err
	if why == nil {
		why = ErrPending
	}
	if !c.done && c.rejected {
		c.end(true, false)
	}
	m.cluster.t.Fatalf("seed %d: member %d never %s: %v", m.cluster.World.Seed(), m.ID, what, why)
}
