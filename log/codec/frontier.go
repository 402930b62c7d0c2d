package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// EncodeFrontierResponse writes an answer to a FrontierRequest: the end of the log where the replica votes.
func EncodeFrontierResponse(h *messages.Header, s status.Status, end log.Position) *messages.FrontierResponse {
	if s != status.Voting {
		return &messages.FrontierResponse{Header: h, Outcome: &messages.FrontierResponse_NotVoting{
			NotVoting: &messages.NotVoting{Status: EncodeStatus(s)}}}
	}
	return &messages.FrontierResponse{Header: h, Outcome: &messages.FrontierResponse_Frontier{Frontier: &messages.Frontier{End: uint64(end)}}}
}

// RefuseFrontier writes the refusal of a FrontierRequest.
func RefuseFrontier(h *messages.Header, r identity.Refusal) *messages.FrontierResponse {
	return &messages.FrontierResponse{Header: h, Outcome: &messages.FrontierResponse_Refused{Refused: encodeRefused(r)}}
}

// DecodeFrontierResponse reads an answer to a FrontierRequest: the end of the log, and whether the replica votes. A refusal is
// the error.
func DecodeFrontierResponse(m *messages.FrontierResponse) (e Envelope, end log.Position, votes bool, err error) {
	if e, err = DecodeHeader(m.GetHeader()); err != nil {
		return e, 0, false, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.FrontierResponse_Frontier:
		if end = log.Position(o.Frontier.GetEnd()); end > log.MaxPosition {
			return e, 0, false, malformed("no log ends at %d", end)
		}
		return e, end, true, nil
	case *messages.FrontierResponse_NotVoting:
		_, err = DecodeStatus(o.NotVoting.GetStatus())
		return e, 0, false, err
	case *messages.FrontierResponse_Refused:
		r, err := decodeRefused(o.Refused)
		if err == nil {
			err = r
		}
		return e, 0, false, err
	}
	return e, 0, false, malformed("an answer without an outcome")
}
