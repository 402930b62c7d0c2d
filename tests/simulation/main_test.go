package simulation

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestMain spares the runs what they have no use for. A world is small and makes much that is garbage at once: to collect it
// less often spares a fifth of the time, and no allocation is sampled that nobody asked to see.
func TestMain(m *testing.M) {
	const percent = 400
	flag.Parse()
	if _, asked := os.LookupEnv("GOGC"); !asked {
		debug.SetGCPercent(percent)
	}
	if flag.Lookup("test.memprofile").Value.String() == "" {
		runtime.MemProfileRate = 0
	}
	os.Exit(m.Run())
}
