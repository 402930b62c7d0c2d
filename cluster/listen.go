package cluster

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// probe finds out whether this process can listen on a host:port. What it finds may change until the port is taken: it is
// there for its errors, which say what to do.
func probe(address string) error {
	listener, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("listen on %s: another process uses this address: stop it, or listen on another one (--listen): %w",
			address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("listen on %s: this machine does not have this address: give one that it has (--listen): %w",
			address, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("listen on %s: this process may not use this port: take one above 1023 (--listen): %w",
			address, err)
	case err != nil:
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return closed(listener)
}

// freeAddress returns a host:port of this host that nobody listens on at this moment.
func freeAddress(host string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("find a free port of %s: %w", host, err)
	}
	return listener.Addr().String(), closed(listener)
}

func closed(listener net.Listener) error {
	if err := listener.Close(); err != nil {
		return fmt.Errorf("free %s again: %w", listener.Addr(), err)
	}
	return nil
}

// outboundHost returns the IP address under which this machine reaches the members, so that they can answer to it. An
// address that other machines see is preferred to the loopback: members on this machine see it as well.
func outboundHost(addresses []string) (string, error) {
	var loopback string
	var faults []error
	for _, address := range addresses {
		ip, err := outboundIP(address)
		switch {
		case err != nil:
			faults = append(faults, err)
		case !ip.IsLoopback():
			return ip.String(), nil
		case loopback == "":
			loopback = ip.String()
		}
	}
	if loopback == "" {
		return "", fmt.Errorf("find this machine's own address: %w", errors.Join(faults...))
	}
	return loopback, nil
}

// outboundIP asks the routing table: connecting a UDP socket sends nothing.
func outboundIP(address string) (net.IP, error) {
	socket, err := net.Dial("udp", address)
	if err != nil {
		return nil, fmt.Errorf("no way to %s: %w", address, err)
	}
	local, ok := socket.LocalAddr().(*net.UDPAddr)
	if err := socket.Close(); err != nil || !ok {
		return nil, fmt.Errorf("no way to %s: local address %v: %w", address, socket.LocalAddr(), err)
	}
	return local.IP, nil
}

// split takes a host:port apart as protoactor wants it: it joins the two with a colon, so an IPv6 host keeps its brackets.
func split(address string) (host string, port int, err error) {
	host, number, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("address %q is not host:port: %w", address, err)
	}
	port, err = strconv.Atoi(number)
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("address %q: the port is not a number from 1 to 65535", address)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host, port, nil
}
