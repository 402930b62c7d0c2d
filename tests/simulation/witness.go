package simulation

import (
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/log/storage"
	"github.com/quorumlog/quorumlog/messages"
)

// witness remembers what members asked each other, and checks what they answer before it leaves.
type witness struct {
	truth  *truth
	asked  map[uint64]asked // by the number of the request
	asking map[uint64]*asking
}

// asked is what a promise or a write was asked for, and who asked.
type asked struct {
	by   log.Proposal
	run  log.Range // empty for an implicit promise
	from identity.Identity
}

// asking is a replica that recovers, and what it was told by those that vote.
type asking struct {
	replica     log.ReplicaID
	incarnation identity.Incarnation
	epoch       uint64
	told        []standpoint
}

func newWitness(t *truth) *witness {
	return &witness{truth: t, asked: map[uint64]asked{}, asking: map[uint64]*asking{}}
}

// inspect looks at a message that a member sends.
func (w *witness) inspect(h *host, m proto.Message) {
	switch m := m.(type) {
	case *messages.PromiseRequest:
		if p, err := codec.DecodePromiseRequest(m); err == nil {
			w.asked[p.Request] = asked{p.By, p.Range, p.From}
			if p.First > 0 {
				w.truth.reigns[p.By], h.reigns = append(w.truth.reigns[p.By], p.First), p.By
			}
			check(ofRequests, requested{h.disk, p.By, p.From.Age}, w.truth.accuse)
		}
	case *messages.WriteRequest:
		if r, err := codec.DecodeWriteRequest(m); err == nil {
			w.asked[r.Request] = asked{r.By, log.Span(r.First, len(r.Values)), r.From}
			w.truth.write(r.First, r.By, r.Values)
		}
	case *messages.AppendResponse:
		h.acknowledges(m, w.truth.hasNumber, w.truth.accuse)
	case *messages.RecoverRequest:
		if e, err := codec.DecodeHeader(m.GetHeader()); err == nil && w.asking[e.Request] == nil {
			w.asking[e.Request] = &asking{replica: e.From.Replica, incarnation: e.From.Incarnation, epoch: e.From.Epoch}
		}
	case *messages.PromiseResponse:
		if e, answer, err := codec.DecodePromiseResponse(m); err == nil {
			w.answers(h, e, answer)
		}
	case *messages.WriteResponse:
		if e, answer, err := codec.DecodeWriteResponse(m); err == nil {
			w.answers(h, e, answer)
		}
	case *messages.RecoverResponse:
		if e, standing, err := codec.DecodeRecoverResponse(m); err == nil {
			w.tells(h, e, standing)
		}
	}
}

func (w *witness) answers(h *host, e codec.Envelope, answer paxos.Answer) {
	r := reply{disk: h.disk, Envelope: e, asked: w.asked[e.Request], rolled: h.rolled}
	switch a := answer.(type) {
	case paxos.Promised:
		r.granted = a.Range
		check(ofPromises, r, w.truth.accuse)
	case paxos.Accepted:
		r.granted = a.Range
		check(ofAcceptances, r, w.truth.accuse)
	case paxos.Rejected, paxos.Learned, paxos.Truncated, paxos.Willing, paxos.NotVoting, paxos.Refused:
		return
	}
	check(ofGrants, r, w.truth.accuse)
}

// tells looks at what a member says of itself to one that recovers.
func (w *witness) tells(h *host, e codec.Envelope, s codec.Standing) {
	a := w.asking[e.Request]
	if a == nil {
		return // nobody asked: it comes from a test
	}
	check(ofStandings, standing{h.disk, e, s, a}, w.truth.accuse)
	if s.Status == status.Voting {
		a.told = append(a.told, standpoint{e.From.Replica, e.From.Incarnation, s.Promised, s.Highest, s.End, s.Reign, e.Known})
	}
}

// adoption is what a replica that recovers could know.
func (w *witness) adoption(next storage.Metadata) adoption {
	a := adoption{next: next}
	for _, q := range w.asking {
		if q.replica == next.Replica && q.incarnation == next.Incarnation {
			a.heard = append(a.heard, told{w.truth.configs[q.epoch], q.told})
		}
	}
	return a
}

// requested is a promise that is asked for.
type requested struct {
	disk *disk
	by   log.Proposal
	age  uint64
}

// ofRequests are the rules of a proposer.
var ofRequests = []rule[requested]{
	{4, "a proposal is durable before it is used", func(r requested) string {
		mine := r.by.Replica() == r.disk.id
		return complain(!mine || r.disk.synced.Highest < r.by, "replica %d proposes %s, and only %s is durable", r.disk.id, r.by, r.disk.synced.Highest)
	}},
	{18, "whoever proposes tells the sync of its proposal", func(r requested) string {
		mine, since := r.by.Replica() == r.disk.id, r.disk.reserved(r.by)
		return complain(mine && r.age < since, "replica %d proposes %s at age %d, and has it since %d", r.disk.id, r.by, r.age, since)
	}},
}

