package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"
)

// syncedTogether is after how many bytes a stream is synced.
const syncedTogether = 1 << 20

// measureStream sends so many bytes to another process, which writes them to a file and syncs each mebibyte, and returns
// how long it takes until all is there: the least that a recovery has to do.
func measureStream(ctx context.Context, o options, size int64) (took time.Duration, err error) {
	dir, err := os.MkdirTemp(o.dir, "quorumlog-limit-")
	if err != nil {
		return 0, fmt.Errorf("make a directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	sink, err := startChild("-sink", filepath.Join(dir, "sink"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, sink.end()) }()
	defer context.AfterFunc(ctx, func() { _ = sink.Close() })() // it makes what waits fail
	began := time.Now()
	part := make([]byte, 64<<10)
	for left := size; left > 0; {
		n, err := sink.Write(part[:min(left, int64(len(part)))])
		if err != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
		left -= int64(n)
	}
	if err := sink.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(sink, part[:1]); err != nil {
		return 0, errors.Join(ctx.Err(), err)
	}
	return time.Since(began), nil
}

// drain writes what comes to the file, and answers when all of it is synced.
func drain(conn net.Conn, file *os.File) error {
	part := make([]byte, syncedTogether)
	for {
		n, err := io.ReadFull(conn, part)
		if n > 0 {
			if _, err := file.Write(part[:n]); err != nil {
				return err
			}
			if err := syncData(file); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			_, err = conn.Write([]byte{1})
			return err
		case err != nil:
			return err
		}
	}
}
