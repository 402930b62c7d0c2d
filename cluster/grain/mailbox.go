package grain

import "github.com/asynkron/protoactor-go/actor"

// mailbox is protoactor's, but for what waits in it when its actor has stopped: protoactor drops that, and here each is a dead letter, of
// which its sender is told.
type mailbox struct{ actor.Mailbox }

func newMailbox() actor.Mailbox { return mailbox{actor.Unbounded()()} }

// RegisterHandlers implements actor.Mailbox.
func (m mailbox) RegisterHandlers(to actor.MessageInvoker, d actor.Dispatcher) {
	m.Mailbox.RegisterHandlers(&invoker{MessageInvoker: to}, d)
}

// invoker hands the messages of a mailbox to its actor, one at a time.
type invoker struct {
	actor.MessageInvoker
	ended bool
}

// InvokeSystemMessage implements actor.MessageInvoker. Only behind a system message is an actor gone.
func (i *invoker) InvokeSystemMessage(message any) {
	i.MessageInvoker.InvokeSystemMessage(message)
	if own, is := i.MessageInvoker.(actor.Context); is && own.Self() != nil {
		_, there := own.ActorSystem().ProcessRegistry.GetLocal(own.Self().GetId())
		i.ended = !there
	}
}

// InvokeUserMessage implements actor.MessageInvoker.
func (i *invoker) InvokeUserMessage(message any) {
	envelope, asked := message.(*actor.MessageEnvelope)
	if !i.ended || !asked || envelope.Sender == nil {
		i.MessageInvoker.InvokeUserMessage(message)
		return
	}
	own := i.MessageInvoker.(actor.Context) //nolint:forcetypeassert // it was one where ended was set
	own.ActorSystem().DeadLetter.SendUserMessage(own.Self(), envelope)
}
