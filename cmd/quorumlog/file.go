package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/quorumlog/quorumlog/cluster"
	"github.com/quorumlog/quorumlog/log"
)

// file is what a YAML file may say. One file may serve several commands, so that each takes what it knows; keys that no
// command knows are errors.
type file struct {
	Cluster        *string `yaml:"cluster"`
	Members        *listed `yaml:"members"`
	Log            *string `yaml:"log"`
	Logs           *named  `yaml:"logs"`
	Data           *string `yaml:"data"`
	ID             *uint16 `yaml:"id"`
	Listen         *string `yaml:"listen"`
	HTTP           *string `yaml:"http"`
	ActorMetrics   *bool   `yaml:"actor-metrics"`
	AutoInitialize *bool   `yaml:"auto-initialize"`
	AutoElect      *bool   `yaml:"auto-elect"`
	Repair         *string `yaml:"repair"`
	CopyRate       *string `yaml:"copy-rate"`
	Timeout        *string `yaml:"timeout"`
	Output         *string `yaml:"output"`
	LogLevel       *string `yaml:"log-level"`
	LogFormat      *string `yaml:"log-format"`
	TLSCA          *string `yaml:"tls-ca"`
	TLSCert        *string `yaml:"tls-cert"`
	TLSKey         *string `yaml:"tls-key"`
	Insecure       *bool   `yaml:"insecure"`
	Discovery      *string `yaml:"discovery"`
	Announce       *string `yaml:"announce"`
}

// readFile returns what the file says, as flags would be given it.
func readFile(name string) (map[string]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField())
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) { // EOF: the file is empty
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f.values(), nil
}

func (f file) values() map[string]string {
	values := map[string]string{}
	put(values, "cluster", f.Cluster)
	put(values, "members", f.Members)
	put(values, "log", f.Log)
	put(values, "logs", f.Logs)
	put(values, "data", f.Data)
	put(values, "id", f.ID)
	put(values, "listen", f.Listen)
	put(values, "http", f.HTTP)
	put(values, "actor-metrics", f.ActorMetrics)
	put(values, "auto-initialize", f.AutoInitialize)
	put(values, "auto-elect", f.AutoElect)
	put(values, "repair", f.Repair)
	put(values, "copy-rate", f.CopyRate)
	put(values, "timeout", f.Timeout)
	put(values, "output", f.Output)
	put(values, "log-level", f.LogLevel)
	put(values, "log-format", f.LogFormat)
	put(values, "tls-ca", f.TLSCA)
	put(values, "tls-cert", f.TLSCert)
	put(values, "tls-key", f.TLSKey)
	put(values, "insecure", f.Insecure)
	put(values, "discovery", f.Discovery)
	put(values, "announce", f.Announce)
	return values
}

func put[T any](values map[string]string, name string, value *T) {
	if value != nil {
		values[name] = fmt.Sprint(*value)
	}
}

// named are the names of logs: written as the flag takes them, or as a list.
type named string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (n *named) UnmarshalYAML(decode func(any) error) error {
	var names []string
	if err := decode(&names); err == nil {
		*n = named(strings.Join(names, ","))
		return nil
	}
	var text string
	if err := decode(&text); err != nil {
		return err
	}
	*n = named(text)
	return nil
}

// listed is a member list: written as the flag takes it, or as a mapping from ids to addresses.
type listed string

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (l *listed) UnmarshalYAML(decode func(any) error) error {
	var text string
	if err := decode(&text); err == nil {
		*l = listed(text)
		return nil
	}
	var addresses map[log.ReplicaID]string
	if err := decode(&addresses); err != nil {
		return err
	}
	var members []cluster.Member
	for id, address := range addresses {
		members = append(members, cluster.Member{ID: id, Address: address})
	}
	*l = listed(cluster.FormatMembers(members))
	return nil
}
