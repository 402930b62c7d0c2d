package protocol

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/actors/recovery"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// Member 3 learns that it was removed, and the others are gone before they can refuse it: it stays, to tell them.
func TestAReplicaThatWasRemovedServesNobodyAgain(t *testing.T) {
	for claim, late := range map[string]any{
		"it had recovered in that moment":         recovery.Recovered{},
		"it had become a new life in that moment": replica.Reincarnated{},
		"it was in doubt in that moment":          network.Doubted{Above: 1},
	} {
		t.Run(claim, func(t *testing.T) {
			c := kit.Voting(t, 1, 3)
			writer, gone := c.Member(1), c.Member(3)
			writer.Elect()
			writer.Append("a")
			writer.MustChange(membership.Remove, 3)
			c.World.Must(t, time.Second, "it knows", func() bool { return gone.Epoch() == 1 })
			writer.Crash()
			c.Member(2).Crash()
			c.World.Run(time.Second)
			gone.Node.Root().Send(gone.Node.PID(kit.Name), late)
			c.World.Run(time.Second)
			if err := gone.Failure(); err != nil {
				t.Fatalf("it ended: %v", err)
			}
			gone.Probe.Request(gone.PID(member.Gateway), &messages.ReadRequest{Request: 1})
			f := actortest.Await[*messages.ReadResponse](t, gone.Probe, time.Second).GetFailure()
			if f.GetCode() != messages.Code_CODE_NOT_VOTING {
				t.Errorf("a client that reads is told %v", f)
			}
			if slices.Contains(gone.Node.Actors(), kit.Name+"/"+member.Recover) {
				t.Error("it recovers")
			}
		})
	}
}

// Its certificate is valid for long, and its disk may be anybody's by now.
func TestAReplicaThatWasRemovedTellsNobodyOfOtherMembers(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	writer := c.Member(1)
	writer.Elect()
	writer.Append("a")
	c.Member(3).Crash()
	writer.MustChange(membership.Remove, 3)
	c.World.Run(time.Second)
	c.Member(3).Node.Restart()
	p := c.Peer(3)
	p.Identity.Epoch = 2
	own := membership.Configuration{Epoch: 2, Members: []membership.Member{{ID: 3, Address: "node3:7000", Role: membership.Voter}}, Highest: 3}
	p.Send(writer.PID(member.Replica), codec.EncodeHello(p.Header(), codec.Hello{Configuration: own}))
	welcome := codec.EncodeWelcome(p.Header(), codec.Presence{Status: status.Voting})
	welcome.Configuration = codec.EncodeConfiguration(own)
	p.Send(writer.PID(member.Network), welcome)
	c.World.Run(time.Second)
	if got := writer.Epoch(); got != 1 {
		t.Errorf("it is in epoch %d", got)
	}
	writer.Append("b")
}
