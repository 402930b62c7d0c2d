package discovery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	"github.com/quorumlog/quorumlog/log"
)

// node is a place as protoactor's cluster provider for etcd writes it: its id is the number of the member here.
type node struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Host    string   `json:"host"`
	Address string   `json:"address"` // the host too
	Port    int      `json:"port"`
	Kinds   []string `json:"kinds"`
	Alive   bool     `json:"alive"`
}

// Marshal writes a place as protoactor's cluster provider for etcd does.
func Marshal(p Place) ([]byte, error) {
	host, text, err := net.SplitHostPort(p.Address)
	if err != nil {
		return nil, fmt.Errorf("write a place: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("write a place: %w", err)
	}
	id := strconv.Itoa(int(p.Member))
	out, err := json.Marshal(node{ID: id, Name: id, Host: host, Address: host, Port: port, Kinds: []string{}, Alive: true})
	if err != nil {
		return nil, fmt.Errorf("write a place: %w", err)
	}
	return out, nil
}

// Unmarshal reads what Marshal wrote. Whatever else is there is an error.
func Unmarshal(text []byte) (Place, error) {
	var n node
	if err := json.Unmarshal(text, &n); err != nil {
		return Place{}, fmt.Errorf("read a place: %w", err)
	}
	return Found(n.ID, cmp.Or(n.Host, n.Address), n.Port)
}

// Found is the place of a member whose id is a text.
func Found(name, host string, port int) (Place, error) {
	id, err := strconv.ParseUint(name, 10, 16)
	if err != nil {
		return Place{}, fmt.Errorf("%.100q is no member's id", name)
	}
	p := Place{log.ReplicaID(id), net.JoinHostPort(host, strconv.Itoa(port))}
	return p, p.Validate()
}
