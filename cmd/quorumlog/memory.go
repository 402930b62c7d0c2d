package main

import (
	"os"
	"runtime/debug"
)

// memoryLimit is how much memory the collector lets a member take before it works harder, in bytes. What a member holds is
// bounded (64 MiB of appends at a writer, 16 MiB on the way to each peer, Pebble's cache and memtables), but the collector
// would let as much again become garbage first, and most of it is large and dies young under a flood. What Pebble and the
// runtime take besides leaves the process below 512 MiB; make soak holds it against that.
const memoryLimit = 320 << 20

// limitMemory sets the limit, unless who starts the program sets another one with GOMEMLIMIT.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
