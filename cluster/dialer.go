package cluster

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/trace"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// Dialer is what a client may be given besides the members. The zero Dialer dials as Dial does.
type Dialer struct {
	// Log is the name of the log that the client is of; empty for the one without. Client.Log leads from one to another.
	Log string
	// Security is how the client and the members know each other. Empty: not at all, which is for the loopback only.
	Security Security
	// Discovery says where members are that are not where the list says. Nil: they are there. See Config.Discovery.
	Discovery discovery.Source
	// TracerProvider is where the spans of the client's appends go. Nil: there are none, and an append costs nothing more. See
	// Config.TracerProvider.
	TracerProvider trace.TracerProvider
}

// Dial returns a client of the log with these members, as the function Dial does.
func (d Dialer) Dial(ctx context.Context, members []Member) (*Client, error) {
	if err := ValidateLog(d.Log); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	c, err := dial(ctx, members, d.Security, d.Discovery)
	if err != nil {
		return nil, err
	}
	c.name = d.Log
	c.trace(tracerOf(d.TracerProvider))
	return c, nil
}
