package cluster_test

import (
	"log/slog"
	"os"

	"github.com/quorumlog/quorumlog/cluster"
)

// A program that logs with log/slog has the member's lines in its own log.
func ExampleSlogLogger() {
	own := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // it is another one each time
		}
		return a
	}}))
	config := cluster.Config{Logger: cluster.SlogLogger(own.With("program", "orders"))}

	config.Logger.Info().Str("from", "EMPTY").Str("to", "VOTING").Msg("the status changes") // as the member does
	// Output: level=INFO msg="the status changes" program=orders from=EMPTY to=VOTING
}
