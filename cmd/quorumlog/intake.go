package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// intake gathers lines into batches: while one is on its way, the next one grows.
//
//	read ── lines ─▶ gather ── batches ─▶ append
type intake struct {
	batches chan batch
	err     error // why the lines ended before the input did; read it after batches is closed
}

// batch is lines that are appended together: at most log.MaxRun, and log.MaxRunBytes.
type batch struct {
	first   uint64 // the number of the first line, from 1
	entries [][]byte
	bytes   int
}

// add adds a line if it fits.
func (b *batch) add(entry []byte) bool {
	if len(b.entries) > 0 && (len(b.entries) == log.MaxRun || b.bytes+len(entry) > log.MaxRunBytes) {
		return false
	}
	b.entries = append(b.entries, entry)
	b.bytes += len(entry)
	return true
}

// gather begins to read. The batches end with the input, at a line that is too long, or with the context.
func gather(ctx context.Context, from io.Reader) *intake {
	in := &intake{batches: make(chan batch)}
	lines := make(chan []byte)
	go func() { // a read from a terminal cannot be interrupted: it ends with the process
		defer close(lines)
		in.err = readLines(from, func(line []byte) bool {
			select {
			case lines <- line:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	go in.gather(ctx, lines)
	return in
}

func (in *intake) gather(ctx context.Context, lines <-chan []byte) {
	defer close(in.batches)
	b := batch{first: 1}
	var held []byte // a line that does not fit into b
	for lines != nil || len(b.entries) > 0 {
		from, to := lines, in.batches
		if held != nil {
			from = nil
		}
		if len(b.entries) == 0 {
			to = nil
		}
		select {
		case line, more := <-from:
			if !more {
				lines = nil
			} else if !b.add(line) {
				held = line
			}
		case to <- b:
			b = batch{first: b.first + uint64(len(b.entries))}
			if held != nil {
				b.add(held)
				held = nil
			}
		case <-ctx.Done():
			return
		}
	}
}

// readLines hands on each line without its end, as bytes that are the callee's to keep, until it returns false.
func readLines(from io.Reader, yield func([]byte) bool) error {
	r := bufio.NewReaderSize(from, 64<<10)
	for number := uint64(1); ; number++ {
		line, err := readLine(r)
		switch {
		case err == nil && !yield(line):
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// readLine returns the next line, which is not nil. The last one may lack its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line := []byte{}
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, bytes.TrimSuffix(part, []byte{'\n'})...)
		if len(line) > log.MaxEntry {
			return nil, fmt.Errorf("%w: an entry has at most %d bytes", cluster.ErrTooLarge, log.MaxEntry)
		}
		switch {
		case err == nil, errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}
