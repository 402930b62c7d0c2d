package codec_test

import (
	"errors"

	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/messages"
)

func header(e codec.Envelope) *messages.Header { return codec.EncodeHeader(e.From, e.Request, e.Known) }

// request is a form whose values and messages have these types.
func formOf[V any, M proto.Message](name string, empty func() M, draw func(*drawer) V, encode func(V) M, decode func(M) (V, error)) form {
	return form{
		name:   name,
		empty:  func() proto.Message { return empty() },
		draw:   func(d *drawer) any { return draw(d) },
		encode: func(v any) proto.Message { return encode(v.(V)) },
		decode: func(m proto.Message) (any, error) { return decode(m.(M)) },
	}
}

func requests() []form {
	return []form{
		formOf("PromiseRequest", func() *messages.PromiseRequest { return new(messages.PromiseRequest) },
			func(d *drawer) codec.Promise {
				p := codec.Promise{Envelope: d.envelope(), By: d.proposal(), Range: maybe(d, d.run())}
				if p.Range.Empty() {
					p.First = maybe(d, d.position())
				}
				return p
			},
			func(p codec.Promise) *messages.PromiseRequest {
				if p.First > 0 {
					return codec.EncodeReignRequest(header(p.Envelope), log.Reign{By: p.By, First: p.First})
				}
				return codec.EncodePromiseRequest(header(p.Envelope), p.By, p.Range)
			}, codec.DecodePromiseRequest),
		formOf("WriteRequest", func() *messages.WriteRequest { return new(messages.WriteRequest) }, drawWrite,
			func(w codec.Write) *messages.WriteRequest { return codec.EncodeWriteRequest(header(w.Envelope), w) },
			codec.DecodeWriteRequest),
		formOf("LearnedMessage", func() *messages.LearnedMessage { return new(messages.LearnedMessage) },
			func(d *drawer) codec.Notice {
				return codec.Notice{Envelope: d.envelope(), By: d.proposal(), Range: d.long()}
			},
			func(n codec.Notice) *messages.LearnedMessage {
				return codec.EncodeLearnedMessage(header(n.Envelope), n.By, n.Range)
			}, codec.DecodeLearnedMessage),
		formOf("FetchRequest", func() *messages.FetchRequest { return new(messages.FetchRequest) },
			func(d *drawer) codec.Fetch { return codec.Fetch{Envelope: d.envelope(), Range: d.long()} },
			func(f codec.Fetch) *messages.FetchRequest {
				return codec.EncodeFetchRequest(header(f.Envelope), f.Range)
			},
			codec.DecodeFetchRequest),
	}
}

func drawWrite(d *drawer) codec.Write {
	w := codec.Write{Envelope: d.envelope(), By: d.proposal(), Learned: maybe(d, d.long())}
	n := 1 + d.IntN(4)
	w.First = min(d.position(), log.MaxPosition-log.Position(n)+1)
	for i := range n {
		w.Values = append(w.Values, d.value(w.First+log.Position(i)))
	}
	return w
}

// reply is an answer and who gives it.
type reply[A any] struct {
	codec.Envelope
	Answer A
}

func answers() []form {
	return []form{
		formOf("PromiseResponse", func() *messages.PromiseResponse { return new(messages.PromiseResponse) },
			func(d *drawer) reply[paxos.Answer] { return reply[paxos.Answer]{d.envelope(), drawPromiseAnswer(d)} },
			func(r reply[paxos.Answer]) *messages.PromiseResponse {
				return codec.EncodePromiseResponse(header(r.Envelope), r.Answer)
			},
			func(m *messages.PromiseResponse) (reply[paxos.Answer], error) {
				e, a, err := codec.DecodePromiseResponse(m)
				return reply[paxos.Answer]{e, a}, err
			}),
		formOf("WriteResponse", func() *messages.WriteResponse { return new(messages.WriteResponse) },
			func(d *drawer) reply[paxos.Answer] { return reply[paxos.Answer]{d.envelope(), drawWriteAnswer(d)} },
			func(r reply[paxos.Answer]) *messages.WriteResponse {
				return codec.EncodeWriteResponse(header(r.Envelope), r.Answer)
			},
			func(m *messages.WriteResponse) (reply[paxos.Answer], error) {
				e, a, err := codec.DecodeWriteResponse(m)
				return reply[paxos.Answer]{e, a}, err
			}),
		formOf("FetchResponse", func() *messages.FetchResponse { return new(messages.FetchResponse) },
			func(d *drawer) reply[codec.Fetched] { return reply[codec.Fetched]{d.envelope(), drawFetched(d)} },
			func(r reply[codec.Fetched]) *messages.FetchResponse {
				return codec.EncodeFetchResponse(header(r.Envelope), r.Answer)
			},
			func(m *messages.FetchResponse) (reply[codec.Fetched], error) {
				e, a, err := codec.DecodeFetchResponse(m)
				return reply[codec.Fetched]{e, a}, err
			}),
	}
}

func drawPromiseAnswer(d *drawer) paxos.Answer {
	switch d.IntN(5) {
	case 0:
		r := maybe(d, d.run())
		return paxos.Promised{Range: r, End: maybe(d, d.position()), Actions: d.actions(r), Reign: maybe(d, d.reign())}
	case 1:
		return paxos.Truncated{Begin: d.position()}
	case 2:
		return paxos.NotVoting{Status: d.status()}
	case 3:
		return paxos.Refused{Refusal: d.refusal()}
	}
	return paxos.Rejected{By: d.proposal(), Overwritten: d.IntN(2) == 0}
}

func drawWriteAnswer(d *drawer) paxos.Answer {
	switch d.IntN(6) {
	case 0:
		return paxos.Accepted{Range: d.run()}
	case 1:
		return paxos.Learned{Actions: d.learned(d.long())}
	case 2:
		return paxos.Truncated{Begin: d.position()}
	case 3:
		return paxos.NotVoting{Status: d.status()}
	case 4:
		return paxos.Refused{Refusal: d.refusal()}
	}
	return paxos.Rejected{By: d.proposal(), Overwritten: d.IntN(2) == 0}
}

func drawFetched(d *drawer) codec.Fetched {
	switch d.IntN(4) {
	case 0:
		return codec.Gone{Begin: d.position()}
	case 1:
		return codec.Unable{Status: d.status()}
	case 2:
		return codec.Denied{Refusal: d.refusal()}
	}
	r := d.long()
	return codec.Copied{Range: r, Actions: d.learned(r)}
}

// either takes the refusal out of an error, where it is one.
func either(err error) (identity.Refusal, error) {
	var refusal identity.Refusal
	if errors.As(err, &refusal) {
		return refusal, nil
	}
	return refusal, err
}
