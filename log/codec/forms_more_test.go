package codec_test

import (
	"github.com/quorumlog/quorumlog/log"
	"github.com/quorumlog/quorumlog/log/codec"
	"github.com/quorumlog/quorumlog/log/identity"
	"github.com/quorumlog/quorumlog/log/paxos"
	"github.com/quorumlog/quorumlog/log/status"
	"github.com/quorumlog/quorumlog/messages"
)

// standing is an answer to a RecoverRequest.
type standing struct {
	codec.Envelope
	Standing codec.Standing
	Refusal  identity.Refusal
}

// welcome is an answer to a Hello.
type welcome struct {
	codec.Envelope
	Presence codec.Presence
	Refusal  identity.Refusal
}

func parts() []form {
	return []form{
		formOf("Header", func() *messages.Header { return new(messages.Header) },
			(*drawer).envelope, header, codec.DecodeHeader),
		formOf("Incarnation", func() *messages.Incarnation { return new(messages.Incarnation) },
			(*drawer).incarnation, codec.EncodeIncarnation, codec.DecodeIncarnation),
		formOf("Range", func() *messages.Range { return new(messages.Range) },
			(*drawer).long, codec.EncodeRange, codec.DecodeRange),
		formOf("Value", func() *messages.Value { return new(messages.Value) },
			func(d *drawer) log.Value { return d.value(place) }, codec.EncodeValue,
			func(m *messages.Value) (log.Value, error) { return codec.DecodeValue(m, place) }),
		formOf("RecoverResponse", func() *messages.RecoverResponse { return new(messages.RecoverResponse) },
			drawStanding, encodeStanding,
			func(m *messages.RecoverResponse) (standing, error) {
				e, s, err := codec.DecodeRecoverResponse(m)
				r, err := either(err)
				return standing{e, s, r}, err
			}),
		formOf("Presence", func() *messages.Presence { return new(messages.Presence) },
			(*drawer).presence, codec.EncodePresence, codec.DecodePresence),
		formOf("Hello", func() *messages.Hello { return new(messages.Hello) }, (*drawer).hello,
			func(h codec.Hello) *messages.Hello { return codec.EncodeHello(header(h.Envelope), h) }, codec.DecodeHello),
		formOf("CanvassRequest", func() *messages.CanvassRequest { return new(messages.CanvassRequest) }, (*drawer).canvass,
			func(c codec.Canvass) *messages.CanvassRequest {
				return codec.EncodeCanvassRequest(header(c.Envelope), c.By)
			}, codec.DecodeCanvassRequest),
		formOf("CanvassResponse", func() *messages.CanvassResponse { return new(messages.CanvassResponse) },
			func(d *drawer) reply[paxos.Answer] { return reply[paxos.Answer]{d.envelope(), drawOpinion(d)} },
			func(r reply[paxos.Answer]) *messages.CanvassResponse {
				return codec.EncodeCanvassResponse(header(r.Envelope), r.Answer)
			},
			func(m *messages.CanvassResponse) (reply[paxos.Answer], error) {
				e, a, err := codec.DecodeCanvassResponse(m)
				return reply[paxos.Answer]{e, a}, err
			}),
		formOf("Welcome", func() *messages.Welcome { return new(messages.Welcome) },
			drawWelcome, encodeWelcome,
			func(m *messages.Welcome) (welcome, error) {
				e, p, err := codec.DecodeWelcome(m)
				r, err := either(err)
				return welcome{e, p, r}, err
			}),
	}
}

// place is where a value stands that is read alone.
const place log.Position = 1000

func drawStanding(d *drawer) standing {
	s := standing{Envelope: d.envelope()}
	switch d.IntN(3) {
	case 0:
		s.Refusal = d.refusal()
	case 1:
		s.Standing.Status = status.Status(1 + d.IntN(int(status.Voting)-1))
	case 2:
		r := d.long()
		s.Standing = codec.Standing{Status: status.Voting, Begin: r.First, End: r.Last, Highest: maybe(d, d.proposal())}
		s.Standing.Learned = r.First - 1 + log.Position(d.Uint64N(r.Len()+1))
		s.Standing.Promised = maybe(d, s.Standing.Highest)
		s.Standing.Reign, s.Standing.Founders = maybe(d, d.reign()), d.founders()
	}
	return s
}

