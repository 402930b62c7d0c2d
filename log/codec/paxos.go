package codec

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

// Promise is a PromiseRequest. Its range is empty where the promise is implicit; First then begins a reign, or is 0.
type Promise struct {
	Envelope
	By     log.Proposal
	Range  log.Range
	First  log.Position
	Polite bool // whoever hears another writer is to reject it
}

// EncodeCandidacy writes the PromiseRequest of an election that nobody asked for.
func EncodeCandidacy(h *messages.Header, by log.Proposal) *messages.PromiseRequest {
	return &messages.PromiseRequest{Header: h, Proposal: uint64(by), Polite: true}
}

// EncodePromiseRequest writes it.
func EncodePromiseRequest(h *messages.Header, by log.Proposal, r log.Range) *messages.PromiseRequest {
	return &messages.PromiseRequest{Header: h, Proposal: uint64(by), Range: encodeRange(r)}
}

// EncodeReignRequest writes the PromiseRequest that begins a reign.
func EncodeReignRequest(h *messages.Header, r log.Reign) *messages.PromiseRequest {
	return &messages.PromiseRequest{Header: h, Proposal: uint64(r.By), First: uint64(r.First)}
}

// DecodePromiseRequest reads it.
func DecodePromiseRequest(m *messages.PromiseRequest) (p Promise, err error) {
	if p.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return p, err
	}
	if p.By, err = proposal(m.GetProposal()); err != nil {
		return p, err
	}
	p.First, p.Polite = log.Position(m.GetFirst()), m.GetPolite()
	switch {
	case p.Polite && (m.GetRange() != nil || p.First > 0):
		err = malformed("a promise of a range, or of a reign, is not asked for politely")
	case m.GetRange() != nil && p.First > 0, p.First > log.MaxPosition:
		err = malformed("a reign that begins at %d, in a range", p.First)
	case m.GetRange() != nil:
		p.Range, err = decodeRun(m.GetRange())
	}
	return p, err
}

// Write is a WriteRequest.
type Write struct {
	Envelope
	By      log.Proposal
	First   log.Position
	Values  []log.Value
	Learned log.Range    // empty if none
	Settled log.Position // every position up to it is chosen; below First
}

// EncodeWriteRequest writes it.
func EncodeWriteRequest(h *messages.Header, w Write) *messages.WriteRequest {
	m := &messages.WriteRequest{Header: h, Proposal: uint64(w.By), First: uint64(w.First), Learned: encodeRange(w.Learned), Settled: uint64(w.Settled)}
	for values := w.Values; len(values) > 0; {
		n := alike(values)
		m.Values = append(m.Values, pack(values[:n]))
		values = values[n:]
	}
	return m
}

// DecodeWriteRequest reads it.
func DecodeWriteRequest(m *messages.WriteRequest) (w Write, err error) {
	if w.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return w, err
	}
	if w.By, err = proposal(m.GetProposal()); err != nil {
		return w, err
	}
	w.First = log.Position(m.GetFirst())
	if w.Settled = log.Position(m.GetSettled()); w.Settled >= w.First {
		return w, malformed("values from position %d, and all positions up to %d are chosen", w.First, w.Settled)
	}
	if w.Learned, err = decodeRangeIfAny(m.GetLearned()); err != nil {
		return w, err
	}
	w.Values, err = decodeValues(m.GetValues(), w.First)
	return w, err
}

// Notice is a LearnedMessage.
type Notice struct {
	Envelope
	By    log.Proposal
	Range log.Range
}

// EncodeLearnedMessage writes it.
func EncodeLearnedMessage(h *messages.Header, by log.Proposal, r log.Range) *messages.LearnedMessage {
	return &messages.LearnedMessage{Header: h, Proposal: uint64(by), Range: encodeRange(r)}
}

// DecodeLearnedMessage reads it.
func DecodeLearnedMessage(m *messages.LearnedMessage) (n Notice, err error) {
	if n.Envelope, err = DecodeHeader(m.GetHeader()); err != nil {
		return n, err
	}
	if n.By, err = proposal(m.GetProposal()); err != nil {
		return n, err
	}
	n.Range, err = decodeRange(m.GetRange())
	return n, err
}

// EncodePromiseResponse writes an answer to a PromiseRequest.
func EncodePromiseResponse(h *messages.Header, answer paxos.Answer) *messages.PromiseResponse {
	m := &messages.PromiseResponse{Header: h}
	switch a := answer.(type) {
	case paxos.Promised:
		m.Outcome = &messages.PromiseResponse_Promised{Promised: &messages.Promised{
			Range: encodeRange(a.Range), End: uint64(a.End), Actions: encodeActions(a.Actions), Reign: EncodeReign(a.Reign)}}
	case paxos.Rejected:
		m.Outcome = &messages.PromiseResponse_Rejected{Rejected: encodeRejected(a)}
	case paxos.Truncated:
		m.Outcome = &messages.PromiseResponse_Truncated{Truncated: &messages.Truncated{Begin: uint64(a.Begin)}}
	case paxos.NotVoting:
		m.Outcome = &messages.PromiseResponse_NotVoting{NotVoting: &messages.NotVoting{Status: EncodeStatus(a.Status)}}
	case paxos.Refused:
		m.Outcome = &messages.PromiseResponse_Refused{Refused: encodeRefused(a.Refusal)}
	case paxos.Accepted, paxos.Learned, paxos.Willing: // never an answer to a promise
	}
	return m
}

