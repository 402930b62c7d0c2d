package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes what was written durable, and of the rest of the file only what is needed to read it.
func syncData(file *os.File) error { return unix.Fdatasync(int(file.Fd())) }
