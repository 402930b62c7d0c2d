package cluster

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"github.com/rs/zerolog"
)

// frame is one packet in a queue.
type frame struct {
	packet *remote.RemoteMessage
	line   string // see queue
	bytes  int    // about
	queued time.Time
}

// frames cuts a batch into packets of at most maxFrame bytes, or of one message, each for one line.
func frames(b *remote.MessageBatch, log zerolog.Logger) (cut []frame) {
	for name, part := range byLine(b) {
		for _, f := range cutToSize(part, log) {
			f.line = name
			cut = append(cut, f)
		}
	}
	return cut
}

// byLine divides a batch by the lines that it waits in.
func byLine(b *remote.MessageBatch) iter.Seq2[string, *remote.MessageBatch] {
	return func(yield func(string, *remote.MessageBatch) bool) {
		targets := b.GetTargets()
		names := make([]string, 0, 1)
		for _, target := range targets {
			if name := lineOf(target); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) == 1 { // as in a process with one log
			yield(names[0], b)
			return
		}
		for _, name := range names {
			part := partOf(b)
			for _, e := range b.GetEnvelopes() {
				if lineOf(targets[e.GetTarget()]) == name {
					part.Envelopes = append(part.Envelopes, e)
				}
			}
			if len(part.Envelopes) > 0 && !yield(name, part) {
				return
			}
		}
	}
}

// lineOf is the line of what is for an actor: that of its log. Clients, whatever they call themselves, share that of the log without
// a name.
func lineOf(target string) string {
	if !isOurs(target) {
		return logName
	}
	root, _, _ := strings.Cut(target, "/")
	return root
}

// partOf is a part of a batch, still without envelopes.
func partOf(b *remote.MessageBatch) *remote.MessageBatch {
	return &remote.MessageBatch{TypeNames: b.GetTypeNames(), Targets: b.GetTargets(), Senders: b.GetSenders()}
}

func cutToSize(b *remote.MessageBatch, log zerolog.Logger) []frame {
	var cut []frame
	add := func(envelopes []*remote.MessageEnvelope, bytes int) {
		if len(envelopes) == 0 {
			return
		}
		part := partOf(b)
		part.Envelopes = envelopes
		cut = append(cut, frame{
			packet: &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: part}},
			bytes:  bytes, queued: time.Now(),
		})
	}
	first, bytes := 0, 0
	for i, e := range b.GetEnvelopes() {
		size := len(e.GetMessageData()) + perMessage
		if size > maxMessage {
			log.Error().Str("type", b.GetTypeNames()[e.GetTypeId()]).Int("bytes", size).
				Msg("a message is too large to be sent, and was dropped")
			add(b.GetEnvelopes()[first:i], bytes)
			first, bytes = i+1, 0
			continue
		}
		if bytes > 0 && bytes+size > maxFrame {
			add(b.GetEnvelopes()[first:i], bytes)
			first, bytes = i, 0
		}
		bytes += size
	}
	add(b.GetEnvelopes()[first:], bytes)
	return cut
}