// reply is a granted promise or write that is about to leave.
type reply struct {
	*disk
	codec.Envelope
	asked   asked
	granted log.Range
	rolled  bool // the disk is an earlier state of itself
}

// ofGrants are the rules of everything that is granted.
var ofGrants = []rule[reply]{
	{18, "a replica answers under its own incarnation", func(r reply) string {
		return complain(r.synced.Incarnation != r.From.Incarnation || r.From.Replica != r.id,
			"replica %d answers as %d in %s, and is %s", r.id, r.From.Replica, r.From.Incarnation, r.synced.Incarnation)
	}},
	{9, "only a replica that votes grants anything", func(r reply) string {
		return complain(r.synced.Status != status.Voting, "replica %d votes, and is %s", r.id, r.synced.Status)
	}},
	{17, "a configuration is durable before anybody votes in it", func(r reply) string {
		is := r.synced.Configuration.Epoch
		return complain(r.From.Epoch > is, "replica %d votes in epoch %d, and goes by %d", r.id, r.From.Epoch, is)
	}},
	{18, "a disk that was rolled back grants nothing", func(r reply) string {
		return complain(r.rolled, "replica %d grants %s to %s", r.id, r.granted, r.asked.by)
	}},
	{7, "nothing is granted once the disk failed", func(r reply) string {
		return complain(r.failed, "replica %d grants %s to %s", r.id, r.granted, r.asked.by)
	}},
	{10, "who is dead is durable before anybody hears of it", func(r reply) string { return durably(r.disk, r.Known) }},
	{10, "whoever is answered is known, durably", func(r reply) string {
		return registered(r.disk, r.asked.from.Replica, r.asked.from.Incarnation)
	}},
}

// ofPromises are the rules of promises.
var ofPromises = []rule[reply]{
	{7, "a promise is durable before it is said", func(r reply) string {
		if r.asked.run.Empty() {
			return complain(r.synced.Promised < r.asked.by, "replica %d promises %s, and only %s is durable", r.id, r.asked.by, r.synced.Promised)
		}
		for at := r.granted.First; at <= r.granted.Last; at++ {
			if _, final := r.truth.value(at); !final && r.promised(at) < r.asked.by {
				return complain(true, "replica %d promises %s at %d, and only %s is durable", r.id, r.asked.by, at, r.promised(at))
			}
		}
		return ""
	}},
}

// ofAcceptances are the rules of votes.
var ofAcceptances = []rule[reply]{
	{7, "a vote is durable before it is said", func(r reply) string {
		for at := r.granted.First; at <= r.granted.Last; at++ {
			if _, final := r.truth.value(at); !final && !r.truth.voted(at, r.asked.by, r.id, r.From.Incarnation) {
				return complain(true, "replica %d says that it accepted %d under %s, and has nothing durable", r.id, at, r.asked.by)
			}
		}
		return ""
	}},
}

// standing is what a replica says of itself.
type standing struct {
	*disk
	codec.Envelope
	codec.Standing
	asking *asking
}

// ofStandings are the rules of what is told to a replica that recovers.
var ofStandings = []rule[standing]{
	{10, "who is dead is durable before anybody hears of it", func(s standing) string { return durably(s.disk, s.Known) }},
	{10, "whoever is answered is known, durably", func(s standing) string {
		return registered(s.disk, s.asking.replica, s.asking.incarnation)
	}},
	{7, "what a replica says of itself is durable", func(s standing) string {
		m := s.synced
		said := s.Standing
		return complain(m.Promised < said.Promised || m.Highest < said.Highest || m.Status < said.Status || m.Reign.By < said.Reign.By,
			"replica %d says %+v, and %+v is durable", s.id, said, m)
	}},
}

// durably says what an answer knows and the disk does not.
func durably(d *disk, known identity.Vector) string {
	for _, k := range known {
		if d.gone(k.Replica) {
			continue
		}
		if is, found := d.synced.Known.Of(k.Replica); !found || is.Generation < k.Incarnation.Generation {
			return complain(true, "replica %d knows %v, and %s is durable", d.id, k, is)
		}
	}
	return ""
}

// registered says where a disk does not know of somebody whom its replica answers.
func registered(d *disk, who log.ReplicaID, life identity.Incarnation) string {
	is, _ := d.synced.Known.Of(who)
	return complain(is.Generation < life.Generation && !d.gone(who), "replica %d answers %s of replica %d, and has %s", d.id, life, who, is)
}

// gone says whether somebody is no member any more, as far as the disk knows.
func (d *disk) gone(who log.ReplicaID) bool {
	c := d.synced.Configuration
	_, member := c.Member(who)
	return c.Epoch > 0 && !member
}
