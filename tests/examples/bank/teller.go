package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/quorumlog/quorumlog/actors/persistence"
)

// names are the accounts of the bank.
func names() []string { return []string{"anna", "ben", "carl"} }

// teller asks the bank for somebody who is no actor.
type teller struct {
	root *actor.RootContext
	bank *actor.PID
}

// do does what is typed, and returns what to say: "FROM TO AMOUNT" moves money, and "audit" adds it up.
func (t teller) do(line string) (string, error) {
	if line == "audit" {
		sum, err := t.audit()
		return fmt.Sprintf("there is %d in the bank", sum), err
	}
	m := move{}
	if _, err := fmt.Sscan(line, &m.from, &m.to, &m.amount); err != nil {
		return "", fmt.Errorf("say FROM TO AMOUNT, or audit: %w", err)
	}
	if m.from == m.to || !slices.Contains(names(), m.from) || !slices.Contains(names(), m.to) {
		return "", fmt.Errorf("there are %q", names())
	}
	balance, err := t.ask(m)
	return fmt.Sprintf("%s has %d", m.from, balance), err
}

// audit adds up the balances. In the first round what was on its way arrives, so that in the second one none is.
func (t teller) audit() (sum int64, err error) {
	for range 2 {
		sum = 0
		for _, name := range names() {
			balance, err := t.ask(audit{name})
			if err != nil {
				return 0, err
			}
			sum += balance
		}
	}
	return sum, nil
}

func (t teller) ask(question any) (int64, error) {
	answer, err := t.root.RequestFuture(t.bank, question, time.Minute).Result()
	switch answer := answer.(type) {
	case int64:
		return answer, nil
	case error:
		if errors.Is(answer, persistence.ErrFenced) { // by the position of another activation in the log, and no lease, or clock
			return 0, fmt.Errorf("%w: ask again to have the account back here", answer)
		}
		return 0, answer
	}
	return 0, err
}
