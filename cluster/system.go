package cluster

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/metric"
)

// newSystem returns an actor system that other processes reach under the advertised host:port, once startRemote has given
// it a remote. The address is set before anything is spawned: a PID made under another one gets no answers.
func newSystem(logger zerolog.Logger, advertised string) *actor.ActorSystem {
	return newMeteredSystem(logger, advertised, nil)
}

// newMeteredSystem is newSystem with protoactor's own metrics, unless there is no provider for them.
func newMeteredSystem(logger zerolog.Logger, advertised string, meters metric.MeterProvider) *actor.ActorSystem {
	handler := quiet{zerolog.NewSlogHandler(logger.With().Str("by", "protoactor").Logger())}
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(handler)
	}), func(c *actor.Config) { // protoactor's own option gives the provider, and leaves it switched off
		c.MetricsProvider, c.MetricsEnabled = meters, meters != nil
	})
	system.ProcessRegistry.Address = advertised
	return system
}

// quiet logs what protoactor says, one level lower: what it informs about is detail to us, and what it calls an error is a
// message or a peer that went wrong, not this process. It logs the types of messages and never their contents: those are
// the users' entries.
type quiet struct{ next slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.next.Enabled(ctx, lower(level))
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, said slog.Record) error {
	record := slog.NewRecord(said.Time, lower(said.Level), said.Message, said.PC)
	said.Attrs(func(a slog.Attr) bool {
		record.AddAttrs(withoutBody(a))
		return true
	})
	return q.next.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	bare := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		bare[i] = withoutBody(a)
	}
	return quiet{q.next.WithAttrs(bare)}
}

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.next.WithGroup(name)} }

func lower(level slog.Level) slog.Level {
	switch {
	case level >= slog.LevelError:
		return slog.LevelWarn
	case level >= slog.LevelWarn:
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

func withoutBody(a slog.Attr) slog.Attr {
	if a.Key == "message" {
		return slog.String(a.Key, fmt.Sprintf("%T", a.Value.Any()))
	}
	return a
}