// DecodePromiseResponse reads an answer to a PromiseRequest.
func DecodePromiseResponse(m *messages.PromiseResponse) (Envelope, paxos.Answer, error) {
	e, err := DecodeHeader(m.GetHeader())
	if err != nil {
		return e, nil, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.PromiseResponse_Promised:
		a, err := decodePromised(o.Promised)
		return e, a, err
	case *messages.PromiseResponse_Rejected:
		a, err := decodeRejected(o.Rejected)
		return e, a, err
	case *messages.PromiseResponse_Truncated:
		a, err := decodeTruncated(o.Truncated)
		return e, a, err
	case *messages.PromiseResponse_NotVoting:
		a, err := decodeNotVoting(o.NotVoting)
		return e, a, err
	case *messages.PromiseResponse_Refused:
		r, err := decodeRefused(o.Refused)
		return e, paxos.Refused{Refusal: r}, err
	}
	return e, nil, malformed("an answer without an outcome")
}

func decodePromised(m *messages.Promised) (a paxos.Promised, err error) {
	if m.GetRange() != nil {
		if a.Range, err = decodeRun(m.GetRange()); err != nil {
			return a, err
		}
	}
	if a.End = log.Position(m.GetEnd()); a.End > log.MaxPosition {
		return a, malformed("a log does not end at %d", a.End)
	}
	if a.Reign, err = DecodeReign(m.GetReign()); err != nil {
		return a, err
	}
	a.Actions, err = decodeActions(m.GetActions(), a.Range)
	return a, err
}

func encodeRejected(a paxos.Rejected) *messages.Rejected {
	return &messages.Rejected{Proposal: uint64(a.By), Overwritten: a.Overwritten}
}

func decodeRejected(m *messages.Rejected) (a paxos.Rejected, err error) {
	a.Overwritten = m.GetOverwritten()
	a.By, err = proposal(m.GetProposal())
	return a, err
}

func decodeTruncated(m *messages.Truncated) (paxos.Truncated, error) {
	begin := log.Position(m.GetBegin())
	if begin == 0 || begin > log.MaxPosition {
		return paxos.Truncated{}, malformed("a log does not begin at %d", begin)
	}
	return paxos.Truncated{Begin: begin}, nil
}

func decodeNotVoting(m *messages.NotVoting) (a paxos.NotVoting, err error) {
	a.Status, err = DecodeStatus(m.GetStatus())
	return a, err
}

// EncodeWriteResponse writes an answer to a WriteRequest.
func EncodeWriteResponse(h *messages.Header, answer paxos.Answer) *messages.WriteResponse {
	m := &messages.WriteResponse{Header: h}
	switch a := answer.(type) {
	case paxos.Accepted:
		m.Outcome = &messages.WriteResponse_Accepted{Accepted: &messages.Accepted{Range: encodeRange(a.Range)}}
	case paxos.Rejected:
		m.Outcome = &messages.WriteResponse_Rejected{Rejected: encodeRejected(a)}
	case paxos.Learned:
		m.Outcome = &messages.WriteResponse_Learned{Learned: &messages.Learned{Actions: encodeActions(a.Actions)}}
	case paxos.Truncated:
		m.Outcome = &messages.WriteResponse_Truncated{Truncated: &messages.Truncated{Begin: uint64(a.Begin)}}
	case paxos.NotVoting:
		m.Outcome = &messages.WriteResponse_NotVoting{NotVoting: &messages.NotVoting{Status: EncodeStatus(a.Status)}}
	case paxos.Refused:
		m.Outcome = &messages.WriteResponse_Refused{Refused: encodeRefused(a.Refusal)}
	case paxos.Promised, paxos.Willing: // never an answer to a write
	}
	return m
}

// DecodeWriteResponse reads an answer to a WriteRequest.
func DecodeWriteResponse(m *messages.WriteResponse) (Envelope, paxos.Answer, error) {
	e, err := DecodeHeader(m.GetHeader())
	if err != nil {
		return e, nil, err
	}
	switch o := m.GetOutcome().(type) {
	case *messages.WriteResponse_Accepted:
		r, err := decodeRun(o.Accepted.GetRange())
		return e, paxos.Accepted{Range: r}, err
	case *messages.WriteResponse_Rejected:
		a, err := decodeRejected(o.Rejected)
		return e, a, err
	case *messages.WriteResponse_Learned:
		actions, err := decodeLearned(o.Learned.GetActions(), log.Range{First: 1, Last: log.MaxPosition})
		if err == nil && len(actions) == 0 {
			err = malformed("nothing is said to be learned")
		}
		return e, paxos.Learned{Actions: actions}, err
	case *messages.WriteResponse_Truncated:
		a, err := decodeTruncated(o.Truncated)
		return e, a, err
	case *messages.WriteResponse_NotVoting:
		a, err := decodeNotVoting(o.NotVoting)
		return e, a, err
	case *messages.WriteResponse_Refused:
		r, err := decodeRefused(o.Refused)
		return e, paxos.Refused{Refusal: r}, err
	}
	return e, nil, malformed("an answer without an outcome")
}
