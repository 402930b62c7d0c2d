package codec

import (
	"fmt"
	"strings"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/membership"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// Member is one replica of the configuration.
type Member struct {
	ID      log.ReplicaID
	Address string // host:port under which the other members reach it
}

// Members is a member list, in the order of the ids.
type Members []Member

// String writes the list as the flag --members takes it.
func (m Members) String() string {
	parts := make([]string, len(m))
	for i, member := range m {
		parts[i] = fmt.Sprintf("%d=%s", member.ID, member.Address)
	}
	return strings.Join(parts, ",")
}

// Presence is what a member tells the others of itself.
type Presence struct {
	Status  status.Status
	Writer  log.Proposal // of its elected coordinator; 0 if it has none
	Learned log.Position // up to which it has learned everything
	Members Members
	Heard   []identity.Heard // the newest process that it heard of each member

	Promised log.Proposal // implicitly, by its replica
	Sync     uint64       // what nineteen of twenty of its disk's last syncs took at most, in microseconds; 0 where there were too few
}

// Hello is a greeting.
type Hello struct {
	Envelope
	Writer    log.Proposal  // of the sender's elected coordinator; 0 if it has none
	Candidacy log.Proposal  // under which the sender's coordinator is about to be elected; 0 if it is not
	Successor log.ReplicaID // of a sender that ceased to write: who should go on; 0 for nobody in particular

	Configuration membership.Configuration // the newest that the sender knows
	Founders      identity.Founders        // of the sender's log
}

// EncodeHello writes it. The envelope of h is not used. The configuration is left out where it is the one that everybody was
// started with.
func EncodeHello(header *messages.Header, h Hello) *messages.Hello {
	return &messages.Hello{
		Header: header, Writer: uint64(h.Writer), Candidacy: uint64(h.Candidacy), Successor: uint32(h.Successor),
		Configuration: EncodeConfiguration(h.Configuration),
		Founders:      h.Founders,
	}
}

// DecodeHello reads it.
func DecodeHello(m *messages.Hello) (h Hello, err error) {
	if h.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return h, err
	}
	if h.Configuration, err = DecodeConfigurationIfAny(m.GetConfiguration()); err != nil {
		return h, err
	}
	if h.Founders, err = DecodeFounders(m.GetFounders()); err != nil {
		return h, err
	}
	if h.Writer, err = ownProposal(m.GetWriter(), h.From.Replica); err != nil {
		return h, err
	}
	if h.Candidacy, err = ownProposal(m.GetCandidacy(), h.From.Replica); err != nil {
		return h, err
	}
	if m.GetSuccessor() > 0 {
		h.Successor, err = replica(m.GetSuccessor())
	}
	return h, err
}

// ownProposal reads the proposal under which a replica says that it writes, or is about to; 0 where it says neither.
func ownProposal(number uint64, of log.ReplicaID) (log.Proposal, error) {
	if number == 0 {
		return 0, nil
	}
	p, err := proposal(number)
	if err == nil && p.Replica() != of {
		err = malformed("replica %d says that it writes under proposal %s", of, p)
	}
	return p, err
}

// DecodeFounders reads on which disks a log was begun.
func DecodeFounders(disks []uint64) (identity.Founders, error) {
	if len(disks) > MaxMembers {
		return nil, malformed("a log is begun on at most %d disks, not %d", MaxMembers, len(disks))
	}
	return disks, nil
}

// maxSync is what a sync may be said to take, in microseconds: a year.
const maxSync = 365 * 24 * 3600 * 1e6

// EncodePresence writes it. A sync of more than a year is said to take that.
func EncodePresence(p Presence) *messages.Presence {
	m := &messages.Presence{
		Status: EncodeStatus(p.Status), Writer: uint64(p.Writer), Learned: uint64(p.Learned), Heard: EncodeHeard(p.Heard),
		Promised: uint64(p.Promised), SyncMicros: min(p.Sync, maxSync),
	}
	for _, member := range p.Members {
		m.Members = append(m.Members, &messages.Member{Replica: uint32(member.ID), Address: member.Address})
	}
	return m
}

// DecodePresence reads it.
func DecodePresence(m *messages.Presence) (p Presence, err error) {
	if p.Status, err = DecodeStatus(m.GetStatus()); err != nil {
		return p, err
	}
	p.Writer, p.Learned = log.Proposal(m.GetWriter()), log.Position(m.GetLearned())
	if p.Learned > log.MaxPosition {
		return p, malformed("nobody has learned position %d", p.Learned)
	}
	if len(m.GetMembers()) > MaxMembers {
		return p, malformed("a member list has at most %d members, not %d", MaxMembers, len(m.GetMembers()))
	}
	for _, member := range m.GetMembers() {
		id, err := replica(member.GetReplica())
		if err != nil {
			return p, err
		}
		p.Members = append(p.Members, Member{id, member.GetAddress()})
	}
	if m.GetPromised() > 0 {
		if p.Promised, err = proposal(m.GetPromised()); err != nil {
			return p, err
		}
	}
	if p.Sync = m.GetSyncMicros(); p.Sync > maxSync {
		return p, malformed("no sync takes %d microseconds", p.Sync)
	}
	p.Heard, err = DecodeHeard(m.GetHeard())
	return p, err
}

// EncodeWelcome writes an answer to a Hello: a presence, or the refusal where there is one.
func EncodeWelcome(h *messages.Header, p Presence) *messages.Welcome {
	return &messages.Welcome{Header: h, Outcome: &messages.Welcome_Presence{Presence: EncodePresence(p)}}
}

// RefuseWelcome writes the refusal of a Hello.
func RefuseWelcome(h *messages.Header, r identity.Refusal) *messages.Welcome {
	return &messages.Welcome{Header: h, Outcome: &messages.Welcome_Refused{Refused: encodeRefused(r)}}
}

// DecodeWelcome reads an answer to a Hello. A refusal is the error.
func DecodeWelcome(m *messages.Welcome) (e Envelope, p Presence, err error) {
	if e, err = DecodeHeader(m.GetHeader()); err != nil {
		return e, p, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.Welcome_Presence:
		p, err = DecodePresence(o.Presence)
		return e, p, err
	case *messages.Welcome_Refused:
		r, err := decodeRefused(o.Refused)
		if err == nil {
			err = r
		}
		return e, p, err
	}
	return e, p, malformed("an answer without an outcome")
}
