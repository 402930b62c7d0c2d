package cluster

import (
	"context"
	"errors"
	"net"
	"time"
)

// hurry is how long a place has to take a connection until the next one is tried beside it: most take less, and one whose machine
// is gone never answers.
const hurry = 250 * time.Millisecond

// tried is what became of one try to connect.
type tried struct {
	conn  net.Conn
	place string
	err   error
}

// race connects to the first of some places that takes a connection: the next one is tried where the one before failed, or takes
// long. It returns the place too, or what was wrong with all of them.
func race(ctx context.Context, places []string) (net.Conn, string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan tried)
	var faults []error
	for begun := 0; len(faults) < len(places); {
		var late <-chan time.Time
		if begun < len(places) {
			if begun == len(faults) { // nothing is on its way
				go try(ctx, places[begun], results)
				begun++
			}
			late = time.After(hurry)
		}
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, r.place, nil
			}
			faults = append(faults, r.err)
		case <-late:
			if begun < len(places) {
				go try(ctx, places[begun], results)
				begun++
			}
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
	return nil, "", errors.Join(faults...)
}

func try(ctx context.Context, place string, results chan<- tried) {
	conn, err := dialPlace(ctx, place)
	select {
	case results <- tried{conn, place, err}:
	case <-ctx.Done():
		if conn != nil {
			_ = conn.Close() // another place was faster
		}
	}
}

// dialPlace goes straight to a place: never through a proxy, and never to a socket file that it might name.
func dialPlace(ctx context.Context, place string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", place)
}
