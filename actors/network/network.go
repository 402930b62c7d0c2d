// Package network greets the other members, and tells which of them are there, and how they are.
//
// It greets every peer several times a second. A peer is present while it answers, and its connection holds; the process
// itself always is.
//
//	        Watched, once enough are present
//	Watch ──────────────────────────────────▶ whoever asked
//	        Changed, once one is another way
//	Wait  ──────────────────────────────────▶ whoever asked
package network

import (
	"errors"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"github.com/quorumlog/quorumlog/actors/ensemble"
	"github.com/quorumlog/quorumlog/actors/measure"
	"github.com/quorumlog/quorumlog/actors/replica"
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/messages"
)

type (
	// Watch asks to be told once at least so many replicas are present, the local one included.
	Watch struct{ AtLeast int }
	// Watched answers Watch, once.
	Watched struct{ Present []log.ReplicaID }
	// Wait asks to be told once the status of a replica is another one than is known, or a replica is there that was not.
	Wait struct{}
	// Changed answers Wait, once.
	Changed struct{}
	// Survey asks what is known of the peers.
	Survey struct{}
	// Surveyed answers Survey, in the order of the ids.
	Surveyed struct{ Peers []Peer }
	// Refused tells the owner that a peer refused our greeting.
	Refused struct {
		By      log.ReplicaID
		Refusal identity.Refusal
	}
	// Doubted tells the owner that a peer knows the replica under another disk, which nobody hears; and that a quorum of
	// the peers votes, so that it can recover from them in a generation Above that one.
	Doubted struct{ Above uint64 }
	// Welcomed tells the owner that a peer that refused our greetings does so no more.
	Welcomed struct{ By log.ReplicaID }
	// Lost says that the connection to the process at an address broke: its replica counts as absent until it is heard again.
	Lost struct{ Address string }
	// Greet has everybody greeted at once: the local coordinator is elected, or about to be, or it ceased to write, and a Successor
	// should.
	Greet struct{ Successor log.ReplicaID }
	// greetingDue is the time for the next greeting.
	greetingDue struct{}
)

// Peer is what is known of one replica.
type Peer struct {
	ID       log.ReplicaID
	PID      *actor.PID
	Present  bool           // it was heard lately, and its connection holds
	Presence codec.Presence // as it said last; zero if it never did
	Heard    time.Time      // when it said so
	RTT      time.Duration  // of the last greeting that was answered
	Lacks    uint64         // positions that it had not learned then, of those that were known here to be chosen at that greeting
	Refusal  string         // why it refuses us; empty if it does not
}

// Config is what a network needs.
type Config struct {
	*ensemble.Ensemble
	Owner *actor.PID // is told Refused, Doubted and Welcomed; nil for nobody
}

// New returns the producer of a network.
func New(c Config) actor.Producer {
	return func() actor.Actor {
		n := &network{Config: c, request: c.Random.Uint64()}
		for _, id := range c.Members {
			n.peers = append(n.peers, &peer{Peer: Peer{ID: id, PID: c.Peers[id]}})
		}
		return n
	}
}

type network struct {
	Config
	self     identity.Identity // as the replica said last
	peers    []*peer
	watchers []watcher
	waiters  []*actor.PID // of changes
	answered time.Time    // the first greeting of this process, by anybody
	judged   bool         // the replica was told that nobody objects to its disk, or somebody did
	request  uint64       // of every greeting of this process under its present incarnation
	greeted  time.Time
	chosen   log.Position  // up to where everything was known to be chosen then
	next     log.ReplicaID // who should write, if the local coordinator ceased to; see Greet
	cancel   func()
}

type peer struct {
	Peer
	doubt doubt
	said  bool                 // it answered a greeting of this process
	life  identity.Incarnation // of its last answer to a greeting
	knows identity.Vector      // the crash vector of that
}

type watcher struct {
	pid     *actor.PID
	atLeast int
}

