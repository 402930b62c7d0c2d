package cluster

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/messages"
)

// Relay answers requests that somebody else made in protobuf, by the verbs of a client: whoever cannot be a client of the log himself asks
// somebody who has one (package cluster/grain). It is safe for many goroutines.
type Relay struct {
	client *Client
	reader *Reader
}

// Relay returns a relay of the client's log.
func (c *Client) Relay() *Relay { return &Relay{client: c, reader: c.Reader()} }

// Answer answers an AppendRequest, a TruncateRequest, a ReadRequest or a CatchupRequest with the message of that name; what went wrong is
// its Failure. Anything else is an error, and so are writes under a fence (Writer): a fence is of one member, and the relay asks whichever
// writes.
//
// Entries without a session are appended in that of the client: once, as long as the caller asks once. A caller that asks again gives a
// session of its own; whatever became of the earlier request, its entries are then in the log once.
func (r *Relay) Answer(ctx context.Context, m proto.Message) (proto.Message, error) {
	ctx, cancel := withDefaultTimeout(ctx)
	defer cancel()
	switch m := m.(type) {
	case *messages.AppendRequest:
		return r.append(ctx, m), nil
	case *messages.TruncateRequest:
		return r.truncate(ctx, m), nil
	case *messages.ReadRequest:
		return r.read(ctx, m), nil
	case *messages.CatchupRequest:
		at, err := r.reader.Barrier(ctx)
		if err != nil {
			return &messages.CatchupResponse{Request: m.GetRequest(), Outcome: &messages.CatchupResponse_Failure{Failure: relayed(err)}}, nil
		}
		return &messages.CatchupResponse{Request: m.GetRequest(), Outcome: &messages.CatchupResponse_Learned{Learned: uint64(at)}}, nil
	}
	return nil, fmt.Errorf("a %T is not relayed: only appends, truncations, reads and catch-ups are", m)
}

func (r *Relay) append(ctx context.Context, m *messages.AppendRequest) *messages.AppendResponse {
	_, err := codec.DecodeAppendRequest(m)
	switch {
	case errors.Is(err, codec.ErrTooLarge):
		return notAppended(m, codec.EncodeFailure(messages.Code_CODE_TOO_LARGE, err.Error()), nil)
	case err != nil:
		return notAppended(m, codec.EncodeFailure(messages.Code_CODE_MALFORMED, err.Error()), nil)
	case m.GetWriter() != 0:
		return notAppended(m, fencedRelay(), nil)
	case r.client.mayChange() != nil:
		return notAppended(m, relayed(r.client.mayChange()), nil)
	case len(m.GetSession()) > 0:
		return r.resend(ctx, proto.CloneOf(m))
	}
	at, err := r.client.AppendBatch(ctx, m.GetEntries())
	var split *SplitError
	switch {
	case errors.As(err, &split) && split.Missing == 0:
		return appended(m, split.Places)
	case errors.As(err, &split):
		return notAppended(m, codec.EncodeFailure(messages.Code_CODE_FENCED, err.Error()), split.Places)
	case err != nil:
		return notAppended(m, relayed(err), nil)
	}
	return appended(m, []log.Range{log.Span(at, len(m.GetEntries()))})
}

// resend sends entries that have numbers until it is known what became of them.
func (r *Relay) resend(ctx context.Context, m *messages.AppendRequest) *messages.AppendResponse {
	build := func(request uint64) proto.Message {
		again := proto.CloneOf(m)
		again.Request = request
		return again
	}
	for try := 0; ; try++ {
		target, err := r.client.reach(ctx)
		if err != nil {
			return notAppended(m, relayed(errors.Join(ErrIndeterminate, err)), nil)
		}
		answer, err := r.client.askThen(ctx, target, build, nil)
		a, is := answer.(*messages.AppendResponse)
		if err == nil && is {
			if err = r.client.redirected(target, a.GetFailure()); err == nil || !sendAgain(err) {
				return &messages.AppendResponse{Request: m.GetRequest(), Outcome: a.GetOutcome(), More: a.GetMore()}
			}
		} else {
			err = fmt.Errorf("%w: member %d at %s does not answer: %w", ErrIndeterminate, target.ID, target.Address, err)
		}
		r.client.doubt(target, err)
		if r.client.pause(ctx, try) != nil {
			return notAppended(m, relayed(err), nil)
		}
	}
}

