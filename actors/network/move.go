package network

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// told hands on a newer configuration that a peer of this cluster tells, unless it was removed: also one that refuses the greeting,
// for it may do so just because of that.
func (n *network) told(ctx actor.Context, m *messages.Welcome) {
	e, err := codec.DecodeHeader(m.GetHeader())
	if err != nil || e.From.Cluster != n.self.Cluster || !n.Configuration.Heeds(e.From.Replica) {
		return
	}
	c, err := codec.DecodeConfigurationIfAny(m.GetConfiguration())
	founders, malformed := codec.DecodeFounders(m.GetFounders())
	if err == nil && malformed == nil && c.Epoch > n.self.Epoch {
		ctx.Send(n.Replica, replica.Install{Configuration: c, Founders: founders})
	}
}

// move goes on with other members. What is known of those that stay is kept.
func (n *network) move(ctx actor.Context, m ensemble.Moved) {
	n.Ensemble = m.Ensemble
	peers := make([]*peer, 0, len(n.Members))
	for _, id := range n.Members {
		p := n.peer(id)
		if p == nil {
			p = &peer{Peer: Peer{ID: id, PID: n.Peers[id]}}
		}
		p.Refusal = ""
		peers = append(peers, p)
	}
	n.peers = peers
	n.request = n.Random.Uint64() // what was refused to the former configuration is not refused to this one
	ctx.Request(n.Replica, replica.Inspect{})
	n.tellWaiters(ctx)
}
