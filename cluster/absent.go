package cluster

import (
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/quorumlog/quorumlog/actors/member"
	"github.com/quorumlog/quorumlog/messages"
)

// miss answers clients of a log that is not here: silence would tell them that the member is gone. Members of such a log are not
// answered: to them this one is not there.
func (h *host) miss(event any) {
	e, isLetter := event.(*actor.DeadLetterEvent)
	if !isLetter || e.Sender == nil {
		return
	}
	request, isMessage := e.Message.(proto.Message)
	name, below, ok := logOf(e.PID.GetId())
	if !isMessage || !ok || below != member.Gateway || h.has(name) {
		return
	}
	answer := answerTo(request, &messages.Failure{Code: messages.Code_CODE_NO_LOG, Detail: detailNoLog(h.config.ID, name)})
	if answer != nil {
		h.system.Root.Send(e.Sender, answer)
	}
}

// answerTo is the answer to a request of a client that is not served; nil where it is none. Each XRequest has an XResponse, which
// repeats the number of the request, and has room for a failure.
func answerTo(request proto.Message, why *messages.Failure) proto.Message {
	from := request.ProtoReflect()
	number := from.Descriptor().Fields().ByName("request")
	name, isRequest := strings.CutSuffix(string(from.Descriptor().FullName()), "Request")
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name + "Response"))
	if number == nil || !isRequest || err != nil {
		return nil
	}
	to := kind.New()
	fields := to.Descriptor().Fields()
	repeated, failure := fields.ByName("request"), fields.ByName("failure")
	if repeated == nil || repeated.Kind() != number.Kind() || failure == nil || failure.Message() != why.ProtoReflect().Descriptor() {
		return nil
	}
	to.Set(repeated, from.Get(number))
	to.Set(failure, protoreflect.ValueOfMessage(why.ProtoReflect()))
	return to.Interface()
}