// Receive implements actor.Actor.
func (n *network) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		n.greet(ctx)
	case greetingDue:
		n.greet(ctx)
	case *actor.Stopping:
		n.cancel()
	case Watch:
		n.watchers = append(n.watchers, watcher{ctx.Sender(), m.AtLeast})
		n.tellWatchers(ctx)
	case Wait:
		if !slices.ContainsFunc(n.waiters, ctx.Sender().Equal) {
			n.waiters = append(n.waiters, ctx.Sender())
		}
	case Greet:
		n.next = m.Successor
		ctx.Request(n.Replica, replica.Inspect{})
	case Survey:
		ctx.Respond(n.survey())
	case replica.Inspected:
		n.self, n.chosen = m.Identity, max(m.Learned, m.Settled)
		n.hear(ctx, n.Self, presence(m))
		n.sayHello(ctx, m)
	case replica.Reincarnated:
		n.request = n.Random.Uint64() // who refuses a greeting of the former incarnation does not refuse this one
	case *messages.Welcome:
		n.told(ctx, m)
		n.welcome(ctx, m)
	case ensemble.Moved:
		n.move(ctx, m)
	case Lost:
		n.forget(ctx, func(p *peer) bool { return p.ID != n.Self && p.PID.GetAddress() == m.Address })
	}
}

// greet asks the local replica who it is: its identity is what the greeting says.
func (n *network) greet(ctx actor.Context) {
	n.forget(ctx, func(p *peer) bool { return n.Clock.Now().Sub(p.Heard) > n.Patience.Absence })
	ctx.Request(n.Replica, replica.Inspect{})
	n.cancel = n.Clock.After(n.Patience.Hello, ctx.Self(), greetingDue{})
}

func (n *network) sayHello(ctx actor.Context, m replica.Inspected) {
	n.greeted = n.Clock.Now()
	says := codec.Hello{Writer: m.Writer, Candidacy: m.Candidacy, Configuration: n.Configuration, Founders: m.Founders}
	if m.Writer == 0 && m.Candidacy == 0 {
		says.Successor, n.next = n.next, 0 // once: it is who should write now, and not after whoever writes next
	}
	hello := codec.EncodeHello(codec.EncodeHeader(m.Identity, n.request, nil), says)
	for _, p := range n.peers {
		if p.ID != n.Self {
			ctx.Request(p.PID, hello)
		}
	}
}

func (n *network) welcome(ctx actor.Context, m *messages.Welcome) {
	e, presence, err := codec.DecodeWelcome(m)
	ours := n.Belongs(n.self, e.From)
	if p := n.peer(e.From.Replica); p != nil && ours {
		p.life, p.knows = e.From.Incarnation, e.Known
	}
	var refusal identity.Refusal
	if errors.As(err, &refusal) {
		if e.Request == n.request {
			n.refused(ctx, e.From, refusal)
		}
		return
	}
	if err != nil {
		n.Log.Warn().Err(err).Msg("a welcome was ignored")
		return
	}
	if !ours { // a refusal may come from somebody else, but presence may not
		return
	}
	n.hear(ctx, e.From.Replica, presence)
	ctx.Send(n.Replica, replica.Heard{Processes: presence.Heard})
	if e.Request == n.request { // and not what was said to the process before, whose name is the same
		n.trust(ctx, e.From.Replica)
	}
}

// trust tells the replica that its peers do not object to its disk: once all of them have answered, or, where some are not
// there, a while after the first: a link may take longer to be there again than a peer to answer.
func (n *network) trust(ctx actor.Context, by log.ReplicaID) {
	if p := n.peer(by); p != nil {
		p.said = true
	}
	if n.answered.IsZero() {
		n.answered = n.Clock.Now()
	}
	silent := slices.ContainsFunc(n.peers, func(p *peer) bool { return p.ID != n.Self && !p.said })
	if !n.judged && (!silent || n.Clock.Now().Sub(n.answered) >= n.Patience.Objection) {
		n.judged = true
		ctx.Send(n.Replica, replica.Trusted{})
	}
}

