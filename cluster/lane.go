package cluster

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/quorumlog/quorumlog/messages"
)

// A link has two lanes: two streams of one connection, which share it fairly. What is small does not wait there for what is large:
// a greeting that is behind 16 MiB of a copy, on a line of 1 MiB a second, comes after its sender was taken for dead.
//
// On each lane the order is kept, and between them it is not. No rule needs it, as the network promises none; but what is written
// must not come before what lies below it, or it waits for that, and what a session appends before it is a gap. So all of these
// go on one lane, and their answers too, whatever their size. So does what a subscriber is told, which takes a gap for a loss.

// Limits of the lane for what is urgent, in bytes.
const (
	maxUrgent      = 4 << 10 // of one message
	maxUrgentQueue = 1 << 20 // of what waits of one log, and half of that of all; the oldest are dropped first
)

// inOrder are the types of messages that stay behind each other.
func inOrder() map[string]bool {
	types := make(map[string]bool)
	for _, m := range []proto.Message{
		&messages.WriteRequest{}, &messages.LearnedMessage{}, &messages.AppendRequest{}, &messages.AppendResponse{},
		&messages.SubscribeResponse{}, &messages.Delivery{}, &messages.LogTruncated{}, &messages.Lagging{}, &messages.Ended{},
	} {
		types[string(proto.MessageName(m))] = true
	}
	return types
}

// part divides a packet into what is urgent and the rest.
func (l *link) part(b *remote.MessageBatch) (urgent, rest *remote.MessageBatch) {
	first, second := partOf(b), partOf(b)
	for _, e := range b.GetEnvelopes() {
		if len(e.GetMessageData()) <= maxUrgent && !l.inOrder[b.GetTypeNames()[e.GetTypeId()]] {
			first.Envelopes = append(first.Envelopes, e)
		} else {
			second.Envelopes = append(second.Envelopes, e)
		}
	}
	return first, second
}

// lanes are the two streams of one session.
type lanes struct {
	*link
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	going   context.Context // ends when nothing more is to be sent on it
	renewed context.CancelFunc
}

// drive sends on both lanes until the connection breaks or, once the link is closed, when all is sent and the peer has read it.
// It returns true when the peer has read all that was sent, and the rest should go on a new connection.
func (l *link) drive(ctx context.Context, cancel context.CancelFunc, stream grpc.ClientStream) (renew bool) {
	going, renewed := context.WithCancel(ctx)
	defer renewed()
	s := lanes{l, ctx, cancel, going, renewed}
	hurried := make(chan bool, 1)
	go func() { hurried <- s.hurry() }()
	read := s.send(stream, l.queue)
	read = <-hurried && read
	return read && going.Err() != nil
}

// hurry opens the lane for what is urgent, and sends on it. A peer that does not answer the greeting there loses the connection: on a
// link that carries bulk alone it would be taken for dead.
func (s lanes) hurry() (read bool) {
	patience := time.AfterFunc(s.forget, s.cancel)
	stream, err := s.greet(s.ctx)
	if !patience.Stop() || err != nil {
		s.cancel()
		return false
	}
	return s.send(stream, s.urgent)
}

// send sends what waits in a queue, and says in the end whether the peer has read all of it.
func (s lanes) send(stream grpc.ClientStream, q *queue) (read bool) {
	said, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		err := stream.RecvMsg(new(remote.RemoteMessage)) // all that a peer says here is that it goes
		ended <- err
		select {
		case <-said:
		default:
			s.cancel()
		}
	}()
	for {
		f, ok := q.pop(s.going)
		if !ok {
			break
		}
		if err := stream.SendMsg(f.packet); err != nil {
			s.cancel() // RecvMsg gets the reason; the message is lost, as on any network
			break
		}
		if s.renewal() {
			s.renewed()
		}
	}
	close(said)
	if s.ctx.Err() == nil && stream.CloseSend() != nil {
		s.cancel()
	}
	read = errors.Is(<-ended, io.EOF) // the peer's end of the stream, or the end of patience
	if !read {
		s.cancel()
	}
	return read
}
