package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
)

// serveOnce is a process of a limit: it says where it listens, serves one connection with a new file, and ends.
func serveOnce(name string, serve func(net.Conn, *os.File) error) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	go func() { // whoever started it is gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr())
	conn, err := listener.Accept()
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	err = serve(conn, file)
	if gone := (&net.OpError{}); errors.Is(err, io.EOF) || errors.As(err, &gone) {
		return nil // whoever sends notices, if it matters
	}
	return err
}

// follow appends every frame to the file, syncs it, and answers with how many records it has. A frame is the count of its
// records, its length, and its bytes. Frames that wait already share a sync.
func follow(conn net.Conn, file *os.File) error {
	in := bufio.NewReaderSize(conn, 1<<20)
	var head, answer [8]byte
	frame := make([]byte, 0, 2<<20)
	total := uint64(0)
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		total += uint64(binary.BigEndian.Uint32(head[:4]))
		frame = frame[:binary.BigEndian.Uint32(head[4:])]
		if _, err := io.ReadFull(in, frame); err != nil {
			return err
		}
		if _, err := file.Write(frame); err != nil {
			return err
		}
		if in.Buffered() > 0 {
			continue
		}
		if err := syncData(file); err != nil {
			return err
		}
		binary.BigEndian.PutUint64(answer[:], total)
		if _, err := conn.Write(answer[:]); err != nil {
			return err
		}
	}
}

// child is a process of this program that serves a limit.
type child struct {
	net.Conn
	command *exec.Cmd
	stdin   io.Closer
}

// startChild starts one in a role (-follower or -sink), and connects to it.
func startChild(role, file string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	c := &child{command: exec.Command(self, role, file)}
	c.command.Stderr, c.command.SysProcAttr = os.Stderr, apart()
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		c.Conn, err = net.Dial("tcp", strings.TrimSpace(address))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reach a child: %w", err), c.end())
	}
	return c, nil
}

// end ends the process.
func (c *child) end() error {
	if c.Conn != nil {
		_ = c.Conn.Close() // that is how it learns of the end
	}
	_ = c.stdin.Close() // and so
	if err := c.command.Wait(); err != nil {
		return fmt.Errorf("a child: %w", err)
	}
	return nil
}