// redirected is what a member's failure is; the client remembers who writes.
func (c *Client) redirected(asked Member, f *messages.Failure) error {
	if f == nil {
		c.prefer(asked)
		return nil
	}
	c.redirect(f)
	return failure(asked, f)
}

// sendAgain says whether entries that have numbers may yet be appended.
func sendAgain(err error) bool {
	return retryable(err) || errors.Is(err, ErrIndeterminate) && !errors.Is(err, ErrSessionEvicted)
}

func (r *Relay) truncate(ctx context.Context, m *messages.TruncateRequest) *messages.TruncateResponse {
	f := fencedRelay()
	if m.GetWriter() == 0 {
		at, err := r.client.Truncate(ctx, log.Position(m.GetTo()))
		if err == nil {
			return &messages.TruncateResponse{Request: m.GetRequest(), Outcome: &messages.TruncateResponse_Position{Position: uint64(at)}}
		}
		f = relayed(err)
	}
	return &messages.TruncateResponse{Request: m.GetRequest(), Outcome: &messages.TruncateResponse_Failure{Failure: f}}
}

// read asks one member after the other as a Reader does; what a member has not learned is the caller's to wait for (WaitMicros).
func (r *Relay) read(ctx context.Context, m *messages.ReadRequest) *messages.ReadResponse {
	response := &messages.ReadResponse{Request: m.GetRequest()}
	err := r.reader.insist(ctx, func(member Member) error {
		answer, err := r.client.askPatiently(ctx, member, func(n uint64) proto.Message {
			again := proto.CloneOf(m)
			again.Request = n
			return again
		})
		if err != nil {
			return err
		}
		_, err = r.reader.turned(member, answer)
		if a, is := answer.(*messages.ReadResponse); is {
			response.Outcome = a.GetOutcome()
		}
		return err
	})
	if err != nil && response.Outcome == nil {
		response.Outcome = &messages.ReadResponse_Failure{Failure: relayed(err)}
	}
	return response
}

func appended(m *messages.AppendRequest, places []log.Range) *messages.AppendResponse {
	at := codec.EncodeRanges(places)
	return &messages.AppendResponse{Request: m.GetRequest(), Outcome: &messages.AppendResponse_Range{Range: at[0]}, More: at[1:]}
}

func notAppended(m *messages.AppendRequest, f *messages.Failure, places []log.Range) *messages.AppendResponse {
	return &messages.AppendResponse{
		Request: m.GetRequest(), Outcome: &messages.AppendResponse_Failure{Failure: f}, More: codec.EncodeRanges(places),
	}
}

func fencedRelay() *messages.Failure {
	return codec.EncodeFailure(messages.Code_CODE_MALFORMED, "a writer's fence is of one member, and is not relayed: leave it out")
}

// relayed is an error as a member would tell it. Where nothing better is known the outcome is not.
func relayed(err error) *messages.Failure {
	code := messages.Code_CODE_INDETERMINATE
	if !errors.Is(err, ErrIndeterminate) {
		for c := range messages.Code(len(messages.Code_name)) { // in their order: an error may be several
			if kind, is := codes[c]; is && errors.Is(err, kind) {
				code = c
				break
			}
		}
	}
	f := codec.EncodeFailure(code, err.Error())
	var truncated *TruncatedError
	if errors.As(err, &truncated) {
		f.Code, f.Begin = messages.Code_CODE_TRUNCATED, uint64(truncated.Begin)
	}
	return f
}
