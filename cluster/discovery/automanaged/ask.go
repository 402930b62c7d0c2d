package automanaged

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/quorumlog/quorumlog/cluster/discovery"
)

// most is how many bytes of an answer are read, and atOnce how many hosts are asked at the same time.
const (
	most   = 16 << 10
	atOnce = 16
)

// asker asks hosts for the members of one log.
type asker struct {
	client *http.Client
	name   string
}

func newAsker(name string) *asker {
	return &asker{name: name, client: &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: 2 * every, MaxResponseHeaderBytes: most},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a member sends nobody elsewhere
		Timeout:       patient,
	}}
}

// heard is what came of asking one host. It is no error that somebody else's member is there.
type heard struct {
	place discovery.Place
	ours  bool
	err   error
}

// all asks all hosts. Where none answers, that is an error.
func (a *asker) all(ctx context.Context, hosts []string) (discovery.Places, error) {
	answers := make([]chan heard, len(hosts))
	turn := make(chan struct{}, atOnce)
	for i, host := range hosts {
		answers[i] = make(chan heard, 1)
		go func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			answers[i] <- a.one(ctx, host)
		}()
	}
	places := make(discovery.Places)
	var errs []error
	for _, answer := range answers { // in the order of the hosts, so that two of one member do not swap
		h := <-answer
		if h.ours {
			places.Add(h.place)
		}
		if h.err != nil {
			errs = append(errs, h.err)
		}
	}
	if len(errs) == len(hosts) {
		return nil, fmt.Errorf("nobody says where members are: %w", errors.Join(errs...))
	}
	return places, nil
}

func (a *asker) one(ctx context.Context, host string) heard {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+path, nil)
	if err != nil {
		return heard{err: fmt.Errorf("ask %s: %w", host, err)}
	}
	response, err := a.client.Do(request)
	if err != nil {
		return heard{err: err} // it names the host
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is not worth it
	if response.StatusCode != http.StatusOK {
		return heard{err: fmt.Errorf("ask %s: %s", host, response.Status)}
	}
	var n node
	if err := json.NewDecoder(io.LimitReader(response.Body, most)).Decode(&n); err != nil {
		return heard{err: fmt.Errorf("ask %s: %w", host, err)}
	}
	at, err := discovery.Found(n.ID, n.Address, n.Port)
	return heard{place: at, ours: err == nil && n.Cluster == a.name} // that of others may have another kind of id
}