func (n *network) refused(ctx actor.Context, from identity.Identity, refusal identity.Refusal) {
	by := from.Replica
	p := n.peer(by)
	if p == nil {
		return
	}
	moving := n.self.Epoch != n.Configuration.Epoch                                              // what was refused may be what this member was a moment ago
	if refusal.Reason == identity.WrongConfiguration && (moving || from.Epoch != n.self.Epoch) { // whoever is behind has been told
		p.Refusal = refusal.Detail
		return
	}
	if p.Refusal != refusal.Detail {
		n.Log.WithLevel(gravity(refusal)).Uint16("by", uint16(by)).Stringer("reason", refusal.Reason).
			Str("detail", refusal.Detail).Msg("a member refuses this one")
		n.note(measure.PeerRefuses, by, refusal.Detail)
	}
	p.Refusal = refusal.Detail
	n.judged = n.judged || refusal.Reason == identity.DuplicateIdentity
	if refusal.Reason == identity.DeadIncarnation { // it is there, and will help once we took a newer incarnation
		p.Present, p.Heard = true, n.Clock.Now()
		n.tellWatchers(ctx)
		n.doubt(ctx, p, refusal)
		return
	}
	n.tell(ctx, Refused{by, refusal})
}

func (n *network) tell(ctx actor.Context, message any) {
	if n.Owner != nil {
		ctx.Send(n.Owner, message)
	}
}

func (n *network) hear(ctx actor.Context, from log.ReplicaID, presence codec.Presence) {
	p := n.peer(from)
	if p == nil { // the local replica, which is no member any more
		return
	}
	if !p.Present {
		n.Log.Debug().Uint16("replica", uint16(from)).Msg("a member is present")
		n.note(measure.PeerPresent, from, "")
	}
	if p.Refusal != "" {
		n.tell(ctx, Welcomed{from})
	}
	changed := !p.Present || p.Presence.Status != presence.Status
	p.Present, p.Presence, p.Refusal, p.Heard, p.doubt = true, presence, "", n.Clock.Now(), doubt{}
	p.RTT, p.Lacks = p.Heard.Sub(n.greeted), uint64(n.chosen-min(n.chosen, presence.Learned))
	if from != n.Self {
		n.Measures.Answered(from, p.RTT)
	}
	n.tellWatchers(ctx)
	if changed {
		n.tellWaiters(ctx)
	}
}

// note keeps what happened, for whoever looks on. That the member hears itself is none.
func (n *network) note(kind string, peer log.ReplicaID, detail string) {
	if peer != n.Self {
		n.Measures.Events.Note(measure.Event{At: n.Clock.Now(), Kind: kind, Peer: peer, Detail: detail})
	}
}

func (n *network) tellWaiters(ctx actor.Context) {
	for _, w := range n.waiters {
		ctx.Send(w, Changed{})
	}
	n.waiters = nil
}

// forget makes peers absent: those that were silent for too long, or whose connection broke. Whoever is there all the same
// answers the next greeting.
func (n *network) forget(ctx actor.Context, gone func(*peer) bool) {
	for _, p := range n.peers {
		if p.Present && gone(p) {
			p.Present, p.Presence.Writer, p.doubt = false, 0, doubt{}
			n.Log.Debug().Uint16("replica", uint16(p.ID)).Msg("a member is absent")
			n.note(measure.PeerAbsent, p.ID, "")
			ctx.Send(n.Replica, replica.Gone{Replica: p.ID})
		}
	}
}

func (n *network) tellWatchers(ctx actor.Context) {
	present := n.present()
	n.watchers = slices.DeleteFunc(n.watchers, func(w watcher) bool {
		if len(present) < w.atLeast {
			return false
		}
		ctx.Send(w.pid, Watched{present})
		return true
	})
}

func (n *network) present() []log.ReplicaID {
	var ids []log.ReplicaID
	for _, p := range n.peers {
		if p.Present {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (n *network) survey() Surveyed {
	s := Surveyed{Peers: make([]Peer, 0, len(n.peers))}
	for _, p := range n.peers {
		s.Peers = append(s.Peers, p.Peer)
	}
	return s
}

func (n *network) peer(id log.ReplicaID) *peer {
	for _, p := range n.peers {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func presence(m replica.Inspected) codec.Presence {
	return codec.Presence{Status: m.Status, Writer: m.Writer, Learned: m.Learned, Promised: m.Promised, Sync: uint64(max(m.Sync, 0).Microseconds())}
}

// gravity is how bad a refusal is: a dead incarnation is what a replica hears that lost its disk, before it takes a new
// one; where it cannot, the member says so.
func gravity(r identity.Refusal) zerolog.Level {
	if r.Reason == identity.DeadIncarnation {
		return zerolog.InfoLevel
	}
	return zerolog.ErrorLevel
}