func encodeStanding(s standing) *messages.RecoverResponse {
	if s.Refusal.Reason > 0 {
		return codec.RefuseRecovery(header(s.Envelope), s.Refusal)
	}
	return codec.EncodeRecoverResponse(header(s.Envelope), s.Standing)
}

func (d *drawer) presence() codec.Presence {
	p := codec.Presence{Status: d.status(), Writer: maybe(d, d.proposal()), Learned: maybe(d, d.position()), Heard: d.heard(),
		Promised: maybe(d, d.proposal()), Sync: d.number(1e9)}
	for range d.IntN(4) {
		p.Members = append(p.Members, codec.Member{ID: d.replica(), Address: "node:" + d.text()})
	}
	return p
}

// founders are those of some log, or not known.
func (d *drawer) founders() identity.Founders {
	var f identity.Founders
	for range d.IntN(4) {
		f = append(f, d.Uint64())
	}
	return f
}

// hello is a greeting of whoever may send it.
func (d *drawer) hello() codec.Hello {
	h := codec.Hello{Envelope: d.envelope(), Successor: maybe(d, d.replica()), Founders: d.founders()}
	h.Writer = maybe(d, log.NewProposal(d.number(log.MaxRound), h.From.Replica))
	h.Candidacy = maybe(d, log.NewProposal(d.number(log.MaxRound), h.From.Replica))
	return h
}

// canvass is a question of whoever may ask it.
func (d *drawer) canvass() codec.Canvass {
	c := codec.Canvass{Envelope: d.envelope()}
	c.By = log.NewProposal(d.number(log.MaxRound), c.From.Replica)
	return c
}

// drawOpinion is an answer to a canvass.
func drawOpinion(d *drawer) paxos.Answer {
	return []paxos.Answer{
		paxos.Willing{}, paxos.Rejected{By: d.proposal()}, paxos.NotVoting{Status: status.Status(1 + d.IntN(int(status.Voting)-1))},
		paxos.Refused{Refusal: d.refusal()},
	}[d.IntN(4)]
}

func drawWelcome(d *drawer) welcome {
	w := welcome{Envelope: d.envelope()}
	if d.IntN(2) == 0 {
		w.Refusal = d.refusal()
		return w
	}
	w.Presence = d.presence()
	return w
}

func encodeWelcome(w welcome) *messages.Welcome {
	if w.Refusal.Reason > 0 {
		return codec.RefuseWelcome(header(w.Envelope), w.Refusal)
	}
	return codec.EncodeWelcome(header(w.Envelope), w.Presence)
}

// page is what a read returns.
type page struct {
	Range          log.Range
	Actions        []log.Action
	Begin, Learned log.Position // not read by DecodePage
}

func clients() []form {
	return []form{
		formOf("AppendRequest", func() *messages.AppendRequest { return new(messages.AppendRequest) },
			func(d *drawer) []log.Value {
				var values []log.Value
				for range 1 + d.IntN(4) {
					values = append(values, log.Value{Kind: log.Append, Data: d.bytes()})
				}
				return values
			},
			func(values []log.Value) *messages.AppendRequest {
				m := new(messages.AppendRequest)
				for _, v := range values {
					m.Entries = append(m.Entries, v.Data)
				}
				return m
			}, codec.DecodeAppendRequest),
		formOf("Page", func() *messages.Page { return new(messages.Page) },
			func(d *drawer) page {
				actions := d.learned(maybe(d, d.run()))
				for i := range actions { // without a gap
					actions[i].Position = actions[0].Position + log.Position(i)
					actions[i].Value = log.Value{Kind: log.NOP}
				}
				if len(actions) == 0 {
					return page{}
				}
				return page{Range: log.Span(actions[0].Position, len(actions)), Actions: actions}
			},
			func(p page) *messages.Page { return codec.EncodePage(p.Range, p.Actions, p.Begin, p.Learned) },
			func(m *messages.Page) (page, error) {
				r, actions, err := codec.DecodePage(m)
				return page{Range: r, Actions: actions}, err
			}),
	}
}
