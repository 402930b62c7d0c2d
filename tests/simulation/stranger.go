package simulation

import (
	"math/rand/v2"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// What is a stranger's can be told by these: a disk, and rounds that no member gets to.
const (
	strangeDisk  = 0x5757575757575757
	strangeRound = 1 << 24
)

// strangeProposal says whether a proposal is a stranger's, or, where members are given, that of none of them.
func strangeProposal(by log.Proposal, members []log.ReplicaID) bool {
	return by.Round() >= strangeRound || by > 0 && members != nil && !slices.Contains(members, by.Replica())
}

// outsider is a process that is no member: of another cluster, with another member list, or under an id that nobody has.
// It says everything that members say to each other, and answers what they ask each other. Nothing of it may count.
type outsider struct {
	*simulation
	probe  *actortest.Probe
	random *rand.Rand
	asked  []question // lately
}

// question is a request that was seen on its way, and who waits for the answer.
type question struct {
	from, sender string
	header       *messages.Header
	message      proto.Message
}

func newOutsider(s *simulation) *outsider {
	n := s.cluster.World.Node("stranger:7000")
	return &outsider{simulation: s, probe: n.Probe("stranger"), random: rand.New(rand.NewPCG(s.Seed, 4))}
}

// overhear remembers what it can answer.
func (o *outsider) overhear(e actortest.Envelope) {
	const most = 8
	asks, ok := e.Message.(interface{ GetHeader() *messages.Header })
	if !ok || e.Sender == "" || o.every[stranger] == 0 {
		return
	}
	o.asked = append(o.asked, question{e.From, e.Sender, asks.GetHeader(), e.Message})
	if len(o.asked) > most {
		o.asked = o.asked[1:]
	}
}

// speak says a few things.
func (o *outsider) speak() {
	for range 1 + o.random.IntN(8) {
		h := o.hosts[o.random.IntN(len(o.hosts))]
		switch o.random.IntN(4) {
		case 0:
			o.answer(h)
		case 1:
			o.probe.Request(h.PID(member.Network), codec.EncodeWelcome(o.header(0), codec.Presence{
				Status: status.Voting, Writer: o.proposal(), Learned: o.position() + 1000}))
		default:
			o.probe.Request(h.PID(member.Replica), o.request())
		}
	}
}

// header is that of a member, but for one thing or another.
func (o *outsider) header(request uint64) *messages.Header {
	id := identity.Identity{
		Cluster: identity.ClusterID{1}, Configuration: 1, Replica: log.ReplicaID(1 + o.random.IntN(o.size)),
		Incarnation: identity.Incarnation{Generation: 1 + o.random.Uint64N(50), Disk: strangeDisk}, Boot: 1 + o.random.Uint64N(100),
		Process: o.random.Uint64(),
	}
	switch o.random.IntN(3) {
	case 0:
		id.Cluster = identity.ClusterID{2}
	case 1:
		id.Configuration = 2
	default:
		id.Replica = log.ReplicaID(o.size + 1 + o.random.IntN(3))
	}
	var known identity.Vector
	for m := range o.size { // it says that all the others are dead
		known = known.With(log.ReplicaID(m+1), identity.Incarnation{Generation: 99, Disk: strangeDisk})
	}
	return codec.EncodeHeader(id, request, known)
}

func (o *outsider) proposal() log.Proposal {
	return log.NewProposal(strangeRound+o.random.Uint64N(1000), log.ReplicaID(1+o.random.IntN(o.size+2)))
}

func (o *outsider) position() log.Position {
	return 1 + log.Position(o.random.Uint64N(uint64(o.truth.last)+10))
}

func (o *outsider) value() log.Value {
	if at := o.position(); o.random.IntN(3) == 0 {
		return log.Value{Kind: log.Truncate, To: at}
	}
	return entry("strange")
}

// request is something that a replica is asked, or told.
func (o *outsider) request() proto.Message {
	at, h := o.position(), o.header(o.random.Uint64())
	r := log.Range{First: at, Last: at + 5}
	switch o.random.IntN(8) {
	case 0:
		return &messages.Hello{Header: h}
	case 1:
		return codec.EncodePromiseRequest(h, o.proposal(), log.Range{})
	case 2:
		return codec.EncodePromiseRequest(h, o.proposal(), r)
	case 3:
		return codec.EncodeReignRequest(h, log.Reign{By: o.proposal(), First: at})
	case 4:
		return codec.EncodeWriteRequest(h, codec.Write{By: o.proposal(), First: at, Values: []log.Value{o.value()}, Settled: at - 1})
	case 5: // a notice that names what somebody may have accepted
		return codec.EncodeLearnedMessage(h, log.NewProposal(1+o.random.Uint64N(40), log.ReplicaID(1+o.random.IntN(o.size))), r)
	case 6:
		return &messages.RecoverRequest{Header: h}
	}
	return codec.EncodeFetchRequest(h, r)
}

// answer answers what a member asked another one.
func (o *outsider) answer(h *host) {
	if len(o.asked) == 0 {
		return
	}
	q := o.asked[o.random.IntN(len(o.asked))]
	head := o.header(q.header.GetRequest())
	var m proto.Message
	switch asked := q.message.(type) {
	case *messages.PromiseRequest:
		promised := paxos.Promised{End: o.truth.last + 3}
		if p, err := codec.DecodePromiseRequest(asked); err == nil && !p.Range.Empty() {
			promised.Range, promised.End = p.Range, max(promised.End, p.Range.Last)
			promised.Actions = []log.Action{{Position: p.Range.First, Promised: o.proposal(), Performed: 1<<16 + 1, Value: entry("strange"), Learned: true}}
		}
		m = codec.EncodePromiseResponse(head, promised)
	case *messages.WriteRequest:
		if w, err := codec.DecodeWriteRequest(asked); err == nil {
			m = codec.EncodeWriteResponse(head, paxos.Accepted{Range: log.Span(w.First, len(w.Values))})
		}
	case *messages.RecoverRequest:
		m = codec.EncodeRecoverResponse(head, codec.Standing{
			Status: status.Voting, Begin: 1, End: o.position(), Promised: o.proposal(), Highest: o.proposal()})
	case *messages.FetchRequest:
		if f, err := codec.DecodeFetchRequest(asked); err == nil {
			m = codec.EncodeFetchResponse(head, codec.Copied{Range: f.Range, Actions: []log.Action{
				{Position: f.Range.First, Promised: 1<<16 + 1, Performed: 1<<16 + 1, Value: entry("strange"), Learned: true}}})
		}
	}
	if m != nil {
		o.probe.Request(actor.NewPID(q.from, q.sender), m)
	}
}
