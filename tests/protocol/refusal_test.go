package protocol

import (
	"testing"
	"time"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/actors/network"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
	"github.com/quorumlog/quorumlog/tests/kit"
)

// refuse has one member refuse the greetings of another, once, for its member list.
func refuse(c *kit.Cluster, by, whom *kit.Member) {
	var request uint64
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		if hello, ok := e.Message.(*messages.Hello); ok && e.From == whom.Node.Address() {
			request = hello.GetHeader().GetRequest()
		}
		return actortest.Deliver
	})
	c.World.Run(time.Second)
	c.World.Filter(nil)
	from := identity.Identity{Cluster: identity.ClusterID{1}, Configuration: 2, Replica: by.ID,
		Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}
	refusal := identity.Refusal{Reason: identity.WrongConfiguration, Detail: "it has another member list"}
	by.Probe.Send(whom.PID(member.Network), codec.RefuseWelcome(codec.EncodeHeader(from, request, nil), refusal))
	c.World.Run(time.Second)
}

func TestAMemberThatOthersRefusedOneAfterTheOtherGoesOn(t *testing.T) {
	c := kit.Voting(t, 1, 3)
	m := c.Member(1)
	refuse(c, c.Member(2), m)
	refuse(c, c.Member(3), m) // the other one has welcomed it since
	if err := m.Failure(); err != nil {
		t.Errorf("the member ends: %v", err)
	}
}

func TestAWipedMemberRecoversOverANetworkSlowerThanItsGreetings(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		c := kit.Voting(t, seed, 3)
		m := c.Member(3)
		m.Elect() // so that the others know its disk
		m.Append("entry")
		m.Crash()
		m.Wipe()
		c.World.Net.Delay(200*time.Millisecond, 300*time.Millisecond)
		m.Restart()
		c.AwaitVoting(m)
	})
}

// TestAnswersOfStrangersCountForNothing has a process that is no member claim, for many others, that they vote.
func TestAnswersOfStrangersCountForNothing(t *testing.T) {
	c := kit.New(t, 1, 3, false)
	m := c.Member(1)
	var request uint64
	c.World.Filter(func(e actortest.Envelope) actortest.Verdict {
		r, ok := e.Message.(*messages.RecoverRequest)
		if !ok || e.From != m.Node.Address() || r.GetHeader().GetRequest() == request {
			return actortest.Deliver
		}
		request = r.GetHeader().GetRequest()
		for id := log.ReplicaID(7); id < 12; id++ {
			from := identity.Identity{Cluster: identity.ClusterID{1}, Configuration: 1, Replica: id,
				Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}
			c.Member(2).Probe.Send(m.Node.PID(e.Sender), codec.EncodeRecoverResponse(codec.EncodeHeader(from, request, nil),
				codec.Standing{Status: status.Voting, Begin: 1}))
		}
		return actortest.Deliver
	})
	c.Start()
	c.World.Run(10 * time.Second)
	if got := m.Status(); got != status.Empty || request == 0 {
		t.Errorf("it is %s", got)
	}
}

func TestAWelcomeOfAStrangerMakesNobodyPresent(t *testing.T) {
	for name, spoil := range map[string]func(*identity.Identity){
		"a member":            func(*identity.Identity) {},
		"another cluster":     func(i *identity.Identity) { i.Cluster = identity.ClusterID{9} },
		"another member list": func(i *identity.Identity) { i.Configuration++ },
	} {
		t.Run(name, func(t *testing.T) {
			c := kit.Initialized(t, 1, 3)
			m := c.Member(1)
			m.Start()
			c.World.Run(time.Second)
			from := identity.Identity{Cluster: identity.ClusterID{1}, Configuration: 1, Replica: 2, Incarnation: identity.Incarnation{Generation: 1}, Boot: 1}
			spoil(&from)
			c.Member(2).Node.Probe("stranger").Send(m.PID(member.Network), codec.EncodeWelcome(codec.EncodeHeader(from, 7, nil),
				codec.Presence{Status: status.Voting, Writer: log.NewProposal(9, 2)}))
			c.World.Run(100 * time.Millisecond)
			m.Probe.Request(m.PID(member.Network), network.Survey{})
			peer := actortest.Await[network.Surveyed](t, m.Probe, time.Second).Peers[1]
			if ours := name == "a member"; peer.Present != ours || (peer.Presence.Writer > 0) != ours {
				t.Errorf("%+v", peer)
			}
		})
	}
}
