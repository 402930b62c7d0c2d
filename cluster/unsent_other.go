//go:build !linux

package cluster

import "net"

// holdLittle does nothing: other systems are not tested.
func holdLittle(net.Conn) error { return nil }
