package ensemble

import "github.com/asynkron/protoactor-go/actor"

// Stopping supervises by stopping: an actor that panicked no longer knows what it is doing, and its member must end.
// Report is called with the reason, from any goroutine, and sees to that.
//
// protoactor's default restarts the actor ten times in ten seconds and drops the message. That hides faults, and would
// turn a replica into one that forgot half of what it was doing (hole L13).
func Stopping(report func(who *actor.PID, reason any)) actor.SupervisorStrategy {
	return &stopping{report}
}

type stopping struct{ report func(*actor.PID, any) }

// HandleFailure implements actor.SupervisorStrategy.
func (s *stopping) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	by.StopChildren(child)
	s.report(child, reason)
}

// Topmost is for an actor that has no parent: where it panics it is stopped, and report is called, on its goroutine. A guardian of
// protoactor's does as much, but each takes a place in its actor system for ever, which may be a program's own.
func Topmost(report func(who *actor.PID, reason any)) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, message *actor.MessageEnvelope) {
			defer func() {
				if reason := recover(); reason != nil {
					ctx.ActorSystem().Root.Stop(ctx.Self())
					report(ctx.Self(), reason)
				}
			}()
			next(ctx, message)
		}
	}
}
