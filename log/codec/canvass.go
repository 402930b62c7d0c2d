package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// Canvass is a CanvassRequest.
type Canvass struct {
	Envelope
	By log.Proposal // the sender's own
}

// EncodeCanvassRequest writes it.
func EncodeCanvassRequest(h *messages.Header, by log.Proposal) *messages.CanvassRequest {
	return &messages.CanvassRequest{Header: h, Proposal: uint64(by)}
}

// DecodeCanvassRequest reads it.
func DecodeCanvassRequest(m *messages.CanvassRequest) (c Canvass, err error) {
	if c.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return c, err
	}
	if c.By, err = proposal(m.GetProposal()); err != nil {
		return c, err
	}
	if c.By.Replica() != c.From.Replica {
		err = malformed("replica %d asks for proposal %s", c.From.Replica, c.By)
	}
	return c, err
}

// EncodeCanvassResponse writes an answer to a CanvassRequest.
func EncodeCanvassResponse(h *messages.Header, answer paxos.Answer) *messages.CanvassResponse {
	m := &messages.CanvassResponse{Header: h}
	switch a := answer.(type) {
	case paxos.Willing:
		m.Outcome = &messages.CanvassResponse_Willing{Willing: &messages.Willing{}}
	case paxos.Rejected:
		m.Outcome = &messages.CanvassResponse_Rejected{Rejected: encodeRejected(a)}
	case paxos.NotVoting:
		m.Outcome = &messages.CanvassResponse_NotVoting{NotVoting: &messages.NotVoting{Status: EncodeStatus(a.Status)}}
	case paxos.Refused:
		m.Outcome = &messages.CanvassResponse_Refused{Refused: encodeRefused(a.Refusal)}
	case paxos.Promised, paxos.Accepted, paxos.Learned, paxos.Truncated: // never an answer to a canvass
	}
	return m
}

// DecodeCanvassResponse reads an answer to a CanvassRequest.
func DecodeCanvassResponse(m *messages.CanvassResponse) (Envelope, paxos.Answer, error) {
	e, err := DecodeHeader(m.GetHeader())
	if err != nil {
		return e, nil, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.CanvassResponse_Willing:
		if o.Willing == nil {
			return e, nil, malformed("an answer without an outcome")
		}
		return e, paxos.Willing{}, nil
	case *messages.CanvassResponse_Rejected:
		a, err := decodeRejected(o.Rejected)
		return e, a, err
	case *messages.CanvassResponse_NotVoting:
		a, err := decodeNotVoting(o.NotVoting)
		return e, a, err
	case *messages.CanvassResponse_Refused:
		r, err := decodeRefused(o.Refused)
		return e, paxos.Refused{Refusal: r}, err
	}
	return e, nil, malformed("an answer without an outcome")
}
