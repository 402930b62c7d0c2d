package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/catchup"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// reports are what a member's catch-ups told so far.
func reports(m *kit.Member) []catchup.Progress {
	var all []catchup.Progress
	for _, e := range m.Events {
		if p, ok := e.(catchup.Progress); ok {
			all = append(all, p)
		}
	}
	return all
}

// Most of what is missing is truncated while it is copied, at 10 entries a second.
func TestWhatWasJumpedIsNotTakenForTheSpeedOfCopies(t *testing.T) {
	c := large(t, 1, 100)
	m, writer := c.Member(3), c.Member(1)
	m.CopyLimit = catchup.NewLimit(1 << 20)
	c.Start()
	c.AwaitVoting(writer, c.Member(2))
	writer.Elect()
	wait(t, c, "it has copied some", func() bool { return copied(m) >= 10 })
	truncate(t, writer, 70)
	c.AwaitVoting(m)
	for _, p := range reports(m) {
		if left := p.Total - p.Done; p.Done > 50 && p.Left < time.Duration(left)*90*time.Millisecond {
			t.Errorf("%d entries of 100 KiB are left, and at 1 MiB a second it says %v", left, p.Left)
		}
	}
}

func TestACatchUpThatStandsStillSaysSo(t *testing.T) {
	c, _ := filled(t, 1, 3, 9000)
	m := c.Member(3)
	m.Wipe()
	c.Start()
	wait(t, c, "the catch-up is in the middle", func() bool { return copied(m) > 1000 })
	c.World.Net.Isolate(m.Node.Address())
	c.World.Run(2 * time.Second)
	before := reports(m)
	c.World.Run(10 * time.Second)
	after := reports(m)
	if n := len(after) - len(before); n < 9 || n > 11 {
		t.Fatalf("in ten seconds it said %d times how far it was", n)
	}
	b, a := before[len(before)-1], after[len(after)-1]
	if a.Done != b.Done || a.Elapsed < b.Elapsed+9*time.Second || a.Left < 3*b.Left {
		t.Errorf("it said %+v, and ten seconds later %+v", b, a)
	}
}

// What nobody has learned is settled by a quorum, and counts as well.
func TestBytesThatAQuorumSettledAreCounted(t *testing.T) {
	c := kit.Initialized(t, 1, 3)
	for _, m := range c.Members {
		m.Prepare(func(meta *storage.Metadata) { meta.Promised = by(1, 1) }, kit.Accepted(1, by(1, 1), "four"), kit.Accepted(2, by(1, 1), "fives"))
	}
	c.Start()
	c.AwaitVoting(c.Members...)
	m := c.Member(2)
	m.Catchup()
	p := ask[*messages.StatusResponse](t, m, &messages.StatusRequest{}).GetCatchup()
	if p.GetDone() != 2 || p.GetBytes() != 9 {
		t.Errorf("got %v", p)
	}
}
