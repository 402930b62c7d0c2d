package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// hosts is a network of namespaces. Each host has one device, a tun: what a process there sends, this process reads as a
// packet, and what this process writes, a process there receives. So the lines between the hosts are Go, and may do to a
// packet whatever a line does. Nothing of it reaches the machine's own network, and the kernel removes it all when this
// process ends, however that happens.
type hosts struct {
	*lines
	all []*host // 0 is this process's own namespace
}

// memberPort is the port of every member: each has a host of its own.
const memberPort = "7101"

// newHosts makes a network of n hosts, and that of the clients. It ends with the test.
func newHosts(t testing.TB, n int, seed uint64) (Network, error) {
	if err := apart(); err != nil {
		return nil, err
	}
	h := &hosts{lines: newLines(n+1, seed)}
	t.Cleanup(h.close)
	subnet := networks.Add(1)
	for id := range n + 1 {
		host, err := newHost(id, net.IPv4(10, 77, byte(subnet), byte(id+1)), fmt.Sprintf("wire%d", subnet))
		if err != nil {
			return nil, fmt.Errorf("host %d: %w", id, err)
		}
		h.all = append(h.all, host)
		h.ports[id] = host.wire
	}
	for id := range h.all {
		go h.carry(id)
	}
	return h, nil
}

// Addresses implements Network.
func (h *hosts) Addresses() []string {
	var addresses []string
	for _, host := range h.all[1:] {
		addresses = append(addresses, net.JoinHostPort(host.address.String(), memberPort))
	}
	return addresses
}

// Launch implements Network.
func (h *hosts) Launch(id int, command *exec.Cmd) (err error) {
	h.all[id].do(func() { err = command.Start() })
	return err
}

// Flags implements Network.
func (*hosts) Flags(int) []string { return nil }

// Kind implements Network.
func (*hosts) Kind() string { return "namespaces" }

func (h *hosts) close() {
	for _, host := range h.all {
		host.close()
	}
}

// host is a network namespace, and a thread that lives in it.
type host struct {
	address net.IP
	wire    *os.File // the packets that processes there send, and are to receive
	work    chan func()
	over    chan struct{}
}

// newHost makes a host with one address. Number 0 is the namespace of this process, and not a new one.
func newHost(id int, address net.IP, device string) (*host, error) {
	h := &host{address: address, work: make(chan func()), over: make(chan struct{})}
	made := make(chan error)
	go h.live(id, device, made)
	if err := <-made; err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// live is the thread of a host. When it ends, the thread goes back to where it came from: a thread that ends takes with it
// all processes that it ever started, for whomever (dieWithParent).
func (h *host) live(id int, device string, made chan<- error) {
	defer close(h.over)
	back := func() {}
	if id > 0 {
		var err error
		if back, err = leave(); err != nil {
			made <- err
			return
		}
	}
	defer back()
	made <- h.connect(device)
	for do := range h.work {
		do()
	}
}

// leave puts this thread into a network namespace of its own. Back puts it where it was; a thread that cannot go back stays
// locked, and ends with its goroutine.
func leave() (back func(), err error) {
	runtime.LockOSThread()
	former, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("open this thread's namespace: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return nil, errors.Join(fmt.Errorf("unshare: %w", err), former.Close())
	}
	return func() {
		if unix.Setns(int(former.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		_ = former.Close() // it was only read
	}, nil
}

// do does something in the host's namespace.
func (h *host) do(what func()) {
	done := make(chan struct{})
	h.work <- func() {
		defer close(done)
		what()
	}
	<-done
}

func (h *host) close() {
	close(h.work)
	<-h.over
	if h.wire != nil {
		_ = h.wire.Close() // its packets are nobody's any more
	}
}

// connect makes the host's devices.
func (h *host) connect(device string) error {
	if err := up("lo"); err != nil {
		return err
	}
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(device)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(tun, unix.TUNSETIFF, request)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make the device %s: %w", device, err), unix.Close(tun))
	}
	h.wire = os.NewFile(uintptr(tun), device)
	if err := address(device, h.address); err != nil {
		return err
	}
	return up(device)
}

// address gives a device its address, in a network of 254.
func address(device string, ip net.IP) error {
	return configure(device, func(socket int, request *unix.Ifreq) error {
		if err := request.SetInet4Addr(ip.To4()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(socket, unix.SIOCSIFADDR, request); err != nil {
			return err
		}
		if err := request.SetInet4Addr(net.IPv4(255, 255, 255, 0).To4()); err != nil {
			return err
		}
		return unix.IoctlIfreq(socket, unix.SIOCSIFNETMASK, request)
	})
}

// up switches a device on.
func up(device string) error {
	return configure(device, func(socket int, request *unix.Ifreq) error {
		if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
			return err
		}
		request.SetUint16(request.Uint16() | unix.IFF_UP)
		return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
	})
}

func configure(device string, do func(socket int, request *unix.Ifreq) error) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("configure %s: %w", strconv.Quote(device), err)
	}
	request, err := unix.NewIfreq(device)
	if err == nil {
		err = do(socket, request)
	}
	if err := errors.Join(err, unix.Close(socket)); err != nil {
		return fmt.Errorf("configure %s: %w", strconv.Quote(device), err)
	}
	return nil
}
