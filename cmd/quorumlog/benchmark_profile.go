package main

import (
	"fmt"
	"os"
	"runtime/pprof"
)

// profiled writes a CPU profile of what it runs into a file. Without a name it only runs it.
func profiled(name string, run func() error) (err error) {
	if name == "" {
		return run()
	}
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("--cpuprofile: %w", err)
	}
	defer func() {
		pprof.StopCPUProfile()
		if closing := file.Close(); err == nil && closing != nil {
			err = fmt.Errorf("--cpuprofile: %w", closing)
		}
	}()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("--cpuprofile: %w", err)
	}
	return run()
}
