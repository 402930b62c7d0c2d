package cluster

import (
	"net"
	"syscall"
)

// maxUnsent is how many bytes of a connection the kernel takes beside those that are on the line. What waits there is in its order
// already: it takes megabytes by itself, and a greeting would wait behind them.
const maxUnsent = 128 << 10

// notSentLowat is TCP_NOTSENT_LOWAT, which package syscall does not name; see tcp(7).
const notSentLowat = 25

// holdLittle has the kernel take no more than that. A connection that is none of TCP stays as it is.
func holdLittle(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var refused error
	if err := raw.Control(func(fd uintptr) {
		refused = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, notSentLowat, maxUnsent)
	}); err != nil {
		return err
	}
	return refused
}
