package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// Standing is what a replica says of itself to one that recovers. All but the status is 0 where it does not vote.
type Standing struct {
	Status              status.Status
	Begin, End, Learned log.Position
	Promised, Highest   log.Proposal
	Reign               log.Reign         // the latest that it was told of
	Founders            identity.Founders // of its log
}

// EncodeRecoverResponse writes an answer to a RecoverRequest.
func EncodeRecoverResponse(h *messages.Header, s Standing) *messages.RecoverResponse {
	return &messages.RecoverResponse{Header: h, Outcome: &messages.RecoverResponse_Standing{Standing: &messages.Standing{
		Status: EncodeStatus(s.Status), Begin: uint64(s.Begin), End: uint64(s.End), Learned: uint64(s.Learned),
		Promised: uint64(s.Promised), Highest: uint64(s.Highest), Reign: EncodeReign(s.Reign),
		Founders: s.Founders,
	}}}
}

// RefuseRecovery writes the refusal of a RecoverRequest.
func RefuseRecovery(h *messages.Header, r identity.Refusal) *messages.RecoverResponse {
	return &messages.RecoverResponse{Header: h, Outcome: &messages.RecoverResponse_Refused{Refused: encodeRefused(r)}}
}

// DecodeRecoverResponse reads an answer to a RecoverRequest. A refusal is the error.
func DecodeRecoverResponse(m *messages.RecoverResponse) (e Envelope, s Standing, err error) {
	if e, err = DecodeHeader(m.GetHeader()); err != nil {
		return e, s, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.RecoverResponse_Standing:
		s, err = decodeStanding(o.Standing)
		return e, s, err
	case *messages.RecoverResponse_Refused:
		r, err := decodeRefused(o.Refused)
		if err == nil {
			err = r
		}
		return e, s, err
	}
	return e, s, malformed("an answer without an outcome")
}

func decodeStanding(m *messages.Standing) (s Standing, err error) {
	if s.Status, err = DecodeStatus(m.GetStatus()); err != nil || s.Status != status.Voting {
		return s, err
	}
	s.Begin, s.End, s.Learned = log.Position(m.GetBegin()), log.Position(m.GetEnd()), log.Position(m.GetLearned())
	s.Promised, s.Highest = log.Proposal(m.GetPromised()), log.Proposal(m.GetHighest())
	ordered := s.Begin > 0 && s.Begin <= log.MaxPosition && s.Begin-1 <= s.Learned && s.Learned <= s.End && s.End <= log.MaxPosition
	if !ordered || s.Highest < s.Promised {
		return s, malformed("a replica that begins at %d, ends at %d, learned up to %d, promised %s and saw %s",
			s.Begin, s.End, s.Learned, s.Promised, s.Highest)
	}
	if s.Reign, err = DecodeReign(m.GetReign()); err != nil {
		return s, err
	}
	s.Founders, err = DecodeFounders(m.GetFounders())
	return s, err
}

// Fetch is a FetchRequest.
type Fetch struct {
	Envelope
	Range log.Range
}

// EncodeFetchRequest writes it.
func EncodeFetchRequest(h *messages.Header, r log.Range) *messages.FetchRequest {
	return &messages.FetchRequest{Header: h, Range: encodeRange(r)}
}

// DecodeFetchRequest reads it.
func DecodeFetchRequest(m *messages.FetchRequest) (f Fetch, err error) {
	if f.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return f, err
	}
	f.Range, err = decodeRange(m.GetRange())
	return f, err
}

// Fetched answers a FetchRequest: Copied, Gone, Unable or Denied.
//
//sumtype:decl
type Fetched interface{ fetched() }

type (
	// Copied is what a replica knows as learned in the first part of the range: at most log.MaxCopy records, and
	// log.MaxRunBytes bytes. One that sends it collects it in a Chunk.
	Copied struct {
		Range   log.Range
		Actions []log.Action
	}
	// Gone says that the range starts below the log.
	Gone struct{ Begin log.Position }
	// Unable says that the replica holds nothing that may be copied.
	Unable struct{ Status status.Status }
	// Denied says that the request was refused.
	Denied struct{ identity.Refusal }
)

func (Copied) fetched() {}
func (Gone) fetched()   {}
func (Unable) fetched() {}
func (Denied) fetched() {}

// EncodeFetchResponse writes an answer to a FetchRequest.
func EncodeFetchResponse(h *messages.Header, answer Fetched) *messages.FetchResponse {
	m := &messages.FetchResponse{Header: h}
	switch a := answer.(type) {
	case Copied:
		chunk := NewChunk(uint64(len(a.Actions)))
		for _, record := range a.Actions {
			chunk.Add(record)
		}
		return EncodeChunk(h, a.Range, chunk)
	case Gone:
		m.Outcome = &messages.FetchResponse_Truncated{Truncated: &messages.Truncated{Begin: uint64(a.Begin)}}
	case Unable:
		m.Outcome = &messages.FetchResponse_NotVoting{NotVoting: &messages.NotVoting{Status: EncodeStatus(a.Status)}}
	case Denied:
		m.Outcome = &messages.FetchResponse_Refused{Refused: encodeRefused(a.Refusal)}
	}
	return m
}

// DecodeFetchResponse reads an answer to a FetchRequest.
func DecodeFetchResponse(m *messages.FetchResponse) (Envelope, Fetched, error) {
	e, err := DecodeHeader(m.GetHeader())
	if err != nil {
		return e, nil, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.FetchResponse_Fetched:
		a, err := decodeCopied(o.Fetched)
		return e, a, err
	case *messages.FetchResponse_Truncated:
		a, err := decodeTruncated(o.Truncated)
		return e, Gone{a.Begin}, err
	case *messages.FetchResponse_NotVoting:
		a, err := decodeNotVoting(o.NotVoting)
		return e, Unable{a.Status}, err
	case *messages.FetchResponse_Refused:
		r, err := decodeRefused(o.Refused)
		return e, Denied{r}, err
	}
	return e, nil, malformed("an answer without an outcome")
}
