package kit

import (
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/actortest"
	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// Peer asks replicas in the name of a member that is not running.
type Peer struct {
	*actortest.Probe
	Identity identity.Identity

	cluster *Cluster
	request uint64
}

// Peer takes the place of a member that is not running.
func (c *Cluster) Peer(id log.ReplicaID) *Peer {
	c.t.Helper()
	m := c.Member(id)
	m.Prepare(nil)
	meta := m.Store.Metadata()
	meta.Boot++
	m.must(m.Store.SetMetadata(meta))
	m.must(m.Store.Sync())
	p := &Peer{
		Probe: m.Node.Probe(fmt.Sprintf("peer%d", meta.Boot)), cluster: c,
		Identity: identity.Identity{
			Cluster: identity.ClusterID{1}, Configuration: 1, Replica: id,
			Incarnation: meta.Incarnation, Boot: meta.Boot, Process: m.Node.Random().Uint64(),
			BootAge: m.Store.Age(), Age: m.Store.Age(),
		},
	}
	if !slices.Contains(m.Node.Actors(), Name+"/"+member.Replica) {
		m.Node.Spawn(Name+"/"+member.Replica, actor.PropsFromFunc(p.greeted))
	}
	return p
}

// greeted answers the greetings of members: one that starts again waits for that.
func (p *Peer) greeted(ctx actor.Context) {
	if hello, ok := ctx.Message().(*messages.Hello); ok {
		header := codec.EncodeHeader(p.Identity, hello.GetHeader().GetRequest(), nil)
		ctx.Respond(codec.EncodeWelcome(header, codec.Presence{Status: status.Voting}))
	}
}

// Header is the header of the peer's next request.
func (p *Peer) Header() *messages.Header {
	p.request++
	return codec.EncodeHeader(p.Identity, p.request, nil)
}

// await waits for the answer to the last request; those to earlier ones may still be on their way.
func await[T interface{ GetHeader() *messages.Header }](p *Peer) T {
	p.cluster.t.Helper()
	for {
		answer := actortest.Await[T](p.cluster.t, p.Probe, patience)
		if answer.GetHeader().GetRequest() == p.request {
			return answer
		}
	}
}

// AskPromise sends a PromiseRequest: for a range, or for everything where the range is empty.
func (p *Peer) AskPromise(to *Member, by log.Proposal, r log.Range) {
	p.Request(to.PID(member.Replica), codec.EncodePromiseRequest(p.Header(), by, r))
}

// Promise is AskPromise, and waits for the answer.
func (p *Peer) Promise(to *Member, by log.Proposal, r log.Range) paxos.Answer {
	p.cluster.t.Helper()
	p.AskPromise(to, by, r)
	_, answer, err := codec.DecodePromiseResponse(await[*messages.PromiseResponse](p))
	if err != nil {
		p.cluster.t.Fatal(err)
	}
	return answer
}

// AskWrite sends a WriteRequest.
func (p *Peer) AskWrite(to *Member, by log.Proposal, first log.Position, values ...log.Value) {
	p.Request(to.PID(member.Replica), codec.EncodeWriteRequest(p.Header(), codec.Write{By: by, First: first, Values: values, Settled: first - 1}))
}

// Write is AskWrite, and waits for the answer.
func (p *Peer) Write(to *Member, by log.Proposal, first log.Position, values ...log.Value) paxos.Answer {
	p.cluster.t.Helper()
	p.AskWrite(to, by, first, values...)
	_, answer, err := codec.DecodeWriteResponse(await[*messages.WriteResponse](p))
	if err != nil {
		p.cluster.t.Fatal(err)
	}
	return answer
}

// Notice sends a LearnedMessage, and waits until it is handled: nobody answers it, so that another request comes behind.
func (p *Peer) Notice(to *Member, by log.Proposal, r log.Range) {
	p.cluster.t.Helper()
	p.Send(to.PID(member.Replica), codec.EncodeLearnedMessage(p.Header(), by, r))
	if _, err := p.Recover(to); err != nil {
		p.cluster.t.Fatal(err)
	}
}

// Fetch sends a FetchRequest, and waits for the answer.
func (p *Peer) Fetch(to *Member, r log.Range) codec.Fetched {
	p.cluster.t.Helper()
	p.Request(to.PID(member.Replica), codec.EncodeFetchRequest(p.Header(), r))
	_, answer, err := codec.DecodeFetchResponse(await[*messages.FetchResponse](p))
	if err != nil {
		p.cluster.t.Fatal(err)
	}
	return answer
}

// Recover sends a RecoverRequest, and waits for the answer.
func (p *Peer) Recover(to *Member) (codec.Standing, error) {
	p.cluster.t.Helper()
	p.Request(to.PID(member.Replica), &messages.RecoverRequest{Header: p.Header()})
	_, standing, err := codec.DecodeRecoverResponse(await[*messages.RecoverResponse](p))
	return standing, err
}

// Asked is the number of the peer's last request.
func (p *Peer) Asked() uint64 { return p.request }

// Granted lists the numbers of the requests that were promised or accepted, in the order of the answers.
func (p *Peer) Granted() []uint64 {
	var requests []uint64
	for _, m := range p.Messages() {
		switch r := m.(type) {
		case *messages.PromiseResponse:
			if r.GetPromised() != nil {
				requests = append(requests, r.GetHeader().GetRequest())
			}
		case *messages.WriteResponse:
			if r.GetAccepted() != nil {
				requests = append(requests, r.GetHeader().GetRequest())
			}
		}
	}
	return requests
}

// Canvass asks a replica whether it would mind an election, and waits for the answer.
func (p *Peer) Canvass(to *Member, by log.Proposal) paxos.Answer {
	p.cluster.t.Helper()
	p.Request(to.PID(member.Replica), codec.EncodeCanvassRequest(p.Header(), by))
	_, answer, err := codec.DecodeCanvassResponse(await[*messages.CanvassResponse](p))
	if err != nil {
		p.cluster.t.Fatal(err)
	}
	return answer
}
