package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// procNumber is a number in one of a process's files in /proc; 0 where there is none.
func procNumber(process int, file, key string) uint64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", process, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if fields := strings.Fields(value); name == key && len(fields) > 0 {
			n, _ := strconv.ParseUint(fields[0], 10, 64) // 0 where it is no number
			return n
		}
	}
	return 0
}

// peakMemory is the most bytes of a process that were resident since it began, or since forgetPeak; 0: not known.
func peakMemory(process int) uint64 { return procNumber(process, "status", "VmHWM") << 10 }

// forgetPeak has peakMemory begin again.
func forgetPeak(process int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", process), []byte("5"), 0) // the figure is then larger than it is
}

// written is how many bytes a process has had written to disks; 0: not known.
func written(process int) uint64 { return procNumber(process, "io", "write_bytes") }

// inMemory says whether a directory is on no disk at all.
func inMemory(dir string) bool {
	var at unix.Statfs_t
	return unix.Statfs(dir, &at) == nil && (at.Type == unix.TMPFS_MAGIC || at.Type == unix.RAMFS_MAGIC)
}
