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
}

// EncodePresence writes it.
func EncodePresence(p Presence) *messages.Presence {
	m := &messages.Presence{
		Status: EncodeStatus(p.Status), Writer: uint64(p.Writer), Learned: uint64(p.Learned), Heard: EncodeHeard(p.Heard),
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
	p.Heard, err = DecodeHeard(m.GetHeard())
	return p, err
}

// EncodeHello writes a greeting. The configuration is left out where it is the one that everybody was started with.
func EncodeHello(h *messages.Header, c membership.Configuration) *messages.Hello {
	return &messages.Hello{Header: h, Configuration: EncodeConfiguration(c)}
}

// DecodeHello reads a greeting.
func DecodeHello(m *messages.Hello) (e Envelope, c membership.Configuration, err error) {
	if e, err = DecodeHeader(m.GetHeader()); err == nil {
		c, err = DecodeConfigurationIfAny(m.GetConfiguration())
	}
	return e, c, err
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
