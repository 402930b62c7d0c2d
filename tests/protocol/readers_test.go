package protocol

import (
	"fmt"
	"testing"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

func TestManyClientsThatCatchUpCostOneCopy(t *testing.T) {
	const entries, clients = 40, 64
	c := large(t, 1, entries)
	behind := c.Member(3)
	behind.Prepare(func(meta *storage.Metadata) { meta.Status, meta.Promised = status.Voting, by(1, 1) })
	c.Start()
	c.AwaitVoting(c.Members...)
	open, most, bytes := 0, 0, 0
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		switch q := e.Message.(type) {
		case *messages.FetchRequest:
			if e.From == behind.Node.Address() {
				open++
				most = max(most, open)
			}
		case *messages.FetchResponse:
			if e.To == behind.Node.Address() {
				open--
				for _, s := range q.GetFetched().GetStretches() {
					bytes += len(s.GetData())
				}
			}
		}
		return actortest.Deliver
	})
	for i := range clients {
		behind.Probe.Request(behind.PID("gateway"), &messages.CatchupRequest{Request: uint64(i + 1)})
	}
	wait(t, c, "all are answered", func() bool { return len(behind.Probe.Messages()) >= clients })
	for _, m := range behind.Probe.Messages() {
		if r, ok := m.(*messages.CatchupResponse); !ok || r.GetLearned() != entries {
			t.Errorf("one got %v", m)
		}
	}
	if bytes > 3*entries*(100<<10)/2 || most > 8 { // a follower may copy at the same time
		t.Errorf("of %d bytes that it lacked it got %d; %d chunks were under way at once", entries*100<<10, bytes, most)
	}
}

// It asks while the catch-up of another client is under way, which began before the last entry was acknowledged.
func TestAClientSeesWhatWasAcknowledgedBeforeItAsked(t *testing.T) {
	seeds(t, 20, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		writer, m := c.Member(1), c.Member(3)
		writer.Elect()
		appendAll(writer, "before", 3)
		lose[*messages.LearnedMessage](c)
		m.Probe.Request(m.PID("gateway"), &messages.CatchupRequest{Request: 1})
		for i := range 5 {
			last := writer.Append(fmt.Sprint(i))
			m.Probe.Request(m.PID("gateway"), &messages.CatchupRequest{Request: uint64(i + 2)})
			r := actortest.Await[*messages.CatchupResponse](t, m.Probe, patience)
			for r.GetRequest() != uint64(i+2) {
				r = actortest.Await[*messages.CatchupResponse](t, m.Probe, patience)
			}
			if r.GetLearned() < uint64(last) {
				t.Errorf("client %d learned up to %d, and %d was acknowledged", i+2, r.GetLearned(), last)
			}
		}
		c.Agree(c.Members...)
	})
}
